"""What a search is for: strategies and limits as one loss for each draw and size, smaller is better.

Losses are logarithms, so that 0.05 more of loss is 5 % more of whatever the strategy minimises:

    cost      ln cost
    speed     ln duration
    balanced  weight * ln cost + (1 - weight) * ln duration: no scale and no range of tested sizes enters
    knee      distance to the line between the cheapest and the fastest size, both in logarithms

The objectives themselves are those of ``tuner.statistics.decision``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.model import Price, Strategy
from tuner.pricing import cost_per_million_usd
from tuner.statistics.decision import columns
from tuner.statistics.observations import FloatArray
from tuner.statistics.search.posterior import Posterior


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """``near`` is the share by which the objective may miss its best and still count as right."""

    strategy: Strategy = Strategy.COST
    near: float = 0.05
    weight: float = 0.5


def cost_usd(posterior: Posterior, prices: Sequence[Price]) -> FloatArray:
    """USD per million warm calls in every draw at every size."""
    slope, offset = cost_line(posterior, prices)
    return posterior.billed_ms * slope + offset


def cost_line(posterior: Posterior, prices: Sequence[Price]) -> tuple[FloatArray, FloatArray]:
    """USD per million calls at each size: by billed ms, and by request."""
    price_of = {price.architecture: price for price in prices}
    offset = np.array([cost_per_million_usd(0.0, c.memory_mb, price_of[c.architecture]) for c in posterior.cells])
    unit = np.array([cost_per_million_usd(1.0, c.memory_mb, price_of[c.architecture]) for c in posterior.cells])
    return unit - offset, offset


def losses(goal: Goal, posterior: Posterior, prices: Sequence[Price]) -> FloatArray:
    """A row for each draw, a column for each size."""
    objective, _ = columns(goal.strategy, cost_usd(posterior, prices), posterior.billed_ms, weight=goal.weight)
    return np.asarray(np.log(objective))


def near_best(loss: FloatArray, near: float) -> FloatArray:
    """P(within ``near`` of the best) of each size."""
    best = loss.min(axis=1, keepdims=True)
    return np.asarray((loss <= best + math.log1p(near)).mean(axis=0))
