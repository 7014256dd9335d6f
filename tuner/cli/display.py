"""The terminal in front of us: what it can show, and what it is told when something goes wrong."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from tuner.errors import TunerError

NARROWEST_COLUMNS = 60


def columns() -> int:
    return max(NARROWEST_COLUMNS, shutil.get_terminal_size((80, 24)).columns)


def wants_color(stream: TextIO | None = None) -> bool:
    """NO_COLOR and FORCE_COLOR decide, else whether a person looks at ``stream``, by default standard output."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream or sys.stdout).isatty()


def print_error(error: TunerError) -> None:
    """What happened, and what to do next."""
    print(f"Error: {error.message}\n{error.hint}", file=sys.stderr)
