"""Functions to search in, and recorded traces as such (``search_families`` has simulated ones).

A world says what a call on an execution environment takes; a fleet keeps the environments of each size the way
Lambda does: a wave takes idle environments first and starts new ones, cold, for the rest. The truth of a world is
never shown to a policy.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.model import Architecture, Cell, Outcome, Price, Sample, Wave
from tuner.pricing import cost_per_million_usd, price_for

FloatArray = NDArray[np.float64]
Call = Callable[[np.random.Generator, float], float]
"""Duration in ms of one warm call, given the share of the run that is over (worlds may drift)."""

REGION = "us-east-1"
TRACES = ("trace_cpu17ms_2025.json", "trace_s3_writer_2023.json")
FEWEST_WARM = 2


@dataclass(frozen=True, slots=True)
class Truth:
    """What a warm call costs at a size in USD per million, and the relative standard error of that."""

    cost_usd: float
    relative_error: float


@dataclass(frozen=True, slots=True)
class Environment:
    """One execution environment: its cold call (duration, init) in ms, then any number of warm ones."""

    cold_ms: tuple[float, float]
    warm: Call


@dataclass(frozen=True, slots=True)
class World:
    """A function as a search meets it. ``start`` makes a new environment at a size."""

    name: str
    kind: str
    price: Price
    truth: Mapping[int, Truth]
    start: Callable[[int, np.random.Generator], Environment]
    largest_wave: int = 6
    """Calls that the account lets run at once."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(Cell(memory_mb, self.price.architecture) for memory_mb in sorted(self.truth))

    def regret(self, memory_mb: int) -> float:
        """Share by which a size is dearer than the cheapest one, as far as the truth itself is sure of it."""
        best = min(self.truth.values(), key=lambda truth: truth.cost_usd)
        chosen = self.truth[memory_mb]
        doubt = 1.96 * math.hypot(chosen.relative_error, best.relative_error) * chosen.cost_usd / best.cost_usd
        return max(0.0, chosen.cost_usd / best.cost_usd - 1 - doubt) if chosen is not best else 0.0


class Fleet:
    """The environments of one run, and the calls made on them."""

    def __init__(self, world: World, seed: int, length: int = 60) -> None:
        self._world = world
        self._rng = np.random.default_rng([seed, 77])
        self._environments: dict[Cell, list[Environment]] = {}
        self._length = length
        self._waves = 0
        self.samples: list[Sample] = []

    def run(self, wave: Wave, block: int) -> None:
        """Add the samples of one wave."""
        self._waves += 1
        running = self._environments.setdefault(wave.cell, [])
        order = self._rng.permutation(len(running))[: wave.size]
        for index in order:
            progress = len(self.samples) / self._length
            self._add(wave, block, running[index].warm(self._rng, progress), None)
        for _ in range(wave.size - len(order)):
            environment = self._world.start(wave.cell.memory_mb, self._rng)
            running.append(environment)
            self._add(wave, block, *environment.cold_ms)

    def _add(self, wave: Wave, block: int, duration_ms: float, init_ms: float | None) -> None:
        number = len(self.samples) + 1
        self.samples.append(
            Sample(
                sequence=number,
                block=block,
                wave=self._waves,
                cell=wave.cell,
                version=str(wave.cell.memory_mb),
                started_at="2026-01-01T00:00:00+00:00",
                client_ms=duration_ms + (init_ms or 0.0) + 10.0,
                outcome=Outcome.OK,
                duration_ms=round(duration_ms, 2),
                billed_ms=float(math.ceil(round(duration_ms, 2) + (init_ms or 0.0))),
                init_ms=init_ms,
            )
        )


def trace_worlds(paths: Iterable[Path], seed: int) -> list[World]:
    """One world for each function in the trace files, its environments split anew for each seed."""
    worlds: list[World] = []
    for path in paths:
        content = json.loads(path.read_text(encoding="utf-8"))
        for name, curve in content.get("functions", content).items():
            if isinstance(curve, dict) and curve and all(size.isdecimal() for size in curve):
                rng = np.random.default_rng([seed, len(worlds)])
                worlds.append(_trace_world(f"{path.stem}/{name}", curve, rng))
    return [world for world in worlds if len(world.truth) > 1]


@dataclass(frozen=True, slots=True)
class _Half:
    """Durations in ms by environment; a row without labels is an environment of its own."""

    warm: list[FloatArray]
    cold: list[tuple[float, float]]


def _trace_world(name: str, curve: Mapping[str, Mapping[str, object]], rng: np.random.Generator) -> World:
    architecture = Architecture.ARM64 if "arm64" in name else Architecture.X86_64
    price = price_for(REGION, architecture)
    halves = {int(size): _split(rows, rng) for size, rows in curve.items()}
    halves = {size: half for size, half in halves.items() if half[0].warm and half[1].warm}
    if not halves:
        return World(name, "trace", price, {}, lambda _, __: Environment((0.0, 0.0), lambda *_: 0.0))
    spread = _pooled_error([truth for _, truth in halves.values()])
    truth = {size: _trace_truth(size, half, price, spread) for size, (_, half) in halves.items()}
    init_ms = float(np.exp(rng.normal(math.log(180), 0.4)))

    def start(memory_mb: int, rng: np.random.Generator) -> Environment:
        half = halves[memory_mb][0]
        values = half.warm[rng.integers(len(half.warm))]
        pool = values if values.size > 1 else np.concatenate(half.warm)
        if half.cold:
            cold = half.cold[rng.integers(len(half.cold))]
        else:
            cold = (float(rng.choice(pool)) * 1.2, init_ms * float(np.exp(rng.normal(0, 0.15))))
        return Environment(cold, lambda rng, _: float(rng.choice(pool)))

    return World(name, "trace", price, truth, start)


def _split(rows: Mapping[str, object], rng: np.random.Generator) -> tuple[_Half, _Half]:
    environments, cold = _environments(rows)
    if len(environments) == 1:  # one environment: its calls are all there is to split
        environments = [np.array([value]) for value in environments[0]]
    order = rng.permutation(len(environments))
    cut = (len(environments) + 1) // 2
    first = [environments[index] for index in order[:cut]]
    second = [environments[index] for index in order[cut:]]
    # A single call cannot be split: it is drawn from and judged by, which the truth's own error then says.
    return _Half(first, cold), _Half(second or first, cold)


def _environments(rows: Mapping[str, object]) -> tuple[list[FloatArray], list[tuple[float, float]]]:
    """Durations by environment, and cold calls where they are known."""
    if "duration_ms" in rows or "billed_ms" in rows:
        warm, cold = _calls(rows)
        return [np.array([value]) for value in warm], cold
    parts = [_calls(values) for values in rows.values() if isinstance(values, dict)]
    return [warm for warm, _ in parts if warm.size], [call for _, cold in parts for call in cold]


def _calls(rows: Mapping[str, object]) -> tuple[FloatArray, list[tuple[float, float]]]:
    """Warm durations, and (duration, init) of cold calls. Where warm ones are too few, cold ones stand in."""
    durations = _floats(rows.get("duration_ms") or rows.get("billed_ms") or [])
    inits = np.nan_to_num(_floats(rows.get("init_ms") or [0.0] * durations.size))
    if inits.size != durations.size:
        inits = np.zeros(durations.size)
    usable = np.isfinite(durations) & (durations >= 0)
    is_cold = usable & (inits > 0)
    cold = [(float(d), float(i)) for d, i in zip(durations[is_cold], inits[is_cold], strict=True)]
    warm = durations[usable & ~is_cold]
    return (warm if warm.size >= FEWEST_WARM else durations[usable]), cold


def _floats(values: object) -> FloatArray:
    """None becomes not a number."""
    array = np.asarray(values, dtype=np.float64)
    return array if array.ndim == 1 else np.empty(0)


def _pooled_error(halves: Sequence[_Half]) -> float:
    """Relative standard deviation between environments, pooled over sizes: few environments say little each."""
    squares, freedom = 0.0, 0
    for half in halves:
        means = np.array([values.mean() for values in half.warm])
        if means.size > 1:
            squares += float(np.sum((means / means.mean() - 1) ** 2))
            freedom += means.size - 1
    return math.sqrt(squares / freedom) if freedom else 0.0


def _trace_truth(memory_mb: int, half: _Half, price: Price, spread: float) -> Truth:
    billed = float(np.mean([np.ceil(values).mean() for values in half.warm]))
    return Truth(cost_per_million_usd(max(billed, 1.0), memory_mb, price), spread / math.sqrt(len(half.warm)))
