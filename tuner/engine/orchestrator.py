"""One run from its plan to its samples: publish, measure in blocks, undo on every way out."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime

from tuner.engine.dispatcher import Dispatcher
from tuner.engine.journal import Closed, Journal, Opened, read_journal
from tuner.engine.ledger import Ledger
from tuner.engine.observer import Observer
from tuner.engine.ports import ControlPlane, Invoker, SamplingPolicy
from tuner.engine.slots import Slots
from tuner.engine.store import RunStore
from tuner.engine.undo import undo
from tuner.engine.versions import VersionSet
from tuner.errors import CleanUpIncompleteError, TunerError
from tuner.model import Block, Notice, Plan, Sample, Severity, Stop, Wave
from tuner.units import format_usd


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
    blocks: int
    seconds: float
    interrupted: bool
    notices: tuple[Notice, ...]
    failure: TunerError | None
    """What ended the run early. The samples taken before it are still valid."""


async def execute(
    plan: Plan,
    *,
    policy: SamplingPolicy,
    payload: bytes,
    store: RunStore,
    ports: RunPorts,
    connection: Connection,
) -> RunResult:
    """Run ``plan`` and put the function back, whatever happens.

    Cancelling the task (Ctrl-C) ends the measurement, undoes it and returns what was measured; cancelling it again
    gives up the clean-up. Raises CleanUpIncompleteError when the function may not be as it was: then the journal
    stays open for ``tuner recover``.
    """
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    store.write_plan(plan)
    with Journal.create(store.journal_path, _opened(plan, connection)) as journal:
        measurement = _Measurement(plan, policy, payload, store, ports, journal)
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
        blocks=measurement.blocks,
        seconds=loop.time() - started_s,
        interrupted=interrupted,
        notices=(*measurement.notices, *notices),
        failure=failure,
    )


class _Measurement:
    """The part of a run between opening the journal and undoing what it says."""

    def __init__(
        self,
        plan: Plan,
        policy: SamplingPolicy,
        payload: bytes,
        store: RunStore,
        ports: RunPorts,
        journal: Journal,
    ) -> None:
        self.samples: list[Sample] = []
        self.notices: list[Notice] = []
        self.blocks = 0
        self._plan = plan
        self._policy = policy
        self._store = store
        self._observer = ports.observer
        self._ledger = Ledger(plan.request.max_cost_usd, plan.prices)
        self._slots = Slots(plan.max_in_flight)
        self._versions = VersionSet(
            plan.function,
            plan.run_id,
            ports.control,
            journal,
            ports.observer,
            poll_interval_s=ports.poll_interval_s,
        )
        self._dispatcher = Dispatcher(
            plan.function.name,
            payload,
            ports.invoker,
            ports.observer,
            self._on_sample,
            rng=random.Random(plan.request.seed),  # noqa: S311 - jitter, not a secret
        )

    async def run(self) -> None:
        while not isinstance(step := self._policy.next_block(self.samples), Stop):
            await self._versions.ensure(step.cells)
            self._observer.block_started(step)
            if not await self._run_block(step):
                self.notices.append(_budget_notice(self._plan, self._ledger))
                return
            self.blocks += 1

    async def _run_block(self, block: Block) -> bool:
        """Run the waves of a block in their order, side by side as far as slots allow; False when the budget ended
        it early."""
        async with asyncio.TaskGroup() as group:
            waves = [group.create_task(self._run_wave(wave, block)) for wave in block.waves]
        return all(wave.result() for wave in waves)

    async def _run_wave(self, wave: Wave, block: Block) -> bool:
        async with self._slots.take(wave.size):
            if not self._ledger.affords(wave):
                return False
            await self._dispatcher.run_wave(wave, self._versions[wave.cell], block=block.number)
            return True

    def _on_sample(self, sample: Sample) -> None:
        self._store.append_samples([sample])
        self._ledger.add(sample)
        self.samples.append(sample)
        self._observer.sample(sample, self._ledger.spent_usd)


async def _clean_up(ports: RunPorts, journal: Journal) -> tuple[Notice, ...]:
    ports.observer.phase("cleaning up")
    record = read_journal(journal.path)
    if record is None:
        raise AssertionError("a journal has its first entry on disk before it is used")
    try:
        notices = await undo(ports.control, record, poll_interval_s=ports.poll_interval_s)
    except (TunerError, asyncio.CancelledError) as error:
        reason = error.message if isinstance(error, TunerError) else "interrupted again"
        raise CleanUpIncompleteError(
            f"Cleaning up after the run did not finish ({reason}): {record.opened.function} may still have "
            "a changed memory size or versions that tuner published.",
            hint="Type `tuner recover` to put it back as it was.",
        ) from error
    journal.write(Closed(closed_at=datetime.now(UTC).isoformat(timespec="seconds")))
    return notices


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


def _budget_notice(plan: Plan, ledger: Ledger) -> Notice:
    return Notice(
        code="budget-reached",
        severity=Severity.WARNING,
        message=f"The run stopped at its budget: {format_usd(ledger.spent_usd)} of "
        f"{format_usd(plan.request.max_cost_usd)} is spent, and the next wave would not have fitted.",
        remedy="Raise --max-cost, or give fewer sizes or samples.",
    )
