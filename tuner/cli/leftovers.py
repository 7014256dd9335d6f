"""Result files of an earlier command: removed before anything can fail, so that none passes for this one's result.

In continuous integration such a file may even be part of the pull request that is being judged.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from tuner.errors import UsageError

_OF_THE_SYSTEM = Path("/dev"), Path("/proc")
"""Links there, such as /dev/stdout, may lead to a regular file, but are nobody's result."""


def remove_leftovers(paths: Iterable[Path], *, inputs: Collection[Path] = ()) -> None:
    """Remove each of ``paths`` that is a regular file, or a link to one, whose target stays.

    Terminals, pipes and folders are left alone, and so is what is also one of ``inputs``. UsageError for a file that
    cannot be removed.
    """
    for path in paths:
        try:
            if _is_leftover(path) and not any(_same(path, read) for read in inputs):
                _remove(path)
        except OSError as error:
            raise UsageError(
                f"{path}, which is there already, cannot be removed: {error.strerror}.", hint="Give another file."
            ) from error


def _is_leftover(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return stat.S_ISREG(mode) and not any(path.absolute().is_relative_to(folder) for folder in _OF_THE_SYSTEM)


def _same(path: Path, other: Path) -> bool:
    return other.exists() and path.samefile(other)


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        if path.is_symlink():  # its target is not ours to empty
            raise
        os.truncate(path, 0)  # one file of a folder that may not be changed, or that is mounted by itself
