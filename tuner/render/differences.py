"""Differences and ratios of two independent estimates, from the estimates' own intervals.

The intervals are combined by the method of variance estimates recovery (Zou and Donner, "Construction of confidence
limits about effect measures: a general approach", Statistics in Medicine 27 (2008) 1693-1702), which needs no more
than what a report holds. Estimates that shared blocks are positively correlated; treating them as independent makes
the result wider, not narrower.
"""

from __future__ import annotations

from math import exp, hypot, log

from tuner.model import Estimate

METHOD = "two 95 % intervals combined (Zou and Donner 2008), taken as independent"
UNBOUNDED = "no interval: one of the two has none"


Bounds = tuple[float, float]


def difference(one: Estimate, other: Estimate) -> Estimate:
    """``one - other`` in their unit."""
    point = one.point - other.point
    return _estimate(point, _combined(one.point, _bounds(one), other.point, _bounds(other)), one, other)


def ratio(one: Estimate, other: Estimate) -> Estimate | None:
    """``one / other``, combined on the log scale; None where either is not positive."""
    if one.point <= 0 or other.point <= 0:
        return None
    logs = _combined(log(one.point), _log_bounds(one), log(other.point), _log_bounds(other))
    bounds = (exp(logs[0]), exp(logs[1])) if logs is not None else None
    return _estimate(one.point / other.point, bounds, one, other)


def _combined(one: float, one_bounds: Bounds | None, other: float, other_bounds: Bounds | None) -> Bounds | None:
    """The distances to the bounds that matter, added as if they were standard errors."""
    if one_bounds is None or other_bounds is None:
        return None
    low = one - other - hypot(one - one_bounds[0], other_bounds[1] - other)
    high = one - other + hypot(one_bounds[1] - one, other - other_bounds[0])
    return low, high


def _bounds(estimate: Estimate) -> Bounds | None:
    if estimate.low is None or estimate.high is None:
        return None
    return estimate.low, estimate.high


def _log_bounds(estimate: Estimate) -> Bounds | None:
    bounds = _bounds(estimate)
    return (log(bounds[0]), log(bounds[1])) if bounds is not None and bounds[0] > 0 else None


def _estimate(point: float, bounds: Bounds | None, one: Estimate, other: Estimate) -> Estimate:
    low, high = bounds if bounds is not None else (None, None)
    method = METHOD if bounds is not None else UNBOUNDED
    return Estimate(point=point, low=low, high=high, n=min(one.n, other.n), method=method)
