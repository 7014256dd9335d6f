"""Samples and policy -> Verdict: the full account of one comparison, by the same replay that steered it.

invalid       what was measured cannot be compared, and nothing else is said
regression    a decisive metric is red and was seen again
budget        a decisive limit is surely exceeded
inconclusive  something decisive was neither shown nor refuted, or a red metric was not seen again
improvement   all decisive metrics pass, and one of them is better by more than its margin
pass          all decisive metrics pass: shown, and not "no difference found"
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tuner.model import (
    Acknowledgement,
    BudgetLimit,
    BudgetStatus,
    BudgetVerdict,
    Confirmation,
    GatePolicy,
    Level,
    Metric,
    MetricRule,
    MetricStatus,
    MetricVerdict,
    Sample,
    Verdict,
    VerdictStatus,
)
from tuner.pricing import total_cost_usd
from tuner.statistics.gate import series
from tuner.statistics.gate.budgets import hold
from tuner.statistics.gate.faults import Side, faults
from tuner.statistics.gate.metrics import Calls, compare, decides, judge, margin_of, unjudged
from tuner.statistics.gate.sequence import Finding, Opponents, Progress, Terms, progress, red_metrics

SEVERITY = (
    VerdictStatus.INVALID,
    VerdictStatus.REGRESSION,
    VerdictStatus.BUDGET,
    VerdictStatus.INCONCLUSIVE,
    VerdictStatus.PASS,
    VerdictStatus.IMPROVEMENT,
)
"""Worst first: what a report of several verdicts says as a whole."""


def worst(statuses: Sequence[VerdictStatus]) -> VerdictStatus:
    """The status of several comparisons taken together. Nothing compared is never green."""
    return min(statuses, key=SEVERITY.index, default=VerdictStatus.INVALID)


def in_force(policy: GatePolicy, today: str) -> GatePolicy:
    """The policy of the day: acknowledgements that have expired are out of it. ``today`` is an ISO date."""
    return replace(
        policy,
        rules=tuple(replace(rule, acknowledgement=_in_force(rule, today)) for rule in policy.rules),
        budgets=tuple(replace(limit, acknowledgement=_in_force(limit, today)) for limit in policy.budgets),
    )


def verdict(
    samples: Sequence[Sample], opponents: Opponents, terms: Terms, *, mismatches: Sequence[str] = ()
) -> Verdict:
    """Judge all that was measured. ``mismatches`` are conditions in which the sides differed: with one nothing is
    compared."""
    state = progress(samples, opponents, terms, ended=True)
    found = (*mismatches, *_faults(state, samples, opponents, terms))
    if found or state.finding is None:
        return _invalid(found or ("nothing was measured",), samples, opponents, terms)
    return _judged(samples, opponents, terms, state, state.finding)


def _judged(
    samples: Sequence[Sample], opponents: Opponents, terms: Terms, state: Progress, finding: Finding
) -> Verdict:
    base, head = opponents.sides(state.judged)
    metrics = _metric_verdicts(state, finding, terms, base, head)
    level = finding.look.level(terms.policy.alpha)
    budgets = tuple(
        replace(hold(limit, head, terms.price, level), acknowledged=limit.acknowledgement)
        for limit in terms.policy.budgets
    )
    status, reasons = _conclude(metrics, budgets)
    return _account(
        samples,
        opponents,
        status=status,
        reasons=reasons,
        metrics=metrics,
        budgets=budgets,
        look=finding.look.number,
        confirmation=_confirmation(state, terms),
    )


def _metric_verdicts(
    state: Progress, finding: Finding, terms: Terms, base: Side, head: Side
) -> tuple[MetricVerdict, ...]:
    """Every rule of the policy, judged at the last look. Metrics that decide nothing are judged by themselves."""
    policy = terms.policy
    level = finding.look.level(policy.alpha)
    calls = Calls(calls=len(state.judged), usd=_spent_usd(state.judged, terms))
    verdicts = []
    for rule in policy.rules:
        compared = compare(rule.metric, base, head, terms.price)
        alone = red_metrics({rule.metric: compared}, policy, finding.look)
        red = rule.metric in (finding.red if decides(rule) else alone)
        judged = judge(rule, compared, margin=margin_of(rule.metric, policy), level=level, red=red, calls=calls)
        judged = replace(judged, acknowledged=rule.acknowledgement)
        verdicts.append(_with_confirmation(judged, rule, state.confirmed) if terms.schedule.confirmation else judged)
    return tuple(verdicts)


def _with_confirmation(judged: MetricVerdict, rule: MetricRule, confirmed: frozenset[Metric] | None) -> MetricVerdict:
    """A decisive regression stands only when it was seen again."""
    if judged.status is not MetricStatus.REGRESSION or not decides(rule):
        return judged
    if confirmed is None:
        reason = f"{judged.reason}, but the measurement ended before that was confirmed"
        return replace(judged, status=MetricStatus.INCONCLUSIVE, confirmed=False, reason=reason)
    if rule.metric in confirmed:
        return replace(judged, confirmed=True, reason=f"{judged.reason}; confirmed by further calls")
    reason = f"{judged.reason}, but further calls did not show it again"
    return replace(judged, status=MetricStatus.INCONCLUSIVE, confirmed=False, reason=reason)


def _conclude(
    metrics: Sequence[MetricVerdict], budgets: Sequence[BudgetVerdict]
) -> tuple[VerdictStatus, tuple[str, ...]]:
    decisive = [
        m for m in metrics if m.level is Level.ERROR and m.acknowledged is None and m.metric is not Metric.ERRORS
    ]
    limits = [b for b in budgets if b.limit.level is Level.ERROR and b.acknowledged is None]
    red = [_of_metric(m) for m in decisive if m.status is MetricStatus.REGRESSION]
    broken = [_of_budget(b) for b in limits if b.status is BudgetStatus.BREACHED]
    undecided = [_of_metric(m) for m in decisive if m.status in {MetricStatus.INCONCLUSIVE, MetricStatus.UNKNOWN}]
    undecided += [_of_budget(b) for b in limits if b.status in {BudgetStatus.OPEN, BudgetStatus.UNKNOWN}]
    for status, reasons in (
        (VerdictStatus.REGRESSION, red),
        (VerdictStatus.BUDGET, broken),
        (VerdictStatus.INCONCLUSIVE, undecided),
    ):
        if reasons:
            return status, (*red, *broken, *undecided)
    better = [m for m in decisive if m.status is MetricStatus.IMPROVEMENT]
    shown = tuple(map(_of_metric, better or decisive)) + tuple(map(_of_budget, limits))
    if not shown:
        return VerdictStatus.INVALID, ("no metric and no limit has the level error, so nothing was judged",)
    return (VerdictStatus.IMPROVEMENT if better else VerdictStatus.PASS), shown


def _invalid(reasons: Sequence[str], samples: Sequence[Sample], opponents: Opponents, terms: Terms) -> Verdict:
    """Of what cannot be compared only the share of failed calls is told."""
    base, head = opponents.sides(samples)
    errors = compare(Metric.ERRORS, base, head, terms.price)
    return _account(
        samples,
        opponents,
        status=VerdictStatus.INVALID,
        reasons=tuple(dict.fromkeys(reasons)),
        metrics=tuple(
            unjudged(r, errors, terms.policy.margin) for r in terms.policy.rules if r.metric is Metric.ERRORS
        ),
        budgets=(),
        look=0,
        confirmation=Confirmation.NONE,
    )


def _account(
    samples: Sequence[Sample],
    opponents: Opponents,
    *,
    status: VerdictStatus,
    reasons: tuple[str, ...],
    metrics: tuple[MetricVerdict, ...],
    budgets: tuple[BudgetVerdict, ...],
    look: int,
    confirmation: Confirmation,
) -> Verdict:
    base, head = opponents.sides(samples)
    return Verdict(
        status=status,
        reasons=reasons,
        metrics=metrics,
        budgets=budgets,
        environments_base=_environments(base),
        environments_head=_environments(head),
        calls_base=base.calls,
        calls_head=head.calls,
        look=look,
        confirmation=confirmation,
    )


def _faults(state: Progress, samples: Sequence[Sample], opponents: Opponents, terms: Terms) -> tuple[str, ...]:
    """Of the look that found them, and of everything that was measured: a head that begins to fail late fails."""
    base, head = opponents.sides(samples)
    at_look = state.finding.faults if state.finding is not None else ()
    return tuple(dict.fromkeys((*at_look, *faults(base, head, terms.policy))))


def _environments(side: Side) -> int | None:
    durations = series.durations(side.arm)
    return None if durations is None else series.known_environments(durations.observations).environments


def _confirmation(state: Progress, terms: Terms) -> Confirmation:
    if state.confirmed is None or not terms.schedule.confirmation:
        return Confirmation.NONE
    return Confirmation.FRESH if terms.schedule.renewable else Confirmation.REUSED


def _spent_usd(samples: Sequence[Sample], terms: Terms) -> float | None:
    if terms.price is None:
        return None
    total = total_cost_usd(samples, {terms.price.architecture: terms.price})
    return float(total.usd) if total.unpriced < len(samples) else None


def _in_force(rule: MetricRule | BudgetLimit, today: str) -> Acknowledgement | None:
    given = rule.acknowledgement
    return given if given is not None and today <= given.expires else None


def _of_metric(metric: MetricVerdict) -> str:
    return f"{metric.metric.value}: {metric.reason}"


def _of_budget(budget: BudgetVerdict) -> str:
    return f"limit of {budget.limit.quantity.value}: {budget.reason}"
