"""What a report says, in words: shared by the terminal and the HTML page so that both say the same.

Nothing here knows a layout. Text that came from outside passes through ``text.plain`` in the renderer that shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tuner.model import (
    BudgetQuantity,
    BudgetStatus,
    BudgetVerdict,
    Cell,
    CurvePoint,
    CurveStatus,
    EngineKind,
    Estimate,
    Recommendation,
    Report,
    Spend,
    Strategy,
    Workload,
)
from tuner.render.differences import difference
from tuner.render.figures import (
    NOT_ESTIMABLE,
    NOTHING,
    disjoint,
    excludes,
    ms_range,
    ratio_range,
    usd_range,
)
from tuner.render.text import count, join_and, join_or
from tuner.units import format_ms, format_probability, format_ratio, format_seconds, format_share, format_usd

LOCAL_REMARK = "Measured on the embedded Lambda, not on AWS."

GOALS = {
    Strategy.COST: "least cost",
    Strategy.SPEED: "least duration",
    Strategy.BALANCED: "cost and duration weighted",
    Strategy.KNEE: "the knee between cost and duration",
}
_NO_SAVING = "At a million invocations a month: no difference in cost shown."
_OBJECTIVES = {
    Strategy.COST: "cost",
    Strategy.SPEED: "mean duration",
    Strategy.BALANCED: "weighted product of cost and duration",
    Strategy.KNEE: "distance to the knee",
}


class Mark(StrEnum):
    """Why a row of the curve deserves a look. Cheapest and fastest go by point estimates."""

    RECOMMENDED = "recommended"
    LEADING = "leading"
    """Proposed, but the data cannot tell it from its rivals."""
    CURRENT = "current"
    TIED = "tied"
    CHEAPEST = "cheapest"
    FASTEST = "fastest"
    PREDICTED = "predicted"
    OVER_LIMIT = "over-limit"
    """Shown to be beyond a limit of the run: no candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The answer: what to set, what that changes, how sure the data are."""

    action: str
    effects: tuple[str, ...]
    certainty: str
    ties: str | None = None
    saving: str | None = None
    limits: str | None = None
    """How the proposed size keeps the limits of the run."""

    @property
    def sentence(self) -> str:
        return f"{self.action}: {', '.join(self.effects)}." if self.effects else f"{self.action}."


def headline(report: Report) -> Headline:
    """The recommendation of a report in words, also when there is none or when it is undecided."""
    recommendation = report.recommendation
    if recommendation is None and report.limits:
        return Headline(
            action="No size keeps the limits",
            effects=(),
            certainty="The notices say which sizes exceed which limit, and what to do.",
        )
    if recommendation is None:
        return Headline(
            action="No recommendation",
            effects=("no size gave a number to recommend from",),
            certainty="The notices say why and what to do.",
        )
    return Headline(
        action=_action(report, recommendation),
        effects=tuple(_effects(report, recommendation)),
        certainty=_certainty(report, recommendation),
        ties=_ties(report, recommendation),
        saving=_saving(report, recommendation),
        limits=_limits(report, proposed_cell(recommendation)),
    )


def proposed_cell(recommendation: Recommendation) -> Cell:
    return Cell(recommendation.memory_mb, recommendation.architecture)


def current_cell(report: Report) -> Cell:
    """The size that the function has today, whether it was measured or not."""
    return Cell(report.target.current.memory_mb, report.target.current.architecture)


def current_point(report: Report) -> CurvePoint | None:
    """The row of the current size, where it is on the curve."""
    return next((point for point in report.curve if point.cell == current_cell(report)), None)


def several_architectures(report: Report) -> bool:
    """Whether a memory size alone would not say which condition is meant."""
    return len({point.architecture for point in report.curve} | {current_cell(report).architecture}) > 1


def cell_name(cell: Cell, report: Report) -> str:
    """``1024 MB``, or ``1024 MB arm64`` where architectures are compared."""
    size = f"{cell.memory_mb} MB"
    return f"{size} {cell.architecture}" if several_architectures(report) else size


def status_words(status: CurveStatus) -> str:
    """``out of memory`` for ``out_of_memory``."""
    return status.value.replace("_", " ")


def marks(report: Report) -> tuple[tuple[Mark, ...], ...]:
    """The marks of each point of the curve, in the order of the curve; the most important first."""
    return tuple(tuple(_marks_of(point, report)) for point in report.curve)


def cost_versus_current(point: CurvePoint, report: Report) -> str:
    """Cost of one size against the current one as a signed percentage.

    ``~`` in front says that the two cannot be told apart: the interval of the ratio holds 1 or, for sizes without
    such an interval, the intervals of the two costs overlap or are not known.
    """
    current = current_point(report)
    if current is None or current.cost_usd_per_million is None or point.cost_usd_per_million is None:
        return NOTHING
    if point.cell == current.cell:
        return "now"
    ratio = _ratio_of_proposed(point, report)
    if ratio is not None:
        return _signed(ratio.point, shown=excludes(ratio, 1))
    if current.cost_usd_per_million.point == 0:
        return NOTHING
    quotient = point.cost_usd_per_million.point / current.cost_usd_per_million.point
    return _signed(quotient, shown=disjoint(point.cost_usd_per_million, current.cost_usd_per_million))


def versus_note(report: Report) -> str | None:
    """Why the change of the proposed size is not the quotient of the two costs on the curve, where it is not."""
    current = current_point(report)
    for point in report.curve:
        ratio = _ratio_of_proposed(point, report)
        if ratio is None or current is None or point.cell == current.cell:
            continue
        cost, now = point.cost_usd_per_million, current.cost_usd_per_million
        if cost is not None and now is not None and now.point and abs(cost.point / now.point - ratio.point) >= 0.001:
            return (
                f"The change at {cell_name(point.cell, report)} is not the quotient of these costs: {ratio.method}."
            )
    return None


def effect(name: str, ratio: Estimate) -> str:
    """``cost -12.4 % (-14.0 to -10.1 %)``, or in words that no difference was shown."""
    if not ratio.estimable:
        return f"{name} {format_ratio(ratio.point)} (interval not estimable)"
    if not excludes(ratio, 1):
        return f"no difference in {name} shown ({ratio_range(ratio)})"
    return f"{name} {format_ratio(ratio.point)} ({ratio_range(ratio)})"


def spend_sentence(spend: Spend, engine: EngineKind) -> str:
    """What the run used, and what it cost or, on the embedded Lambda, would have cost."""
    use = f"{count(spend.invocations, 'invocation')} ({spend.cold_invocations:,} cold)"
    if engine is EngineKind.LOCAL:
        bill = f"Nothing was billed; on AWS the calls would have cost {format_usd(spend.usd)}."
    else:
        bill = f"They cost {format_usd(spend.usd)}; at most {format_usd(spend.estimated_usd)} was announced."
    return f"{use} in {format_seconds(spend.seconds)}. {bill}"


def workload_sentence(workload: Workload) -> str:
    """What the function seems to do with its time: only what the data could tell."""
    speed_up = workload.speed_up_above_one_vcpu
    known = [
        f"{name} {_with_interval(estimate, write, span)}"
        for name, estimate, write, span in (
            ("CPU work of a warm call at one vCPU", workload.cpu_ms, format_ms, ms_range),
            ("time that memory does not shorten", workload.waiting_ms, format_ms, ms_range),
            ("duration at one vCPU over that at the largest size", speed_up, _times, _times_range),
        )
        if estimate is not None
    ]
    if workload.nothing_gained_above_mb is not None:
        known.append(f"no measured size above {workload.nothing_gained_above_mb} MB is faster by 5 % or more")
    if not known:
        return f"Workload, {workload.architecture}: the data do not tell."
    return f"Workload, {workload.architecture} (95 % intervals): {', '.join(known)}."


def pareto_sentence(report: Report) -> str | None:
    """The sizes that none beats in both cost and duration, with how sure that is of each."""
    recommendation = report.recommendation
    if recommendation is None or len(recommendation.pareto) < 2:
        return None
    names = [cell_name(cell, report) for cell in recommendation.pareto]
    chances = recommendation.pareto_probability
    if len(chances) == len(names):
        names = [f"{name} ({format_probability(chance)})" for name, chance in zip(names, chances, strict=True)]
        odds = "each with the probability that no measured size beats it in both cost and mean duration"
        return f"Pareto set, {odds}: {join_and(names)}."
    return f"Pareto set, by its figures beaten by none in both cost and mean duration: {join_and(names)}."


def _limits(report: Report, proposed: Cell) -> str | None:
    check = next((check for check in report.limits if check.cell == proposed), None)
    if check is None:
        return None
    return " ".join(_limit(verdict, cell_name(proposed, report)) for verdict in check.verdicts)


def _limit(verdict: BudgetVerdict, name: str) -> str:
    limit, estimate = verdict.limit, verdict.estimate
    cost = limit.quantity is BudgetQuantity.COST_PER_MILLION
    write, span = (format_usd, usd_range) if cost else (format_ms, ms_range)
    words = f"Limit {'cost per million' if cost else limit.quantity} <= {write(limit.at_most)} at {name}"
    if estimate is None or not estimate.estimable:
        return f"{words}: not shown, {verdict.reason}."
    found = {
        BudgetStatus.MET: "kept",
        BudgetStatus.BREACHED: "exceeded",
        BudgetStatus.OPEN: "not shown",
        BudgetStatus.UNKNOWN: "not shown",
    }[verdict.status]
    return f"{words}: {found}, {write(estimate.point)} ({span(estimate)}, n = {estimate.n})."


def _with_interval(estimate: Estimate, write: Callable[[float], str], span: Callable[[Estimate], str]) -> str:
    """A quantity that is not negative, with its interval; only the upper end where it cannot be told from 0."""
    if estimate.low == 0 and estimate.high is not None:
        return f"at most {write(estimate.high)}"
    return f"{write(estimate.point)} ({span(estimate)})"


def _times(value: float) -> str:
    return f"{value:.2f}"


def _times_range(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return NOT_ESTIMABLE
    return f"{_times(estimate.low)} to {_times(estimate.high)}"


def _action(report: Report, recommendation: Recommendation) -> str:
    proposed, current = proposed_cell(recommendation), current_cell(report)
    if not recommendation.decided:
        rivals = dict.fromkeys((proposed, *recommendation.tied))
        if len(rivals) == 1:
            return f"Not decided: {cell_name(proposed, report)} leads"
        return f"Undecided: {join_or(cell_name(cell, report) for cell in rivals)}"
    if proposed == current:
        return f"Keep {cell_name(proposed, report)}"
    return f"Set {cell_name(proposed, report)} (now {cell_name(current, report)})"


def _effects(report: Report, recommendation: Recommendation) -> Iterator[str]:
    """What the proposed size changes: nothing where it is the current one."""
    versus = recommendation.versus_current
    if versus is None or not recommendation.decided or proposed_cell(recommendation) == current_cell(report):
        return
    if versus.cost_ratio is not None:
        yield effect("cost", versus.cost_ratio)
    if versus.duration_ratio is not None:
        yield effect("mean duration", versus.duration_ratio)


def _certainty(report: Report, recommendation: Recommendation) -> str:
    if recommendation.confidence is None:
        return "Confidence: not known."
    subject = "" if recommendation.decided else f" for {cell_name(proposed_cell(recommendation), report)}"
    tolerance = format_share(recommendation.tolerance)
    sure = f"its {_OBJECTIVES[recommendation.strategy]} is within {tolerance} of the least"
    return f"Confidence {format_probability(recommendation.confidence)}{subject}: the probability that {sure}."


def _ties(report: Report, recommendation: Recommendation) -> str | None:
    proposed = proposed_cell(recommendation)
    rivals = [cell_name(cell, report) for cell in recommendation.tied if cell != proposed]
    if not rivals or not recommendation.decided:
        return None
    return f"Tied with {join_and(rivals)}: the data cannot tell them apart."


def _saving(report: Report, recommendation: Recommendation) -> str | None:
    """What the change is worth at a volume that readers can scale: a million invocations a month."""
    points = {point.cell: point.cost_usd_per_million for point in report.curve}
    proposed, current = proposed_cell(recommendation), current_cell(report)
    after, before = points.get(proposed), points.get(current)
    if not recommendation.decided or proposed == current or after is None or before is None:
        return None
    saved, versus = difference(before, after), recommendation.versus_current
    ratio = versus.cost_ratio if versus is not None else None
    if ratio is not None and ratio.estimable and not _agree(ratio, saved):
        return None if excludes(ratio, 1) else _NO_SAVING
    if saved.low is None or saved.high is None:
        return f"At a million invocations a month: {_more_or_less(saved.point)} (interval not estimable)."
    if saved.low <= 0 <= saved.high:
        return _NO_SAVING
    ends = sorted((abs(saved.low), abs(saved.high)))
    span = f"{format_usd(ends[0])} to {format_usd(ends[1])}"
    return f"At a million invocations a month: {_more_or_less(saved.point)} ({span})."


def _agree(ratio: Estimate, saved: Estimate) -> bool:
    """Whether the answer, which speaks of the ratio, and the difference of the two costs show the same."""
    if excludes(ratio, 1) != excludes(saved, 0):
        return False
    return not excludes(ratio, 1) or (ratio.point < 1) == (saved.point > 0)


def _more_or_less(saved_usd: float) -> str:
    return f"{format_usd(abs(saved_usd))} {'less' if saved_usd >= 0 else 'more'}"


def _marks_of(point: CurvePoint, report: Report) -> Iterator[Mark]:
    recommendation = report.recommendation
    if recommendation is not None and point.cell == proposed_cell(recommendation):
        yield Mark.RECOMMENDED if recommendation.decided else Mark.LEADING
    elif recommendation is not None and point.cell in recommendation.tied:
        yield Mark.TIED
    if point.cell == current_cell(report):
        yield Mark.CURRENT
    costs = [other.cost_usd_per_million.point for other in report.curve if other.cost_usd_per_million]
    if point.cost_usd_per_million and point.cost_usd_per_million.point == min(costs):
        yield Mark.CHEAPEST
    durations = [other.duration_ms.mean.point for other in report.curve if other.duration_ms]
    if point.duration_ms and point.duration_ms.mean.point == min(durations):
        yield Mark.FASTEST
    if point.status is CurveStatus.PREDICTED:
        yield Mark.PREDICTED
    if any(check.cell == point.cell and check.status is BudgetStatus.BREACHED for check in report.limits):
        yield Mark.OVER_LIMIT


def _ratio_of_proposed(point: CurvePoint, report: Report) -> Estimate | None:
    recommendation = report.recommendation
    if recommendation is None or recommendation.versus_current is None:
        return None
    return recommendation.versus_current.cost_ratio if point.cell == proposed_cell(recommendation) else None


def _signed(ratio: float, *, shown: bool) -> str:
    return format_ratio(ratio) if shown else f"~{format_ratio(ratio)}"
