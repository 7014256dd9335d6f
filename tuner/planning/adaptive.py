"""The adaptive sampling of a plan: the search of ``tuner.statistics.search``, set up from what the user asked for."""

from __future__ import annotations

from tuner.model import Plan, RunRequest, Statistic
from tuner.planning.plan import LARGEST_SHOWING_WAVE, most_adaptive_calls, most_choosing_calls
from tuner.planning.sampling import SamplingPolicy
from tuner.statistics.limits import limits_asked
from tuner.statistics.search.goal import Goal
from tuner.statistics.search.policy import AdaptiveSampling
from tuner.statistics.search.showing import ShowingLimits

LEAST_NEAR = 0.01
"""Sizes closer than one per cent are the same for every purpose, also where the tolerance is 0."""


def search_of(plan: Plan) -> SamplingPolicy:
    """The search, which under limits goes on until they are shown to hold."""
    search = adaptive_sampling(plan)
    if not search.goal.limits:
        return search
    return ShowingLimits(
        search=search,
        most_calls=most_choosing_calls(plan.request, architectures=_architectures(plan), wave_size=plan.wave_size),
        wave_size=_showing_wave(plan),
    )


def adaptive_sampling(plan: Plan) -> AdaptiveSampling:
    """The policy of an adaptive plan; also what judges the samples of it afterwards."""
    request = plan.request
    return AdaptiveSampling(
        cells=plan.cells,
        prices=plan.prices,
        goal=goal_of(request),
        confidence=request.confidence,
        most_calls=most_adaptive_calls(request, architectures=_architectures(plan), wave_size=plan.wave_size),
        largest_wave=plan.wave_size,
        seed=request.seed,
    )


def goal_of(request: RunRequest) -> Goal:
    return Goal(
        strategy=request.strategy,
        near=max(request.tolerance, LEAST_NEAR),
        weight=request.weight,
        cold_fraction=request.cold_fraction or 0.0,
        limits=limits_asked(request.max_duration, request.max_cost_usd_per_million),
    )


def _showing_wave(plan: Plan) -> int:
    """Wide waves where a high percentile takes many calls, each worth more on an environment of its own."""
    limit = plan.request.max_duration
    high = limit is not None and limit.statistic in (Statistic.P95, Statistic.P99)
    return min(LARGEST_SHOWING_WAVE, plan.max_in_flight) if high else plan.wave_size


def _architectures(plan: Plan) -> int:
    return len({cell.architecture for cell in plan.cells})
