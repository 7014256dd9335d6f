"""The decision rule: which size wins, and how sure that is, as arithmetic over draws of what the truth may be.

A strategy has an objective to keep near its best and a second quantity to win on:

    cost    the fastest among the sizes whose cost is within the tolerance of the least
    speed   the cheapest among the sizes whose mean duration is within the tolerance of the least
    balanced  cost ** weight * duration ** (1 - weight); the cheaper one among the sizes within the tolerance
    knee      the least distance left to the knee of the trade-off; the cheaper one among equals

With a tolerance of 0 these are the plain minimum. The draws (rows, with a column for each size) may come from any
posterior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuner.model import Strategy
from tuner.statistics.observations import FloatArray, IntArray

SURE = 0.9
"""A size is decided when it is within the tolerance of the best with this probability."""
TIE_SHARE = 0.1
"""A rival that the rule picks in this share of the draws cannot be told from the winner: 1 - SURE, so that every
rival that would have to be ruled out for a 90 % claim is listed."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Indices of sizes. ``confidence`` is P(objective of the winner is within the tolerance of the best)."""

    winner: int
    confidence: float
    tied: tuple[int, ...]

    @property
    def sure(self) -> bool:
        return self.confidence >= SURE


def columns(
    strategy: Strategy, cost: FloatArray, duration: FloatArray, *, weight: float
) -> tuple[FloatArray, FloatArray]:
    """(objective, second) of a strategy from costs and durations; sizes along the last axis.

    ``weight`` is the share of the cost in the strategy balanced. Ratios of the objective are ratios of what the
    strategy minimises, so that a tolerance means the same everywhere.
    """
    if strategy is Strategy.COST:
        return cost, duration
    if strategy is Strategy.SPEED:
        return duration, cost
    if strategy is Strategy.BALANCED:
        return np.asarray(cost**weight * duration ** (1 - weight)), cost
    return _away_from_knee(cost, duration), cost


def _away_from_knee(cost: FloatArray, duration: FloatArray) -> FloatArray:
    """exp(-depth), depth the distance below the line from the cheapest to the fastest size on the log-log plane."""
    x, y = np.log(cost), np.log(duration)
    cheapest, fastest = x.argmin(axis=-1)[..., None], y.argmin(axis=-1)[..., None]
    x0, y0 = np.take_along_axis(x, cheapest, -1), np.take_along_axis(y, cheapest, -1)
    across = np.take_along_axis(x, fastest, -1) - x0
    down = np.take_along_axis(y, fastest, -1) - y0
    length = np.hypot(across, down)
    depth = ((x - x0) * down - (y - y0) * across) / np.where(length > 0, length, 1.0)
    # Where one size is both cheapest and fastest there is no trade-off: it is the knee.
    return np.asarray(np.exp(-np.where(length > 0, depth, -np.hypot(x - x0, y - y0))))


def pick(objective: FloatArray, second: FloatArray, tolerance: float) -> IntArray:
    """The winner of each row by the rule; equals in the second quantity go to the better objective."""
    masked = np.where(within(objective, tolerance), second, np.inf)
    tied = masked == masked.min(axis=-1, keepdims=True)
    return np.asarray(np.where(tied, objective, np.inf).argmin(axis=-1), dtype=np.intp)


def within(objective: FloatArray, tolerance: float) -> NDArray[np.bool_]:
    """Which sizes are within the tolerance of the least of their row."""
    return np.asarray(objective <= objective.min(axis=-1, keepdims=True) * (1 + tolerance))


def decide(points: tuple[FloatArray, FloatArray], draws: tuple[FloatArray, FloatArray], tolerance: float) -> Decision:
    """The winner from point estimates and draws of (objective, second).

    Among the sizes that are within the tolerance with probability ``SURE``, the best in the second quantity wins: a
    size that merely happens to lie just inside the tolerance does not. Where no size is that sure, the rule on the
    point estimates names one, and the decision is not sure.
    """
    near_best = within(draws[0], tolerance).mean(axis=0)
    safe = near_best >= SURE
    if safe.any():
        candidates = np.flatnonzero(safe)
        winner = int(candidates[pick(points[0][safe], points[1][safe], np.inf)])
    else:
        winner = int(pick(points[0], points[1], tolerance))
    shares = np.bincount(pick(draws[0], draws[1], tolerance), minlength=near_best.size) / draws[0].shape[0]
    tied = tuple(int(i) for i in np.flatnonzero(shares >= TIE_SHARE) if i != winner)
    return Decision(winner, float(near_best[winner]), tied)


def unbeaten(index: int, first: FloatArray, second: FloatArray) -> float:
    """Share of the draws (rows) in which no other column is better than ``index`` in both."""
    better = (first < first[:, [index]]) & (second < second[:, [index]])
    return float((~better.any(axis=1)).mean())


def pareto(first: FloatArray, second: FloatArray) -> tuple[int, ...]:
    """Indices that no other index beats: at least as good in both and better in one."""
    return tuple(
        i
        for i in range(first.size)
        if not np.any((first <= first[i]) & (second <= second[i]) & ((first < first[i]) | (second < second[i])))
    )
