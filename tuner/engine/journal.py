"""The journal: every mutation with its undo, on disk before it happens.

One JSON line an entry, fsynced. A process that is killed leaves a journal without its ``closed`` line; what its
entries say is enough to put the function back (``tuner.engine.undo``). It never holds credentials, environment
variables or payloads.

The file is for the dead: a living run knows its entries, and cleans up by them even if the disk is full or gone. It
is locked before it is read, so that nobody undoes by what was true a moment ago.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from tuner import codec
from tuner.engine.disk import LOCAL_DISK, AppendOnly, Disk
from tuner.errors import RunInProgressError, StorageError, TargetError, TunerError
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
class Marking:
    """The function is about to get the mark of this run. Undo: take it off."""

    entry: Literal["marking"] = "marking"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryChange:
    """``$LATEST`` is about to get ``set_to_mb``. Undo: ``original_mb``, if it still is what tuner set."""

    entry: Literal["memory_change"] = "memory_change"
    original_mb: int
    set_to_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryChanged:
    """The change that was announced last has been made: the size before it is not ours any more."""

    entry: Literal["memory_changed"] = "memory_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRefused:
    """The change that was announced last was refused: the size before it still holds."""

    entry: Literal["memory_refused"] = "memory_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRestored:
    """``$LATEST`` has its memory back: what it gets from now on is somebody else's decision."""

    entry: Literal["memory_restored"] = "memory_restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A version is about to be published. Undo: delete every version with this description. The number is not known
    yet: the process may die before it hears it. ``existing`` are the versions there were; no undo touches them."""

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


Entry = (
    Opened
    | Marking
    | MemoryChange
    | MemoryChanged
    | MemoryRefused
    | MemoryRestored
    | Publication
    | Published
    | CopyCreation
    | Closed
)


class JournalInUseError(RunInProgressError):
    """The process that writes it lives."""


class Journal:
    """An open journal. The lock it holds ends with the process, however that ends."""

    def __init__(self, path: Path, file: AppendOnly) -> None:
        self.path = path
        self._file = file
        self._entries: list[Entry] = []

    @classmethod
    def create(cls, path: Path, opened: Opened, disk: Disk = LOCAL_DISK) -> Self:
        """Raises StorageError where there is no room for it."""
        try:
            journal = cls(path, disk.create_locked(path))
        except OSError as error:
            raise storage_error(path, error) from error
        try:
            journal.announce(opened)
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def reopen(cls, path: Path, disk: Disk = LOCAL_DISK) -> Self | None:
        """Take over the journal of a dead process; None where it holds nothing to undo.

        It is locked, then read; a torn last line is cut off, so that what is written next is a line of its own.
        Raises JournalInUseError if the process lives, TargetError where the file cannot be read.
        """
        try:
            file = disk.open_locked(path)
        except BlockingIOError:
            raise JournalInUseError(
                f"The run behind {path.parent.name} is still going on.",
                hint="Wait for it or stop it with Ctrl-C; it cleans up after itself.",
            ) from None
        except OSError as error:
            raise storage_error(path, error) from error
        journal = cls(path, file)
        try:
            journal._load(disk.read(path))
        except OSError as error:
            journal.close()
            raise storage_error(path, error) from error
        except BaseException:
            journal.close()
            raise
        if journal.finished:
            journal.close()
            return None
        return journal

    @property
    def record(self) -> JournalRecord:
        """What is to be undone, as of now."""
        return _record(self.path, self._entries)

    @property
    def finished(self) -> bool:
        """Nothing was done, or everything was undone."""
        return not self._entries or any(isinstance(entry, Closed) for entry in self._entries)

    def announce(self, entry: Entry) -> None:
        """Before a mutation: when this returns, the entry survives a crash of the machine. StorageError where it
        cannot; then the mutation must not be made."""
        self._append(entry)
        self._entries.append(entry)

    def note(self, entry: Entry) -> None:
        """After a mutation: it counts for this process, whatever becomes of the file. Raises StorageError."""
        self._entries.append(entry)
        self._append(entry)

    def close(self) -> None:
        self._file.close()

    def _append(self, entry: Entry) -> None:
        try:
            self._file.append(codec.encode(entry) + b"\n", sync=True)
        except OSError as error:
            raise storage_error(self.path, error) from error

    def _load(self, data: bytes) -> None:
        self._entries = _entries(data, self.path)
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            self._file.truncate(whole)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUndo:
    """``$LATEST`` was given another size and not yet its own."""

    original_mb: int
    ours_mb: frozenset[int]
    """Sizes that can only be ours: the last one set and, if that was never confirmed, the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRecord:
    """What a journal says is to be undone."""

    path: Path
    opened: Opened
    marked: bool
    memory: MemoryUndo | None
    """None where it has its memory, as far as the journal knows."""
    publications: tuple[Publication, ...]
    published: tuple[str, ...]
    """Version numbers we heard of: as many as publications, unless an answer was lost."""
    copies: tuple[CopyCreation, ...]
    closed: bool


def read_journal(path: Path, disk: Disk = LOCAL_DISK) -> JournalRecord | None:
    """The record of a journal, to look at: its run may be going on. None if the process died before its first entry
    was whole (nothing was done).

    A torn last line is dropped: an entry is written before its mutation, so a torn entry means no mutation.
    """
    try:
        data = disk.read(path)
    except OSError as error:
        raise storage_error(path, error) from error
    entries = _entries(data, path)
    return _record(path, entries) if entries else None


def journal_paths(runs_folder: Path, disk: Disk = LOCAL_DISK) -> Sequence[Path]:
    """All journals, oldest first."""
    return disk.find(runs_folder, "*/journal*.jsonl")


def unfinished_journals(runs_folder: Path, disk: Disk = LOCAL_DISK) -> list[JournalRecord]:
    """Journals that are not closed, oldest first. A live run's journal is among them: it is still locked. One that
    cannot be read is not: ``tuner recover`` says what is to be done about it."""
    found = []
    for path in journal_paths(runs_folder, disk):
        with contextlib.suppress(TargetError):
            record = read_journal(path, disk)
            if record is not None and not record.closed:
                found.append(record)
    return found


def storage_error(path: Path, error: OSError) -> StorageError:
    """``error`` of the disk, in words."""
    return StorageError(
        f"The state folder cannot be written: {path}: {error.strerror or error}.",
        hint="Make room there, or set TUNER_STATE_DIR to another folder, then run this again.",
    )


def _entries(data: bytes, path: Path) -> list[Entry]:
    return [_decode(line, path) for line in data.split(b"\n")[:-1]]


def _record(path: Path, entries: Sequence[Entry]) -> JournalRecord:
    opened = entries[0]
    if not isinstance(opened, Opened):
        raise _unreadable(path, "it does not begin with its run")
    return JournalRecord(
        path=path,
        opened=opened,
        marked=any(isinstance(entry, Marking) for entry in entries),
        memory=_memory_undo(entries),
        publications=tuple(entry for entry in entries if isinstance(entry, Publication)),
        published=tuple(entry.version for entry in entries if isinstance(entry, Published)),
        copies=tuple(entry for entry in entries if isinstance(entry, CopyCreation)),
        closed=any(isinstance(entry, Closed) for entry in entries),
    )


def _memory_undo(entries: Sequence[Entry]) -> MemoryUndo | None:
    original_mb, sizes_mb = 0, list[int]()  # the last size that was confirmed, and what was announced after it
    for entry in entries:
        match entry:
            case MemoryChange():
                original_mb, sizes_mb = entry.original_mb, [*sizes_mb[-1:], entry.set_to_mb]
            case MemoryChanged():
                sizes_mb = sizes_mb[-1:]
            case MemoryRefused():
                sizes_mb = sizes_mb[:-1]
            case MemoryRestored():
                sizes_mb = []
    return MemoryUndo(original_mb=original_mb, ours_mb=frozenset(sizes_mb)) if sizes_mb else None


_ENTRY_TYPES: dict[str, type[Entry]] = {
    "opened": Opened,
    "marking": Marking,
    "memory_change": MemoryChange,
    "memory_changed": MemoryChanged,
    "memory_refused": MemoryRefused,
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
