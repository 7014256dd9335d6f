"""Asking before something is done, where there is somebody to ask."""

from __future__ import annotations

import sys

from tuner.errors import TargetError


def askable() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str) -> bool:
    """Whether the answer is yes: anything else is no."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def confirm(question: str, *, yes: bool, refused: str) -> None:
    """Return when the answer is yes. TargetError where it is not, or where nobody can be asked."""
    if yes:
        return
    if not askable():
        raise TargetError(f"{question} Nobody can be asked here.", hint="Add --yes to do it without being asked.")
    if not agreed(question):
        raise TargetError(refused, hint="Type the same command again to be asked once more.")
