"""One metric at one look: its status, its interval, the smallest effect it could have seen, what deciding would take.

    regression   lower bound of head / base above 1 + margin (non-inferiority is surely lost)
    pass         upper bound below 1 + margin (non-inferiority is shown)
    improvement  upper bound below 1 - margin
    inconclusive none of these

All bounds are those of the look (``looks``), so the interval printed holds at every look. Where several metrics can
make a gate red, each is one more chance to be wrong: Holm's procedure (1979) orders them, and each is tested at the
group sequential level of its share of alpha (Maurer & Bretz, Statistics in Biopharmaceutical Research 5, 2013). Green
needs no correction, because all of them must pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scipy.special import betaincinv

from tuner.model import (
    Effort,
    Estimate,
    GatePolicy,
    Level,
    Metric,
    MetricRule,
    MetricStatus,
    MetricVerdict,
    Price,
    Unit,
)
from tuner.statistics.gate.comparison import LogRatio, student_upper
from tuner.statistics.gate.faults import Side
from tuner.statistics.gate.looks import nominal_levels
from tuner.statistics.gate.quantities import Compared, compare_quantity
from tuner.statistics.intervals import TAIL
from tuner.units import format_ratio

POWER = 0.8
"""Probability with which the smallest detectable effect would be found."""
MOST_EFFORT = 100
"""Times what was measured: whoever needs more than that is told that no number of calls decides it."""

UNITS: Mapping[Metric, Unit] = {
    Metric.DURATION: "ms",
    Metric.BILLED_DURATION: "ms",
    Metric.COST: "usd_per_million",
    Metric.P50: "ms",
    Metric.P95: "ms",
    Metric.INIT: "ms",
    Metric.MAX_MEMORY: "mb",
    Metric.ERRORS: "share",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Where in the sequence of looks a judgement is made."""

    number: int
    """From 1."""
    information: tuple[int, ...]
    """Environments on each side at all the looks."""

    def level(self, alpha: float) -> float:
        """One-sided level of this look, when all of them together may be wrong with ``alpha``."""
        return nominal_levels(alpha, self.information)[self.number - 1]


def compare(metric: Metric, base: Side, head: Side, price: Price | None) -> Compared:
    """Estimates of both sides and their ratio."""
    if metric is Metric.ERRORS:
        return Compared(base=failure_share(base), head=failure_share(head), ratio=None)
    return compare_quantity(metric, base.arm, head.arm, price)


def failure_share(side: Side, tail: float = TAIL) -> Estimate | None:
    """Share of calls that failed, with the exact interval (Clopper & Pearson 1934); None without any report.

    ``tail`` is the probability with which it misses on either side.
    """
    failed, calls = len(side.arm.errors), side.calls - side.arm.unreported
    if calls == 0:
        return None
    return Estimate(
        point=failed / calls,
        low=float(betaincinv(failed, calls - failed + 1, tail)) if failed else 0.0,
        high=float(betaincinv(failed + 1, calls - failed, 1 - tail)) if failed < calls else 1.0,
        n=calls,
        method=f"{failed} of {calls} calls; exact binomial interval",
    )


def regressed(ratios: Mapping[Metric, tuple[LogRatio, float]], alpha: float, look: Look) -> frozenset[Metric]:
    """The metrics that surely are worse than their margins allow, by Holm's procedure over (ratio, margin)."""
    doubts = sorted((ratio.doubt_above(1 + margin), metric) for metric, (ratio, margin) in ratios.items())
    found: list[Metric] = []
    for done, (doubt, metric) in enumerate(doubts):
        if doubt > look.level(alpha / (len(doubts) - done)):
            break
        found.append(metric)
    return frozenset(found)


def status_of(ratio: LogRatio, margin: float, level: float, *, red: bool) -> MetricStatus:
    """The status of a metric whose regression was already decided."""
    if red:
        return MetricStatus.REGRESSION
    upper = ratio.upper(level)
    if upper < 1 - margin:
        return MetricStatus.IMPROVEMENT
    return MetricStatus.PASS if upper < 1 + margin else MetricStatus.INCONCLUSIVE


def judge(
    rule: MetricRule, compared: Compared, *, margin: float, level: float, red: bool, calls: Calls
) -> MetricVerdict:
    """The full account of one metric. ``red`` is what ``regressed`` says of it; ``level`` that of the look."""
    ratio = compared.ratio
    if ratio is None:
        return unjudged(rule, compared, margin)
    status = status_of(ratio, margin, level, red=red)
    return MetricVerdict(
        metric=rule.metric,
        level=rule.level,
        unit=UNITS[rule.metric],
        base=compared.base,
        head=compared.head,
        ratio=ratio.estimate(level),
        margin=margin,
        status=status,
        reason=_reason(ratio, margin, level, status),
        minimum_detectable=minimum_detectable(ratio, margin, level),
        resolve=effort(ratio, margin, level, calls) if status is MetricStatus.INCONCLUSIVE else None,
    )


def unjudged(rule: MetricRule, compared: Compared, margin: float) -> MetricVerdict:
    """A metric that is no ratio, or that has none."""
    failing = rule.metric is Metric.ERRORS
    status, reason = _errors_status(compared) if failing else (MetricStatus.UNKNOWN, compared.missing)
    return MetricVerdict(
        metric=rule.metric,
        level=rule.level,
        unit=UNITS[rule.metric],
        base=compared.base,
        head=compared.head,
        ratio=None,
        margin=margin,
        status=status,
        reason=reason,
    )


def _errors_status(compared: Compared) -> tuple[MetricStatus, str]:
    if compared.base is None or compared.head is None:
        return MetricStatus.UNKNOWN, "no call came back"
    if not compared.base.point and not compared.head.point:
        return MetricStatus.PASS, f"no call failed; with {compared.head.n} calls up to {compared.head.high:.1%} could"
    return MetricStatus.INCONCLUSIVE, f"head: {compared.head.method}; base: {compared.base.method}"


def minimum_detectable(ratio: LogRatio, margin: float, level: float) -> float:
    """The smallest share of slow-down that these calls call a regression with probability ``POWER``."""
    width = student_upper(ratio.degrees_of_freedom, level) + student_upper(ratio.degrees_of_freedom, 1 - POWER)
    return (1 + margin) * math.exp(min(width * ratio.standard_error, 700.0)) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What was measured so far, on both sides together."""

    calls: int
    usd: float | None


def effort(ratio: LogRatio, margin: float, level: float, calls: Calls) -> Effort | None:
    """Further calls until the bound clears the margin with probability ``POWER``, if the ratio is what it seems.

    The standard error falls with the root of the environments, and calls grow with them. None where the ratio seems
    to lie on the margin.
    """
    distance = abs(ratio.log_point - math.log1p(margin))
    width = student_upper(ratio.degrees_of_freedom, level) + student_upper(ratio.degrees_of_freedom, 1 - POWER)
    times = (width * ratio.standard_error / distance) ** 2 if distance > 0 else math.inf
    if times > MOST_EFFORT:
        return None
    further = max(times - 1, 0.0)
    return Effort(
        calls=max(math.ceil(further * calls.calls), 1),
        usd=None if calls.usd is None else further * calls.usd,
    )


def _reason(ratio: LogRatio, margin: float, level: float, status: MetricStatus) -> str:
    low, high = format_ratio(ratio.lower(level)), format_ratio(ratio.upper(level))
    limit = format_ratio(1 + margin)
    if status is MetricStatus.REGRESSION:
        return f"worse by at least {low}, beyond the margin of {limit}"
    if status is MetricStatus.IMPROVEMENT:
        return f"better: at most {high}, beyond the margin of {format_ratio(1 - margin)}"
    if status is MetricStatus.PASS:
        return f"at most {high}, within the margin of {limit}"
    if ratio.lower(level) > 1 + margin:
        return (
            f"worse by at least {low} if it decided alone; not surely beyond the margin of {limit} as one of several"
        )
    return f"between {low} and {high}: neither within nor beyond the margin of {limit}"


def decides(rule: MetricRule) -> bool:
    """Whether a gate becomes red or green by this metric: a ratio at level error that nobody has acknowledged."""
    return rule.level is Level.ERROR and rule.metric is not Metric.ERRORS and rule.acknowledgement is None


def margin_of(metric: Metric, policy: GatePolicy) -> float:
    """The margin of the metric's own rule, or else that of the policy."""
    own = next((rule.margin for rule in policy.rules if rule.metric is metric), None)
    return policy.margin if own is None else own
