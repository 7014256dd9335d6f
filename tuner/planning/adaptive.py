"""The adaptive sampling of a plan: the search of ``tuner.statistics.search``, set up from what the user asked for."""

from __future__ import annotations

from tuner.model import Plan
from tuner.statistics.search.goal import Goal
from tuner.statistics.search.policy import AdaptiveSampling

LEAST_NEAR = 0.01
"""Sizes closer than one per cent are the same for every purpose, also where the tolerance is 0."""


def adaptive_sampling(plan: Plan) -> AdaptiveSampling:
    """The policy of an adaptive plan; also what judges the samples of it afterwards."""
    request = plan.request
    return AdaptiveSampling(
        cells=plan.cells,
        prices=plan.prices,
        goal=Goal(strategy=request.strategy, near=max(request.tolerance, LEAST_NEAR), weight=request.weight),
        confidence=request.confidence,
        most_calls=plan.expected_invocations,
        largest_wave=plan.wave_size,
        seed=request.seed,
    )
