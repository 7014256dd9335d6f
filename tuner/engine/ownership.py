"""What is ours: only what carries the whole id of a run.

Versions carry it in their description, copies and the function itself in a tag. The tag on the function, its *mark*,
is set before the memory changes: it tells other machines that a run is going on, and a later process that this is
still the same function and not another one that was made under its name.
"""

from __future__ import annotations

import re

DESCRIPTION_PREFIX = "tuner run "
MARK_PREFIX = "tuner:run:"
_RUN_ID = r"[0-9]{8}T[0-9]{6}-[0-9a-f]{3,12}"
_DESCRIPTION = re.compile(rf"{DESCRIPTION_PREFIX}({_RUN_ID})")
_MARK = re.compile(rf"{MARK_PREFIX}({_RUN_ID})")


def version_description(run_id: str) -> str:
    """The description that marks a version as ours, also for another machine that finds it."""
    return f"{DESCRIPTION_PREFIX}{run_id}"


def run_of_version(description: str) -> str | None:
    """The run that published a version; None for a version of somebody else's, however it is described."""
    found = _DESCRIPTION.fullmatch(description)
    return found[1] if found else None


def mark(run_id: str) -> str:
    """The key of the tag that a run puts on the function. Its value is the memory size to go back to, in MB."""
    return f"{MARK_PREFIX}{run_id}"


def run_of_mark(tag: str) -> str | None:
    found = _MARK.fullmatch(tag)
    return found[1] if found else None
