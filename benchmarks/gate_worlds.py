"""Worlds in which a gate is tried: what an environment adds to a call, and what a call adds by itself.

Simulated noise follows what is known of Lambda: hosts differ by a few per cent, one in ten is of another kind (15 %
faster to 18 % slower), and the share of the variance that lies between environments is .17 to .64. Traces are
resampled by environment. A world multiplies; it does not know which side is called.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.model import Architecture, Block, Cell, Outcome, Price, Sample, Variant, Wave
from tuner.pricing import price_for

FloatArray = NDArray[np.float64]
Rng = np.random.Generator
Serve = Callable[[Rng, int], FloatArray]
"""Factors of so many warm calls on one environment."""

BASE_MS = 100.0
MEMORY_MB = 1024
INIT_MS = 180.0
INIT_SPREAD = 0.12
FIRST_CALL = 1.3
"""A cold call against a warm one, init apart."""
PRICE: Price = price_for("us-east-1", Architecture.X86_64)

KIND_SPREAD = 0.03
OTHER_KINDS = 0.1
FASTEST, SLOWEST = -0.15, 0.18
HOST_SPREAD = 0.042
"""Standard deviation between environments that the figures above add up to."""


@dataclass(frozen=True, slots=True)
class World:
    """``start`` makes an environment. Calls get slower by the share ``drift`` in the first half of a run, and as much
    faster in the second."""

    name: str
    start: Callable[[Rng], Serve]
    drift: float = 0.0
    placement: float = 0.0
    """Spread between versions: environments that are started together share a part of their luck."""

    def at(self, progress: float) -> float:
        return 1 + self.drift * math.sin(2 * math.pi * progress)


def cell(variant: Variant) -> Cell:
    return Cell(MEMORY_MB, Architecture.X86_64, variant)


@dataclass(slots=True)
class Fleet:
    """Base and head in one world: every fresh block starts new environments, waves reuse those of their version."""

    world: World
    ratio: float
    rng: Rng
    labels: bool = True
    expected_calls: int = 600
    samples: list[Sample] = field(default_factory=list)
    _running: dict[str, list[tuple[str, Serve]]] = field(default_factory=dict)
    _waves: int = 0
    _luck: dict[str, float] = field(default_factory=dict)

    def run(self, block: Block) -> None:
        for wave in block.waves:
            self._run(wave, block)

    def _run(self, wave: Wave, block: Block) -> None:
        version = f"{wave.cell.variant}-{block.number if block.fresh else 0}"
        running = self._running.setdefault(version, [])
        self._waves += 1
        idle = self.rng.permutation(len(running))[: wave.size]
        factor = self._factor(version, wave.cell.variant)
        for index in idle:
            name, serve = running[index]
            self._add(wave, block, version, name, factor * float(serve(self.rng, 1)[0]), None)
        for _ in range(wave.size - len(idle)):
            name, serve = f"{version}/{len(running)}", self.world.start(self.rng)
            running.append((name, serve))
            first = FIRST_CALL * factor * float(serve(self.rng, 1)[0])
            self._add(wave, block, version, name, first, INIT_MS * math.exp(self.rng.normal(0, INIT_SPREAD)))

    def _factor(self, version: str, variant: Variant) -> float:
        """What all calls of a wave have in common."""
        if version not in self._luck:
            self._luck[version] = math.exp(self.rng.normal(0, self.world.placement))
        drift = self.world.at(len(self.samples) / self.expected_calls)
        return self._luck[version] * drift * (self.ratio if variant == "head" else 1.0)

    def _add(
        self, wave: Wave, block: Block, version: str, environment: str, factor: float, init_ms: float | None
    ) -> None:
        duration_ms = round(BASE_MS * factor, 2)
        self.samples.append(
            Sample(
                sequence=len(self.samples) + 1,
                block=block.number,
                wave=self._waves,
                cell=wave.cell,
                version=version,
                started_at="2026-01-01T00:00:00+00:00",
                client_ms=duration_ms + 10.0,
                outcome=Outcome.OK,
                duration_ms=duration_ms,
                billed_ms=float(math.ceil(duration_ms + (init_ms or 0.0))),
                init_ms=init_ms,
                max_memory_used_mb=80,
                environment=environment if self.labels else None,
            )
        )


def simulated(
    icc: float, *, outliers: float = 0.0, drift: float = 0.0, placement: float = 0.0, name: str = ""
) -> World:
    """Hosts as on Lambda; ``icc`` of the variance lies between them. Outliers last half as long again on average."""
    within = HOST_SPREAD * math.sqrt((1 - icc) / icc)

    def start(rng: Rng) -> Serve:
        host = rng.uniform(FASTEST, SLOWEST) if rng.random() < OTHER_KINDS else rng.normal(0, KIND_SPREAD)

        def serve(rng: Rng, calls: int) -> FloatArray:
            factors = np.exp(host + rng.normal(0, within, calls))
            slow = rng.random(calls) < outliers
            return np.where(slow, factors * (1 + rng.exponential(0.5, calls)), factors)

        return serve

    return World(name or f"icc {icc:.2f}", start, drift, placement)


def simulated_worlds() -> list[World]:
    return [
        simulated(0.17),
        simulated(0.40),
        simulated(0.64),
        simulated(0.40, outliers=0.02, name="icc 0.40, 2 % outliers"),
        simulated(0.40, outliers=0.06, name="icc 0.40, 6 % outliers"),
        simulated(0.40, drift=0.1, name="icc 0.40, drift 10 %"),
        simulated(0.40, placement=0.02, name="icc 0.40, versions differ by 2 %"),
    ]


def trace_worlds(paths: Iterable[Path]) -> list[World]:
    """One world for each function of the trace files: the environments of all its sizes, relative to their size."""
    worlds = []
    for path in paths:
        content = json.loads(path.read_text(encoding="utf-8"))
        for name, curve in content.get("functions", content).items():
            pool = [p for rows in curve.values() if isinstance(rows, dict) for p in _profiles(rows)]
            if len(pool) >= 30:
                worlds.append(_trace_world(f"{path.stem}/{name}", pool))
    return worlds


def _trace_world(name: str, pool: Sequence[FloatArray]) -> World:
    def start(rng: Rng) -> Serve:
        profile = pool[int(rng.integers(len(pool)))]
        # A trace with one call an environment says nothing about how calls of one environment differ: not at all
        # then, so that all its spread lies between environments, which is the worst case.
        return lambda rng, calls: rng.choice(profile, calls)

    return World(name, start)


def _profiles(rows: Mapping[str, object]) -> list[FloatArray]:
    """Calls of each environment over the median of the size; without labels every call is an environment."""
    if "duration_ms" in rows:
        calls = [np.array([value]) for value in _floats(rows["duration_ms"])]
    else:
        calls = [_floats(part["duration_ms"])[1:] for part in rows.values() if isinstance(part, dict)]
    calls = [values for values in calls if values.size]
    if not calls:
        return []
    middle = float(np.median(np.concatenate(calls)))
    return [values / middle for values in calls]


def _floats(values: object) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    return array[np.isfinite(array) & (array > 0)]
