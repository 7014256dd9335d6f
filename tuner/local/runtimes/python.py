"""Python handlers, run by AWS's own runtime client (awslambdaric, Apache-2.0)."""

from __future__ import annotations

import sys


def command(handler: str) -> tuple[str, ...]:
    """``-m`` imports from the task root first, as on Lambda; ``-B`` because /var/task is read-only there."""
    return (sys.executable, "-B", "-m", "awslambdaric", handler)
