"""The policies that are compared: the search of this project, and others from their published descriptions.

Each is a sampling policy of the engine's port, plus the size it would recommend and the confidence it claims, if any.
Waves of one block run one after the other here, as those tools call one at a time.
"""

from __future__ import annotations

import math
import random
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeWarning, curve_fit

from tuner.model import Block, Cell, Price, Sample, Stop, Wave
from tuner.pricing import cost_per_million_usd
from tuner.statistics.curve import curve_points
from tuner.statistics.search.conclusion import conclude
from tuner.statistics.search.policy import LARGEST_WAVE, AdaptiveSampling

FloatArray = NDArray[np.float64]

POWER_TUNING_MB = (128, 256, 512, 1024, 1536, 3008)
"""Default ``powerValues`` of aws-lambda-power-tuning 4.4.0."""
TRIMMED_SHARE = 0.2
Rule = Literal["cheapest", "fastest within 5 %"]


@dataclass(frozen=True, slots=True)
class Pick:
    """A recommended size. ``confidence`` is the claimed P(within 5 % of the best cost), None without a claim."""

    memory_mb: int
    confidence: float | None = None


class Policy(Protocol):
    def next_block(self, samples: Sequence[Sample]) -> Block | Stop: ...

    def recommend(self, samples: Sequence[Sample]) -> Pick: ...


@dataclass(frozen=True, slots=True)
class PowerTuning:
    """A fixed grid, ``calls`` serial calls a size, mean trimmed by 20 % on each side, least cost."""

    cells: tuple[Cell, ...]
    price: Price
    calls: int

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
        if samples:
            return Stop(reason="the grid is done")
        waves = [Wave(cell=cell, size=1) for cell in self._grid() for _ in range(self.calls)]
        return Block(number=1, waves=tuple(waves))

    def recommend(self, samples: Sequence[Sample]) -> Pick:
        by_size = _durations(samples)
        costs = {
            size: cost_per_million_usd(math.ceil(_trimmed_mean(values)), size, self.price)
            for size, values in by_size.items()
        }
        return Pick(min(costs, key=lambda size: (costs[size], -size)))

    def _grid(self) -> list[Cell]:
        """The default sizes as far as the world has them, each replaced by its nearest neighbour."""
        low, high = self.cells[0].memory_mb, self.cells[-1].memory_mb
        wanted = [size for size in POWER_TUNING_MB if low <= size <= high] or [low, high]
        return sorted({min(self.cells, key=lambda cell: abs(cell.memory_mb - size)) for size in wanted})


@dataclass(frozen=True, slots=True)
class Parrotfish:
    """Adaptive: lowest, a third, highest; then least predicted cost x (1 + knowledge) under a0 + a1 * exp(-m / a2).

    Knowledge is a sum of Gaussians of sigma 200 MB around the sampled sizes. Stops when the least value sits where
    knowledge exceeds 3 or after 20 calls. A size gets 3 calls, and up to 2 more while their coefficient of
    variation exceeds 5 % (SoCC'23 and the project's description).
    """

    cells: tuple[Cell, ...]
    price: Price
    most_calls: int = 20
    knowledge_limit: float = 3.0

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
        by_size = _durations(samples)
        if len(samples) >= self.most_calls:
            return Stop(reason="20 calls")
        noisy = [size for size, values in by_size.items() if len(values) < 5 and _variation(values[1:]) > 0.05]
        if noisy:
            return self._block(samples, [noisy[0]], 1)
        if not by_size:
            low, high = self.cells[0].memory_mb, self.cells[-1].memory_mb
            third = min((c.memory_mb for c in self.cells), key=lambda size: abs(size - (low + (high - low) / 3)))
            return self._block(samples, sorted({low, third, high}), 3)
        size, knowledge = self._next(by_size)
        if knowledge > self.knowledge_limit or size in by_size:
            return Stop(reason="the least predicted cost is known")
        return self._block(samples, [size], 3)

    def recommend(self, samples: Sequence[Sample]) -> Pick:
        by_size = _durations(samples)
        predicted = self._predicted(by_size)
        return Pick(self.cells[int(np.argmin(predicted))].memory_mb)

    def _next(self, by_size: dict[int, list[float]]) -> tuple[int, float]:
        sizes = np.array([cell.memory_mb for cell in self.cells], dtype=np.float64)
        knowledge = np.zeros(sizes.size)
        for size in by_size:
            knowledge += np.exp(-0.5 * ((sizes - size) / 200) ** 2)
        best = int(np.argmin(self._predicted(by_size) * (1 + knowledge)))
        return self.cells[best].memory_mb, float(knowledge[best])

    def _predicted(self, by_size: dict[int, list[float]]) -> FloatArray:
        points = [(size, value) for size, values in by_size.items() for value in values[1:] or values]
        x, y = np.array(points, dtype=np.float64).T
        sizes = np.array([cell.memory_mb for cell in self.cells], dtype=np.float64)
        try:
            parameters, _ = curve_fit(
                _exponential, x, y, p0=(y.min(), y.max(), 500.0), bounds=([0, 0, 1], [np.inf, np.inf, 1e5])
            )
            durations = _exponential(sizes, *parameters)
        except (RuntimeError, OptimizeWarning):
            durations = np.interp(sizes, *_means(by_size))
        return np.array(
            [cost_per_million_usd(float(d), int(m), self.price) for d, m in zip(durations, sizes, strict=True)]
        )

    def _block(self, samples: Sequence[Sample], sizes: Sequence[int], calls: int) -> Block:
        architecture = self.cells[0].architecture
        number = 1 + max((sample.block for sample in samples), default=0)
        waves = [Wave(cell=Cell(size, architecture), size=1) for size in sizes for _ in range(calls)]
        return Block(number=number, waves=tuple(waves))


def _exponential(memory_mb: FloatArray, a0: float, a1: float, a2: float) -> FloatArray:
    return np.asarray(a0 + a1 * np.exp(-memory_mb / a2))


@dataclass(frozen=True, slots=True)
class RandomSizes:
    """Five sizes at random, two waves of four each: what luck alone finds with 40 calls."""

    cells: tuple[Cell, ...]
    price: Price
    seed: int

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
        if len({sample.block for sample in samples}) == 2:
            return Stop(reason="40 calls")
        chosen = random.Random(self.seed).sample(self.cells, min(5, len(self.cells)))
        number = 2 if samples else 1
        return Block(number=number, waves=tuple(Wave(cell=cell, size=4) for cell in chosen))

    def recommend(self, samples: Sequence[Sample]) -> Pick:
        warm = _durations([sample for sample in samples if not sample.cold]) or _durations(samples)
        costs = {
            size: cost_per_million_usd(statistics.fmean(math.ceil(v) for v in values), size, self.price)
            for size, values in warm.items()
        }
        return Pick(min(costs, key=lambda size: costs[size]))


@dataclass(frozen=True, slots=True)
class Adaptive:
    """The search of this project. ``rule`` is what it would propose: the cheapest size, or as the command does the
    fastest one that is surely within 5 % of the least cost."""

    cells: tuple[Cell, ...]
    price: Price
    seed: int
    rule: Rule = "cheapest"
    largest_wave: int = LARGEST_WAVE

    @property
    def policy(self) -> AdaptiveSampling:
        return AdaptiveSampling(
            cells=self.cells, prices=(self.price,), seed=self.seed + 1, largest_wave=self.largest_wave
        )

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
        return self.policy.next_block(samples)

    def recommend(self, samples: Sequence[Sample]) -> Pick:
        verdict = self.policy.verdict(samples)
        if verdict is None:
            return Pick(self.cells[-1].memory_mb)
        if self.rule == "cheapest":
            return Pick(verdict.winner.memory_mb, verdict.confidence)
        points = curve_points(samples, sorted({sample.cell for sample in samples}), (self.price,))
        conclusion = conclude(self.policy, samples, points, None)
        if conclusion is None or conclusion.recommendation is None:
            return Pick(verdict.winner.memory_mb, verdict.confidence)
        return Pick(conclusion.recommendation.memory_mb, conclusion.recommendation.confidence)


def _durations(samples: Sequence[Sample]) -> dict[int, list[float]]:
    """Durations in ms by size in the order they came, cold calls included."""
    found: defaultdict[int, list[float]] = defaultdict(list)
    for sample in samples:
        if sample.duration_ms is not None:
            found[sample.cell.memory_mb].append(sample.duration_ms)
    return dict(found)


def _trimmed_mean(values: Sequence[float]) -> float:
    cut = int(len(values) * TRIMMED_SHARE)
    ordered = sorted(values)
    return statistics.fmean(ordered[cut : len(ordered) - cut])


def _variation(values: Sequence[float]) -> float:
    return statistics.stdev(values) / statistics.fmean(values) if len(values) > 1 else 0.0


def _means(by_size: dict[int, list[float]]) -> tuple[list[int], list[float]]:
    sizes = sorted(by_size)
    return sizes, [statistics.fmean(by_size[size]) for size in sizes]
