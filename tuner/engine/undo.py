"""Putting a function back: the same steps at the end of a run and in ``tuner recover``.

Only what tuner changed is restored, and only if it still is what tuner set: a deployment made meanwhile wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tuner.engine.journal import JournalRecord, MemoryChange, Publication
from tuner.engine.ports import Conflicted, ControlPlane, LatestConfiguration
from tuner.engine.settle import attempts, settled
from tuner.errors import ForeignChangeError, FunctionNotFoundError, TargetError
from tuner.model import Notice, Severity

DESCRIPTION_PREFIX = "tuner run "
DELETE_INTERVAL_S = 0.5


def version_description(run_id: str) -> str:
    """The description that marks a version as ours, also for another machine that finds it."""
    return f"{DESCRIPTION_PREFIX}{run_id}"


async def restore_memory(
    control: ControlPlane,
    function: str,
    changes: Sequence[MemoryChange],
    *,
    poll_interval_s: float,
    found: LatestConfiguration | None = None,
) -> None:
    """Give ``$LATEST`` its original memory if it has a size that one of ``changes`` set.

    ``found`` is what it was when it was last read, if that was just now: its revision guards the change.
    Raises ForeignChangeError when it has yet another size: that was somebody else's decision and stays.
    """
    original_mb = changes[0].original_mb
    ours_mb = {change.set_to_mb for change in changes}

    async def latest(*, just_changed: bool) -> LatestConfiguration:
        return await settled(
            lambda: control.latest(function),
            lambda now: now.settled,
            what=f"The update of {function}",
            interval_s=poll_interval_s,
            just_changed=just_changed,
        )

    found = found or await latest(just_changed=False)
    for patience in attempts(partial(_left_changed, function), interval_s=poll_interval_s):
        if found.memory_mb == original_mb:
            return
        if found.memory_mb not in ours_mb:
            raise ForeignChangeError(
                f"{function} has {found.memory_mb} MB, which tuner did not set; it had {original_mb} MB before.",
                hint="It was left alone. Nothing more is needed if that deployment is yours.",
            )
        try:
            await control.set_memory(function, original_mb, revision_id=found.revision_id)
        except Conflicted as refusal:
            await patience(refusal)
        found = await latest(just_changed=True)


def _left_changed(function: str, reason: str) -> TargetError:
    return TargetError(
        f"The memory size of {function} could not be restored: {reason}",
        hint="Wait until no update of it is in progress.",
    )


async def delete_versions(
    control: ControlPlane, function: str, publications: Sequence[Publication], published: Sequence[str]
) -> tuple[str, ...]:
    """Delete the versions that the journal's publications made, and return their numbers.

    Where a publication's number was never heard, because its answer was lost or the process died, the version is
    found by its description. Versions that existed before the run are never touched: publishing an unchanged
    function returns one of those.
    """
    existing = {version for publication in publications for version in publication.existing}
    ours = set(published)
    if len(published) < len(publications):
        descriptions = {publication.description for publication in publications}
        marked = [v for v in await control.list_versions(function) if v.description in descriptions]
        ours |= {version.version for version in marked}
    deleted = sorted(ours - existing, key=int)
    for version in deleted:
        await _delete(control, function, version)
    return tuple(deleted)


async def _delete(control: ControlPlane, function: str, version: str) -> None:
    for patience in attempts(partial(_left_version, function, version), interval_s=DELETE_INTERVAL_S):
        try:
            await control.delete_version(function, version)
        except Conflicted as refusal:
            await patience(refusal)
        else:
            return


def _left_version(function: str, version: str, reason: str) -> TargetError:
    return TargetError(
        f"Version {version} of {function} could not be deleted: {reason}",
        hint="Wait until no update of it is in progress.",
    )


async def remove_copy(control: ControlPlane, name: str) -> tuple[Notice, ...]:
    """Delete a temporary copy, also one that is still being made."""
    for patience in attempts(partial(_left_copy, name), interval_s=DELETE_INTERVAL_S):
        try:
            return await control.delete_copy(name)
        except Conflicted as refusal:
            await patience(refusal)
    raise AssertionError("the last attempt raises")


def _left_copy(name: str, reason: str) -> TargetError:
    return TargetError(f"The copy {name} could not be deleted: {reason}", hint="Wait until it has been made.")


async def delete_marked_versions(control: ControlPlane, function: str) -> tuple[str, ...]:
    """Delete every version of ``function`` that any run of tuner made, and return their numbers."""
    ours = [v.version for v in await control.list_versions(function) if v.description.startswith(DESCRIPTION_PREFIX)]
    for version in ours:
        await _delete(control, function, version)
    return tuple(ours)


async def undo(control: ControlPlane, record: JournalRecord, *, poll_interval_s: float) -> tuple[Notice, ...]:
    """Undo everything a journal holds. Returns what the user should know; raises a TargetError if a step failed.

    A function that is gone has nothing left to restore.
    """
    function = record.opened.arn
    notices: list[Notice] = []
    for copy in record.copies:
        notices.extend(await remove_copy(control, copy.name))
    try:
        if record.memory_changes:
            try:
                await restore_memory(control, function, record.memory_changes, poll_interval_s=poll_interval_s)
            except ForeignChangeError as error:
                notices.append(foreign_change_notice(error))
        await delete_versions(control, function, record.publications, record.published)
    except FunctionNotFoundError:
        notices.append(
            Notice(
                code="function-gone",
                severity=Severity.INFO,
                message=f"{record.opened.function} does not exist any more: there is nothing to restore.",
            )
        )
    return tuple(notices)


def foreign_change_notice(error: ForeignChangeError) -> Notice:
    return Notice(code=error.slug, severity=Severity.WARNING, message=error.message, remedy=error.hint)
