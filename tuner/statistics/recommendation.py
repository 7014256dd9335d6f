"""Which size to propose, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.model import (
    BudgetStatus,
    Cell,
    CurvePoint,
    Estimate,
    LimitCheck,
    Outcome,
    Price,
    Recommendation,
    Sample,
    Strategy,
    VersusCurrent,
)
from tuner.statistics.calls import UsualCall, usual_call
from tuner.statistics.components import NotEstimable
from tuner.statistics.decision import Decision, columns, decide, pareto, pick, unbeaten
from tuner.statistics.estimates import MeanEvidence, interval_estimate, ratio_evidence
from tuner.statistics.observations import CellSamples, FloatArray, split_by_cell

DRAWS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A measured size with its point estimates, and the evidence behind them where there is any."""

    cell: Cell
    call: UsualCall
    exhausted: bool
    """Some invocation ran out of memory or time: not a size to propose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a size is chosen. ``cold_fraction`` is the share of calls that count as cold."""

    strategy: Strategy
    tolerance: float
    weight: float = 0.5
    cold_fraction: float = 0.0


def recommend(
    points: Sequence[CurvePoint],
    samples: Sequence[Sample],
    prices: Sequence[Price],
    *,
    rule: Rule,
    current: Cell | None,
    seed: int,
    limits: Sequence[LimitCheck] = (),
) -> Recommendation | None:
    """The size to propose; None where no size has both a duration and a cost above 0, or every one is beyond a limit.

    The confidence comes from seeded draws of each size's means (Student's t by environment, durations and costs of a
    size moving together). It takes an interval at every size: a size about which nothing is known may be the best.
    The rationale is left empty: ``rationale.explain`` gives it when the figures are final.
    """
    measured = candidates_of(points, samples, prices, rule.cold_fraction)
    usable = usable_of(measured)
    candidates, shown = within_limits(usable, limits)
    if not candidates:
        return None
    draws = draws_of(candidates, seed)
    decision = decided_by(candidates, draws, rule) if draws is not None and len(candidates) > 1 else None
    if draws is not None and len(candidates) == 1 < len(usable):
        decision = Decision(0, 1.0, ())  # the limits leave no choice
    winner = candidates[decision.winner if decision else _by_points(candidates, rule)]
    tied = _tied(candidates, winner, decision)
    decided = decision is not None and decision.sure and shown and not winner.exhausted
    front, probability = _pareto(usable, seed)
    return Recommendation(
        memory_mb=winner.cell.memory_mb,
        architecture=winner.cell.architecture,
        strategy=rule.strategy,
        tolerance=rule.tolerance,
        confidence=decision.confidence if decision else None,
        tied=tied,
        pareto=front,
        pareto_probability=probability,
        decided=decided,
        versus_current=versus_current(winner, measured, current),
        rationale="",
    )


def usable_of(measured: Sequence[Candidate]) -> Sequence[Candidate]:
    """The sizes that never ran out of memory or time; all of them where every one did."""
    return [candidate for candidate in measured if not candidate.exhausted] or measured


def within_limits(candidates: Sequence[Candidate], limits: Sequence[LimitCheck]) -> tuple[list[Candidate], bool]:
    """The sizes that are shown to keep every limit; without any those that may, and then False."""
    if not limits:
        return list(candidates), True
    status = {check.cell: check.status for check in limits}
    shown = [c for c in candidates if status.get(c.cell) is BudgetStatus.MET]
    if shown:
        return shown, True
    return [c for c in candidates if status.get(c.cell) is not BudgetStatus.BREACHED], False


def candidates_of(
    points: Sequence[CurvePoint], samples: Sequence[Sample], prices: Sequence[Price], cold_fraction: float = 0.0
) -> list[Candidate]:
    """The sizes of ``points`` with a duration and a cost above 0."""
    price_of = {price.architecture: price for price in prices}
    known = [point.cell for point in points if _comparable(point)]
    groups = split_by_cell(samples, known)
    found = (_candidate(group, price_of[group.cell.architecture], cold_fraction) for group in groups)
    return [candidate for candidate in found if candidate is not None]


def _comparable(point: CurvePoint) -> bool:
    """Ratios need a duration and a cost above 0; a price of 0 leaves nothing to optimise."""
    duration, cost = point.duration_ms, point.cost_usd_per_million
    return duration is not None and cost is not None and duration.mean.point > 0 and cost.point > 0


def _candidate(group: CellSamples, price: Price, cold_fraction: float) -> Candidate | None:
    call = usual_call(group, price, cold_fraction)
    exhausted = any(s.outcome in (Outcome.OUT_OF_MEMORY, Outcome.TIMEOUT) for s in group.errors)
    return None if call is None else Candidate(cell=group.cell, call=call, exhausted=exhausted)


def _costs_and_durations(candidates: Sequence[Candidate]) -> tuple[FloatArray, FloatArray]:
    return np.array([c.call.cost_usd for c in candidates]), np.array([c.call.duration_ms for c in candidates])


def _point_columns(candidates: Sequence[Candidate], rule: Rule) -> tuple[FloatArray, FloatArray]:
    return columns(rule.strategy, *_costs_and_durations(candidates), weight=rule.weight)


def _by_points(candidates: Sequence[Candidate], rule: Rule) -> int:
    return int(pick(*_point_columns(candidates, rule), rule.tolerance))


def decided_by(candidates: Sequence[Candidate], draws: tuple[FloatArray, FloatArray], rule: Rule) -> Decision:
    """The decision from draws of (cost, duration)."""
    drawn = columns(rule.strategy, *draws, weight=rule.weight)
    return decide(_point_columns(candidates, rule), drawn, rule.tolerance)


def draws_of(candidates: Sequence[Candidate], seed: int) -> tuple[FloatArray, FloatArray] | None:
    """Draws of (cost, duration), a column for each candidate; None where one of them has no evidence."""
    rng = np.random.default_rng(seed)
    costs, durations = [], []
    for call in (candidate.call for candidate in candidates):
        if isinstance(call.cost, NotEstimable) or isinstance(call.duration, NotEstimable):
            return None
        luck = rng.standard_t(call.duration.degrees_of_freedom, DRAWS)
        costs.append(_draws(call.cost, luck))
        durations.append(_draws(call.duration, luck))
    return np.column_stack(costs), np.column_stack(durations)


def _draws(evidence: MeanEvidence, luck: FloatArray) -> FloatArray:
    exponent = np.clip(luck * evidence.relative_error, -100, 100)
    return np.asarray(evidence.point * np.exp(exponent), dtype=np.float64)


def _tied(candidates: Sequence[Candidate], winner: Candidate, decision: Decision | None) -> tuple[Cell, ...]:
    """Without intervals at every size nothing can be told from anything."""
    if decision is None:
        return tuple(c.cell for c in candidates if c is not winner)
    return tuple(candidates[index].cell for index in decision.tied)


def _pareto(candidates: Sequence[Candidate], seed: int) -> tuple[tuple[Cell, ...], tuple[float, ...]]:
    front = pareto(*_costs_and_durations(candidates))
    draws = draws_of(candidates, seed)
    chances = () if draws is None else tuple(round(unbeaten(index, *draws), 4) for index in front)
    return tuple(candidates[index].cell for index in front), chances


def versus_current(winner: Candidate, measured: Sequence[Candidate], current: Cell | None) -> VersusCurrent | None:
    """None where the current size was not measured: what was not measured beside it is not compared."""
    rival = next((c for c in measured if c.cell == current), None)
    if rival is None:
        return None
    if rival is winner:
        same = Estimate(point=1.0, low=1.0, high=1.0, n=0, method="the recommended size is the current one")
        return VersusCurrent(cost_ratio=same, duration_ratio=same)
    one, other = winner.call, rival.call
    return VersusCurrent(
        cost_ratio=_ratio(one.cost, other.cost, one.cost_usd / other.cost_usd),
        duration_ratio=_ratio(one.duration, other.duration, one.duration_ms / other.duration_ms),
    )


def _ratio(winner: MeanEvidence | NotEstimable, rival: MeanEvidence | NotEstimable, point: float) -> Estimate:
    if isinstance(winner, NotEstimable):
        return _no_interval(point, winner)
    if isinstance(rival, NotEstimable):
        return _no_interval(point, rival)
    return interval_estimate(ratio_evidence(winner, rival))


def _no_interval(ratio: float, why: NotEstimable) -> Estimate:
    return Estimate(point=ratio, low=None, high=None, n=0, method=f"not estimable: {why.reason}")
