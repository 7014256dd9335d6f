"""What the next wave at each size is worth: how much better it may turn out to be, and what that costs to hear."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tuner.model import Cell, Price
from tuner.statistics.observations import FloatArray
from tuner.statistics.search.evidence import Evidence
from tuner.statistics.search.goal import cost_line
from tuner.statistics.search.posterior import Posterior

FIRST_ENVIRONMENTS = 2
HALF = 0.5
"""A gain of less than this share of the tolerance is not worth a call."""
ENOUGH_CALLS = 12
"""A size with more warm calls has said most of what it can: without this a search between two that it cannot tell
apart goes on at these two to the cap, and sees no third one."""


def gains(
    draws: Posterior,
    loss: FloatArray,
    winner: Cell,
    evidence: Evidence,
    prices: Sequence[Price],
    *,
    near: float,
) -> FloatArray:
    """Of each size, the expected gain over ``winner`` by the root of what the next warm call there costs.
    ``loss`` has a row for each draw; it is infinite at sizes that are no candidates, whose gain is 0."""
    ahead = loss[:, [draws.index(winner)]] - loss - HALF * math.log1p(near)
    expected = np.maximum(ahead, 0).mean(axis=0)
    expected[draws.index(winner)] = 0
    for known in evidence.cells:
        expected[draws.index(known.cell)] *= min(1.0, ENOUGH_CALLS / max(known.warm, 1))
    return np.asarray(expected / np.sqrt(_next_call_usd(draws, evidence, prices)))


def mean_init_ms(evidence: Evidence) -> float:
    """Mean over the measured sizes."""
    return float(np.mean([known.billed_init_ms for known in evidence.cells]))


def _next_call_usd(draws: Posterior, evidence: Evidence, prices: Sequence[Price]) -> FloatArray:
    """USD per million times the next warm call; at a new size cold ones come first."""
    slope, offset = cost_line(draws, prices)
    known = {c.cell for c in evidence.cells}
    fresh = np.array([cell not in known for cell in draws.cells])
    calls_ms = np.exp(draws.log_ms.mean(axis=0)) * (1 + FIRST_ENVIRONMENTS * fresh)
    return np.asarray((calls_ms + fresh * FIRST_ENVIRONMENTS * mean_init_ms(evidence)) * slope + offset)
