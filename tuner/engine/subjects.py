"""What is invoked: the function's own versions, or those of a temporary copy where the plan wants one."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from tuner.engine.journal import CopyCreation, Journal
from tuner.engine.observer import Observer
from tuner.engine.ports import Conflicted, ControlPlane, Invoker, Throttled
from tuner.engine.settle import settled
from tuner.engine.versions import VersionSet
from tuner.errors import NotPortableError
from tuner.model import Architecture, Cell, Copy, FunctionSnapshot, Notice, Outcome, Plan, Severity
from tuner.telemetry import classify, parse_log_tail


class Subjects:
    """The functions of a run, by architecture."""

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
        self._versions: dict[Architecture, VersionSet] = {}

    async def prepare(self, payload: bytes) -> tuple[Cell, ...]:
        """Make the copies. Returns the cells that can be measured: code that cannot run on an architecture is said
        to be not portable, and never measured as if it were slow."""
        copies = {copy.architecture: copy for copy in self._plan.copies}
        for architecture in sorted({cell.architecture for cell in self._plan.cells}):
            copy = copies.get(architecture)
            if copy is None:
                self._versions[architecture] = self._version_set(self._plan.function)
                continue
            try:
                function = await self._make(copy)
                if architecture is not self._plan.function.architecture:
                    await self._check_portable(function, payload)
            except NotPortableError as error:
                self.notices.append(_not_portable_notice(architecture, error))
                continue
            self._versions[architecture] = self._version_set(function, temporary=True)
        return tuple(cell for cell in self._plan.cells if cell.architecture in self._versions)

    def expect(self, cells: Sequence[Cell]) -> list[Cell]:
        return [cell for versions, own in self._by_function(cells) for cell in versions.expect(own)]

    async def publish(self, cells: Sequence[Cell]) -> None:
        for versions, own in self._by_function(cells):
            await versions.publish(own)

    async def ready(self, cell: Cell) -> tuple[str, str]:
        """Name and version to invoke for ``cell``."""
        versions = self._versions[cell.architecture]
        return versions.function.name, await versions.ready(cell)

    def _by_function(self, cells: Sequence[Cell]) -> list[tuple[VersionSet, list[Cell]]]:
        return [
            (versions, [cell for cell in cells if cell.architecture is architecture])
            for architecture, versions in self._versions.items()
        ]

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

    async def _make(self, copy: Copy) -> FunctionSnapshot:
        self._observer.phase(f"copying the function for {copy.architecture}")
        self._journal.write(CopyCreation(name=copy.name))
        with contextlib.suppress(Conflicted):  # an attempt whose answer was lost has made it
            await self._control.create_copy(self._plan.function, copy, run_id=self._plan.run_id)
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


def _not_portable_notice(architecture: Architecture, error: NotPortableError) -> Notice:
    return Notice(
        code=error.slug,
        severity=Severity.WARNING,
        message=f"Not portable to {architecture}: {error.message}",
        remedy=error.hint,
    )
