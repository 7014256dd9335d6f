"""Numbers of a report as people read them: an estimate with its interval, or n/e where there is no honest bound."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import Decimal

from tuner.model import CurvePoint, Distribution, Estimate
from tuner.render.text import join_and
from tuner.units import format_ms, format_ratio, format_usd

NOT_ESTIMABLE = "n/e"
UNKNOWN = "?"
NOTHING = "–"  # noqa: RUF001 - an empty cell; a hyphen reads as a minus sign

_QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def half_width(estimate: Estimate) -> str | None:
    """The wider side of the interval relative to the point, ``±3 %``; None where no bound is estimable."""
    if estimate.low is None or estimate.high is None or estimate.point == 0:
        return None
    side = max(estimate.point - estimate.low, estimate.high - estimate.point) / abs(estimate.point) * 100
    return f"±{side:.0f} %" if side >= 0.95 else f"±{max(side, 0.1):.1f} %"


def environments(point: CurvePoint) -> str:
    """How many execution environments a size was measured on."""
    return UNKNOWN if point.environments is None else str(point.environments)


def percentile(estimate: Estimate) -> str:
    """A percentile, or n/e: one without an honest interval is not a number to act on."""
    return format_ms(estimate.point) if estimate.estimable else NOT_ESTIMABLE


def ms_range(estimate: Estimate) -> str:
    """``229 to 243 ms``, ``985 ms to 1.02 s``, or n/e."""
    return _range(estimate, format_ms)


def usd_range(estimate: Estimate) -> str:
    """``$5.61 to $5.88``, or n/e."""
    return _range(estimate, format_usd)


def ratio_range(estimate: Estimate) -> str:
    """``-14.0 to -10.1 %``, or n/e."""
    return _range(estimate, format_ratio)


def excludes(estimate: Estimate, value: float) -> bool:
    """Whether the interval shows that the quantity is not ``value``; False where there is no interval."""
    if estimate.low is None or estimate.high is None:
        return False
    return not estimate.low <= value <= estimate.high


def disjoint(one: Estimate, other: Estimate) -> bool:
    """Whether both intervals are known and share nothing."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high < other.low or other.high < one.low


def samples_needed(quantile: float) -> int:
    """Smallest n with a distribution-free, equal-tailed 95 % interval of a quantile.

    The smallest and largest of n values must bracket the quantile with 2.5 % left on either side:
    max(q, 1-q)**n <= 0.025 (David and Nagaraja, Order Statistics, 3rd edition, section 7.1). That is 6 for the
    median, 72 for p95 and 368 for p99.
    """
    return math.ceil(math.log(0.025) / math.log(max(quantile, 1 - quantile)))


def not_estimable_note(distributions: Iterable[Distribution], *, hidden: bool = False) -> str | None:
    """One footnote for every n/e: what each percentile would take, and why a mean has no interval.

    It says "at least": where execution environments differ, samples that share one are worth less. ``hidden``: no
    n/e is seen, as columns of nothing else were left out.
    """
    rows = tuple(distributions)
    lacking = [name for name in _QUANTILES if not all(getattr(row, name).estimable for row in rows)]
    needs = [f"{samples_needed(_QUANTILES[name])} samples ({name})" for name in lacking]
    clauses = (
        [f"A 95 % interval takes at least {', '.join(needs)} at one size, more where they share environments."]
        if needs
        else []
    )
    means = sorted({_reason(row.mean) for row in rows if not row.mean.estimable})
    clauses += [f"Mean: {'; '.join(means)}."] if means else []
    if not clauses:
        return None
    # Only columns of percentiles are left out; a mean that has no interval is seen.
    lead = (
        f"Not estimable, and left out: {join_and(lacking)}."
        if hidden and lacking
        else f"{NOT_ESTIMABLE}: not estimable."
    )
    return " ".join((lead, *clauses))


def _reason(estimate: Estimate) -> str:
    """Why there is no interval, without what else the method tells."""
    return estimate.method.removeprefix("not estimable: ").partition(";")[0]


def coefficient(value: float) -> str:
    """A fitted number with three digits: ``0.0123``, ``38.2``, ``412,345``."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def rounded(number: float) -> str:
    """A forecast in two digits, as it is no closer than that: ``8,400``, ``37``."""
    digits = max(len(f"{abs(number):.0f}") - 2, 0)
    return f"{round(number, -digits):,.0f}"


def usd_per_million(usd_each: Decimal) -> str:
    """A rate per request as people quote it: ``$0.20`` per million."""
    return format_usd(usd_each * 1_000_000)


def _range(estimate: Estimate, write: Callable[[float], str]) -> str:
    if estimate.low is None or estimate.high is None:
        return NOT_ESTIMABLE
    low, high = write(estimate.low), write(estimate.high)
    unit = high.rpartition(" ")[2]
    return f"{low.removesuffix(f' {unit}')} to {high}"
