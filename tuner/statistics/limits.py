"""Limits that a size has to keep to be a candidate, held against bounds and never against points.

A limit is met where the upper bound of the size is within it and exceeded where the lower bound is beyond it; in
between it is open. Percentiles have distribution-free one-sided 95 % bounds, which exist from 5, 59 and 299
independent calls on (p50, p95, p99); means and costs use the bounds of their 95 % interval.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuner.model import (
    BudgetLimit,
    BudgetQuantity,
    BudgetStatus,
    BudgetVerdict,
    Cell,
    DurationLimit,
    Estimate,
    LimitCheck,
    Price,
    Sample,
    Unit,
)
from tuner.statistics.calls import Evidence, usual_call
from tuner.statistics.components import NotEstimable
from tuner.statistics.estimates import interval_estimate, mean_evidence
from tuner.statistics.observations import CellSamples, Observations, split_by_cell
from tuner.units import format_ms, format_usd

LEVEL = 0.05
"""Probability with which the bound of a percentile may be wrong."""
QUANTILES = {BudgetQuantity.P50: 0.50, BudgetQuantity.P95: 0.95, BudgetQuantity.P99: 0.99}
MOST_NAMED = 4


def limits_asked(
    max_duration: DurationLimit | None, max_cost_usd_per_million: float | None
) -> tuple[BudgetLimit, ...]:
    """The limits of a run, durations in ms and costs in USD per million calls."""
    limits = []
    if max_duration is not None:
        quantity = BudgetQuantity(max_duration.statistic.value)
        limits.append(BudgetLimit(quantity=quantity, at_most=max_duration.limit_ms))
    if max_cost_usd_per_million is not None:
        limits.append(BudgetLimit(quantity=BudgetQuantity.COST_PER_MILLION, at_most=max_cost_usd_per_million))
    return tuple(limits)


def check_limits(
    samples: Sequence[Sample], limits: Sequence[BudgetLimit], prices: Sequence[Price], cold_fraction: float = 0.0
) -> tuple[LimitCheck, ...]:
    """Every size with a warm call, smallest first, against every limit; empty without limits."""
    if not limits:
        return ()
    price_of = {price.architecture: price for price in prices}
    groups = split_by_cell(samples, sorted({sample.cell for sample in samples}))
    return tuple(
        LimitCheck(
            memory_mb=group.cell.memory_mb,
            architecture=group.cell.architecture,
            verdicts=tuple(_hold(limit, group, price_of[group.cell.architecture], cold_fraction) for limit in limits),
        )
        for group in groups
        if group.warm
    )


def limits_sentence(checks: Sequence[LimitCheck]) -> str:
    """Which measured sizes are no candidates, and why; nothing where all of them are."""
    several = len({check.architecture for check in checks}) > 1
    sentences: list[str] = []
    for verdicts in zip(*(check.verdicts for check in checks), strict=True):
        named = list(zip((_name(check.cell, several=several) for check in checks), verdicts, strict=True))
        beyond = [name for name, verdict in named if verdict.status is BudgetStatus.BREACHED]
        unshown = [
            (name, verdict) for name, verdict in named if verdict.status in (BudgetStatus.OPEN, BudgetStatus.UNKNOWN)
        ]
        words = limit_words(verdicts[0].limit)
        if beyond:
            sentences.append(f"Beyond {words}: {_listed(beyond)}.")
        if unshown:
            largest = max(verdict.estimate.n if verdict.estimate else 0 for _, verdict in unshown)
            sizes = _listed([name for name, _ in unshown])
            sentences.append(f"It cannot be shown that {words} holds at {sizes} with n = {largest} or less.")
    return " ".join(sentences)


def limit_words(limit: BudgetLimit) -> str:
    """``p95 <= 250 ms``, ``cost <= $4.20 per million``."""
    if limit.quantity is BudgetQuantity.COST_PER_MILLION:
        return f"cost <= {format_usd(limit.at_most)} per million"
    return f"{limit.quantity} <= {format_ms(limit.at_most)}"


def _hold(limit: BudgetLimit, group: CellSamples, price: Price, cold_fraction: float) -> BudgetVerdict:
    estimate = _estimate(limit.quantity, group, price, cold_fraction)
    status, reason = _status(limit.at_most, estimate)
    if status is BudgetStatus.UNKNOWN and limit.quantity in QUANTILES and _median_is_beyond(group, limit.at_most):
        status, reason = BudgetStatus.BREACHED, "even the median is beyond the limit"
    return BudgetVerdict(limit=limit, unit=_unit(limit.quantity), estimate=estimate, status=status, reason=reason)


def _unit(quantity: BudgetQuantity) -> Unit:
    return "usd_per_million" if quantity is BudgetQuantity.COST_PER_MILLION else "ms"


def _median_is_beyond(group: CellSamples, at_most: float) -> bool:
    """Far fewer calls bound the median from below than a high percentile from above."""
    durations = group.durations_ms()
    median = None if durations is None else _percentile(durations, 0.5)
    return median is not None and median.low is not None and median.low > at_most


def _status(at_most: float, estimate: Estimate | None) -> tuple[BudgetStatus, str]:
    if estimate is None:
        return BudgetStatus.UNKNOWN, "no warm call says anything about it"
    if estimate.low is None or estimate.high is None:
        return BudgetStatus.UNKNOWN, estimate.method
    if estimate.low > at_most:
        return BudgetStatus.BREACHED, "the lower bound is beyond the limit"
    if estimate.high <= at_most:
        return BudgetStatus.MET, "the upper bound is within the limit"
    return BudgetStatus.OPEN, f"the limit lies inside the interval with n = {estimate.n}"


def _estimate(quantity: BudgetQuantity, group: CellSamples, price: Price, cold_fraction: float) -> Estimate | None:
    if quantity is BudgetQuantity.COST_PER_MILLION:
        call = usual_call(group, price, cold_fraction)
        return None if call is None else _bounded(call.cost, call.cost_usd, len(group.warm))
    durations = group.durations_ms()
    if durations is None:
        return None
    if quantity in QUANTILES:
        return _percentile(durations, QUANTILES[quantity])
    return _bounded(mean_evidence(durations), float(durations.values.mean()), durations.n)


def _bounded(evidence: Evidence, point: float, n: int) -> Estimate:
    if isinstance(evidence, NotEstimable):
        return Estimate(point=point, low=None, high=None, n=n, method=f"not estimable: {evidence.reason}")
    return interval_estimate(evidence)


def _percentile(durations: Observations, share: float) -> Estimate:
    from tuner.statistics.gate.budgets import percentile_bounds  # noqa: PLC0415  (scipy, where there are limits)

    return percentile_bounds(durations, share, LEVEL)


def _name(cell: Cell, *, several: bool) -> str:
    return f"{cell.memory_mb} MB {cell.architecture}" if several else f"{cell.memory_mb} MB"


def _listed(names: Sequence[str]) -> str:
    if len(names) <= MOST_NAMED:
        return ", ".join(names)
    return f"{names[0]} to {names[-1]} ({len(names)} sizes)"
