"""What this machine cannot show and a user may want to practise with: other hosts, drift, arm64, a network.

All of it is off unless asked for, and ``labels`` goes into every result: these effects are declared, not measured.

A JSON file turns it on; every member is optional::

    {
      "seed": 1,
      "hosts": [{"share": 0.9, "speed": 1.0}, {"share": 0.1, "speed": 0.82}],
      "spread": 0.03,
      "drift": {"depth": 0.1, "period_s": 600},
      "arm64_speed": 0.85,
      "network_ms": 20, "network_jitter_ms": 5,
      "restore_ms": 180,
      "initialised_ahead": 0.05,
      "memory_quota_mb": 3008
    }

``hosts`` and ``spread`` give each execution environment a speed; ``drift`` lets all of them get slower and recover,
as a cosine. Speeds are shares of this machine's: nothing runs faster than it can, so they lie in (0, 1]. They scale
the CPU quota, which cannot slow a single thread down where the memory size buys more than one core.
``network_ms`` delays every answer of the API; the jitter is exponential. With ``restore_ms`` the cold starts of
published versions are reported as restores of a snapshot, as SnapStart does. ``initialised_ahead`` is the share of
their environments whose first call reports no init, as where Lambda had initialised them before (the caller waits
for it here all the same). ``memory_quota_mb`` is the largest
memory size that the account may use, as new accounts have one.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner.errors import UsageError
from tuner.inputs.files import LARGEST_SETTINGS_BYTES, UnreadableFileError, read_bounded
from tuner.inputs.strict_json import parse_json

_HINT = "`pydoc tuner.local.simulation` describes the format."
_LARGEST = 1e6


@dataclass(frozen=True, slots=True)
class HostKind:
    share: float
    speed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """``seed`` makes the sequence of hosts and delays repeatable."""

    seed: int = 0
    hosts: tuple[HostKind, ...] = ()
    spread: float = 0.0
    drift_depth: float = 0.0
    drift_period_s: float = 600.0
    arm64_speed: float | None = None
    network_ms: float = 0.0
    network_jitter_ms: float = 0.0
    restore_ms: float | None = None
    initialised_ahead: float = 0.0
    memory_quota_mb: int | None = None

    def labels(self) -> tuple[str, ...]:
        """What is simulated, in words for a report; empty for an honest machine."""
        said = {
            f"hosts of {len(self.hosts)} speeds": bool(self.hosts),
            f"hosts that differ by {self.spread:.0%}": self.spread > 0,
            f"speed drifting by {self.drift_depth:.0%} every {self.drift_period_s:g} s": self.drift_depth > 0,
            f"arm64 at {self.arm64_speed} of this machine's speed": self.arm64_speed is not None,
            f"a network of {self.network_ms:g} ms": self.network_ms > 0 or self.network_jitter_ms > 0,
            f"snapshots restored in {self.restore_ms} ms": self.restore_ms is not None,
            f"{self.initialised_ahead:.0%} of environments initialised ahead": self.initialised_ahead > 0,
            f"a memory quota of {self.memory_quota_mb} MB": self.memory_quota_mb is not None,
        }
        return tuple(label for label, on in said.items() if on)


@dataclass(slots=True)
class Nature:
    """Draws from a simulation: one per server."""

    simulation: Simulation
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.simulation.seed)  # noqa: S311 - reproducible, not secret

    def host_speed(self) -> float:
        """The speed of the host that a new environment lands on."""
        hosts, spread = self.simulation.hosts, self.simulation.spread
        speed = (
            self._chance.choices([host.speed for host in hosts], [host.share for host in hosts])[0] if hosts else 1.0
        )
        return speed * math.exp(-abs(self._chance.gauss(0.0, spread))) if spread else speed

    def initialises_ahead(self) -> bool:
        """Whether the next environment was there before its first call."""
        share = self.simulation.initialised_ahead
        return share > 0 and self._chance.random() < share

    def speed_now(self, now_s: float) -> float:
        """The common factor of all hosts at ``now_s``."""
        depth, period_s = self.simulation.drift_depth, self.simulation.drift_period_s
        return 1.0 - depth * (1.0 - math.cos(2 * math.pi * now_s / period_s)) / 2

    def network_s(self) -> float:
        """How long the next answer travels."""
        jitter_ms = self.simulation.network_jitter_ms
        extra_ms = self._chance.expovariate(1 / jitter_ms) if jitter_ms else 0.0
        return (self.simulation.network_ms + extra_ms) / 1000


@dataclass(frozen=True, slots=True)
class _Drift:
    depth: float = 0.0
    period_s: float = 600.0


def read_simulation(path: Path) -> Simulation:
    """The simulation in a file; UsageError with the reason where it is none."""
    try:
        return parse_simulation(parse_json(read_bounded(path, limit_bytes=LARGEST_SETTINGS_BYTES)))
    except UnreadableFileError as error:
        raise UsageError(f"The simulation {path} {error}.", hint=_HINT) from error
    except ValueError as error:
        raise UsageError(f"The simulation {path} is wrong: {error}.", hint=_HINT) from error


def parse_simulation(value: object) -> Simulation:
    """A decoded file, checked; ValueError says what is wrong."""
    import msgspec  # noqa: PLC0415 - a server without a simulation starts quicker

    if not isinstance(value, dict):
        raise ValueError("a simulation is a JSON object")  # noqa: TRY004 - a wrong file, not a wrong call
    given: dict[str, Any] = dict(value)
    drift = given.pop("drift", {})
    unknown = sorted(given.keys() - (set(Simulation.__dataclass_fields__) - {"drift_depth", "drift_period_s"}))
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is not known")
    try:
        drifting = msgspec.convert(drift, _Drift)
        given |= {"drift_depth": drifting.depth, "drift_period_s": drifting.period_s}
        simulation = msgspec.convert(given, Simulation)
    except (msgspec.ValidationError, OverflowError) as error:
        raise ValueError(str(error)) from error
    _check(simulation)
    return simulation


def _check(simulation: Simulation) -> None:
    speeds = [host.speed for host in simulation.hosts]
    speeds += [simulation.arm64_speed] if simulation.arm64_speed is not None else []
    if not all(0 < speed <= 1 for speed in speeds):
        raise ValueError("a speed is a share of this machine's, above 0 and at most 1")
    if not 0 <= simulation.drift_depth < 1 or simulation.drift_period_s <= 0:
        raise ValueError("drift has a depth in [0, 1) and a positive period_s")
    if not 0 <= simulation.initialised_ahead <= 1:
        raise ValueError("initialised_ahead is a share")
    if simulation.memory_quota_mb is not None and simulation.memory_quota_mb < 128:
        raise ValueError("a memory_quota_mb is at least 128")
    amounts = [simulation.spread, simulation.network_ms, simulation.network_jitter_ms, simulation.restore_ms or 0.0]
    amounts += [host.share for host in simulation.hosts]
    if not all(0 <= amount <= _LARGEST for amount in amounts):
        raise ValueError(f"shares, spreads and times are not negative, and at most {_LARGEST:,.0f}")
    if simulation.hosts and not any(host.share for host in simulation.hosts):
        raise ValueError("one of the hosts has a share above 0")
