"""Absolute limits, held against bounds and never against points.

A limit is met when the upper bound of what head showed is within it, and breached when the lower bound is beyond it;
between the two it is open. The bounds are one-sided at the level of the look, and distribution-free for percentiles:
below a certain number of calls there are none, and then nothing is claimed.

Two limits speak of rare events, and no number of calls that a gate can make shows that there never will be one: the
most memory used is met when no call exceeded it, the share of errors when no larger share of the calls failed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from scipy.special import bdtr, bdtrc

from tuner.model import BudgetLimit, BudgetQuantity, BudgetStatus, BudgetVerdict, Estimate, Price, Unit
from tuner.statistics.components import NotEstimable, variance_components
from tuner.statistics.estimates import effective_sample_size
from tuner.statistics.gate import series
from tuner.statistics.gate.comparison import LogEvidence
from tuner.statistics.gate.faults import Side
from tuner.statistics.gate.metrics import failure_share
from tuner.statistics.gate.quantities import cost_series
from tuner.statistics.gate.series import Series, known_environments
from tuner.statistics.observations import CellSamples, FloatArray, Observations

UNITS: Mapping[BudgetQuantity, Unit] = {
    BudgetQuantity.COST_PER_MILLION: "usd_per_million",
    BudgetQuantity.MAX_MEMORY_USED: "mb",
    BudgetQuantity.ERRORS: "share",
}
"""Everything else is in ms."""


def hold(limit: BudgetLimit, head: Side, price: Price | None, level: float) -> BudgetVerdict:
    """What head showed, against one limit; ``level`` is the probability with which each bound may be wrong."""
    estimate = _estimate(limit.quantity, head, price, level)
    status, reason = _status(limit, estimate)
    return BudgetVerdict(
        limit=limit, unit=UNITS.get(limit.quantity, "ms"), estimate=estimate, status=status, reason=reason
    )


def _status(limit: BudgetLimit, estimate: Estimate | None) -> tuple[BudgetStatus, str]:
    if estimate is None:
        return BudgetStatus.UNKNOWN, "no call says anything about it"
    if limit.quantity in _RARE and estimate.point <= limit.at_most:
        return BudgetStatus.MET, f"as far as n = {estimate.n} can tell"
    if estimate.low is None or estimate.high is None:
        return BudgetStatus.UNKNOWN, estimate.method
    if estimate.low > limit.at_most:
        return BudgetStatus.BREACHED, "the lower bound is beyond the limit"
    if estimate.high <= limit.at_most:
        return BudgetStatus.MET, "the upper bound is within the limit"
    return BudgetStatus.OPEN, "the limit lies inside the interval"


def _estimate(quantity: BudgetQuantity, head: Side, price: Price | None, level: float) -> Estimate | None:
    if quantity is BudgetQuantity.ERRORS:
        return failure_share(head, level)
    if quantity is BudgetQuantity.COST_PER_MILLION:
        return _cost(head.arm, price, level)
    return _ESTIMATES[quantity](head.arm, level)


def _cost(arm: CellSamples, price: Price | None, level: float) -> Estimate | None:
    cost = None if price is None else cost_series(arm, price)
    return None if cost is None else _of_evidence(series.arithmetic(cost), cost, level)


def _mean(arm: CellSamples, level: float) -> Estimate | None:
    durations = series.durations(arm)
    return None if durations is None else _of_evidence(series.arithmetic(durations), durations, level)


def _of_evidence(evidence: series.Evidence, values: Series, level: float) -> Estimate:
    if isinstance(evidence, LogEvidence):
        return evidence.estimate(level)
    point = float(values.observations.values.mean())
    return Estimate(point=point, low=None, high=None, n=values.n, method=f"not estimable: {evidence.reason}")


def _percentile(
    of: Callable[[CellSamples], Series | None], share: float
) -> Callable[[CellSamples, float], Estimate | None]:
    def estimate(arm: CellSamples, level: float) -> Estimate | None:
        values = of(arm)
        return None if values is None else percentile_bounds(values.observations, share, level)

    return estimate


def percentile_bounds(observations: Observations, share: float, level: float) -> Estimate:
    """A percentile between order statistics, each of which misses with at most ``level``.

    Like ``estimates.quantile_estimate``, at another level and one-sided: the upper bound exists from
    ln(level) / ln(share) effective calls on, also where the lower one would be far below.
    """
    observations = known_environments(observations)
    ordered, n = np.sort(observations.values), observations.n
    point = float(np.quantile(ordered, share))
    components = variance_components(observations.with_values(_ranks(observations.values, ordered)))
    if isinstance(components, NotEstimable):
        return Estimate(point=point, low=None, high=None, n=n, method=f"not estimable: {components.reason}")
    worth = effective_sample_size(components)
    low, high = _order_statistics(worth, share, level)
    if high is None:
        needed = math.ceil(math.log(level) / math.log(share))
        reason = f"not estimable with n = {n}, worth {worth} independent calls (needs {needed})"
        return Estimate(point=point, low=None, high=None, n=n, method=reason)
    scale = (n + 1) / (worth + 1)
    return Estimate(
        point=point,
        # Nothing takes less than no time: 0 is a lower bound where order statistics give none.
        low=0.0 if low is None else float(ordered[max(math.floor(low * scale + 1e-9), 1) - 1]),
        high=float(ordered[min(math.ceil(high * scale - 1e-9), n) - 1]),
        n=n,
        method=f"order statistics of n = {n}, worth {worth} independent calls; {1 - level:.1%} each side",
    )


@lru_cache(maxsize=1024)
def _order_statistics(n: int, share: float, level: float) -> tuple[int | None, int | None]:
    """Ranks (1 = smallest) of the bounds of a quantile; None where ``n`` values have none."""
    low = max((rank for rank in range(1, n + 1) if bdtr(rank - 1, n, share) <= level), default=None)
    high = min((rank for rank in range(1, n + 1) if bdtrc(rank - 1, n, share) <= level), default=None)
    return low, high


def _ranks(values: FloatArray, ordered: FloatArray) -> FloatArray:
    """Middle ranks: of what the design effect of a percentile is estimated (as in ``estimates``)."""
    left, right = np.searchsorted(ordered, values), np.searchsorted(ordered, values, side="right")
    return np.asarray((left + right - 1) / 2, dtype=np.float64)


def _most_memory(arm: CellSamples, _level: float) -> Estimate | None:
    known = [s.max_memory_used_mb for s in (*arm.warm, *arm.cold) if s.max_memory_used_mb is not None]
    if not known:
        return None
    most = float(max(known))
    return Estimate(point=most, low=most, high=most, n=len(known), method="largest value seen")


_RARE = frozenset({BudgetQuantity.ERRORS, BudgetQuantity.MAX_MEMORY_USED})

_ESTIMATES: Mapping[BudgetQuantity, Callable[[CellSamples, float], Estimate | None]] = {
    BudgetQuantity.MEAN: _mean,
    BudgetQuantity.P50: _percentile(series.durations, 0.50),
    BudgetQuantity.P95: _percentile(series.durations, 0.95),
    BudgetQuantity.P99: _percentile(series.durations, 0.99),
    BudgetQuantity.INIT_P50: _percentile(series.init, 0.50),
    BudgetQuantity.INIT_P95: _percentile(series.init, 0.95),
    BudgetQuantity.MAX_MEMORY_USED: _most_memory,
}
