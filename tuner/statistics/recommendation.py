"""Which size to propose, how sure that is, and why, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.model import (
    Cell,
    CurvePoint,
    Estimate,
    Notice,
    Outcome,
    Price,
    Recommendation,
    Sample,
    Severity,
    Strategy,
    VersusCurrent,
)
from tuner.pricing import cost_per_million_usd
from tuner.statistics.components import NotEstimable
from tuner.statistics.decision import Decision, columns, decide, pareto, pick
from tuner.statistics.estimates import MeanEvidence, interval_estimate, mean_evidence, ratio_evidence
from tuner.statistics.observations import CellSamples, FloatArray, split_by_cell
from tuner.statistics.rationale import explain

DRAWS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A measured size with its point estimates, and the evidence behind them where there is any."""

    cell: Cell
    cost_usd: float
    duration_ms: float
    cost: MeanEvidence | NotEstimable
    duration: MeanEvidence | NotEstimable
    exhausted: bool
    """Some invocation ran out of memory or time: not a size to propose."""


def recommend(
    points: Sequence[CurvePoint],
    samples: Sequence[Sample],
    prices: Sequence[Price],
    *,
    strategy: Strategy,
    tolerance: float,
    current: Cell | None,
    seed: int,
    weight: float = 0.5,
) -> Recommendation | None:
    """The size to propose; None where no size has both a duration and a cost above 0.

    The confidence comes from seeded draws of each size's means (Student's t by environment, durations and costs of a
    size moving together). It takes an interval at every size: a size about which nothing is known may be the best.
    """
    measured = _candidates(points, samples, prices)
    candidates = [c for c in measured if not c.exhausted] or measured
    if not candidates:
        return None
    decision = _decide(candidates, strategy, tolerance, weight, seed) if len(candidates) > 1 else None
    winner = candidates[decision.winner if decision else _by_points(candidates, strategy, tolerance, weight)]
    tied = _tied(candidates, winner, decision)
    decided = decision is not None and decision.sure and not winner.exhausted
    return Recommendation(
        memory_mb=winner.cell.memory_mb,
        architecture=winner.cell.architecture,
        strategy=strategy,
        tolerance=tolerance,
        confidence=decision.confidence if decision else None,
        tied=tied,
        pareto=_pareto(candidates),
        decided=decided,
        versus_current=_versus_current(winner, measured, current),
        rationale=explain(
            _points_of(candidates, points),
            winner.cell,
            strategy=strategy,
            tolerance=tolerance,
            confidence=decision.confidence if decision else None,
            tied=tied,
            decided=decided,
        ),
    )


def recommendation_notices(recommendation: Recommendation) -> tuple[Notice, ...]:
    """What to know about the proposal itself.

    The estimates of a size chosen among near equals flatter it, as luck helped to choose it (winner's curse). Where
    the winner stands clear of its rivals the effect is negligible, and nothing is said.
    """
    if not recommendation.tied or recommendation.confidence is None:
        return ()
    notice = Notice(
        code="winner_estimate_selected",
        severity=Severity.INFO,
        message=(
            f"The samples that chose {recommendation.memory_mb} MB among near equals also estimate it: its figures"
            " are a little too good on average, within its interval."
        ),
        remedy="Measure it again beside its rivals for figures that did not take part in the choice.",
    )
    return (notice,)


def _candidates(points: Sequence[CurvePoint], samples: Sequence[Sample], prices: Sequence[Price]) -> list[Candidate]:
    price_of = {price.architecture: price for price in prices}
    known = {point.cell: point for point in points if _comparable(point)}
    groups = split_by_cell(samples, list(known))
    found = (_candidate(known[group.cell], group, price_of[group.cell.architecture]) for group in groups)
    return [candidate for candidate in found if candidate is not None]


def _comparable(point: CurvePoint) -> bool:
    """Ratios need a duration and a cost above 0; a price of 0 leaves nothing to optimise."""
    duration, cost = point.duration_ms, point.cost_usd_per_million
    return duration is not None and cost is not None and duration.mean.point > 0 and cost.point > 0


def _points_of(candidates: Sequence[Candidate], points: Sequence[CurvePoint]) -> list[CurvePoint]:
    cells = {candidate.cell for candidate in candidates}
    return [point for point in points if point.cell in cells]


def _candidate(point: CurvePoint, group: CellSamples, price: Price) -> Candidate | None:
    durations, billed = group.durations_ms(), group.billed_ms()
    if durations is None or billed is None or point.duration_ms is None or point.cost_usd_per_million is None:
        return None
    evidence = mean_evidence(billed)
    request_usd = cost_per_million_usd(0.0, point.memory_mb, price)
    usd_per_ms = cost_per_million_usd(1.0, point.memory_mb, price) - request_usd
    return Candidate(
        cell=point.cell,
        cost_usd=point.cost_usd_per_million.point,
        duration_ms=point.duration_ms.mean.point,
        cost=evidence.affine(usd_per_ms, request_usd) if isinstance(evidence, MeanEvidence) else evidence,
        duration=mean_evidence(durations),
        exhausted=any(s.outcome in (Outcome.OUT_OF_MEMORY, Outcome.TIMEOUT) for s in group.errors),
    )


def _point_columns(
    candidates: Sequence[Candidate], strategy: Strategy, weight: float
) -> tuple[FloatArray, FloatArray]:
    cost = np.array([c.cost_usd for c in candidates])
    return columns(strategy, cost, np.array([c.duration_ms for c in candidates]), weight=weight)


def _by_points(candidates: Sequence[Candidate], strategy: Strategy, tolerance: float, weight: float) -> int:
    return int(pick(*_point_columns(candidates, strategy, weight), tolerance))


def _decide(
    candidates: Sequence[Candidate], strategy: Strategy, tolerance: float, weight: float, seed: int
) -> Decision | None:
    rng = np.random.default_rng(seed)
    costs, durations = [], []
    for candidate in candidates:
        if isinstance(candidate.cost, NotEstimable) or isinstance(candidate.duration, NotEstimable):
            return None
        luck = rng.standard_t(candidate.duration.degrees_of_freedom, DRAWS)
        costs.append(_draws(candidate.cost, luck))
        durations.append(_draws(candidate.duration, luck))
    draws = columns(strategy, np.column_stack(costs), np.column_stack(durations), weight=weight)
    return decide(_point_columns(candidates, strategy, weight), draws, tolerance)


def _draws(evidence: MeanEvidence, luck: FloatArray) -> FloatArray:
    exponent = np.clip(luck * evidence.relative_error, -100, 100)
    return np.asarray(evidence.point * np.exp(exponent), dtype=np.float64)


def _tied(candidates: Sequence[Candidate], winner: Candidate, decision: Decision | None) -> tuple[Cell, ...]:
    """Without intervals at every size nothing can be told from anything."""
    if decision is None:
        return tuple(c.cell for c in candidates if c is not winner)
    return tuple(candidates[index].cell for index in decision.tied)


def _pareto(candidates: Sequence[Candidate]) -> tuple[Cell, ...]:
    front = pareto(*_point_columns(candidates, Strategy.COST, 1.0))
    return tuple(candidates[index].cell for index in front)


def _versus_current(winner: Candidate, measured: Sequence[Candidate], current: Cell | None) -> VersusCurrent | None:
    """None where the current size was not measured: what was not measured beside it is not compared."""
    rival = next((c for c in measured if c.cell == current), None)
    if rival is None:
        return None
    if rival is winner:
        same = Estimate(point=1.0, low=1.0, high=1.0, n=0, method="the recommended size is the current one")
        return VersusCurrent(cost_ratio=same, duration_ratio=same)
    return VersusCurrent(
        cost_ratio=_ratio(winner.cost, rival.cost, winner.cost_usd / rival.cost_usd),
        duration_ratio=_ratio(winner.duration, rival.duration, winner.duration_ms / rival.duration_ms),
    )


def _ratio(winner: MeanEvidence | NotEstimable, rival: MeanEvidence | NotEstimable, point: float) -> Estimate:
    if isinstance(winner, NotEstimable):
        return _no_interval(point, winner)
    if isinstance(rival, NotEstimable):
        return _no_interval(point, rival)
    return interval_estimate(ratio_evidence(winner, rival))


def _no_interval(ratio: float, why: NotEstimable) -> Estimate:
    return Estimate(point=ratio, low=None, high=None, n=0, method=f"not estimable: {why.reason}")
