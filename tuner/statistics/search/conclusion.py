"""What a search concludes from its samples: the recommendation, and predictions for sizes that were not measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tuner.model import (
    BudgetStatus,
    Cell,
    CurvePoint,
    CurveStatus,
    Distribution,
    Estimate,
    MeanOnly,
    Recommendation,
    Sample,
    VersusCurrent,
)
from tuner.statistics.decision import TIE_SHARE, columns, pareto, pick, unbeaten
from tuner.statistics.intervals import TAIL
from tuner.statistics.observations import FloatArray
from tuner.statistics.search.goal import ROUNDING_MS, beyond, feasible_chance, quantities
from tuner.statistics.search.policy import AdaptiveSampling, Verdict

FAMILIAR_MB = (128, 256, 512, 1024, 1769, 3008, 5308, 10_240)
"""Sizes that people look for on a curve."""
METHOD = "predicted from other sizes by the model of the search, not measured; 95 % of its draws"
Z95, Z99 = 1.645, 2.326


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """``recommendation`` is None where every measured size was shown to be beyond a limit."""

    recommendation: Recommendation | None
    predicted: tuple[CurvePoint, ...]
    searched: int
    """How many sizes were in the choice, measured or not."""


def conclude(
    policy: AdaptiveSampling, samples: Sequence[Sample], points: Sequence[CurvePoint], current: Cell | None
) -> Conclusion | None:
    """The conclusion from ``samples`` and the measured ``points``; None where no size has a duration and a cost.

    The winner is a measured size. Its confidence compares it with every candidate, measured or not. The rationale is
    left empty: ``rationale.explain`` gives it when the figures are final.
    """
    view = _view(policy, samples, points, current)
    if view is None:
        return None
    found = view.winner()
    if found is None:
        predicted = view.predictions(view.verdict.winner)
        return Conclusion(recommendation=None, predicted=predicted, searched=view.searched)
    winner, sure = found
    tied = view.tied(winner, sure=sure)
    confidence = view.chance(winner)
    front, probability = view.pareto()
    recommendation = Recommendation(
        memory_mb=winner.memory_mb,
        architecture=winner.architecture,
        strategy=policy.goal.strategy,
        tolerance=policy.goal.near,
        confidence=confidence,
        tied=tied,
        pareto=front,
        pareto_probability=probability,
        decided=sure,
        versus_current=view.versus_current(winner),
        rationale="",
    )
    return Conclusion(recommendation=recommendation, predicted=view.predictions(winner), searched=view.searched)


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """The last verdict with costs and durations in every draw, columns as the verdict's posterior has them."""

    policy: AdaptiveSampling
    verdict: Verdict
    cost: FloatArray
    duration: FloatArray
    """With the share of cold calls."""
    billed_ms: FloatArray
    """Of warm calls."""
    points: dict[Cell, CurvePoint]
    """Measured sizes with a duration and a cost, that are candidates."""
    current: Cell | None

    def chance(self, cell: Cell) -> float:
        """P(objective within the tolerance of the best)."""
        loss = self.verdict.loss
        near = loss[:, self._column(cell)] <= loss.min(axis=1) + np.log1p(self.policy.goal.near)
        return float(near.mean())

    def winner(self) -> tuple[Cell, bool] | None:
        """The best in the second quantity among the sizes that are surely within the tolerance and well measured;
        without such a size, the one the search would go on with, not sure. A size that is shown to keep the limits
        goes before one that may; None where all are beyond them."""
        safe = [cell for cell in self.points if self._is_safe(cell)]
        if safe:
            second = self._second()
            return min(safe, key=lambda cell: (round(float(second[:, self._column(cell)].mean()), 9), cell)), True
        pool = self._keeping_limits()
        if not pool:
            return None
        if self.verdict.winner in pool:
            return self.verdict.winner, False
        loss = self.verdict.loss
        return min(pool, key=lambda cell: (float(loss[:, self._column(cell)].mean()), cell)), False

    def _keeping_limits(self) -> list[Cell]:
        if self._is_hopeless():
            return []
        status = {cell: self.verdict.setting.status(cell) for cell in self.points}
        shown = [cell for cell in self.points if status[cell] in (None, BudgetStatus.MET)]
        return shown or [cell for cell in self.points if status[cell] is not BudgetStatus.BREACHED]

    def _is_hopeless(self) -> bool:
        policy, verdict = self.policy, self.verdict
        chance = feasible_chance(policy.goal, verdict.posterior, policy.prices, verdict.setting, verdict.loss)
        return chance < 1 - policy.confidence

    def tied(self, winner: Cell, *, sure: bool) -> tuple[Cell, ...]:
        """Measured sizes that the rule picks in too many draws; where undecided also the rival not yet measured."""
        cells = list(self.points)
        at = [self._column(cell) for cell in cells]
        objective, second = self._objective()[:, at], self._second()[:, at]
        objective = np.where(self._beyond()[:, at] > 0, np.inf, objective)
        shares = np.bincount(pick(objective, second, self.policy.goal.near), minlength=len(cells)) / len(objective)
        found = {cell for cell, share in zip(cells, shares, strict=True) if share >= TIE_SHARE}
        rival = self.verdict.rival
        if not sure and rival is not None:
            found.add(rival)
        return tuple(sorted(found - {winner}))

    def pareto(self) -> tuple[tuple[Cell, ...], tuple[float, ...]]:
        """Measured sizes that none beats in both cost and duration by their means, with P(that it is so)."""
        cells = sorted(self.points)
        at = [self._column(cell) for cell in cells]
        cost, duration = self.cost[:, at], self.duration[:, at]
        front = pareto(cost.mean(axis=0), duration.mean(axis=0))
        chances = tuple(round(unbeaten(index, cost, duration), 4) for index in front)
        return tuple(cells[index] for index in front), chances

    def versus_current(self, winner: Cell) -> VersusCurrent | None:
        if self.current is None:
            return None
        if self.current == winner:
            same = Estimate(point=1.0, low=1.0, high=1.0, n=0, method="the recommended size is the current one")
            return VersusCurrent(cost_ratio=same, duration_ratio=same)
        one, other = self._column(winner), self._column(self.current)
        measured = self.current in self.points
        method = "draws of the search's model" if measured else f"the current size is {METHOD}"
        return VersusCurrent(
            cost_ratio=_estimate(self.cost[:, one] / self.cost[:, other], method),
            duration_ratio=_estimate(self.duration[:, one] / self.duration[:, other], method),
        )

    @property
    def searched(self) -> int:
        return int(np.isfinite(self.verdict.loss[0]).sum())

    def predictions(self, winner: Cell) -> tuple[CurvePoint, ...]:
        """Points for what was not measured of: current size, rival, neighbours of the winner, familiar sizes."""
        warm = {known.cell for known in self.verdict.evidence.cells if known.warm}
        cold = {known.cell for known in self.verdict.evidence.cells if not known.warm}
        cells = sorted((self._worth_predicting(winner) | cold) - warm - self.verdict.evidence.given_up)
        return tuple(self._predicted(cell) for cell in cells)

    def _worth_predicting(self, winner: Cell) -> set[Cell]:
        same = [
            cell
            for cell in self.verdict.posterior.cells
            if cell.architecture is winner.architecture and np.isfinite(self.verdict.loss[0, self._column(cell)])
        ]
        wanted = (*FAMILIAR_MB, round(winner.memory_mb * 0.8), round(winner.memory_mb * 1.25))
        low, high = same[0].memory_mb, same[-1].memory_mb
        near = {min(same, key=lambda cell: abs(cell.memory_mb - size)) for size in wanted if low <= size <= high}
        return near | {cell for cell in (self.current, self.verdict.rival) if cell is not None}

    def _predicted(self, cell: Cell) -> CurvePoint:
        column = self._column(cell)
        billed = self.billed_ms[:, column]
        duration = np.maximum(billed - ROUNDING_MS, ROUNDING_MS)
        spread = self.verdict.evidence.spread
        mean = _estimate(duration, METHOD)
        unknown = replace(mean, low=None, high=None, method="not estimable: the size was predicted, not measured")
        return CurvePoint(
            memory_mb=cell.memory_mb,
            architecture=cell.architecture,
            n=0,
            environments=None,
            errors=0,
            duration_ms=Distribution(
                mean=mean,
                p50=unknown,
                p95=replace(unknown, point=mean.point * float(np.exp(Z95 * spread))),
                p99=replace(unknown, point=mean.point * float(np.exp(Z99 * spread))),
            ),
            billed_ms=MeanOnly(mean=_estimate(billed, METHOD)),
            init_ms=None,
            cost_usd_per_million=_estimate(self.cost[:, column], METHOD),
            max_memory_used_mb=None,
            status=CurveStatus.PREDICTED,
        )

    def _is_safe(self, cell: Cell) -> bool:
        known = self.verdict.evidence_of(cell)
        kept = self.verdict.setting.status(cell) in (None, BudgetStatus.MET)
        return kept and self.policy.well_known(known) and self.chance(cell) >= self.policy.confidence

    def _objective(self) -> FloatArray:
        return self._columns()[0]

    def _second(self) -> FloatArray:
        return self._columns()[1]

    def _columns(self) -> tuple[FloatArray, FloatArray]:
        return columns(self.policy.goal.strategy, self.cost, self.duration, weight=self.policy.goal.weight)

    def _beyond(self) -> FloatArray:
        return beyond(self.policy.goal, self.verdict.posterior, self.cost, self.verdict.setting)

    def _column(self, cell: Cell) -> int:
        return self.verdict.posterior.index(cell)


def _view(
    policy: AdaptiveSampling, samples: Sequence[Sample], points: Sequence[CurvePoint], current: Cell | None
) -> _View | None:
    priced = {price.architecture for price in policy.prices}
    known = current if current is not None and current.architecture in priced else None
    verdict = policy.verdict(samples, also=() if known is None else (known,))
    if verdict is None:
        return None
    usable = {
        point.cell: point
        for point in points
        if point.duration_ms is not None
        and point.cost_usd_per_million is not None
        and point.duration_ms.mean.point > 0
        and point.cost_usd_per_million.point > 0
        and np.isfinite(verdict.loss[0, verdict.posterior.index(point.cell)])
    }
    if not usable:
        return None
    draws = verdict.posterior
    cost, duration = quantities(policy.goal, draws, policy.prices, verdict.setting)
    return _View(
        policy=policy,
        verdict=verdict,
        cost=cost,
        duration=duration,
        billed_ms=draws.billed_ms,
        points=usable,
        current=known,
    )


def _estimate(draws: FloatArray, method: str) -> Estimate:
    """The median of draws, which the log scale makes their natural middle, with the bounds of 95 % of them."""
    low, middle, high = (float(value) for value in np.quantile(draws, [TAIL, 0.5, 1 - TAIL]))
    return Estimate(point=middle, low=low, high=high, n=0, method=method)
