"""Means, percentiles and ratios with honest 95 % intervals.

Means follow bills, so nothing is trimmed. Their intervals are symmetric on the log scale: a duration is positive,
and the mean of a right-skewed quantity is more often too low than too high.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tuner.model import Distribution, Estimate
from tuner.statistics.components import Components, NotEstimable, variance_components
from tuner.statistics.intervals import order_statistic_ranks, smallest_n, student_quantile
from tuner.statistics.observations import FloatArray, Observations

WIDEST_FACTOR = 10.0
"""A bound more than this factor away from the mean tells nobody anything: the interval is then not estimable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanEvidence:
    """A mean and how sure it is: what intervals, ratios and simulated draws are made from.

    ``relative_error`` is the standard error over the mean, which by the delta method is the standard error of the
    logarithm of the mean.
    """

    point: float
    relative_error: float
    degrees_of_freedom: float
    n: int
    method: str

    @property
    def factor(self) -> float:
        """The 95 % interval is point / factor .. point * factor."""
        exponent = student_quantile(self.degrees_of_freedom) * self.relative_error
        return math.exp(min(exponent, 700.0))

    def affine(self, slope: float, offset: float) -> MeanEvidence:
        """Evidence of ``offset + slope * quantity``: from billed durations to cost."""
        point = offset + slope * self.point
        return MeanEvidence(
            point=point,
            relative_error=self.relative_error * slope * self.point / point,
            degrees_of_freedom=self.degrees_of_freedom,
            n=self.n,
            method=self.method,
        )


def mean_evidence(observations: Observations) -> MeanEvidence | NotEstimable:
    """The mean of ``observations`` with its standard error, or why it has none."""
    point = float(observations.values.mean())
    components = variance_components(observations)
    if isinstance(components, NotEstimable):
        return components
    if point <= 0:
        return NotEstimable("the mean is not above 0")
    return MeanEvidence(
        point=point,
        relative_error=math.sqrt(components.mean_variance) / point,
        degrees_of_freedom=components.degrees_of_freedom,
        n=observations.n,
        method=_mean_method(components),
    )


def mean_estimate(observations: Observations) -> Estimate:
    """The mean with a 95 % interval for the mean over all environments, in the unit of the values."""
    evidence = mean_evidence(observations)
    if isinstance(evidence, NotEstimable):
        return _without_interval(float(observations.values.mean()), observations.n, evidence.reason)
    return interval_estimate(evidence)


def interval_estimate(evidence: MeanEvidence) -> Estimate:
    """The interval of a mean or of a ratio of means: Student's t on the log scale."""
    if evidence.factor > WIDEST_FACTOR:
        reason = f"the environments differ too much for so few of them, n = {evidence.n}"
        return _without_interval(evidence.point, evidence.n, reason)
    return Estimate(
        point=evidence.point,
        low=evidence.point / evidence.factor,
        high=evidence.point * evidence.factor,
        n=evidence.n,
        method=evidence.method,
    )


def ratio_evidence(numerator: MeanEvidence, denominator: MeanEvidence) -> MeanEvidence:
    """The ratio of two independent means by the delta method on the log scale, with Welch's degrees of freedom.

    Welch 1947, applied to the variances of the two logarithms. ``n`` is that of the smaller side.
    """
    variances = (numerator.relative_error**2, denominator.relative_error**2)
    freedoms = (numerator.degrees_of_freedom, denominator.degrees_of_freedom)
    variance = sum(variances)
    spent = sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    return MeanEvidence(
        point=numerator.point / denominator.point,
        relative_error=math.sqrt(variance),
        degrees_of_freedom=variance**2 / spent if spent > 0 else min(freedoms),
        n=min(numerator.n, denominator.n),
        method="ratio of two means; Welch interval on the log scale, by environment",
    )


def quantile_estimate(observations: Observations, quantile: float) -> Estimate:
    """A percentile with a distribution-free interval that knows of the environments.

    Order statistics at the effective sample size (Woodruff 1952): the design effect is that of the share of values
    below the percentile, corrected for the few environments behind it (Korn & Graubard 1998).
    """
    n = observations.n
    point = float(np.quantile(observations.values, quantile))
    components = variance_components(observations.with_values(_ranks(observations.values)))
    if isinstance(components, NotEstimable):
        return _without_interval(point, n, components.reason)
    effective_n = effective_sample_size(components)
    ranks = order_statistic_ranks(effective_n, quantile)
    if ranks is None:
        return Estimate(point=point, low=None, high=None, n=n, method=_too_few(n, effective_n, quantile))
    low, high = (rank * (n + 1) / (effective_n + 1) for rank in ranks)
    ordered = np.sort(observations.values)
    return Estimate(
        point=point,
        low=float(ordered[max(math.floor(low + 1e-9), 1) - 1]),
        high=float(ordered[min(math.ceil(high - 1e-9), n) - 1]),
        n=n,
        method=_quantile_method(n, effective_n, components.environments),
    )


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks from 0, ties sharing the middle one."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - (counts + 1) / 2
    return np.asarray(middles[inverse], dtype=np.float64)


def effective_sample_size(components: Components) -> int:
    """How many independent values the clustered ones are worth, at most as many as there are."""
    if components.environments >= components.n:
        return components.n
    few_environments = student_quantile(components.n - 1) / student_quantile(components.degrees_of_freedom)
    return math.floor(components.n / components.design_effect * few_environments**2 + 1e-9)


def distribution(observations: Observations) -> Distribution:
    """Mean, p50, p95 and p99 of one quantity."""
    return Distribution(
        mean=mean_estimate(observations),
        p50=quantile_estimate(observations, 0.50),
        p95=quantile_estimate(observations, 0.95),
        p99=quantile_estimate(observations, 0.99),
    )


def transform(estimate: Estimate, increasing: Callable[[float], float]) -> Estimate:
    """The estimate of an increasing function of the quantity: an interval maps bound by bound."""
    return Estimate(
        point=increasing(estimate.point),
        low=None if estimate.low is None else increasing(estimate.low),
        high=None if estimate.high is None else increasing(estimate.high),
        n=estimate.n,
        method=estimate.method,
    )


def _without_interval(point: float, n: int, reason: str) -> Estimate:
    return Estimate(point=point, low=None, high=None, n=n, method=f"not estimable: {reason}")


def _mean_method(components: Components) -> str:
    if components.n == components.environments:
        return f"mean of {components.n} environments; t interval"
    split = "by environment" if components.between is not None else "each environment counted as one call"
    return f"mean of {components.n} calls in {components.environments} environments; t interval, {split}"


def _quantile_method(n: int, effective_n: int, environments: int) -> str:
    if effective_n == n:
        return f"order statistics of n = {n}"
    return f"order statistics of n = {n} in {environments} environments, worth {effective_n} independent calls"


def _too_few(n: int, effective_n: int, quantile: float) -> str:
    worth = "" if effective_n == n else f" worth {effective_n} independent calls"
    return f"not estimable with n = {n}{worth} (needs {smallest_n(quantile)})"
