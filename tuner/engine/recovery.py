"""Undoing what runs left that did not clean up: they were killed, or their machine was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tuner.engine.disk import LOCAL_DISK, Disk
from tuner.engine.journal import (
    Closed,
    Journal,
    JournalInUseError,
    JournalRecord,
    journal_paths,
    unfinished_journals,
)
from tuner.errors import RunInProgressError, TunerError
from tuner.model import EngineKind, FunctionSnapshot, Notice

Undo = Callable[[Journal], Awaitable[tuple[Notice, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """How it went with one journal."""

    path: Path
    record: JournalRecord | None = None
    """None where the journal could not be read, or belongs to a living run."""
    notices: tuple[Notice, ...] = ()
    error: TunerError | None = None
    """Why its undo is not done."""
    living: JournalInUseError | None = None
    """Its run is still going on: nothing was to be undone."""


async def recover(runs_folder: Path, undo: Undo, disk: Disk = LOCAL_DISK) -> Sequence[Recovered]:
    """Undo every run of ``runs_folder`` that is not closed. One that cannot be undone, or not even read, does not
    keep the others from it."""
    results = [await _recover(path, undo, disk) for path in journal_paths(runs_folder, disk)]
    return [result for result in results if result is not None]


async def _recover(path: Path, undo: Undo, disk: Disk) -> Recovered | None:
    """None where there is nothing to undo."""
    record = None
    try:
        journal = Journal.reopen(path, disk)
        if journal is None:
            return None
        with journal:
            record = journal.record
            notices = await undo(journal)
            journal.announce(Closed(closed_at=datetime.now(UTC).isoformat(timespec="seconds")))
    except JournalInUseError as error:
        return Recovered(path=path, living=error)
    except TunerError as error:
        return Recovered(path=path, record=record, error=error)
    return Recovered(path=path, record=record, notices=notices)


def refuse_unfinished(
    function: FunctionSnapshot, runs_folder: Path, *, endpoint_url: str | None = None, disk: Disk = LOCAL_DISK
) -> None:
    """A second run would take the first one's traces for the user's own configuration.

    ``endpoint_url``: a function of the same name behind another endpoint is another function.
    """
    for record in unfinished_journals(runs_folder, disk):
        opened = record.opened
        same = (opened.arn, opened.endpoint_url) == (function.arn, endpoint_url)
        if same and opened.engine is EngineKind.AWS:
            raise RunInProgressError(
                f"A run on {function.name} that began at {opened.started_at} has not cleaned up: it is "
                "still going on, or it was killed.",
                hint="Wait for it, or type `tuner recover` and then run this again.",
            )
