"""A model disk: what is synced survives a crash of the machine, what is written survives the process, and it can run
full or lose a folder at any moment."""

from __future__ import annotations

import errno
import fnmatch
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tuner.engine.disk import AppendOnly


@dataclass
class _Content:
    data: bytes = b""
    synced: int = 0
    """How many bytes a crash of the machine leaves."""
    held_by: str | None = None
    """The process that has it locked."""
    linked: bool = True
    """It has a name. A file whose folder was removed can still be written to by who has it open."""


@dataclass
class ModelDisk:
    """The disk of one machine; what a process has of it is ``simulation.process.ProcessDisk``."""

    rng: random.Random
    full: bool = False
    writes: int = 0
    full_at: int | None = None
    """Before which write the disk runs full."""
    gone_at: int | None = None
    """Before which write the state folder is removed."""
    gone: bool = False
    files: dict[Path, _Content] = field(default_factory=dict)
    folders: set[Path] = field(default_factory=set)

    def make_folder(self, path: Path) -> None:
        self.changing()
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        self.folders.add(path)

    def write(self, path: Path, data: bytes) -> None:
        content = self.files.setdefault(path, _Content()) if self._has_folder(path) else _Content()
        content.data, content.synced = b"", 0
        self.append(content, data, sync=False)

    def read(self, path: Path) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        return self.files[path].data

    def find(self, folder: Path, pattern: str) -> Sequence[Path]:
        return sorted(path for path in self.files if fnmatch.fnmatch(str(path), f"{folder}/{pattern}"))

    def create_locked(self, path: Path, process: str) -> AppendOnly:
        self.changing()
        self._has_folder(path)
        if path in self.files:
            raise FileExistsError(errno.EEXIST, "File exists", str(path))
        return self._locked(path, process)

    def open_locked(self, path: Path, process: str) -> AppendOnly:
        self._has_folder(path)
        if path in self.files and self.files[path].held_by is not None:
            raise BlockingIOError(errno.EWOULDBLOCK, "Resource temporarily unavailable", str(path))
        return self._locked(path, process)

    def open(self, path: Path) -> AppendOnly:
        self._has_folder(path)
        return _ModelFile(self, self.files.setdefault(path, _Content()))

    def append(self, content: _Content, data: bytes, *, sync: bool) -> None:
        self.changing()
        if self.full:
            content.data += data[: self.rng.randrange(len(data))]
            raise OSError(errno.ENOSPC, "No space left on device")
        content.data += data
        if sync:
            content.synced = len(content.data)

    def changing(self) -> None:
        self.writes += 1
        if self.writes == self.full_at:
            self.full = True
        if self.writes == self.gone_at:
            self.remove_everything()

    def remove_everything(self) -> None:
        for content in self.files.values():
            content.linked = False
        self.gone = True
        self.files.clear()
        self.folders.clear()

    def process_ended(self, process: str) -> None:
        for content in self.files.values():
            if content.held_by == process:
                content.held_by = None

    def machine_crashed(self) -> None:
        """What was not synced is lost, but for a part."""
        for content in self.files.values():
            content.held_by = None
            if len(content.data) > content.synced:
                kept = self.rng.randrange(content.synced, len(content.data))
                content.data = content.data[:kept]

    def _has_folder(self, path: Path) -> bool:
        if path.parent not in self.folders:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        return True

    def _locked(self, path: Path, process: str) -> AppendOnly:
        content = self.files.setdefault(path, _Content())
        content.held_by = process
        return _ModelFile(self, content)


class _ModelFile:
    def __init__(self, disk: ModelDisk, content: _Content) -> None:
        self._disk = disk
        self._content = content

    def append(self, data: bytes, *, sync: bool) -> None:
        self._disk.append(self._content, data, sync=sync)

    def truncate(self, size: int) -> None:
        self._content.data = self._content.data[:size]
        self._content.synced = min(self._content.synced, size)

    def close(self) -> None:
        self._content.held_by = None
