"""The versions of a run: one published version a memory size, and ``$LATEST`` as it was in between.

``$LATEST`` holds another memory size only while versions are being published: ``publish`` ends with the original
configuration in place. Measuring may begin on a version while the next one is still being published.

A version just published has no execution environments, so fresh ones are had by publishing the size again. Lambda
returns the last version where nothing has changed since: then a version of a size next to it is published in
between, because memory is the only thing that tuner ever changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from tuner.engine.journal import (
    Journal,
    Marking,
    MemoryChange,
    MemoryChanged,
    MemoryRefused,
    MemoryRestored,
    MemoryUndo,
    Publication,
    Published,
)
from tuner.engine.observer import Observer
from tuner.engine.ownership import version_description
from tuner.engine.ports import Conflicted, ControlPlane, LatestConfiguration, PublishedVersion
from tuner.engine.settle import attempts, patiently, settled, settled_latest
from tuner.engine.undo import check_account, restore_memory
from tuner.errors import CannotTuneError, ForeignChangeError, RunInProgressError, SizeRefusedError, TargetError
from tuner.limits import SMALLEST_MB
from tuner.model import Cell, FunctionSnapshot

MOST_LOOKS_FOR_MARK = 5
"""Tags may take a moment to be seen."""


class VersionSet:
    """Publishes versions of one function and knows which it published.

    ``temporary``: the function is a copy of ours that will be deleted whole, so nothing of it needs an undo.
    """

    def __init__(
        self,
        function: FunctionSnapshot,
        run_id: str,
        control: ControlPlane,
        journal: Journal,
        observer: Observer,
        *,
        poll_interval_s: float,
        temporary: bool = False,
    ) -> None:
        self.function = function
        self._run_id = run_id
        self._description = version_description(run_id)
        self._control = control
        self._journal = journal
        self._observer = observer
        self._poll_interval_s = poll_interval_s
        self._temporary = temporary
        self._versions: dict[Cell, asyncio.Future[str]] = {}
        self._ready: set[Cell] = set()
        self._quickly_ready = False
        """A version was ready at the first look: versions of the same code and network are not looked at any more.
        Should one not be ready all the same, the service refuses its invocations, and they wait."""
        self._fresh: set[Cell] = set()
        self._known_versions = set(function.versions)
        """Versions that may have environments already."""
        self._marked = temporary
        self._memory_mb = function.memory_mb
        """What ``$LATEST`` has by our own doing."""
        self._latest: LatestConfiguration | None = None
        """What was just read of it; None once a publication has given it another revision."""

    def expect(self, cells: Sequence[Cell], *, fresh: bool = False) -> list[Cell]:
        """Those of ``cells`` that have no version yet; ``ready`` may be awaited for all of them from now on.

        ``fresh``: a version that exists does not count, its environments may have served.
        """
        missing = [cell for cell in cells if fresh or cell not in self._versions]
        loop = asyncio.get_running_loop()
        self._versions.update({cell: loop.create_future() for cell in missing})
        self._ready.difference_update(missing)
        if fresh:
            self._fresh.update(missing)
        return missing

    async def publish(self, cells: Sequence[Cell]) -> None:
        """Publish a version for every one of ``cells``, in their order, then put ``$LATEST`` back. The size that
        ``$LATEST`` has comes first: it takes no change at all.

        Raises ForeignChangeError when somebody else changes the function meanwhile. A size that the account may not
        use is left out: ``ready`` then raises SizeRefusedError for it.
        """
        if not cells:
            return
        if not self._marked:
            await self._mark()
        for cell in sorted(cells, key=lambda cell: cell.memory_mb != self.function.memory_mb):
            self._observer.phase(f"publishing {cell.memory_mb} MB")
            try:
                version = await self._publish_size(cell)
            except SizeRefusedError as refusal:  # nothing was changed: the other sizes can still be measured
                self._versions[cell].set_exception(refusal)
                continue
            self._observer.published(cell, version.version)
            self._versions[cell].set_result(version.version)
        await self.restore()

    async def ready(self, cell: Cell) -> str:
        """The version of ``cell``, once it can be invoked."""
        version = await asyncio.shield(self._versions[cell])
        if cell in self._ready:
            return version

        if self._quickly_ready:
            await asyncio.sleep(self._poll_interval_s)
        else:
            await self._watch(version)
        self._ready.add(cell)
        return version

    async def _watch(self, version: str) -> None:
        looks = 0

        async def is_ready() -> bool:
            nonlocal looks
            looks += 1
            return await self._control.version_ready(self.function.name, version)

        await settled(is_ready, bool, what=f"Version {version}", interval_s=self._poll_interval_s, just_changed=True)
        self._quickly_ready = looks == 1 and not self.function.snap_start

    async def restore(self) -> None:
        """Give ``$LATEST`` its memory back. Raises ForeignChangeError if it is no longer what tuner set."""
        if self._temporary or self._memory_mb == self.function.memory_mb:
            return
        self._observer.phase("restoring the function")
        memory = MemoryUndo(original_mb=self.function.memory_mb, ours_mb=frozenset({self._memory_mb}))
        await restore_memory(
            self._control,
            self.function.name,
            memory,
            was_measured=self._is_marked,
            poll_interval_s=self._poll_interval_s,
        )
        self._memory_mb = self.function.memory_mb
        self._journal.note(MemoryRestored())

    async def _is_marked(self, latest: LatestConfiguration) -> bool:
        """As ``restore_memory`` asks it."""
        return self._carries_mark(latest)

    def _carries_mark(self, latest: LatestConfiguration) -> bool:
        return self._run_id in (latest.marks or ())

    async def _mark(self) -> None:
        """Put our mark on the function, then look at it once more: whoever else marked it meanwhile sees ours, or
        we see theirs. Raises RunInProgressError where both do; then both leave it alone."""
        arn = self.function.arn.removesuffix(f":{self.function.qualifier}")
        # Whether tags may be removed cannot be asked without doing it: better now than with a mark that has to stay.
        await patiently(
            lambda: self._control.unmark(arn, self._run_id), self._foreign_change, interval_s=self._poll_interval_s
        )
        self._journal.announce(Marking())
        await patiently(
            lambda: self._control.mark(arn, self._run_id, self.function.memory_mb),
            self._foreign_change,
            interval_s=self._poll_interval_s,
        )
        self._marked = True
        latest = await self._seen_marked(arn)
        others = sorted((latest.marks or frozenset()) - {self._run_id})
        if others:
            raise RunInProgressError(
                f"Another run ({others[0]}) began on {self.function.name} at the same moment.",
                hint="Wait for it, then run this again.",
            )
        self._check_unchanged(latest)
        self._latest = latest

    async def _seen_marked(self, arn: str) -> LatestConfiguration:
        """The function with our mark on it: a mark that we cannot see, others cannot be seen by either."""
        for look in range(MOST_LOOKS_FOR_MARK):
            if look:
                await asyncio.sleep(self._poll_interval_s)
            latest = await self._control.latest(self.function.name)
            check_account(arn, latest)
            if self._carries_mark(latest):
                return latest
        raise TargetError(
            f"The tag that marks {self.function.name} as being measured cannot be seen.",
            hint="Allow lambda:ListTags (see `tuner iam-policy`), or add --clone to measure a temporary copy.",
        )

    async def _publish_size(self, cell: Cell) -> PublishedVersion:
        version = await self._published(cell.memory_mb)
        if cell in self._fresh and self._may_have_served(version):
            await self._published(_beside(cell.memory_mb))
            version = await self._published(cell.memory_mb)
        self._fresh.discard(cell)
        self._known_versions.add(version.version)
        return version

    def _may_have_served(self, version: PublishedVersion) -> bool:
        return version.version in self._known_versions or version.description != self._description

    async def _published(self, memory_mb: int) -> PublishedVersion:
        """A version of that size. Each publication gives ``$LATEST`` another revision, so it is read again first."""
        latest = self._latest or await self._control.latest(self.function.name)
        self._latest = None
        self._check_unchanged(latest)
        if latest.memory_mb != memory_mb:
            latest = await self._set_memory(latest, memory_mb)
        return await self._publish(latest, memory_mb)

    async def _set_memory(self, latest: LatestConfiguration, memory_mb: int) -> LatestConfiguration:
        for patience in self._patience():
            try:
                await self._announced_change(memory_mb, latest)
            except Conflicted as refusal:
                await patience(refusal)
                latest = await self._settled_latest()
                if refusal.repeated and latest.memory_mb == memory_mb != self._memory_mb:
                    break  # an attempt whose answer was lost has made the change
                self._check_unchanged(latest)
            else:
                break
        self._memory_mb = memory_mb
        latest = await self._settled_latest()
        self._check_unchanged(latest)
        if not self._temporary:
            self._journal.note(MemoryChanged())
        return latest

    async def _announced_change(self, memory_mb: int, latest: LatestConfiguration) -> None:
        """One attempt. Where it was refused for certain, the journal says so: that size is not ours then."""
        if self._temporary:
            await self._control.set_memory(self.function.name, memory_mb, revision_id=latest.revision_id)
            return
        self._journal.announce(MemoryChange(original_mb=self.function.memory_mb, set_to_mb=memory_mb))
        try:
            await self._control.set_memory(self.function.name, memory_mb, revision_id=latest.revision_id)
        except (Conflicted, SizeRefusedError) as refusal:
            if isinstance(refusal, SizeRefusedError) or not refusal.repeated:
                self._journal.note(MemoryRefused())
            raise

    async def _publish(self, latest: LatestConfiguration, memory_mb: int) -> PublishedVersion:
        if not self._temporary:
            self._journal.announce(Publication(description=self._description, existing=self.function.versions))
        for patience in self._patience():
            try:
                version = await self._control.publish(
                    self.function.name, revision_id=latest.revision_id, description=self._description
                )
            except Conflicted as refusal:
                await patience(refusal)
                latest = await self._settled_latest()
                self._check_unchanged(latest)
            else:
                break
        if not self._temporary and version.description == self._description:
            self._journal.note(Published(version=version.version))
        if version.memory_mb != memory_mb:
            raise self._foreign_change(f"version {version.version} has {version.memory_mb} MB")
        return version

    def _patience(self) -> Iterator[Callable[[Conflicted], Awaitable[None]]]:
        """Attempts at a change that the service may refuse because of another one that is just ending. Each comes
        with what to await after a refusal; the last one gives up."""
        return attempts(self._foreign_change, interval_s=self._poll_interval_s)

    async def _settled_latest(self) -> LatestConfiguration:
        return await settled_latest(
            self._control, self.function.name, poll_interval_s=self._poll_interval_s, just_changed=True
        )

    def _check_unchanged(self, latest: LatestConfiguration) -> None:
        if not latest.settled:
            raise CannotTuneError(
                f"An update of {self.function.name} is in progress.",
                hint="Wait until the deployment has ended, then run this again.",
            )
        self._check_code(latest)
        if not self._temporary and not self._carries_mark(latest):
            raise self._foreign_change("it does not carry the mark of this run any more")
        if latest.memory_mb != self._memory_mb:
            raise self._foreign_change(f"it has {latest.memory_mb} MB")

    def _check_code(self, latest: LatestConfiguration) -> None:
        if latest.code_sha256 != self.function.code_sha256:
            raise self._foreign_change("its code is another")

    def _foreign_change(self, what: str) -> ForeignChangeError:
        return ForeignChangeError(
            f"Somebody else changed {self.function.name} during the run: {what}.",
            hint="The other change was left alone. Run this again when the deployment has ended.",
        )


def _beside(memory_mb: int) -> int:
    """Another size that every account may use where it may use ``memory_mb``."""
    return memory_mb - 1 if memory_mb > SMALLEST_MB else memory_mb + 1
