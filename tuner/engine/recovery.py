"""Undoing what runs left that did not clean up: they were killed, or their machine was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tuner.engine.disk import LOCAL_DISK, Disk
from tuner.engine.journal import Closed, Journal, JournalInUseError, JournalRecord, unfinished_journals
from tuner.errors import TargetError, TunerError
from tuner.model import EngineKind, FunctionSnapshot, Notice

Undo = Callable[[JournalRecord], Awaitable[tuple[Notice, ...]]]


@dataclass(frozen=True, slots=True)
class Recovered:
    """How it went with one journal."""

    record: JournalRecord
    notices: tuple[Notice, ...] = ()
    error: TunerError | None = None
    """Why its undo is not done."""
    living: JournalInUseError | None = None
    """Its run is still going on: nothing was to be undone."""


async def recover(runs_folder: Path, undo: Undo, disk: Disk = LOCAL_DISK) -> Sequence[Recovered]:
    """Undo every run of ``runs_folder`` that is not closed."""
    return [await _recover(record, undo, disk) for record in unfinished_journals(runs_folder, disk)]


async def _recover(record: JournalRecord, undo: Undo, disk: Disk) -> Recovered:
    try:
        with Journal.reopen(record.path, disk) as journal:
            notices = await undo(record)
            journal.write(Closed(closed_at=datetime.now(UTC).isoformat(timespec="seconds")))
    except JournalInUseError as error:
        return Recovered(record, living=error)
    except TunerError as error:
        return Recovered(record, error=error)
    return Recovered(record, notices=notices)


def refuse_unfinished(function: FunctionSnapshot, runs_folder: Path, disk: Disk = LOCAL_DISK) -> None:
    """A second run would take the first one's traces for the user's own configuration."""
    for record in unfinished_journals(runs_folder, disk):
        if record.opened.arn == function.arn and record.opened.engine is EngineKind.AWS:
            raise TargetError(
                f"A run on {function.name} that began at {record.opened.started_at} has not cleaned up: it is "
                "still going on, or it was killed.",
                hint="Wait for it, or type `tuner recover` and then run this again.",
            )
