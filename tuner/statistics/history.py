"""Trends and change points of what gates and runs found over time.

A change point is where the level of a series changes for good. It is searched with the maximum of the standardised
CUSUM over all places (Page, Biometrika 41, 1954), on the logarithms, by ranks, so that one odd run weighs little; how
surprising that maximum is, is told by permuting the series, which assumes nothing but that runs without a change are
exchangeable. Where one is found, both parts are searched again (binary segmentation, Vostrikova 1981).

False alarms: of series without any change at most ``ALPHA`` show one, exactly so by construction of the permutation
test. Drift from month to month is no false alarm: it is found as the change that it is, whoever caused it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tuner.statistics.observations import FloatArray

ALPHA = 0.01
"""Share of unchanged series in which a change is seen."""
PERMUTATIONS = 999
FEWEST_RUNS = 10
"""With fewer even the most extreme order is not surprising at 1 %: a change in the middle is one of 2 orders in 70
with 8 runs, of 2 in 252 with 10."""
FEWEST_BESIDE = 3
"""Runs on either side of a change: fewer are an odd run, not a level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """The level of a series is another one from ``index`` on."""

    index: int
    ratio: float
    """Median from there to the next change over the median since the one before."""
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A series from its first run to its last."""

    n: int
    median: float
    latest: float
    changes: tuple[ChangePoint, ...]
    reason: str | None = None
    """Why no change was searched for; None where it was."""


def trend(values: Sequence[float], *, seed: int = 1) -> Trend:
    """The change points of positive ``values`` in the order of time. ValueError for an empty series."""
    if not values:
        raise ValueError("a series has values")
    known = [value for value in values if value > 0]
    series = np.asarray(values, dtype=np.float64)
    reason = None
    if len(known) < len(values):
        reason = "values of 0 have no ratio"
    elif len(values) < FEWEST_RUNS:
        reason = f"{len(values)} runs are too few (needs {FEWEST_RUNS})"
    found = () if reason else _changes(np.log(series), seed)
    return Trend(
        n=len(values), median=float(np.median(series)), latest=float(series[-1]), changes=found, reason=reason
    )


def _changes(logs: FloatArray, seed: int) -> tuple[ChangePoint, ...]:
    rng = np.random.default_rng(seed)
    places: list[tuple[int, float]] = []
    _segment(logs, 0, rng, places)
    places.sort()
    borders = [0, *(index for index, _ in places), logs.size]
    medians = [float(np.median(logs[a:b])) for a, b in pairwise(borders)]
    return tuple(
        ChangePoint(index=index, ratio=math.exp(medians[number + 1] - medians[number]), p_value=p_value)
        for number, (index, p_value) in enumerate(places)
    )


def _segment(logs: FloatArray, start: int, rng: np.random.Generator, places: list[tuple[int, float]]) -> None:
    if logs.size < FEWEST_RUNS:
        return
    ranks = _ranks(logs)
    index, statistic = _largest_step(ranks[None, :])
    permuted = rng.permuted(np.tile(ranks, (PERMUTATIONS, 1)), axis=1)
    _, chance = _largest_step(permuted)
    p_value = (1 + int(np.sum(chance >= statistic[0] - 1e-9))) / (PERMUTATIONS + 1)
    if p_value > ALPHA:
        return
    places.append((start + int(index[0]), p_value))
    _segment(logs[: index[0]], start, rng, places)
    _segment(logs[index[0] :], start + int(index[0]), rng, places)


def _largest_step(rows: FloatArray) -> tuple[np.typing.NDArray[np.intp], FloatArray]:
    """For each row the place with the largest standardised difference of the means before and after it."""
    n = rows.shape[1]
    sizes = np.arange(FEWEST_BESIDE, n - FEWEST_BESIDE + 1)
    centred = rows - rows.mean(axis=1, keepdims=True)
    sums = np.cumsum(centred, axis=1)[:, sizes - 1]
    standardised = np.abs(sums) * np.sqrt(n / (sizes * (n - sizes)))
    best = standardised.argmax(axis=1)
    return sizes[best], standardised[np.arange(rows.shape[0]), best]


def _ranks(values: FloatArray) -> FloatArray:
    """Middle ranks: equal values share theirs."""
    ordered = np.sort(values)
    left, right = np.searchsorted(ordered, values), np.searchsorted(ordered, values, side="right")
    return np.asarray((left + right + 1) / 2, dtype=np.float64)
