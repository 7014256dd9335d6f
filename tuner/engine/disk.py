"""The port to the file system: what the journal and the store of a run need of it, and nothing more.

The simulation puts a model in its place that loses what was not synced, runs full and vanishes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Literal, Protocol


class AppendOnly(Protocol):
    """A file that only grows. OSError where it cannot."""

    def append(self, data: bytes, *, sync: bool) -> None:
        """Hand ``data`` to the operating system: it survives this process. ``sync``: and a crash of the machine.

        Where that fails, nothing of ``data`` is kept, so that what is appended next begins a line of its own."""

    def truncate(self, size: int) -> None: ...

    def close(self) -> None:
        """Ends the lock, if there is one."""


class Disk(Protocol):
    """Each call may raise an OSError."""

    def make_folder(self, path: Path) -> None:
        """Also its parents; its owner's only, since answers of a function may be private."""

    def write(self, path: Path, data: bytes) -> None: ...

    def read(self, path: Path) -> bytes:
        """FileNotFoundError where there is no such file."""

    def find(self, folder: Path, pattern: str) -> Sequence[Path]:
        """Files below ``folder`` whose path matches, sorted; none where there is no such folder."""

    def create_locked(self, path: Path) -> AppendOnly:
        """FileExistsError where it exists."""

    def open_locked(self, path: Path) -> AppendOnly:
        """Made if it is not there. BlockingIOError where a living process holds it."""

    def open(self, path: Path) -> AppendOnly: ...


class LocalFile:
    """A file of this machine. Its lock ends with the process, however that ends."""

    def __init__(self, file: FileIO) -> None:
        """``file`` has no buffer: closing it would write once more what could not be written, and raise once more."""
        self._file = file

    def append(self, data: bytes, *, sync: bool) -> None:
        size = self._file.seek(0, os.SEEK_END)
        try:
            self._write(data)
            if sync:
                os.fsync(self._file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(size)
            raise

    def _write(self, data: bytes) -> None:
        """A disk that is nearly full takes a part of it before it refuses."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def truncate(self, size: int) -> None:
        self._file.truncate(size)
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


class LocalDisk:
    def make_folder(self, path: Path) -> None:
        path.mkdir(parents=True, mode=0o700, exist_ok=True)

    def write(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def find(self, folder: Path, pattern: str) -> Sequence[Path]:
        return sorted(folder.glob(pattern))

    def create_locked(self, path: Path) -> AppendOnly:
        return _locked(path, "xb")

    def open_locked(self, path: Path) -> AppendOnly:
        return _locked(path, "ab")

    def open(self, path: Path) -> AppendOnly:
        return LocalFile(path.open("ab", buffering=0))


def _locked(path: Path, mode: Literal["xb", "ab"]) -> LocalFile:
    file = path.open(mode, buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        file.close()
        raise
    return LocalFile(file)


LOCAL_DISK = LocalDisk()
