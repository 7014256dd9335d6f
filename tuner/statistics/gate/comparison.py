"""Evidence of one side, and the ratio of two sides with its interval and its probabilities.

Everything happens on the log scale: a ratio is a difference of logarithms, and Welch's test (1947) compares two means
whose variances differ. The unit of replication is the execution environment; degrees of freedom are those of the
environments, however many calls each of them served.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy.special import stdtr, stdtrit

from tuner.model import Estimate
from tuner.statistics.estimates import WIDEST_FACTOR
from tuner.statistics.intervals import TAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvidence:
    """A positive quantity of one side: the logarithm of its estimate and the standard error of that."""

    log_point: float
    standard_error: float
    degrees_of_freedom: float
    n: int
    environments: int
    method: str

    def estimate(self, tail: float = TAIL) -> Estimate:
        """With the interval that misses with ``tail`` on either side."""
        return _estimate(self, tail)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRatio:
    """head / base on the log scale."""

    log_point: float
    standard_error: float
    degrees_of_freedom: float
    n: int
    """Calls on the smaller side."""
    environments: int
    """Environments on the smaller side."""
    method: str

    @property
    def point(self) -> float:
        return math.exp(self.log_point)

    def upper(self, level: float) -> float:
        """What the ratio is below, wrong with probability ``level``."""
        return _bound(self, level, 1)

    def lower(self, level: float) -> float:
        """What the ratio is above, wrong with probability ``level``."""
        return _bound(self, level, -1)

    def doubt_above(self, ratio: float) -> float:
        """P value of "the true ratio is at most ``ratio``": small where it is surely above."""
        distance = self.log_point - math.log(ratio)
        if self.standard_error == 0:
            return 0.0 if distance > 0 else 1.0
        return float(stdtr(self.degrees_of_freedom, -distance / self.standard_error))

    def estimate(self, level: float) -> Estimate:
        """With the interval that misses with ``level`` on either side."""
        return _estimate(self, level)


def ratio_of(head: LogEvidence, base: LogEvidence) -> LogRatio:
    """head / base, with Welch's degrees of freedom."""
    variances = (head.standard_error**2, base.standard_error**2)
    freedoms = (head.degrees_of_freedom, base.degrees_of_freedom)
    spent = sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    environments = min(head.environments, base.environments)
    return LogRatio(
        log_point=head.log_point - base.log_point,
        standard_error=math.sqrt(sum(variances)),
        degrees_of_freedom=sum(variances) ** 2 / spent if spent > 0 else min(freedoms),
        n=min(head.n, base.n),
        environments=environments,
        method=f"ratio by environment, {environments} or more a side; Welch interval on the log scale",
    )


def widened(ratio: LogRatio, block_differences: Sequence[float]) -> LogRatio:
    """The ratio with a standard error that is no smaller than the one between blocks.

    Environments that are started together may share a host or an hour; then they are fewer than they seem, and only
    blocks, each with environments of its own, are independent. ``block_differences`` are head less base in each of
    them, on the log scale: their spread holds everything that differs between blocks. It decides where it is larger,
    with its own degrees of freedom.
    """
    count = len(block_differences)
    if count < 2:
        return ratio
    middle = sum(block_differences) / count
    error = math.sqrt(sum((d - middle) ** 2 for d in block_differences) / (count - 1) / count)
    if error <= ratio.standard_error:
        return ratio
    return replace(ratio, standard_error=error, degrees_of_freedom=float(count - 1))


def student_upper(degrees_of_freedom: float, level: float) -> float:
    """The factor t that Student's t exceeds with probability ``level``."""
    return float(stdtrit(degrees_of_freedom, 1 - level))


def _bound(evidence: LogEvidence | LogRatio, level: float, side: int) -> float:
    width = student_upper(evidence.degrees_of_freedom, level) * evidence.standard_error
    return math.exp(min(evidence.log_point + side * width, 700.0))


def _estimate(evidence: LogEvidence | LogRatio, tail: float) -> Estimate:
    point, n = math.exp(evidence.log_point), evidence.n
    low, high = _bound(evidence, tail, -1), _bound(evidence, tail, 1)
    if high > point * WIDEST_FACTOR:
        reason = f"not estimable: the environments differ too much for so few of them, n = {n}"
        return Estimate(point=point, low=None, high=None, n=n, method=reason)
    return Estimate(point=point, low=low, high=high, n=n, method=f"{evidence.method}, {1 - tail:.1%} each side")
