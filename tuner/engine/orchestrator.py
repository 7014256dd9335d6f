"""One run from its plan to its samples: publish, measure in blocks, undo on every way out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tuner.engine.dispatcher import Dispatcher, Sending
from tuner.engine.journal import Closed, Journal, Opened
from tuner.engine.ledger import Ledger
from tuner.engine.observer import Observer
from tuner.engine.ports import ControlPlane, Invoker, SamplingPolicy
from tuner.engine.preflight import touches_function
from tuner.engine.recovery import refuse_unfinished
from tuner.engine.rests import Rests
from tuner.engine.slots import Slots
from tuner.engine.store import RunStore, SampleRows
from tuner.engine.subjects import Subjects
from tuner.engine.undo import undo
from tuner.errors import CleanUpIncompleteError, SizeRefusedError, StorageError, TunerError, VersionInUseError
from tuner.model import Block, Cell, EngineKind, Notice, Plan, Sample, Severity, Stop, Wave
from tuner.planning.plan import sampling_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPorts:
    """What a run needs from the outside."""

    control: ControlPlane
    invoker: Invoker
    observer: Observer
    poll_interval_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How ``tuner recover`` reaches the function again. No credentials: those are found as usual."""

    profile: str | None
    endpoint_url: str | None
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run leaves: its samples, and how it ended."""

    samples: tuple[Sample, ...]
    cells: tuple[Cell, ...]
    """The candidates of the plan that Lambda takes: without architectures the function cannot run on and sizes that
    the account may not use."""
    blocks: int
    seconds: float
    interrupted: bool
    notices: tuple[Notice, ...]
    failure: TunerError | None
    """What ended the run early. The samples taken before it are still valid."""


async def execute(
    plan: Plan,
    *,
    sending: Sending,
    store: RunStore,
    ports: RunPorts,
    connection: Connection,
    policy_of: Callable[[Plan], SamplingPolicy] = sampling_of,
    earlier: tuple[Sample, ...] = (),
) -> RunResult:
    """Run ``plan`` and put the function back, whatever happens.

    ``earlier`` are the samples of an attempt that ended early: they count, and are not taken again.
    Cancelling the task (Ctrl-C) ends the measurement, undoes it and returns what was measured; cancelling it again
    gives up the clean-up. Raises CleanUpIncompleteError when the function may not be as it was: then the journal
    stays open for ``tuner recover``.
    """
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    with contextlib.ExitStack() as held:
        _lock(plan, store, connection, held)
        store.write_plan(plan)
        journal = held.enter_context(Journal.create(store.new_journal_path(), _opened(plan, connection), store.disk))
        rows = held.enter_context(store.sample_rows())
        measurement = _Measurement(plan, sending, rows, ports, journal, policy_of, earlier)
        interrupted, failure = False, None
        try:
            await measurement.run()
        except* asyncio.CancelledError:
            interrupted = True
        except* TunerError as errors:
            failure = _first(errors)
        finally:
            notices = await _clean_up(ports, journal)
    return RunResult(
        samples=tuple(sorted(measurement.samples, key=lambda sample: sample.sequence)),
        cells=measurement.cells,
        blocks=measurement.blocks,
        seconds=loop.time() - started_s,
        interrupted=interrupted,
        notices=(*measurement.notices, *notices),
        failure=failure,
    )


def _lock(plan: Plan, store: RunStore, connection: Connection, held: contextlib.ExitStack) -> None:
    """Nobody shares an embedded Lambda of our own. Under the lock it is looked once more whether a run has begun or
    died since the plan was made."""
    if plan.request.engine is EngineKind.LOCAL or not touches_function(plan):
        return
    held.enter_context(contextlib.closing(store.lock(plan.function.arn, connection.endpoint_url)))
    refuse_unfinished(plan.function, store.folder.parent, endpoint_url=connection.endpoint_url, disk=store.disk)


class _Measurement:
    """The part of a run between opening the journal and undoing what it says."""

    def __init__(
        self,
        plan: Plan,
        sending: Sending,
        rows: SampleRows,
        ports: RunPorts,
        journal: Journal,
        policy_of: Callable[[Plan], SamplingPolicy],
        earlier: tuple[Sample, ...],
    ) -> None:
        self.samples: list[Sample] = list(earlier)
        self.notices: list[Notice] = []
        self.cells = plan.cells
        self.blocks = 0
        self._plan = plan
        self._policy_of = policy_of
        self._rows = rows
        self._observer = ports.observer
        self._probe = sending.payloads.payloads[0].data
        self._started_s = asyncio.get_running_loop().time()
        self._ledger = Ledger(plan)
        for sample in earlier:
            self._ledger.add(sample)
        self._refused: dict[int, SizeRefusedError] = {}
        self._scouting = False
        self._first_cost = asyncio.Event()
        if self._ledger.knows_a_cost:
            self._first_cost.set()
        self._slots = Slots(plan.max_in_flight)
        self._rests = Rests()
        self._subjects = Subjects(
            plan, ports.control, ports.invoker, journal, ports.observer, poll_interval_s=ports.poll_interval_s
        )
        self._dispatcher = Dispatcher(sending, ports.invoker, ports.observer, self._on_sample, after=earlier)

    async def run(self) -> None:
        self.cells = await self._subjects.prepare(self._probe)
        self.notices.extend(self._subjects.notices)
        policy = self._policy_of(replace(self._plan, cells=self.cells))
        while not isinstance(step := policy.next_block(self.samples), Stop):
            self._observer.block_started(step)
            refusals = [reason for reason in await self._run_block(step) if reason is not None]
            if refusals:
                self.notices.append(_budget_notice(refusals[0]))
                return
            self.blocks += 1
            if self._refused:
                self.cells = tuple(cell for cell in self.cells if cell.memory_mb < min(self._refused))
                if not self.cells:
                    raise self._refused[min(self._refused)]
                policy = self._policy_of(replace(self._plan, cells=self.cells))

    async def _run_block(self, block: Block) -> list[str | None]:
        """Run the waves of a block, side by side as far as slots allow, while versions they need are being
        published in the same order. Returns for each wave why it was not run, None if it was.

        All waves of a cell in a fresh block run on one new version: overlapping or not, they share its environments.
        The arms of a comparison take turns: one wave after the other, in exactly the order of the block.
        """
        cells = list(dict.fromkeys(wave.cell for wave in block.waves))
        missing = self._subjects.expect(cells, fresh=block.fresh)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._subjects.publish(missing))
            if self._plan.arms:
                return await self._take_turns(block)
            waves = [group.create_task(self._run_wave(wave, block)) for wave in block.waves]
        return [wave.result() for wave in waves]

    async def _take_turns(self, block: Block) -> list[str | None]:
        """The first refusal ends the block: one side alone says nothing."""
        for wave in block.waves:
            refusal = await self._run_wave(wave, block)
            if refusal is not None:
                return [refusal]
        return []

    async def _run_wave(self, wave: Wave, block: Block) -> str | None:
        try:
            function, version = await self._subjects.ready(wave.cell)
        except SizeRefusedError as error:
            self._leave_out(wave.cell, error)
            return None
        await self._rests.end(function, version)
        async with self._slots.take(wave.size):
            await self._after_the_scout()
            refusal = self._ledger.refusal(wave, elapsed_s=asyncio.get_running_loop().time() - self._started_s)
            if refusal is not None:
                self._first_cost.set()  # nothing is coming back that the others could wait for
                return refusal
            with self._ledger.reserve(wave):
                await self._dispatcher.run_wave(wave, function, version, block=block.number)
            self._rests.begin(function, version)
            return None

    def _leave_out(self, cell: Cell, refusal: SizeRefusedError) -> None:
        """A quota that forbids one size forbids all larger ones."""
        if cell.memory_mb not in self._refused:
            self._refused[cell.memory_mb] = refusal
            self.notices.append(
                Notice(code=refusal.slug, severity=Severity.WARNING, message=refusal.message, remedy=refusal.hint)
            )

    async def _after_the_scout(self) -> None:
        """Before any call has come back nothing is known about costs: one wave goes ahead, the others wait for its
        first answer, so that a budget is exceeded by one wave at most."""
        if self._scouting:
            await self._first_cost.wait()
        self._scouting = True

    def _on_sample(self, sample: Sample) -> None:
        self._ledger.add(sample)
        self._first_cost.set()
        self.samples.append(sample)
        self._observer.sample(sample, self._ledger.spent_usd)
        self._rows.append(sample)  # last: what there is no room for on the disk is in the report all the same


async def _clean_up(ports: RunPorts, journal: Journal) -> tuple[Notice, ...]:
    """Undo by what this process knows, not by the file: the disk may be full or the folder gone."""
    ports.observer.phase("cleaning up")
    record = journal.record
    try:
        notices = await undo(ports.control, journal, poll_interval_s=ports.poll_interval_s)
    except (TunerError, asyncio.CancelledError) as error:
        reason = error.message if isinstance(error, TunerError) else "interrupted again"
        raise CleanUpIncompleteError(
            f"Cleaning up after the run did not finish ({reason}): {record.opened.function} may still have "
            "a changed memory size or versions that tuner published.",
            hint=f"{_first_step(error)}Type `tuner recover` to put it back as it was.",
        ) from error
    try:
        journal.announce(Closed(closed_at=datetime.now(UTC).isoformat(timespec="seconds")))
    except StorageError as error:
        return (*notices, _unclosed_notice(error))
    return notices


def _first_step(error: BaseException) -> str:
    """What has to be done before, where more than a new attempt is needed."""
    return f"{error.hint} " if isinstance(error, VersionInUseError) else ""


def _unclosed_notice(error: StorageError) -> Notice:
    return Notice(
        code=error.slug,
        severity=Severity.WARNING,
        message=f"The function is as it was, but the journal of the run could not be closed. {error.message}",
        remedy="Make room there, then type `tuner recover`.",
    )


def _first(errors: BaseExceptionGroup[TunerError]) -> TunerError:
    """The first error of a group: the others happened because the group was ending or for the same reason."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _opened(plan: Plan, connection: Connection) -> Opened:
    return Opened(
        run_id=plan.run_id,
        function=plan.function.name,
        arn=plan.function.arn,
        engine=plan.request.engine,
        region=plan.function.region,
        profile=connection.profile,
        endpoint_url=connection.endpoint_url,
        pid=connection.pid,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _budget_notice(reason: str) -> Notice:
    return Notice(
        code="budget-reached",
        severity=Severity.WARNING,
        message=f"The run stopped at its budget: {reason}.",
        remedy="Raise the limit, or give fewer sizes or samples.",
    )
