"""What a search is for: strategies and limits as one loss for each draw and size, smaller is better.

Losses are logarithms, so that 0.05 more of loss is 5 % more of whatever the strategy minimises:

    cost      ln cost
    speed     ln duration
    balanced  weight * ln cost + (1 - weight) * ln duration: no scale and no range of tested sizes enters
    knee      distance to the line between the cheapest and the fastest size, both in logarithms

The objectives themselves are those of ``tuner.statistics.decision``. Beyond a limit the loss jumps: such a size is
good for nothing, but the search must still know which way back inside is shortest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tuner.model import (
    BudgetLimit,
    BudgetQuantity,
    BudgetStatus,
    BudgetVerdict,
    Cell,
    LimitCheck,
    Price,
    Sample,
    Strategy,
)
from tuner.pricing import cost_per_million_usd
from tuner.statistics.decision import columns
from tuner.statistics.limits import QUANTILES, check_limits
from tuner.statistics.observations import FloatArray, split_by_cell
from tuner.statistics.search.evidence import Evidence
from tuner.statistics.search.posterior import Posterior

ROUNDING_MS = 0.5
"""What rounding up to whole ms adds on average: durations are predicted from billed ones."""
BARRIER = 1.0
"""Loss of being beyond a limit at all: no saving makes up for it ..."""
WAY_BACK = 5.0
"""... and this much more for every factor of e that it is exceeded by."""
LEAST_EXCESS = 0.05
"""A size that was shown to be beyond a limit is so in every draw, by this logarithm at least."""
GIVEN_UP_AFTER = {
    BudgetQuantity.COST_PER_MILLION: 24,
    BudgetQuantity.MEAN: 24,
    BudgetQuantity.P50: 24,
    BudgetQuantity.P95: 150,
    BudgetQuantity.P99: 700,
}
"""A size whose limit is still open after so many calls lies on it: one a little further inside is shown sooner."""
ON_THE_LIMIT = 0.04
"""Sizes closer to it than this logarithm lie on the limit as well."""
ENOUGH_FOR_TAIL = 20
NORMAL = {0.5: 0.0, 0.95: 1.645, 0.99: 2.326}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """``near`` is the share by which the objective may miss its best and still count as right."""

    strategy: Strategy = Strategy.COST
    near: float = 0.05
    weight: float = 0.5
    cold_fraction: float = 0.0
    """Share of calls that meet a cold start."""
    limits: tuple[BudgetLimit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the samples say beyond the curve of warm means."""

    init_ms: float = 0.0
    """Mean init of cold calls."""
    tails: Mapping[BudgetQuantity, float] = field(default_factory=dict)
    """Percentile over mean, of all sizes together: a guess for where to look, never what a limit is met by."""
    checks: tuple[LimitCheck, ...] = ()
    """What measured sizes showed."""

    def status(self, cell: Cell) -> BudgetStatus | None:
        """Of all limits at a size; None where it was not measured."""
        return next((check.status for check in self.checks if check.cell == cell), None)


def setting_of(goal: Goal, samples: Sequence[Sample], evidence: Evidence, prices: Sequence[Price]) -> Setting:
    """The setting that a goal needs; an empty one for a goal without limits and cold calls."""
    inits = [known.billed_init_ms for known in evidence.cells if known.cold] if goal.cold_fraction else []
    asked = {limit.quantity for limit in goal.limits}
    return Setting(
        init_ms=float(np.mean(inits)) if inits else 0.0,
        tails={q: _tail(samples, share, evidence.spread) for q, share in QUANTILES.items() if q in asked},
        checks=check_limits(samples, goal.limits, prices, goal.cold_fraction),
    )


def _tail(samples: Sequence[Sample], share: float, spread: float) -> float:
    """Of many warm calls as they came, of few as if their logarithms were normal."""
    groups = split_by_cell(samples, sorted({sample.cell for sample in samples}))
    times = [[s.duration_ms for s in group.warm if s.duration_ms is not None] for group in groups]
    ratios = np.array([value / np.mean(known) for known in times if len(known) > 1 for value in known])
    usual = math.exp(NORMAL[share] * spread)
    if ratios.size < ENOUGH_FOR_TAIL:
        return usual
    seen = float(np.quantile(ratios, share))
    return seen if ratios.size * (1 - share) >= 1 else max(seen, usual)


def cost_line(posterior: Posterior, prices: Sequence[Price]) -> tuple[FloatArray, FloatArray]:
    """USD per million calls at each size: by billed ms, and by request."""
    price_of = {price.architecture: price for price in prices}
    offset = np.array([cost_per_million_usd(0.0, c.memory_mb, price_of[c.architecture]) for c in posterior.cells])
    unit = np.array([cost_per_million_usd(1.0, c.memory_mb, price_of[c.architecture]) for c in posterior.cells])
    return unit - offset, offset


def quantities(
    goal: Goal, posterior: Posterior, prices: Sequence[Price], setting: Setting
) -> tuple[FloatArray, FloatArray]:
    """USD per million calls, and ms of a call, in every draw at every size, with the share of cold calls."""
    slope, offset = cost_line(posterior, prices)
    billed = posterior.billed_ms
    if goal.cold_fraction:
        cold = billed * math.exp(posterior.cold_offset) + setting.init_ms
        billed = (1 - goal.cold_fraction) * billed + goal.cold_fraction * cold
    return billed * slope + offset, billed


def losses(goal: Goal, posterior: Posterior, prices: Sequence[Price], setting: Setting) -> FloatArray:
    """A row for each draw, a column for each size."""
    cost, duration = quantities(goal, posterior, prices, setting)
    objective, _ = columns(goal.strategy, cost, duration, weight=goal.weight)
    loss = np.asarray(np.log(objective))
    if not goal.limits:
        return loss
    excess = beyond(goal, posterior, cost, setting)
    return np.asarray(loss + (excess > 0) * BARRIER + WAY_BACK * excess)


def beyond(goal: Goal, posterior: Posterior, cost: FloatArray, setting: Setting) -> FloatArray:
    """By what logarithm each size exceeds the limits in each draw, added up; 0 within them.

    What a size showed replaces what the draws would make of it.
    """
    mean_ms = np.maximum(posterior.billed_ms - ROUNDING_MS, ROUNDING_MS)
    total = np.zeros_like(cost)
    for index, limit in enumerate(goal.limits):
        costs = limit.quantity is BudgetQuantity.COST_PER_MILLION
        value = cost if costs else mean_ms * setting.tails.get(limit.quantity, 1.0)
        excess = np.maximum(np.log(value / limit.at_most), 0.0)
        for check in setting.checks:
            if _lies_on_the_limit(check.verdicts[index]):
                near = [i for i, cell in enumerate(posterior.cells) if _are_neighbours(cell, check.cell)]
                excess[:, near] = np.maximum(excess[:, near], LEAST_EXCESS)
        for check in setting.checks:
            column, status = posterior.index(check.cell), check.verdicts[index].status
            if status is BudgetStatus.MET:
                excess[:, column] = 0.0
            elif status is BudgetStatus.BREACHED:
                excess[:, column] = np.maximum(excess[:, column], LEAST_EXCESS)
        total += excess
    return total


def _are_neighbours(one: Cell, other: Cell) -> bool:
    return one.architecture is other.architecture and abs(math.log(one.memory_mb / other.memory_mb)) < ON_THE_LIMIT


def _lies_on_the_limit(verdict: BudgetVerdict) -> bool:
    calls = 0 if verdict.estimate is None else verdict.estimate.n
    return verdict.status is BudgetStatus.OPEN and calls >= GIVEN_UP_AFTER[verdict.limit.quantity]


def feasible_chance(
    goal: Goal, posterior: Posterior, prices: Sequence[Price], setting: Setting, loss: FloatArray
) -> float:
    """P(some candidate keeps every limit); candidates are the columns with a finite ``loss``."""
    if not goal.limits:
        return 1.0
    cost, _ = quantities(goal, posterior, prices, setting)
    candidate = np.isfinite(loss[0])
    return float((beyond(goal, posterior, cost, setting)[:, candidate] == 0).any(axis=1).mean())


def near_best(loss: FloatArray, near: float) -> FloatArray:
    """P(within ``near`` of the best) of each size."""
    best = loss.min(axis=1, keepdims=True)
    return np.asarray((loss <= best + math.log1p(near)).mean(axis=0))
