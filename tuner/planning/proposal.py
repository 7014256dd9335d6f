"""What the samples of a plan propose: the one reading of them that sampling and reporting share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuner.model import (
    Cell,
    CurvePoint,
    EngineKind,
    LimitCheck,
    Plan,
    Recommendation,
    RunRequest,
    Sample,
    SamplingKind,
)
from tuner.planning.adaptive import adaptive_sampling
from tuner.statistics.curve import curve_points
from tuner.statistics.limits import check_limits, limits_asked
from tuner.statistics.recommendation import Rule, recommend
from tuner.statistics.search.conclusion import conclude


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """``points`` are what was measured, ``predicted`` what a search makes of other sizes."""

    points: tuple[CurvePoint, ...]
    predicted: tuple[CurvePoint, ...]
    recommendation: Recommendation | None
    """Without a rationale: the figures may still be corrected."""
    limits: tuple[LimitCheck, ...]
    searched: int | None = None
    """Among how many sizes a search chose; None where all of them were measured."""


def propose(plan: Plan, samples: Sequence[Sample]) -> Proposal:
    """The proposal from samples of any stage of a run."""
    request, rule = plan.request, rule_of(plan.request)
    adaptive = request.sampling is SamplingKind.ADAPTIVE
    # Of a search's hundreds of candidates only what was tried belongs on the curve, and what is predicted.
    cells = sorted({sample.cell for sample in samples}) if adaptive else plan.cells
    points = curve_points(samples, cells, plan.prices, cold_fraction=rule.cold_fraction)
    asked = limits_asked(request.max_duration, request.max_cost_usd_per_million)
    limits = check_limits(samples, asked, plan.prices, rule.cold_fraction)
    if adaptive:
        conclusion = conclude(adaptive_sampling(plan), samples, points, current_cell(plan))
        found = None if conclusion is None else conclusion.recommendation
        predicted = () if conclusion is None else conclusion.predicted
        searched = None if conclusion is None else conclusion.searched
        return Proposal(points=points, predicted=predicted, recommendation=found, limits=limits, searched=searched)
    recommendation = recommend(
        points, samples, plan.prices, rule=rule, current=current_cell(plan), seed=request.seed, limits=limits
    )
    return Proposal(points=points, predicted=(), recommendation=recommendation, limits=limits)


def rule_of(request: RunRequest) -> Rule:
    return Rule(
        strategy=request.strategy,
        tolerance=request.tolerance,
        weight=request.weight,
        cold_fraction=request.cold_fraction or 0.0,
    )


def current_cell(plan: Plan) -> Cell:
    return Cell(plan.function.memory_mb, plan.function.architecture)


def measurable_current(plan: Plan) -> Cell | None:
    """The current size, where this run can measure it although it may not be among the sizes asked for."""
    current = current_cell(plan)
    same = [cell.memory_mb for cell in plan.cells if cell.architecture is current.architecture]
    within_reach = plan.request.engine is EngineKind.AWS or current.memory_mb <= max(same, default=0)
    return current if same and within_reach else None
