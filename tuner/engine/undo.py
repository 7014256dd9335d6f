"""Putting a function back: the same steps at the end of a run and in ``tuner recover``.

The memory comes first, then everything else, each step by itself: one that fails does not stop the others. What
carries no id of the run is left alone, and so is a memory size that tuner did not set last.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

from tuner.engine.journal import Journal, JournalRecord, MemoryRestored, MemoryUndo
from tuner.engine.ownership import run_of_version, version_description
from tuner.engine.ports import Conflicted, ControlPlane, LatestConfiguration
from tuner.engine.settle import attempts, patiently, settled_latest
from tuner.errors import (
    ForeignChangeError,
    FunctionNotFoundError,
    OtherAccountError,
    PermissionsMissingError,
    StorageError,
    TargetError,
)
from tuner.model import Notice, Severity

DELETE_INTERVAL_S = 0.5


async def undo(control: ControlPlane, journal: Journal, *, poll_interval_s: float) -> tuple[Notice, ...]:
    """Undo everything a journal holds. Returns what the user should know. The journal is not closed by it.

    Raises a TargetError with all that is left where a step failed. A function that is gone has nothing left to
    restore.
    """
    record, steps = journal.record, _Steps()
    if record.marked or record.memory is not None or record.publications:
        try:
            await steps.run(partial(_undo_function, control, journal, poll_interval_s=poll_interval_s))
        except FunctionNotFoundError:
            steps.notices.append(_gone_notice(record.opened.function))
    for copy in record.copies:
        await steps.run(partial(remove_copy, control, copy.name, run_id=record.opened.run_id))
    steps.raise_failures()
    return tuple(steps.notices)


class _Steps:
    """Steps that do not stop one another."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self._failures: list[TargetError] = []

    async def run(self, step: Callable[[], Awaitable[tuple[Notice, ...]]]) -> None:
        """FunctionNotFoundError ends them all: then nothing is left to undo."""
        try:
            self.notices.extend(await step())
        except FunctionNotFoundError:
            raise
        except TargetError as error:
            self._failures.append(error)

    def raise_failures(self) -> None:
        if len(self._failures) == 1:
            raise self._failures[0]
        if self._failures:
            hints = list(dict.fromkeys(error.hint for error in self._failures))
            raise TargetError(" ".join(error.message for error in self._failures), hint=" ".join(hints))


async def _undo_function(control: ControlPlane, journal: Journal, *, poll_interval_s: float) -> tuple[Notice, ...]:
    record = journal.record
    arn, run_id = record.opened.arn, record.opened.run_id
    steps = _Steps()
    found = await settled_latest(control, arn, poll_interval_s=poll_interval_s)
    check_account(arn, found)
    versions = await _own_versions(control, record)

    async def give_memory_back() -> tuple[Notice, ...]:
        if record.memory is None:
            return ()
        notices = await _restored(control, record, record.memory, found, poll_interval_s=poll_interval_s)
        # Should a later step fail, the memory is somebody else's from here on. On a full disk this process knows.
        with contextlib.suppress(StorageError):
            journal.note(MemoryRestored())
        return notices

    async def take_mark_off() -> tuple[Notice, ...]:
        if record.marked:
            await patiently(
                lambda: control.unmark(arn, run_id), partial(_left_mark, arn), interval_s=DELETE_INTERVAL_S
            )
        return ()

    await steps.run(give_memory_back)
    for number in versions:
        await steps.run(partial(_delete_version, control, arn, number, version_description(run_id)))
    steps.raise_failures()  # the mark stays while something is left: it proves next time that this is the function
    await steps.run(take_mark_off)
    steps.raise_failures()
    return tuple(steps.notices)


async def _own_versions(control: ControlPlane, record: JournalRecord) -> list[str]:
    """Versions to delete: those whose numbers were heard, and where an answer is missing those with the id of the
    run. A number alone proves nothing: what is deleted is asked for its description before."""
    numbers = set(record.published)
    if len(record.published) < len(record.publications):
        numbers |= set(await _marked_versions(control, record))
    return sorted(numbers, key=int)


async def _marked_versions(control: ControlPlane, record: JournalRecord) -> list[str]:
    """Versions that carry the id of the run."""
    description = version_description(record.opened.run_id)
    found = await control.list_versions(record.opened.arn)
    return [version.version for version in found if version.description == description]


async def _restored(
    control: ControlPlane,
    record: JournalRecord,
    memory: MemoryUndo,
    found: LatestConfiguration,
    *,
    poll_interval_s: float,
) -> tuple[Notice, ...]:
    async def was_measured(now: LatestConfiguration) -> bool:
        """The mark proves it; where somebody has cleared the tags, versions with our id do. Without either it is
        another function that was made under the same name."""
        if not record.marked or record.opened.run_id in (now.marks or ()):
            return True
        if await _marked_versions(control, record):
            return True
        if now.marks is None:
            raise PermissionsMissingError(
                f"The tags of {record.opened.function} cannot be read, so that nobody can tell whether it is the "
                "function that was measured.",
                hint="Allow lambda:ListTags on it (see `tuner iam-policy recover`).",
            )
        return False

    try:
        await restore_memory(
            control, record.opened.arn, memory, found, was_measured=was_measured, poll_interval_s=poll_interval_s
        )
    except ForeignChangeError as error:
        return (foreign_change_notice(error),)
    return ()


async def restore_memory(
    control: ControlPlane,
    function: str,
    memory: MemoryUndo,
    found: LatestConfiguration | None = None,
    *,
    was_measured: Callable[[LatestConfiguration], Awaitable[bool]],
    poll_interval_s: float,
) -> None:
    """Give ``$LATEST`` its original memory if it has a size that can only be ours.

    ``found`` is what it was when it was last read, if that was just now: its revision guards the change.
    ``was_measured`` says whether this is the function of the run, and is asked before each change. Code that
    was deployed meanwhile makes no difference: it came without a memory size of its own, or it would have another.
    Raises ForeignChangeError when it has yet another size: that was somebody else's decision and stays.
    """
    latest = partial(settled_latest, control, function, poll_interval_s=poll_interval_s)
    found = found or await latest()
    for patience in attempts(partial(_left_changed, function), interval_s=poll_interval_s):
        if found.memory_mb == memory.original_mb:
            return
        if found.memory_mb not in memory.ours_mb:
            raise _foreign(function, memory, found, "which tuner did not set last")
        if not await was_measured(found):
            raise _foreign(function, memory, found, "and is not the function that was measured")
        try:
            await control.set_memory(function, memory.original_mb, revision_id=found.revision_id)
        except Conflicted as refusal:
            await patience(refusal)
        found = await latest(just_changed=True)


def check_account(arn: str, found: LatestConfiguration) -> None:
    """Raises OtherAccountError where another account, region or partition answered than the one of ``arn``."""
    if arn.split(":")[:5] != found.arn.split(":")[:5]:
        raise OtherAccountError(
            f"{arn} was asked for, but {found.arn} answered: the credentials or the endpoint are of another account "
            "or region.",
            hint="Use the credentials of that account (--profile), then run this again. Nothing was changed.",
        )


async def _delete_version(control: ControlPlane, function: str, number: str, description: str) -> tuple[Notice, ...]:
    await patiently(
        lambda: control.delete_version(function, number, description=description),
        partial(_left_version, function, number),
        interval_s=DELETE_INTERVAL_S,
    )
    return ()


async def remove_copy(control: ControlPlane, name: str, *, run_id: str) -> tuple[Notice, ...]:
    """Delete a temporary copy of that run, also one that is still being made."""
    return await patiently(
        lambda: control.delete_copy(name, run_id=run_id), partial(_left_copy, name), interval_s=DELETE_INTERVAL_S
    )


async def delete_marked_versions(control: ControlPlane, function: str) -> tuple[str, ...]:
    """Delete every version of ``function`` that any run of tuner made, and return their numbers."""
    ours = [v for v in await control.list_versions(function) if run_of_version(v.description) is not None]
    for version in ours:
        await _delete_version(control, function, version.version, version.description)
    return tuple(version.version for version in ours)


def _foreign(function: str, memory: MemoryUndo, found: LatestConfiguration, why: str) -> ForeignChangeError:
    return ForeignChangeError(
        f"{function} has {found.memory_mb} MB, {why}; it had {memory.original_mb} MB before.",
        hint="It was left alone. Nothing more is needed if that deployment is yours.",
    )


def _left_changed(function: str, reason: str) -> TargetError:
    return TargetError(
        f"The memory size of {function} could not be restored: {reason}",
        hint="Wait until no update of it is in progress.",
    )


def _left_version(function: str, version: str, reason: str) -> TargetError:
    return TargetError(
        f"Version {version} of {function} could not be deleted: {reason}",
        hint="Wait until no update of it is in progress.",
    )


def _left_mark(function: str, reason: str) -> TargetError:
    return TargetError(
        f"The tag that marks {function} as being measured could not be removed: {reason}",
        hint="Wait until no update of it is in progress.",
    )


def _left_copy(name: str, reason: str) -> TargetError:
    return TargetError(f"The copy {name} could not be deleted: {reason}", hint="Wait until it has been made.")


def foreign_change_notice(error: ForeignChangeError) -> Notice:
    return Notice(code=error.slug, severity=Severity.WARNING, message=error.message, remedy=error.hint)


def _gone_notice(function: str) -> Notice:
    return Notice(
        code="function-gone",
        severity=Severity.INFO,
        message=f"{function} does not exist any more: there is nothing to restore.",
    )
