"""Files that were named by somebody: read to a limit, and never by waiting for more.

A name may lead to anything: ``/dev/zero`` has no end, and a pipe without a writer keeps its reader for ever.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

CHUNK_BYTES = 1024 * 1024
BYTES_PER_MB = 1024 * 1024
LARGEST_SETTINGS_BYTES = 1024 * 1024
"""What people write by hand ends long before."""


class UnreadableFileError(Exception):
    """A file that is not read. The message completes a sentence that begins with the file's name."""


def read_bounded(path: Path, *, limit_bytes: int, pipes: bool = False) -> bytes:
    """The content of a regular file of at most ``limit_bytes``; UnreadableFileError says why there is none.

    ``pipes`` are for what is only read: a shell gives the output of a command as one, ``<(command)``.
    """
    try:
        # Opening without waiting: a pipe that nobody writes to would be waited for here, before its kind is known.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _check_kind(os.fstat(descriptor).st_mode, pipes=pipes)
            os.set_blocking(descriptor, True)
            return _read(descriptor, limit_bytes)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a zero byte in the name
        raise UnreadableFileError(f"cannot be read: {error}") from error


def _check_kind(mode: int, *, pipes: bool) -> None:
    if stat.S_ISREG(mode) or (pipes and stat.S_ISFIFO(mode)):
        return
    kind = "a folder" if stat.S_ISDIR(mode) else "a device, pipe or socket"
    raise UnreadableFileError(f"cannot be read: it is {kind}, not a file")


def _read(descriptor: int, limit_bytes: int) -> bytes:
    chunks: list[bytes] = []
    left_bytes = limit_bytes
    while chunk := os.read(descriptor, min(CHUNK_BYTES, left_bytes + 1)):
        left_bytes -= len(chunk)
        if left_bytes < 0:
            raise UnreadableFileError(f"is not read: it is larger than {_shown(limit_bytes)}")
        chunks.append(chunk)
    return b"".join(chunks)


def _shown(size_bytes: int) -> str:
    whole = size_bytes / BYTES_PER_MB
    return f"{whole:g} MB" if whole >= 1 else f"{size_bytes:,} bytes"
