"""What a gate says, in words: shared by every output, so that all of them say the same.

Nothing here knows a layout. Text that came from outside is made harmless by the renderer that shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from tuner.model import (
    ArmFacts,
    BudgetQuantity,
    BudgetStatus,
    BudgetVerdict,
    Comparison,
    Confirmation,
    Effort,
    Estimate,
    GateReport,
    Level,
    Metric,
    MetricStatus,
    MetricVerdict,
    Unit,
    VerdictStatus,
)
from tuner.render.figures import NOT_ESTIMABLE, NOTHING, ratio_range, rounded
from tuner.render.text import count, join_and
from tuner.units import format_ms, format_ratio, format_usd

GREEN = frozenset({VerdictStatus.PASS, VerdictStatus.IMPROVEMENT})

METRICS: Mapping[Metric, str] = {
    Metric.DURATION: "duration",
    Metric.BILLED_DURATION: "mean billed duration",
    Metric.COST: "cost",
    Metric.P50: "p50",
    Metric.P95: "p95",
    Metric.INIT: "init when cold",
    Metric.MAX_MEMORY: "memory used",
    Metric.ERRORS: "errors",
}

SHORT: Mapping[Metric, str] = {
    **METRICS,
    Metric.BILLED_DURATION: "billed (mean)",
    Metric.COST: "$/million",
    Metric.INIT: "init (cold)",
}
"""For tables."""

QUANTITIES: Mapping[BudgetQuantity, str] = {
    BudgetQuantity.MEAN: "mean duration",
    BudgetQuantity.P50: "p50",
    BudgetQuantity.P95: "p95",
    BudgetQuantity.P99: "p99",
    BudgetQuantity.COST_PER_MILLION: "cost per million calls",
    BudgetQuantity.INIT_P50: "init p50",
    BudgetQuantity.INIT_P95: "init p95",
    BudgetQuantity.MAX_MEMORY_USED: "most memory used",
    BudgetQuantity.ERRORS: "errors",
}


def _mb(value: float) -> str:
    return f"{value:.0f} MB"


def _share(value: float) -> str:
    return f"{value * 100:.3g} %"


_WRITE: Mapping[Unit, Callable[[float], str]] = {
    "ms": format_ms,
    "usd_per_million": format_usd,
    "mb": _mb,
    "share": _share,
}


def quantity(value: float, unit: Unit) -> str:
    """A number with its unit: ``236 ms``, ``$4.17``, ``87 MB``, ``0.5 %``."""
    return _WRITE[unit](value)


def estimate(found: Estimate | None, unit: Unit) -> str:
    """The point alone: ``236 ms``; a dash where there is none."""
    return NOTHING if found is None else quantity(found.point, unit)


def interval(found: Estimate | None, unit: Unit) -> str:
    """``229 ms to 243 ms``, or n/e."""
    if found is None or found.low is None or found.high is None:
        return NOT_ESTIMABLE
    return f"{quantity(found.low, unit)} to {quantity(found.high, unit)}"


def change(ratio: Estimate | None) -> str:
    """``+12.4 % (+10.0 to +14.9 %)``: head against base."""
    return NOTHING if ratio is None else f"{format_ratio(ratio.point)} ({ratio_range(ratio)})"


def margin(share: float) -> str:
    """``5 %``, ``2.5 %``."""
    return f"{share * 100:g} %"


def condition(comparison: Comparison) -> str:
    """``512 MB x86_64``."""
    return f"{comparison.memory_mb} MB {comparison.architecture}"


def name_of(comparison: Comparison, report: GateReport) -> str:
    """A comparison among the others: the function, and its size where there are several."""
    same = [other for other in report.comparisons if other.function == comparison.function]
    return comparison.function if len(same) == 1 else f"{comparison.function}, {comparison.memory_mb} MB"


def side(arm: ArmFacts) -> str:
    """``orders:prod``, ``orders-main``."""
    return arm.function if arm.qualifier is None else f"{arm.function}:{arm.qualifier}"


def verdict_words(comparison: Comparison) -> str:
    """One sentence: the verdict and what it rests on."""
    return _SENTENCES[comparison.verdict.status](comparison)


def headline(report: GateReport) -> str:
    """The verdict of the whole report in one sentence, its status first."""
    if len(report.comparisons) == 1:
        return f"{report.status.value.upper()}: {verdict_words(report.comparisons[0])}"
    counts = Counter(comparison.verdict.status for comparison in report.comparisons)
    found = join_and(f"{number} {status.value}" for status, number in counts.items()) if counts else "nothing"
    return f"{report.status.value.upper()}: of {count(len(report.comparisons), 'comparison')} {found}."


def judged(comparison: Comparison) -> tuple[MetricVerdict, ...]:
    """Metrics of the level error: those that decide."""
    return tuple(metric for metric in comparison.verdict.metrics if metric.level is Level.ERROR)


def warnings_of(comparison: Comparison) -> tuple[str, ...]:
    """Findings that do not decide: of the level warn, and those that somebody has acknowledged."""
    metrics = [
        f"{METRICS[metric.metric]} {change(metric.ratio)}, where {margin(metric.margin)} is allowed{_excused(metric)}"
        for metric in comparison.verdict.metrics
        if metric.status is MetricStatus.REGRESSION and _silent(metric.level, metric)
    ]
    budgets = [
        f"{_exceeded(budget)}{_excused(budget)}"
        for budget in comparison.verdict.budgets
        if budget.status is BudgetStatus.BREACHED and _silent(budget.limit.level, budget)
    ]
    return (*metrics, *budgets)


def effort_words(effort: Effort | None) -> str:
    """``about 1,200 more calls ($0.0021) would decide it``: a forecast, in two digits."""
    if effort is None:
        return "no number of calls that can be foreseen would decide it: the ratio seems to lie on the margin"
    price = "" if effort.usd is None else f" ({format_usd(effort.usd)})"
    return f"about {rounded(effort.calls)} more calls{price} would decide it"


def detectable_words(metric: MetricVerdict) -> str:
    """What these calls could have seen."""
    if metric.minimum_detectable is None:
        return "how small a slow-down these calls could show is not known"
    return f"a slow-down from {margin(round(metric.minimum_detectable, 3))} on would have shown (in 80 % of runs)"


def calls_words(comparison: Comparison) -> str:
    """How much was measured."""
    found = comparison.verdict
    sides = (
        ("base", found.calls_base, found.environments_base),
        ("head", found.calls_head, found.environments_head),
    )
    measured = join_and(f"{name} {calls:,} calls on {_environments(known)}" for name, calls, known in sides)
    looks = f", decided at look {found.look}" if found.look else ""
    return f"Measured: {measured}{looks}{_CONFIRMED[found.confirmation]}."


def _environments(known: int | None) -> str:
    return "an unknown number of environments" if known is None else count(known, "environment")


def _pass(comparison: Comparison) -> str:
    shown = join_and(f"{METRICS[m.metric]} {change(m.ratio)}" for m in _ratios(comparison))
    allowed = {m.margin for m in _ratios(comparison)}
    within = f"shown to be within {margin(min(allowed)) if len(allowed) == 1 else 'their margins'}"
    return f"{'; '.join(filter(None, (f'{shown}: {within}' if shown else '', _limits(comparison))))}."


def _improvement(comparison: Comparison) -> str:
    better = [m for m in _ratios(comparison) if m.status is MetricStatus.IMPROVEMENT]
    shown = f"{join_and(f'{METRICS[m.metric]} {change(m.ratio)}' for m in better)}: shown to be better than before"
    return f"{'; '.join(filter(None, (shown, _limits(comparison))))}."


def _regression(comparison: Comparison) -> str:
    worse = [m for m in _ratios(comparison) if m.status is MetricStatus.REGRESSION]
    parts = [f"{METRICS[m.metric]} {change(m.ratio)}, where {margin(m.margin)} is allowed" for m in worse]
    return f"{join_and(parts) or _reason(comparison)}{_unmet(comparison)}."


def _inconclusive(comparison: Comparison) -> str:
    undecided = [m for m in _ratios(comparison) if m.status is MetricStatus.INCONCLUSIVE]
    if not undecided:
        return f"{_reason(comparison)}."
    parts = [f"{METRICS[m.metric]} {change(m.ratio)}: {_undecided(m)}" for m in undecided]
    return f"{'; '.join(filter(None, (*parts, _limits(comparison))))}."


def _undecided(metric: MetricVerdict) -> str:
    if metric.confirmed is False:
        return f"beyond {margin(metric.margin)} at first, but {metric.reason.rpartition(', but ')[2]}"
    return f"neither shown to be within {margin(metric.margin)} nor beyond it"


def _budget(comparison: Comparison) -> str:
    broken = [_exceeded(b) for b in comparison.verdict.budgets if _decides_badly(b)]
    return f"{join_and(broken) or _reason(comparison)}."


def _reason(comparison: Comparison) -> str:
    return "; ".join(comparison.verdict.reasons)


def _invalid(comparison: Comparison) -> str:
    return f"{_reason(comparison)}. Nothing was shown, so this is not green."


_SENTENCES: Mapping[VerdictStatus, Callable[[Comparison], str]] = {
    VerdictStatus.PASS: _pass,
    VerdictStatus.IMPROVEMENT: _improvement,
    VerdictStatus.REGRESSION: _regression,
    VerdictStatus.INCONCLUSIVE: _inconclusive,
    VerdictStatus.BUDGET: _budget,
    VerdictStatus.INVALID: _invalid,
}

_CONFIRMED: Mapping[Confirmation, str] = {
    Confirmation.NONE: "",
    Confirmation.FRESH: ", confirmed on fresh environments",
    Confirmation.REUSED: ", confirmed by further calls (Lambda may have used the same environments again)",
}


def _ratios(comparison: Comparison) -> tuple[MetricVerdict, ...]:
    return tuple(m for m in judged(comparison) if m.metric is not Metric.ERRORS and m.acknowledged is None)


def _exceeded(budget: BudgetVerdict) -> str:
    found = f"{estimate(budget.estimate, budget.unit)} ({interval(budget.estimate, budget.unit)})"
    return f"{QUANTITIES[budget.limit.quantity]} {found} exceeds {quantity(budget.limit.at_most, budget.unit)}"


def _decides_badly(budget: BudgetVerdict) -> bool:
    return (
        budget.status is BudgetStatus.BREACHED and budget.limit.level is Level.ERROR and budget.acknowledged is None
    )


def _limits(comparison: Comparison) -> str:
    """How head keeps the limits that decide; those exceeded have a sentence of their own."""
    decisive = [b for b in comparison.verdict.budgets if b.limit.level is Level.ERROR and b.acknowledged is None]
    kept = [_limit(b) for b in decisive if b.status is BudgetStatus.MET]
    open_ = [_limit(b) for b in decisive if b.status in {BudgetStatus.OPEN, BudgetStatus.UNKNOWN}]
    clauses = (f"kept: {join_and(kept)}" if kept else "", f"not shown: {join_and(open_)}" if open_ else "")
    return "; ".join(filter(None, clauses))


def _limit(budget: BudgetVerdict) -> str:
    """``p95 at most 250 ms``."""
    return f"{QUANTITIES[budget.limit.quantity]} at most {quantity(budget.limit.at_most, budget.unit)}"


def _unmet(comparison: Comparison) -> str:
    broken: Sequence[str] = [_exceeded(b) for b in comparison.verdict.budgets if _decides_badly(b)]
    return f"; {join_and(broken)}" if broken else ""


def _silent(level: Level, found: MetricVerdict | BudgetVerdict) -> bool:
    return level is Level.WARN or (level is Level.ERROR and found.acknowledged is not None)


def _excused(found: MetricVerdict | BudgetVerdict) -> str:
    given = found.acknowledged
    return "" if given is None else f" (acknowledged until {given.expires}: {given.reason})"
