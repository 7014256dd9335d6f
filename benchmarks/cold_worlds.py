"""Worlds to draw cold starts from: simulated with batch effects and two modes, and real init durations.

Every world draws batches and knows its true quantiles. In the simulated ones and the published percentiles a part
``icc`` of the spread belongs to the batch; the recorded ones are resampled by batch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

FloatArray = NDArray[np.float64]

DATA = Path(__file__).parent / "cold_inits.json"
TYPICAL_ICC = (0.0, 0.05, 0.2)
HIGH_ICC = 0.5


class ColdWorld(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def family(self) -> str: ...

    def draw(self, rng: np.random.Generator, batches: int, size: int) -> FloatArray:
        """Values in ms, one row a batch."""
        ...

    def quantile(self, q: float) -> float: ...


def correlated(rng: np.random.Generator, batches: int, size: int, icc: float) -> FloatArray:
    """Standard normal values of which a part ``icc`` of the variance belongs to the batch."""
    shared = rng.normal(0, 1, (batches, 1))
    return np.asarray(math.sqrt(icc) * shared + math.sqrt(1 - icc) * rng.normal(0, 1, (batches, size)))


@dataclass(frozen=True)
class OneMode:
    """Lognormal with a standard deviation of 15 %."""

    icc: float
    family: str = "one mode"

    @property
    def name(self) -> str:
        return f"one mode, icc {self.icc:g}"

    def draw(self, rng: np.random.Generator, batches: int, size: int) -> FloatArray:
        return np.asarray(300 * np.exp(0.15 * correlated(rng, batches, size, self.icc)))

    def quantile(self, q: float) -> float:
        return float(300 * math.exp(0.15 * float(ndtri(q))))


@dataclass(frozen=True)
class TwoModes:
    """A share of slow starts, 2.4 times as long; batches differ in that share (beta distributed, correlation icc)."""

    share: float
    icc: float
    family: str = "two modes"
    spread: float = 0.08
    factor: float = 2.4

    @property
    def name(self) -> str:
        return f"{self.share:.0%} slow, icc {self.icc:g}"

    def draw(self, rng: np.random.Generator, batches: int, size: int) -> FloatArray:
        share = np.full((batches, 1), self.share)
        if self.icc > 0:
            strength = 1 / self.icc - 1
            share = rng.beta(self.share * strength, (1 - self.share) * strength, (batches, 1))
        slow = rng.random((batches, size)) < share
        noise = np.exp(self.spread * rng.normal(0, 1, (batches, size)))
        return np.asarray(250 * noise * np.where(slow, self.factor, 1.0))

    def quantile(self, q: float) -> float:
        def excess(log_ms: float) -> float:
            fast = float(ndtr((log_ms - math.log(250)) / self.spread))
            slow = float(ndtr((log_ms - math.log(250 * self.factor)) / self.spread))
            return (1 - self.share) * fast + self.share * slow - q

        return math.exp(brentq(excess, 0, 12))


@dataclass(frozen=True)
class Published:
    """The published percentiles of one function, joined on the log scale, with its correlation within days."""

    name: str
    icc: float
    probabilities: tuple[float, ...]
    logs: tuple[float, ...]
    family: str = "published percentiles"

    def draw(self, rng: np.random.Generator, batches: int, size: int) -> FloatArray:
        return np.exp(np.interp(ndtr(correlated(rng, batches, size, self.icc)), self.probabilities, self.logs))

    def quantile(self, q: float) -> float:
        return math.exp(float(np.interp(q, self.probabilities, self.logs)))


@dataclass(frozen=True)
class Recorded:
    """Batches of real init durations, drawn with replacement and so their values, smoothed by 1 % (a bootstrap whose
    truth is known and continuous)."""

    name: str
    batches: tuple[tuple[float, ...], ...]
    family: str = "recorded inits"
    smoothing: float = 0.01

    def draw(self, rng: np.random.Generator, batches: int, size: int) -> FloatArray:
        drawn = rng.integers(0, len(self.batches), batches)
        rows = [rng.choice(self.batches[index], size) for index in drawn]
        return np.asarray(np.array(rows) * np.exp(self.smoothing * rng.normal(0, 1, (batches, size))))

    @cached_property
    def _weighted(self) -> tuple[FloatArray, FloatArray]:
        """Logarithms of all values, and the probability of each."""
        logs = np.concatenate([np.log(batch) for batch in self.batches])
        weights = np.concatenate([np.full(len(batch), 1 / len(batch) / len(self.batches)) for batch in self.batches])
        return logs, weights

    def quantile(self, q: float) -> float:
        logs, weights = self._weighted

        def excess(log_ms: float) -> float:
            return float(np.sum(weights * ndtr((log_ms - logs) / self.smoothing))) - q

        return math.exp(brentq(excess, float(logs.min()) - 1, float(logs.max()) + 1))


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DATA.read_text())
    return found


def recorded_worlds() -> list[Recorded]:
    return [
        Recorded(name, tuple(tuple(batch) for batch in batches)) for name, batches in _data()["functions"].items()
    ]


def published_worlds() -> list[Published]:
    keys = ("low_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms")
    return [
        Published(
            name=row["name"],
            icc=row["icc"],
            probabilities=(0.0, 0.5, 0.9, 0.95, 0.99, 1.0),
            logs=tuple(math.log(row[key]) for key in keys),
        )
        for row in _data()["published"]
    ]


def simulated_worlds(correlations: Sequence[float] = (*TYPICAL_ICC, HIGH_ICC)) -> Iterator[ColdWorld]:
    for icc in correlations:
        yield OneMode(icc)
        for share in (0.15, 0.3):
            yield TwoModes(share, icc)


def adverse_worlds() -> Iterator[ColdWorld]:
    """A quantile inside the gap between two modes, whose position batches decide: what no few batches can tell."""
    for icc in (*TYPICAL_ICC, HIGH_ICC):
        yield TwoModes(0.05, icc, family="gap at p95")
        yield TwoModes(0.1, icc, family="gap at p90")
