"""CPU in proportion to memory, by the best means this machine offers.

The period is 20 ms, as on AWS: with the kernel's default of 100 ms, functions came out 19-24 % too fast.
"""

from __future__ import annotations

from tuner.local.processes import ServerIdentity
from tuner.local.throttle.cage import Cage, Throttle
from tuner.local.throttle.cgroup_v1 import CgroupV1
from tuner.local.throttle.cgroup_v2 import CgroupV2
from tuner.local.throttle.signals import SignalThrottle
from tuner.local.throttle.unlimited import Unlimited

MECHANISMS = ("cgroup-v2", "cgroup-v1", "systemd-scope", "signals", "none")

__all__ = ["MECHANISMS", "Cage", "Throttle", "choose_throttle"]


def choose_throttle(identity: ServerIdentity, wanted: str | None = None) -> Throttle:
    """The first mechanism that works here, or ``wanted``; ValueError where that one does not work here."""
    for name in MECHANISMS if wanted is None else (wanted,):
        throttle = _open(name, identity)
        if throttle is not None:
            return throttle
    raise ValueError(f"CPU cannot be limited by {wanted} on this machine")


def _open(name: str, identity: ServerIdentity) -> Throttle | None:
    match name:
        case "cgroup-v2":
            return CgroupV2.open(identity.name)
        case "cgroup-v1":
            return CgroupV1.open(identity.name)
        case "systemd-scope":
            return CgroupV2.open_scope(identity.name)
        case "signals":
            return SignalThrottle.open()
        case "none":
            return Unlimited()
    raise ValueError(f"{name} is not one of {', '.join(MECHANISMS)}")
