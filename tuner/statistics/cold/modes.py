"""Whether one mode describes a distribution: the dip test, on all values and on the upper ones alone.

The dip is the largest distance between the empirical distribution and the closest unimodal one (Hartigan & Hartigan
1985, Annals of Statistics 13, section 3). A long tail is unimodal and does not alarm it; two humps with a valley do.

A few slow starts hardly dent the distribution of all. But what a unimodal distribution leaves above one of its values
is unimodal again, so the test holds for the upper half and the upper quarter as well, where slow starts weigh more.
The smallest of the three p-values counts, times three (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tuner.model import Modes
from tuner.statistics.cold.batches import Batched, design_effect, effective_n

PARTS = (1.0, 0.5, 0.25)
SMALLEST_N = 30
"""Fewer values in a part tell nothing but humps of equal size."""
ALARM = 0.01
"""False alarms in uniform data, the unimodal ones hardest to tell from bimodal; rarer in everything else."""
LEAST_RATIO = 1.15
"""Modes closer than 15 % are no matter of anybody's cold starts."""
LEAST_SHARE = 0.02

_NULL_P = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
_NULL_N = (30, 50, 100, 200, 500, 1000)
_NULL_ROOT_N_DIP = (
    (0.336, 0.404, 0.445, 0.484, 0.524, 0.556, 0.583, 0.617, 0.646),
    (0.346, 0.416, 0.459, 0.497, 0.540, 0.570, 0.595, 0.631, 0.665),
    (0.355, 0.427, 0.472, 0.511, 0.556, 0.591, 0.622, 0.659, 0.696),
    (0.361, 0.436, 0.480, 0.520, 0.570, 0.603, 0.633, 0.673, 0.706),
    (0.368, 0.443, 0.490, 0.529, 0.580, 0.613, 0.650, 0.695, 0.735),
    (0.371, 0.447, 0.495, 0.535, 0.585, 0.618, 0.650, 0.689, 0.711),
)
"""sqrt(n) * dip of n uniform values exceeded with the probabilities of ``_NULL_P``, one row for each of ``_NULL_N``:
20,000 simulations each (benchmarks/cold_starts.py --dip)."""


def modes(data: Batched) -> Modes | None:
    """Two modes where the dip test finds one not enough at the level ``ALARM``; else None.

    Values of one batch count as less than independent, by the design effect where the tested part begins. The split
    is the cut that leaves both sides of that part the most alike within, on the scale of ratios.
    """
    if data.n < SMALLEST_N or float(data.values.min()) <= 0:
        return None
    logs = np.sort(np.log(data.values))
    tested = [(_p_value(data, logs, part), part) for part in PARTS if data.n * part >= SMALLEST_N]
    least, part = min(tested)
    p_value = min(least * len(PARTS), 1.0)
    if p_value > ALARM:
        return None
    split = _split(_upper(logs, part))
    low, high = np.exp(logs[logs <= split]), np.exp(logs[logs > split])
    share = high.size / data.n
    if min(share, 1 - share) < LEAST_SHARE or np.median(high) < LEAST_RATIO * np.median(low):
        return None
    return Modes(
        split_ms=math.exp(split),
        low_ms=float(np.median(low)),
        high_ms=float(np.median(high)),
        share_high=share,
        p_value=p_value,
    )


def _p_value(data: Batched, logs: NDArray[np.float64], part: float) -> float:
    upper = _upper(logs, part)
    beginning = float(np.quantile(data.values, max(1 - part, 0.5)))
    worth = effective_n(data, max(design_effect(data, beginning), 1.0)) * upper.size / data.n
    return dip_p_value(dip(upper), worth)


def _upper(ordered: NDArray[np.float64], part: float) -> NDArray[np.float64]:
    """The values above the one that ends the lower part."""
    return ordered[ordered.size - math.floor(ordered.size * part) :]


def dip(ordered: NDArray[np.float64]) -> float:
    """The dip statistic of sorted values, between 1/(2n) and 1/4.

    Starting from all values, the modal interval shrinks to where the greatest convex minorant and the least concave
    majorant of the empirical distribution lie furthest apart, until they differ by less than what lies outside.
    """
    n = ordered.size
    low, high = 0, n - 1
    furthest = 1.0  # in steps of the empirical distribution, twice the dip
    while ordered[low] < ordered[high]:
        minorant = _hull(ordered, low, high, convex=True)
        majorant = _hull(ordered, low, high, convex=False)
        apart, new_low, new_high = _widest(ordered, minorant, majorant)
        if apart <= furthest:
            break
        left = [i for i in minorant if i <= new_low]
        right = [i for i in majorant if i >= new_high]
        outside = max(
            _furthest_from(ordered, left, lambda i, line: i - line + 1),
            _furthest_from(ordered, right, lambda i, line: line - i + 1),
        )
        furthest = max(furthest, outside)
        if (new_low, new_high) == (low, high):
            break
        low, high = new_low, new_high
    return furthest / (2 * n)


def dip_p_value(value: float, n: float) -> float:
    """The probability of such a dip, or a larger one, in ``n`` independent uniform values: .001 to .5, or 1."""
    known = np.log(_NULL_N)
    at_n = [float(np.interp(math.log(n), known, column)) for column in zip(*_NULL_ROOT_N_DIP, strict=True)]
    return float(math.exp(np.interp(value * math.sqrt(n), at_n, np.log(_NULL_P), left=0.0)))


def _hull(ordered: NDArray[np.float64], low: int, high: int, *, convex: bool) -> list[int]:
    """Vertices of the hull below (or above) the points (value, rank) from ``low`` to ``high``, by monotone chain."""
    sign = 1.0 if convex else -1.0
    chain: list[int] = []
    for i in range(low, high + 1):
        while len(chain) >= 2 and sign * _turn(ordered, chain[-2], chain[-1], i) <= 0:
            chain.pop()
        chain.append(i)
    return chain


def _turn(ordered: NDArray[np.float64], a: int, b: int, c: int) -> float:
    """Positive where the path a, b, c turns to the left."""
    return float((ordered[b] - ordered[a]) * (c - a) - (b - a) * (ordered[c] - ordered[a]))


def _widest(ordered: NDArray[np.float64], minorant: list[int], majorant: list[int]) -> tuple[float, int, int]:
    """How far the hulls are apart at most, in steps, and the modal interval that this point belongs to."""
    at = ordered[np.union1d(minorant, majorant)]
    gap = np.interp(at, ordered[majorant], majorant) - np.interp(at, ordered[minorant], minorant)
    where = at[int(np.argmax(gap))]
    low = max(i for i in minorant if ordered[i] <= where)
    high = min(i for i in majorant if ordered[i] >= where)
    return float(gap.max()) + 1, low, high


def _furthest_from(
    ordered: NDArray[np.float64],
    vertices: list[int],
    distance: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
) -> float:
    """The largest distance in steps between the empirical distribution and a hull along its vertices."""
    if len(vertices) < 2:
        return 1.0
    ranks = np.arange(vertices[0], vertices[-1] + 1, dtype=np.float64)
    line = np.interp(ordered[vertices[0] : vertices[-1] + 1], ordered[vertices], vertices)
    return float(distance(ranks, line).max())


def _split(ordered: NDArray[np.float64]) -> float:
    """Where the two modes part: the cut that leaves the least spread within both sides (Otsu 1979)."""
    n = ordered.size
    size = np.arange(1, n)
    total = np.cumsum(ordered)
    low, high = total[:-1] / size, (total[-1] - total[:-1]) / (n - size)
    cut = int(np.argmax(size * (n - size) * (high - low) ** 2))
    return float((ordered[cut] + ordered[cut + 1]) / 2)
