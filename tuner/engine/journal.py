"""The journal: every mutation with its undo, on disk before it happens.

One JSON line an entry, fsynced. A process that is killed leaves a journal without its ``closed`` line; what its
entries say is enough to put the function back (``tuner.engine.undo``). It never holds credentials, environment
variables or payloads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from tuner import codec
from tuner.engine.disk import LOCAL_DISK, AppendOnly, Disk
from tuner.errors import TargetError, TunerError
from tuner.model import EngineKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The first entry: which function, and how to reach it again from another process."""

    entry: Literal["opened"] = "opened"
    run_id: str
    function: str
    arn: str
    engine: EngineKind
    region: str
    profile: str | None
    endpoint_url: str | None
    pid: int
    started_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryChange:
    """``$LATEST`` is about to get ``set_to_mb``. Undo: ``original_mb``, if it still is what tuner set."""

    entry: Literal["memory_change"] = "memory_change"
    original_mb: int
    set_to_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRestored:
    """``$LATEST`` has its memory back: what it gets from now on is somebody else's decision."""

    entry: Literal["memory_restored"] = "memory_restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A version is about to be published. Undo: delete every version with this description that is not in
    ``existing``. The number is not known yet: the process may die before it hears it."""

    entry: Literal["publication"] = "publication"
    description: str
    existing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The publication that was announced last has made this version."""

    entry: Literal["published"] = "published"
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyCreation:
    """A temporary copy is about to be made. Undo: delete it and its log group."""

    entry: Literal["copy_creation"] = "copy_creation"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Everything was undone."""

    entry: Literal["closed"] = "closed"
    closed_at: str


Entry = Opened | MemoryChange | MemoryRestored | Publication | Published | CopyCreation | Closed


class JournalInUseError(TargetError):
    slug = "run-in-progress"


class Journal:
    """An open journal. The lock it holds ends with the process, however that ends."""

    def __init__(self, path: Path, file: AppendOnly) -> None:
        self.path = path
        self._file = file

    @classmethod
    def create(cls, path: Path, opened: Opened, disk: Disk = LOCAL_DISK) -> Self:
        journal = cls(path, disk.create_locked(path))
        journal.write(opened)
        return journal

    @classmethod
    def reopen(cls, path: Path, disk: Disk = LOCAL_DISK) -> Self:
        """Take over the journal of a dead process. JournalInUseError if the process lives."""
        try:
            file = disk.open_locked(path)
        except BlockingIOError:
            raise JournalInUseError(
                f"The run behind {path.parent.name} is still going on.",
                hint="Wait for it or stop it with Ctrl-C; it cleans up after itself.",
            ) from None
        return cls(path, file)

    def write(self, entry: Entry) -> None:
        """Append and fsync: when this returns, the entry survives a crash of the machine."""
        self._file.append(codec.encode(entry) + b"\n", sync=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRecord:
    """A journal as read back."""

    path: Path
    opened: Opened
    memory_changes: tuple[MemoryChange, ...]
    """Changes of ``$LATEST`` that were not restored as far as the journal knows."""
    publications: tuple[Publication, ...]
    published: tuple[str, ...]
    """Version numbers we heard of: as many as publications, unless an answer was lost."""
    copies: tuple[CopyCreation, ...]
    closed: bool


def read_journal(path: Path, disk: Disk = LOCAL_DISK) -> JournalRecord | None:
    """The record of a journal; None if the process died before its first entry was whole (nothing was done).

    A torn last line is dropped: an entry is written before its mutation, so a torn entry means no mutation.
    """
    lines = disk.read(path).split(b"\n")
    whole = lines[:-1]
    entries = [_decode(line, path) for line in whole]
    if not entries:
        return None
    opened = entries[0]
    if not isinstance(opened, Opened):
        raise _unreadable(path, "it does not begin with its run")
    return JournalRecord(
        path=path,
        opened=opened,
        memory_changes=_open_changes(entries),
        publications=tuple(entry for entry in entries if isinstance(entry, Publication)),
        published=tuple(entry.version for entry in entries if isinstance(entry, Published)),
        copies=tuple(entry for entry in entries if isinstance(entry, CopyCreation)),
        closed=any(isinstance(entry, Closed) for entry in entries),
    )


def _open_changes(entries: Sequence[Entry]) -> tuple[MemoryChange, ...]:
    changes: list[MemoryChange] = []
    for entry in entries:
        if isinstance(entry, MemoryRestored):
            changes.clear()
        elif isinstance(entry, MemoryChange):
            changes.append(entry)
    return tuple(changes)


def unfinished_journals(runs_folder: Path, disk: Disk = LOCAL_DISK) -> list[JournalRecord]:
    """Journals that are not closed, oldest first. A live run's journal is among them: it is still locked."""
    records = [read_journal(path, disk) for path in disk.find(runs_folder, "*/journal*.jsonl")]
    return [record for record in records if record is not None and not record.closed]


_ENTRY_TYPES: dict[str, type[Entry]] = {
    "opened": Opened,
    "memory_change": MemoryChange,
    "memory_restored": MemoryRestored,
    "publication": Publication,
    "published": Published,
    "copy_creation": CopyCreation,
    "closed": Closed,
}


@dataclass(frozen=True)
class _EntryKind:
    entry: str


def _decode(line: bytes, path: Path) -> Entry:
    try:
        kind = msgspec.json.decode(line, type=_EntryKind).entry
        return msgspec.json.decode(line, type=_ENTRY_TYPES[kind])
    except (msgspec.DecodeError, KeyError) as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, reason: str) -> TunerError:
    return TargetError(
        f"The journal {path} cannot be read: {reason}.",
        hint="Look at the function's memory size and versions by hand, then remove that folder.",
    )
