"""From the samples of gates to their GateReport: one comparison for each function and memory size. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tuner import __version__
from tuner.model import (
    SCHEMA_VERSION,
    Acknowledgement,
    Arm,
    ArmFacts,
    BudgetStatus,
    Comparison,
    GatePolicy,
    GateReport,
    Level,
    Metric,
    MetricStatus,
    Notice,
    Plan,
    Sample,
    Severity,
)
from tuner.planning.gate import gate_sampling
from tuner.pricing import Total, total_cost_usd
from tuner.reporting.parts import (
    RunFacts,
    disturbed_notices,
    engine_notices,
    measurement_of,
    spend_of,
    unpriced_notices,
)
from tuner.statistics.gate.sequence import Opponents, Terms
from tuner.statistics.gate.stored import beside, single_look
from tuner.statistics.gate.verdict import in_force, verdict, worst


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """One function that was measured: its plan, what came of it, and what went wrong beside the samples."""

    plan: Plan
    policy: GatePolicy
    samples: tuple[Sample, ...]
    mismatches: tuple[str, ...] = ()
    """Sentences that say in what conditions the sides differed; with one nothing is compared."""
    baseline: tuple[Sample, ...] = ()
    """Of base, from a stored report: then base was not measured now, and the comparison is uncontrolled."""


def build_gate_report(gates: Sequence[Gated], facts: RunFacts, *, today: str) -> GateReport:
    """The report of one gate or several, also of ones that ended early: what was not shown is not green.

    ``today`` is the ISO date by which acknowledgements hold. ``gates`` is never empty; the first one's plan names the
    run.
    """
    first = gates[0].plan
    comparisons = tuple(comparison for gate in gates for comparison in _comparisons(gate, today))
    samples = tuple(sample for gate in gates for sample in gate.samples)
    total = _total(gates)
    return GateReport(
        schema_version=SCHEMA_VERSION,
        kind="gate",
        tool_version=__version__,
        created_at=facts.created_at,
        run_id=first.run_id,
        seed=first.request.seed,
        engine=first.request.engine,
        region=first.function.region,
        policy=gates[0].policy,
        status=worst([comparison.verdict.status for comparison in comparisons]),
        comparisons=comparisons,
        spend=spend_of(
            samples,
            facts,
            usd=total.usd,
            estimated_usd=sum((gate.plan.expected_spend.high_usd for gate in gates), Decimal(0)),
        ),
        measurement=measurement_of(first, facts),
        notices=(
            *engine_notices(first.request.engine),
            *(notice for gate in gates for notice in gate.plan.notices),
            *facts.notices,
            *_unique(notice for gate in gates for notice in _expired_notices(gate, today)),
            *(notice for comparison in comparisons for notice in _comparison_notices(comparison)),
            *unpriced_notices(total.unpriced),
            *disturbed_notices(samples),
        ),
    )


def _comparisons(gate: Gated, today: str) -> tuple[Comparison, ...]:
    policy = in_force(gate.policy, today)
    sampling = gate_sampling(gate.plan, policy)
    arms = {arm.variant: arm for arm in gate.plan.arms}
    base, head = arms.get("base"), arms["head"]
    found = []
    for pair in sampling.pairs:
        terms, samples = _stored_or_measured(gate, pair, sampling.terms(pair.head.architecture))
        found.append(
            Comparison(
                function=gate.plan.function.name,
                memory_mb=pair.head.memory_mb,
                architecture=pair.head.architecture,
                base=_arm_facts(base or replace(head, variant="base")),
                head=_arm_facts(head),
                verdict=verdict(samples, pair, terms, mismatches=gate.mismatches),
                samples=samples,
                uncontrolled=bool(gate.baseline),
            )
        )
    return tuple(found)


def _stored_or_measured(gate: Gated, pair: Opponents, terms: Terms) -> tuple[Terms, tuple[Sample, ...]]:
    ours = tuple(sample for sample in gate.samples if sample.cell in (pair.base, pair.head))
    if not gate.baseline:
        return terms, ours
    samples = beside(gate.baseline, ours, pair)
    return single_look(terms, samples), samples


def _arm_facts(arm: Arm) -> ArmFacts:
    function = arm.function
    return ArmFacts(
        variant=arm.variant,
        function=function.name,
        qualifier=function.qualifier,
        code_sha256=function.code_sha256,
        runtime=function.runtime,
    )


def _total(gates: Iterable[Gated]) -> Total:
    totals = [
        total_cost_usd(gate.samples, {price.architecture: price for price in gate.plan.prices}) for gate in gates
    ]
    return Total(
        usd=sum((total.usd for total in totals), Decimal(0)), unpriced=sum(total.unpriced for total in totals)
    )


def _comparison_notices(comparison: Comparison) -> tuple[Notice, ...]:
    return (*_warnings(comparison), *_excused(comparison), *_failures(comparison), *_uncontrolled(comparison))


def _warnings(comparison: Comparison) -> tuple[Notice, ...]:
    """Findings at level warn."""
    judged = comparison.verdict
    found = [
        f"{metric.metric.value}: {metric.reason}"
        for metric in judged.metrics
        if metric.level is Level.WARN and metric.status is MetricStatus.REGRESSION and metric.acknowledged is None
    ]
    found += [
        f"{budget.limit.quantity.value}: {budget.reason}"
        for budget in judged.budgets
        if budget.limit.level is Level.WARN and budget.status is BudgetStatus.BREACHED and budget.acknowledged is None
    ]
    return tuple(
        Notice(code="gate-warning", severity=Severity.WARNING, message=f"{_name(comparison)}, {text}.")
        for text in found
    )


def _excused(comparison: Comparison) -> tuple[Notice, ...]:
    """Findings that somebody has acknowledged; without a finding an acknowledgement is not mentioned."""
    judged = comparison.verdict
    found: list[tuple[str, Acknowledgement | None]] = [
        (metric.metric.value, metric.acknowledged)
        for metric in judged.metrics
        if metric.status is MetricStatus.REGRESSION
    ]
    found += [
        (budget.limit.quantity.value, budget.acknowledged)
        for budget in judged.budgets
        if budget.status is BudgetStatus.BREACHED
    ]
    return tuple(
        Notice(
            code="acknowledged",
            severity=Severity.WARNING,
            message=f"{_name(comparison)}, {name}: acknowledged until {given.expires} ({given.reason}).",
            remedy="Mend it before then: after that day the gate fails again.",
        )
        for name, given in found
        if given is not None
    )


def _failures(comparison: Comparison) -> tuple[Notice, ...]:
    errors = next((m for m in comparison.verdict.metrics if m.metric is Metric.ERRORS), None)
    if errors is None or errors.status is not MetricStatus.INCONCLUSIVE:
        return ()
    return (
        Notice(
            code="some-calls-failed",
            severity=Severity.WARNING,
            message=f"{_name(comparison)}: some calls failed and are in no duration ({errors.reason}).",
            remedy="Look at their error types in the samples before trusting the comparison.",
        ),
    )


def _uncontrolled(comparison: Comparison) -> tuple[Notice, ...]:
    if not comparison.uncontrolled:
        return ()
    return (
        Notice(
            code="uncontrolled",
            severity=Severity.WARNING,
            message=f"{_name(comparison)}: base was read from a stored report. What changed on Lambda since then "
            "looks like a change of the code.",
            remedy="Give --base a version or an alias: measured side by side, both promises of the gate hold.",
        ),
    )


def _expired_notices(gate: Gated, today: str) -> tuple[Notice, ...]:
    given = [(rule.metric.value, rule.acknowledgement) for rule in gate.policy.rules]
    given += [(limit.quantity.value, limit.acknowledgement) for limit in gate.policy.budgets]
    return tuple(
        Notice(
            code="acknowledgement-expired",
            severity=Severity.WARNING,
            message=f"The acknowledgement of {name} expired on {found.expires} ({found.reason}).",
            remedy="Mend what it excused, or renew it with a new date.",
        )
        for name, found in given
        if found is not None and found.expires < today
    )


def _unique(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    return tuple(dict.fromkeys(notices))


def _name(comparison: Comparison) -> str:
    return f"{comparison.function} at {comparison.memory_mb} MB"
