"""What the terminal in front of us can show."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

NARROWEST_COLUMNS = 60


def columns() -> int:
    return max(NARROWEST_COLUMNS, shutil.get_terminal_size((80, 24)).columns)


def wants_color(stream: TextIO | None = None) -> bool:
    """NO_COLOR and FORCE_COLOR decide, else whether a person looks at ``stream``, by default standard output."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream or sys.stdout).isatty()
