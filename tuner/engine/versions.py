"""The versions of a run: one published version a memory size, and ``$LATEST`` as it was in between.

``$LATEST`` holds another memory size only while versions are being published: ``ensure`` ends with the original
configuration in place, so a measurement never runs on a changed function.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuner.engine.journal import Journal, MemoryChange, MemoryRestored, Publication
from tuner.engine.observer import Observer
from tuner.engine.ports import ControlPlane, LatestConfiguration, PublishedVersion
from tuner.engine.settle import settled
from tuner.engine.undo import restore_memory
from tuner.errors import CannotTuneError, ForeignChangeError
from tuner.model import Cell, FunctionSnapshot


def version_description(run_id: str) -> str:
    """The description that marks a version as ours, also for another machine that finds it."""
    return f"tuner run {run_id}"


class VersionSet:
    """Publishes versions of one function and knows which it published."""

    def __init__(
        self,
        function: FunctionSnapshot,
        run_id: str,
        control: ControlPlane,
        journal: Journal,
        observer: Observer,
        *,
        poll_interval_s: float,
    ) -> None:
        self._function = function
        self._description = version_description(run_id)
        self._control = control
        self._journal = journal
        self._observer = observer
        self._poll_interval_s = poll_interval_s
        self._versions: dict[Cell, str] = {}
        self._changes: list[MemoryChange] = []

    def __getitem__(self, cell: Cell) -> str:
        return self._versions[cell]

    async def ensure(self, cells: Sequence[Cell]) -> None:
        """Publish a version for every cell that has none, then put ``$LATEST`` back.

        Raises ForeignChangeError when somebody else changes the function meanwhile.
        """
        missing = [cell for cell in cells if cell not in self._versions]
        if not missing:
            return
        latest = await self._control.latest(self._function.name)
        for cell in missing:
            self._observer.phase(f"publishing {cell.memory_mb} MB")
            latest = await self._set_memory(latest, cell.memory_mb)
            self._versions[cell] = (await self._publish(latest, cell)).version
            self._observer.published(cell, self._versions[cell])
        await self.restore()
        for cell in missing:
            await self._ready(cell)

    async def restore(self) -> None:
        """Give ``$LATEST`` its memory back. Raises ForeignChangeError if it is no longer what tuner set."""
        if self._changes:
            self._observer.phase("restoring the function")
            await restore_memory(
                self._control, self._function.name, self._changes, poll_interval_s=self._poll_interval_s
            )
            self._journal.write(MemoryRestored())
            self._changes.clear()

    async def _set_memory(self, latest: LatestConfiguration, memory_mb: int) -> LatestConfiguration:
        self._check_unchanged(latest)
        if latest.memory_mb == memory_mb:
            return latest
        change = MemoryChange(original_mb=self._function.memory_mb, set_to_mb=memory_mb)
        self._journal.write(change)
        self._changes.append(change)
        await self._control.set_memory(self._function.name, memory_mb, revision_id=latest.revision_id)
        return await self._settled_latest()

    async def _publish(self, latest: LatestConfiguration, cell: Cell) -> PublishedVersion:
        self._journal.write(Publication(description=self._description, existing=self._function.versions))
        version = await self._control.publish(
            self._function.name, revision_id=latest.revision_id, description=self._description
        )
        if version.memory_mb != cell.memory_mb:
            raise self._foreign_change(f"version {version.version} has {version.memory_mb} MB")
        return version

    async def _ready(self, cell: Cell) -> None:
        version = self._versions[cell]

        async def is_ready() -> bool:
            return await self._control.version_ready(self._function.name, version)

        await settled(is_ready, bool, what=f"Version {version}", interval_s=self._poll_interval_s)

    async def _settled_latest(self) -> LatestConfiguration:
        return await settled(
            lambda: self._control.latest(self._function.name),
            lambda latest: latest.settled,
            what=f"The update of {self._function.name}",
            interval_s=self._poll_interval_s,
        )

    def _check_unchanged(self, latest: LatestConfiguration) -> None:
        expected_mb = self._changes[-1].set_to_mb if self._changes else self._function.memory_mb
        if not latest.settled:
            raise CannotTuneError(
                f"An update of {self._function.name} is in progress.",
                hint="Wait until the deployment has ended, then run this again.",
            )
        if latest.code_sha256 != self._function.code_sha256:
            raise self._foreign_change("its code is another")
        if latest.memory_mb != expected_mb:
            raise self._foreign_change(f"it has {latest.memory_mb} MB")

    def _foreign_change(self, what: str) -> ForeignChangeError:
        return ForeignChangeError(
            f"Somebody else changed {self._function.name} during the run: {what}.",
            hint="The other change was left alone. Run this again when the deployment has ended.",
        )
