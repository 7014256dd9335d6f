"""Functions to search in: recorded traces, and simulated families with parameters drawn for each seed.

A world says what a call on an execution environment takes; a fleet keeps the environments of each size the way
Lambda does: a wave takes idle environments first and starts new ones, cold, for the rest. The truth of a world is
never shown to a policy.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.model import FULL_VCPU_MB, Architecture, Cell, Outcome, Price, Sample, Wave
from tuner.pricing import cost_per_million_usd, price_for

FloatArray = NDArray[np.float64]
Call = Callable[[np.random.Generator, float], float]
"""Duration in ms of one warm call, given the share of the run that is over (worlds may drift)."""

REGION = "us-east-1"
TRACES = ("trace_cpu17ms_2025.json", "trace_s3_writer_2023.json")
SMOOTH_MB = tuple(range(128, 3009, 64))
FINE_MB = tuple(range(128, 1850, 9))
PERIOD_MS = 20.0
TRUTH_CALLS = 500
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


@dataclass(frozen=True, slots=True)
class _Noise:
    """How calls scatter about the curve. Factors are relative, ``drift`` is the change over a run."""

    host_factors: tuple[float, ...]
    environment_sd: float
    call_sd: float
    outlier_rate: float
    outlier_factor: float
    drift: float

    def environment(self, rng: np.random.Generator) -> float:
        return float(rng.choice(self.host_factors) * np.exp(rng.normal(0, self.environment_sd)))

    def call(self, rng: np.random.Generator, progress: float) -> float:
        factor = float(np.exp(rng.normal(0, self.call_sd)))
        if rng.random() < self.outlier_rate:
            factor *= 1 + self.outlier_factor * rng.exponential()
        return factor * (1 + self.drift * math.sin(math.tau * progress))


def simulated_worlds(seed: int) -> list[World]:
    """One world of each family, with parameters of this seed."""
    return [_simulated(kind, seed, number) for number, kind in enumerate(FAMILIES)]


def _simulated(kind: str, seed: int, number: int) -> World:
    rng = np.random.default_rng([seed, 1000 + number])
    curve = FAMILIES[kind](rng)
    sizes = FINE_MB if kind == "staircase" else SMOOTH_MB
    noise = _noise(kind, rng)
    price = price_for(REGION, Architecture.X86_64)
    init_ms, first_work = float(np.exp(rng.normal(math.log(180), 0.5))), float(rng.uniform(0, 0.6))

    def start(memory_mb: int, rng: np.random.Generator) -> Environment:
        host = noise.environment(rng)
        # The first call does more work: lazy imports, connections, just-in-time compilation.
        cold_ms = curve(memory_mb, host) * (1 + first_work * rng.uniform(0.7, 1.3))
        init = init_ms * host * float(np.exp(rng.normal(0, 0.1)))
        return Environment(
            (cold_ms, init), lambda rng, progress: _one_call(curve, memory_mb, host, noise, rng, progress, kind)
        )

    truth = {m: _simulated_truth(curve, m, noise, price, kind) for m in sizes}
    return World(f"simulated/{kind}", kind if kind in ("staircase", "cliff") else "smooth", price, truth, start)


def _one_call(
    curve: Curve, memory_mb: int, host: float, noise: _Noise, rng: np.random.Generator, progress: float, kind: str
) -> float:
    factor = noise.call(rng, progress)
    if kind != "staircase":
        return curve(memory_mb, host) * factor
    # Work that varies moves a call over the edge of a step; what is not CPU merely takes longer.
    work = float(np.exp(rng.normal(0, noise.call_sd)))
    return curve(memory_mb, host * work) * (1 if factor < 1.5 else factor)


def _simulated_truth(curve: Curve, memory_mb: int, noise: _Noise, price: Price, kind: str) -> Truth:
    rng = np.random.default_rng(12345)  # the same luck at every size, so that differences are exact
    calm = replace(noise, drift=0.0)
    calls = [_one_call(curve, memory_mb, calm.environment(rng), calm, rng, 0.0, kind) for _ in range(TRUTH_CALLS)]
    return Truth(cost_per_million_usd(float(np.ceil(calls).mean()), memory_mb, price), 0.0)


def _noise(kind: str, rng: np.random.Generator) -> _Noise:
    bimodal = (1.0,) * 8 + (1.18, 0.87) if kind in ("bimodal hosts", "staircase") else (1.0,)
    tail = float(rng.uniform(0.01, 0.06)) if kind == "heavy tail" else 0.003
    small = 0.3 if kind == "staircase" else 1.0
    return _Noise(
        host_factors=bimodal if kind != "staircase" else (1.0,) * 18 + (1.05, 0.96),
        environment_sd=float(rng.uniform(0.01, 0.08)) * small,
        call_sd=float(rng.uniform(0.01, 0.08)) * (0.5 if small < 1 else 1),
        outlier_rate=tail,
        outlier_factor=float(rng.uniform(0.5, 4)),
        drift=float(rng.uniform(-0.08, 0.08)) if kind == "drift" else 0.0,
    )


Curve = Callable[[int, float], float]
"""Duration in ms at a memory size on a host that takes so many times the usual CPU time."""


def _scale_ms(rng: np.random.Generator) -> float:
    """Duration of the whole work at one vCPU: 30 ms to 8 s."""
    return float(np.exp(rng.uniform(math.log(30), math.log(8000))))


def _power(rng: np.random.Generator) -> Curve:
    total, waiting, power = _scale_ms(rng), float(rng.beta(0.7, 0.7)), float(rng.uniform(0.8, 1.25))

    def curve(memory_mb: int, host: float) -> float:
        share = min(memory_mb, FULL_VCPU_MB) / FULL_VCPU_MB
        return float(total * (waiting + (1 - waiting) * host * share**-power))

    return curve


def _exponential(rng: np.random.Generator) -> Curve:
    total, gain = _scale_ms(rng), float(np.exp(rng.uniform(math.log(0.3), math.log(10))))
    decay_mb = float(np.exp(rng.uniform(math.log(100), math.log(1200))))
    return lambda memory_mb, host: total * host * (1 + gain * math.exp(-(memory_mb - 128) / decay_mb))


def _amdahl(rng: np.random.Generator) -> Curve:
    total, parallel = _scale_ms(rng), float(rng.uniform(0.3, 1.0))

    def curve(memory_mb: int, host: float) -> float:
        vcpus = memory_mb / FULL_VCPU_MB
        return total * host * (1 / vcpus if vcpus < 1 else (1 - parallel) + parallel / vcpus)

    return curve


def _flat(rng: np.random.Generator) -> Curve:
    total, work = _scale_ms(rng), float(rng.uniform(0, 0.03))
    return lambda memory_mb, host: total * (1 + work * host / min(1.0, memory_mb / FULL_VCPU_MB))


def _cliff(rng: np.random.Generator) -> Curve:
    smooth, edge_mb, factor = _power(rng), float(rng.uniform(180, 900)), float(rng.uniform(1.5, 6))
    return lambda memory_mb, host: smooth(memory_mb, host) * (factor if memory_mb < edge_mb else 1)


def _staircase(rng: np.random.Generator) -> Curve:
    """CPU quota of 20 ms periods: full periods, then a remainder that counts fully, partly or not at all."""
    work_ms = float(np.exp(rng.uniform(math.log(5), math.log(200))))
    slack, share, extra_ms = float(rng.uniform(0.93, 1.0)), float(rng.uniform(0, 1)), float(rng.uniform(0.5, 2))

    def curve(memory_mb: int, host: float) -> float:
        work, quota_ms = work_ms * host, PERIOD_MS * min(1.0, memory_mb / FULL_VCPU_MB)
        if quota_ms >= PERIOD_MS or work * slack <= quota_ms:
            return work
        throttled = math.ceil(work * slack / quota_ms) - 1
        remainder = max(0.0, work - throttled * quota_ms)
        return max(work, PERIOD_MS * throttled + max(extra_ms, share * remainder))

    return curve


FAMILIES: Mapping[str, Callable[[np.random.Generator], Curve]] = {
    "power law": _power,
    "exponential": _exponential,
    "amdahl": _amdahl,
    "flat": _flat,
    "cliff": _cliff,
    "bimodal hosts": _power,
    "heavy tail": _power,
    "drift": _power,
    "staircase": _staircase,
}
