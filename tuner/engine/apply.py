"""Giving a function the memory size that was recommended for it, and nothing else.

One guarded change: it is made whole or not at all, so there is nothing to journal and nothing to undo. The guard is
the revision that was looked at: whoever deploys meanwhile wins.
"""

from __future__ import annotations

from functools import partial

from tuner.engine.ports import Conflicted, ControlPlane, LatestConfiguration
from tuner.engine.settle import attempts, settled_latest
from tuner.errors import ForeignChangeError, TargetError


async def apply_memory(
    control: ControlPlane, function: str, found: LatestConfiguration, memory_mb: int, *, poll_interval_s: float
) -> LatestConfiguration:
    """Set the memory of ``$LATEST`` and wait until it has settled; returns what it is then.

    ``found`` is what was looked at: ForeignChangeError if code or memory is another by now, TargetError if the
    service goes on refusing.
    """
    revision_id = found.revision_id
    for patience in attempts(partial(_refused, function), interval_s=poll_interval_s):
        try:
            await control.set_memory(function, memory_mb, revision_id=revision_id)
        except Conflicted as refusal:
            await patience(refusal)
        now = await settled_latest(control, function, poll_interval_s=poll_interval_s, just_changed=True)
        if now.code_sha256 != found.code_sha256 or now.memory_mb not in (found.memory_mb, memory_mb):
            raise _changed_meanwhile(function)
        if now.memory_mb == memory_mb:
            return now
        revision_id = now.revision_id
    raise AssertionError("the last attempt raises")


def _refused(function: str, reason: str) -> TargetError:
    return TargetError(
        f"The memory size of {function} could not be set: {reason}",
        hint="Wait until no update of it is in progress, then type the same command again.",
    )


def _changed_meanwhile(function: str) -> ForeignChangeError:
    return ForeignChangeError(
        f"Somebody else changed {function} at the same moment.",
        hint="Look at it, measure it again with `tuner run`, and apply that report.",
    )
