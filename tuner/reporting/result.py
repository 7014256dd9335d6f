"""What a run found out: the proposal of its samples, confirmed, or with luck's share taken off its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuner.model import (
    BudgetStatus,
    Cell,
    CurvePoint,
    CurveStatus,
    LimitCheck,
    Notice,
    Plan,
    Recommendation,
    Sample,
    SamplingKind,
    Severity,
)
from tuner.planning.plan import stages_of
from tuner.planning.proposal import Proposal, measurable_current, propose, rule_of
from tuner.statistics.confirmation import confirm
from tuner.statistics.curve import curve_points
from tuner.statistics.decision import SURE
from tuner.statistics.limits import check_limits, limit_words, limits_asked, limits_sentence
from tuner.statistics.rationale import Case, explain
from tuner.statistics.recommendation import Candidate, candidates_of, usable_of, within_limits
from tuner.statistics.selection import Flattery, flattery, is_visible, made_good, made_good_ratios


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """``points`` are what was measured: of confirmed sizes on the environments that confirmed them."""

    recommendation: Recommendation | None
    points: tuple[CurvePoint, ...]
    predicted: tuple[CurvePoint, ...]
    limits: tuple[LimitCheck, ...]
    notices: tuple[Notice, ...]


def result_of(plan: Plan, samples: Sequence[Sample]) -> Result:
    """The result of samples, also of those of a run that ended early."""
    choosing, confirming = stages_of(plan, samples)
    proposal = propose(plan, choosing)
    if proposal.recommendation is None:
        return _without_recommendation(proposal)
    if not confirming:
        return _unconfirmed(plan, proposal, proposal.recommendation, choosing)
    return _confirmed(plan, proposal, proposal.recommendation, samples, confirming)


def _without_recommendation(proposal: Proposal) -> Result:
    notices = (_infeasible(proposal.limits),) if proposal.limits and proposal.points else ()
    return Result(
        recommendation=None,
        points=proposal.points,
        predicted=proposal.predicted,
        limits=proposal.limits,
        notices=notices,
    )


def _unconfirmed(plan: Plan, proposal: Proposal, choice: Recommendation, samples: Sequence[Sample]) -> Result:
    """Figures of the chosen size with the luck taken off that helped to choose it, and words for these figures."""
    cell = _cell(choice)
    candidates = _candidates(plan, proposal, samples)
    luck = _luck(plan, candidates, cell)
    versus = choice.versus_current
    if versus is not None and not proposal.predicted and cell != _current(plan):
        # A search's ratios are draws of its model, which pools the sizes and so has shrunk them already.
        choice = replace(choice, versus_current=made_good_ratios(versus, luck))
    points = tuple(made_good(point, luck) if point.cell == cell else point for point in proposal.points)
    case = Case(
        candidates={candidate.cell for candidate in candidates},
        asked=_asked(plan),
        limits=proposal.limits,
        searched=proposal.searched,
    )
    return Result(
        recommendation=replace(choice, rationale=explain(choice, (*points, *proposal.predicted), case)),
        points=points,
        predicted=proposal.predicted,
        limits=proposal.limits,
        notices=(*_limit_notices(proposal.limits, choice), *_flattery_notices(choice, luck)),
    )


def _candidates(plan: Plan, proposal: Proposal, samples: Sequence[Sample]) -> Sequence[Candidate]:
    """The measured sizes that might have been chosen."""
    measured = candidates_of(proposal.points, samples, plan.prices, rule_of(plan.request).cold_fraction)
    candidates, _ = within_limits(usable_of(measured), proposal.limits)
    return candidates


def _luck(plan: Plan, candidates: Sequence[Candidate], chosen: Cell) -> Flattery:
    rule = rule_of(plan.request)
    cells = [candidate.cell for candidate in candidates]
    if chosen not in cells:
        return Flattery(None, None)
    return flattery(
        [candidate.call for candidate in candidates],
        cells.index(chosen),
        strategy=rule.strategy,
        tolerance=rule.tolerance,
        weight=rule.weight,
        seed=plan.request.seed,
    )


def _asked(plan: Plan) -> float:
    """Probability from which on a choice is decided."""
    return plan.request.confidence if plan.request.sampling is SamplingKind.ADAPTIVE else SURE


def _confirmed(
    plan: Plan,
    proposal: Proposal,
    choice: Recommendation,
    samples: Sequence[Sample],
    confirming: Sequence[Sample],
) -> Result:
    rule, limits = rule_of(plan.request), _limits(plan, samples)
    cells = sorted({sample.cell for sample in confirming})
    fresh = curve_points(confirming, cells, plan.prices, cold_fraction=rule.cold_fraction)
    current, seed = measurable_current(plan), plan.request.seed
    confirmation = confirm(
        choice, fresh, confirming, plan.prices, rule=rule, current=current, limits=limits, seed=seed
    )
    found = confirmation.recommendation
    if not found.confirmed:
        plain = _unconfirmed(plan, replace(proposal, limits=limits), choice, samples)
        return replace(plain, notices=(*confirmation.notices, *plain.notices))
    points = _on_fresh_environments(proposal.points, fresh)
    measured = {point.cell for point in points if point.status is CurveStatus.MEASURED}
    predicted = tuple(point for point in proposal.predicted if point.cell not in measured)
    case = Case(candidates=confirmation.contest, asked=_asked(plan), limits=limits, again=True)
    words = explain(found, (*points, *predicted), case)
    return Result(
        recommendation=replace(found, rationale=f"{found.rationale} {words}"),
        points=points,
        predicted=predicted,
        limits=limits,
        notices=(*confirmation.notices, *_limit_notices(limits, found)),
    )


def _limits(plan: Plan, samples: Sequence[Sample]) -> tuple[LimitCheck, ...]:
    """Of both stages: what holds is shown by all calls."""
    request = plan.request
    asked = limits_asked(request.max_duration, request.max_cost_usd_per_million)
    return check_limits(samples, asked, plan.prices, rule_of(request).cold_fraction)


def _on_fresh_environments(points: Sequence[CurvePoint], fresh: Sequence[CurvePoint]) -> tuple[CurvePoint, ...]:
    """Fresh figures in place of those that chose; failures and peaks of memory count from both."""
    merged = {point.cell: point for point in points}
    for point in fresh:
        known = merged.get(point.cell)
        if known is None:
            merged[point.cell] = point
        elif point.status is CurveStatus.MEASURED:
            peaks = [p.max_memory_used_mb for p in (point, known) if p.max_memory_used_mb is not None]
            merged[point.cell] = replace(
                point, errors=point.errors + known.errors, max_memory_used_mb=max(peaks, default=None)
            )
    return tuple(merged[cell] for cell in sorted(merged))


def _cell(choice: Recommendation) -> Cell:
    return Cell(choice.memory_mb, choice.architecture)


def _current(plan: Plan) -> Cell:
    return Cell(plan.function.memory_mb, plan.function.architecture)


def _infeasible(limits: Sequence[LimitCheck]) -> Notice:
    shown = [check for check in limits if check.status is BudgetStatus.BREACHED]
    asked = " and ".join(limit_words(verdict.limit) for verdict in limits[0].verdicts)
    sentences = [f"No size keeps {asked}.", limits_sentence(shown)]
    if len(shown) < len(limits):
        sentences.append("The other sizes are predicted to be beyond it by the model of the search.")
    return Notice(
        code="limits-infeasible",
        severity=Severity.WARNING,
        message=" ".join(sentence for sentence in sentences if sentence),
        remedy="Allow larger sizes with --memory, or a higher limit.",
    )


def _limit_notices(limits: Sequence[LimitCheck], choice: Recommendation) -> tuple[Notice, ...]:
    """For a proposal of which it is not shown that it keeps the limits."""
    check = next((check for check in limits if check.cell == _cell(choice)), None)
    if check is None or check.status is BudgetStatus.MET:
        return ()
    reasons = "; ".join(verdict.reason for verdict in check.verdicts if verdict.status is not BudgetStatus.MET)
    notice = Notice(
        code="limits-not-shown",
        severity=Severity.WARNING,
        message=f"It is not shown that {choice.memory_mb} MB keeps the limits: {reasons}.",
        remedy="Measure more: a larger -n with --sampling fixed, or a higher --max-invocations and --max-cost.",
    )
    return (notice,)


def _flattery_notices(choice: Recommendation, luck: Flattery) -> tuple[Notice, ...]:
    """Among near equals luck has a say in the choice; where one size stands clear it has none."""
    if not choice.tied:
        return ()
    notice = Notice(
        code="winner_estimate_selected",
        severity=Severity.INFO,
        message=f"The calls that chose {choice.memory_mb} MB among near equals also estimate its figures. "
        f"{_made_good_words(luck)}",
        remedy="Add --confirm for figures from environments that took no part in the choice.",
    )
    return (notice,)


def _made_good_words(luck: Flattery) -> str:
    if luck.cost is None or luck.duration is None:
        return "How much luck flatters them cannot be told from so few environments."
    if not (is_visible(luck.cost) or is_visible(luck.duration)):
        return "Luck takes off less than 0.05 % on average: they were left as they are."
    cost, duration = ((factor - 1) * 100 for factor in (luck.cost, luck.duration))
    return (
        f"They were raised by what luck takes off on average: the mean cost by {cost:.1f} %, the mean duration by "
        f"{duration:.1f} %."
    )
