"""The two streams a command prints to, where nobody reads them any more or their disk is full."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TypeAlias

from tuner.cli.display import print_error
from tuner.errors import ExitCode, OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

ExitStatus: TypeAlias = int | str | None
"""``SystemExit.code``."""

BROKEN_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


class _Forgiving(io.FileIO):
    """What cannot be written is lost."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def forgive_standard_error() -> None:
    """Progress is told in the middle of putting a function back: a terminal that was closed must not end that."""
    if isinstance(sys.stderr, io.TextIOWrapper):
        raw = _Forgiving(sys.stderr.fileno(), "wb", closefd=False)
        encoding = sys.stderr.encoding
        sys.stderr = io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors="replace", line_buffering=True)


def delivered(status: ExitStatus) -> ExitStatus:
    """``status``, or 8 where all went well but what was printed does not arrive."""
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python would try once more at its end, and say so in its own words.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print_error(not_written(error))
            return status or ExitCode.TARGET
    return status


def not_written(error: OSError) -> OutputError:
    what = "Standard output" if error.filename is None else error.filename
    return OutputError(
        f"{what} cannot be written: {error.strerror}.", hint="Make room on that disk, then run this again."
    )
