"""What is invoked: the function's own versions, or those of a temporary copy where the plan wants one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuner.engine.journal import CopyCreation, Journal
from tuner.engine.observer import Observer
from tuner.engine.ports import Conflicted, ControlPlane, Invoker, Throttled
from tuner.engine.settle import settled
from tuner.engine.versions import VersionSet
from tuner.errors import CannotTuneError, NotPortableError
from tuner.model import Architecture, Cell, Copy, FunctionSnapshot, Notice, Outcome, Plan, Severity, Variant
from tuner.telemetry import classify, parse_log_tail


@dataclass(frozen=True, slots=True)
class _AsItIs:
    """An arm that is invoked as it is: a published version, an alias or ``$LATEST``, of which nothing is changed."""

    function: FunctionSnapshot

    def expect(self, cells: Sequence[Cell], *, fresh: bool = False) -> list[Cell]:
        del cells, fresh  # its environments are what they are
        return []

    async def publish(self, cells: Sequence[Cell]) -> None:
        if cells:
            raise AssertionError("nothing is expected of an arm that is invoked as it is")

    async def ready(self, cell: Cell) -> str:
        del cell
        return self.function.qualifier or "$LATEST"


_Key = tuple[Variant, Architecture]


class Subjects:
    """The functions of a run: one for each architecture, and in a comparison one for each arm."""

    def __init__(
        self,
        plan: Plan,
        control: ControlPlane,
        invoker: Invoker,
        journal: Journal,
        observer: Observer,
        *,
        poll_interval_s: float,
    ) -> None:
        self.notices: list[Notice] = []
        self._plan = plan
        self._control = control
        self._invoker = invoker
        self._journal = journal
        self._observer = observer
        self._poll_interval_s = poll_interval_s
        self._subjects: dict[_Key, VersionSet | _AsItIs] = {}

    async def prepare(self, payload: bytes) -> tuple[Cell, ...]:
        """Make the copies. Returns the cells that can be measured: code that cannot run on an architecture is said
        to be not portable, and never measured as if it were slow."""
        for key in sorted({_key(cell) for cell in self._plan.cells}):
            try:
                self._subjects[key] = await self._subject(key, payload)
            except NotPortableError as error:
                self.notices.append(_not_portable_notice(key[1], error))
        return tuple(cell for cell in self._plan.cells if _key(cell) in self._subjects)

    def expect(self, cells: Sequence[Cell], *, fresh: bool = False) -> list[Cell]:
        return [cell for subject, own in self._by_subject(cells) for cell in subject.expect(own, fresh=fresh)]

    async def publish(self, cells: Sequence[Cell]) -> None:
        for subject, own in self._by_subject(cells):
            await subject.publish(own)

    async def ready(self, cell: Cell) -> tuple[str, str]:
        """Name and version to invoke for ``cell``."""
        subject = self._subjects[_key(cell)]
        return subject.function.name, await subject.ready(cell)

    def _by_subject(self, cells: Sequence[Cell]) -> list[tuple[VersionSet | _AsItIs, list[Cell]]]:
        return [(subject, [c for c in cells if _key(c) == key]) for key, subject in self._subjects.items()]

    async def _subject(self, key: _Key, payload: bytes) -> VersionSet | _AsItIs:
        variant, architecture = key
        arm = next((arm for arm in self._plan.arms if arm.variant == variant), None)
        source = self._plan.function if arm is None else arm.function
        copy = next((c for c in self._plan.copies if (c.variant, c.architecture) == key), None)
        if copy is not None:
            function = await self._make(source, copy)
            if architecture is not source.architecture:
                await self._check_portable(function, payload)
            return self._version_set(function, temporary=True)
        if arm is None or arm.disposable:
            return self._version_set(source, temporary=arm is not None)
        return _AsItIs(source)

    def _version_set(self, function: FunctionSnapshot, *, temporary: bool = False) -> VersionSet:
        return VersionSet(
            function,
            self._plan.run_id,
            self._control,
            self._journal,
            self._observer,
            poll_interval_s=self._poll_interval_s,
            temporary=temporary,
        )

    async def _make(self, source: FunctionSnapshot, copy: Copy) -> FunctionSnapshot:
        self._observer.phase(f"copying the function for {copy.architecture}")
        self._journal.announce(CopyCreation(name=copy.name))
        try:
            await self._control.create_copy(source, copy, run_id=self._plan.run_id)
        except Conflicted as refusal:
            # An attempt whose answer was lost has made it, or else it is somebody else's.
            if not await self._control.is_copy(copy.name, run_id=self._plan.run_id):
                raise CannotTuneError(
                    f"The copy {copy.name} cannot be made: {refusal}", hint="It is not tuner's. Run this again."
                ) from refusal
        ready = await settled(
            lambda: self._control.copy_ready(copy.name),
            lambda found: found is not None,
            what=f"The copy {copy.name}",
            interval_s=self._poll_interval_s,
        )
        if ready is None:
            raise AssertionError("settled returns what it found")
        return replace(ready, versions=())

    async def _check_portable(self, function: FunctionSnapshot, payload: bytes) -> None:
        """One invocation before any is counted: an import error would fail at every size alike."""
        try:
            result = await self._invoker.invoke(function.name, "$LATEST", payload)
        except Throttled:
            return  # the measurement will find out
        report = None if result.log_tail is None else parse_log_tail(result.log_tail, result.request_id)
        outcome, error_type, message = classify(report, result.function_error, result.payload)
        if outcome is Outcome.INIT_ERROR:
            raise NotPortableError(
                f"The code cannot start on {function.architecture}: {error_type}: {message}",
                hint="Build the package and its layers for that architecture, then run this again.",
            )


def _key(cell: Cell) -> _Key:
    return cell.variant, cell.architecture


def _not_portable_notice(architecture: Architecture, error: NotPortableError) -> Notice:
    return Notice(
        code=error.slug,
        severity=Severity.WARNING,
        message=f"Not portable to {architecture}: {error.message}",
        remedy=error.hint,
    )
