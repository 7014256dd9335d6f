"""Finds what pyenv and nvm installed."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

_NUMBER = re.compile(r"\d+")


def executables_below(root: str, pattern: str) -> list[Path]:
    """Executable files below ``root`` that match ``pattern``, in the order of the version numbers in their paths.

    A folder that does not exist or may not be read is passed over: it belongs to someone else. That is why this is
    :func:`glob.glob` and not ``Path.glob``, which raises PermissionError.
    """
    found = (Path(root, match) for match in glob.glob(pattern, root_dir=root))  # noqa: PTH207 - see above
    return sorted((file for file in found if os.access(file, os.X_OK)), key=_version)


def _version(file: Path) -> tuple[int, ...]:
    """3.9 comes before 3.11."""
    return tuple(int(number) for number in _NUMBER.findall(str(file)))
