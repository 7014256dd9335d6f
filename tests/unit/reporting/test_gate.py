"""The report of gates: what it holds, what it says aloud, and that its schema describes it."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import jsonschema
import pytest

from benchmarks.gate_worlds import PRICE
from tests.fakes import plan as make_plan
from tests.fakes import snapshot
from tests.unit.statistics.gate.measured import PAIR, Gate, failed, gate, head, only
from tuner import codec
from tuner.model import (
    Acknowledgement,
    Arm,
    BudgetLimit,
    BudgetQuantity,
    EngineKind,
    GatePolicy,
    GateReport,
    Level,
    Metric,
    Plan,
    VerdictStatus,
)
from tuner.reporting.gate import Gated, build_gate_report
from tuner.reporting.parts import RunFacts

FACTS = RunFacts(
    created_at="2026-11-21T12:00:00Z",
    command="tuner gate thumbnail",
    sampling="gate",
    payload_sha256="0" * 64,
    blocks=2,
    seconds=12.5,
    notices=(),
)
TODAY = "2026-11-21"


def gate_plan() -> Plan:
    plan = make_plan()
    return replace(
        plan,
        cells=(PAIR.base, PAIR.head),
        prices=(PRICE,),
        wave_size=5,
        arms=(
            Arm(variant="base", function=snapshot(qualifier="prod"), disposable=True),
            Arm(variant="head", function=snapshot(qualifier="$LATEST"), disposable=True),
        ),
        request=replace(plan.request, engine=EngineKind.AWS),
    )


def report_of(*measured: Gate, today: str = TODAY, mismatches: tuple[str, ...] = ()) -> GateReport:
    gates = [
        Gated(plan=gate_plan(), policy=one.sampling.policy, samples=one.samples, mismatches=mismatches)
        for one in measured
    ]
    return build_gate_report(gates, FACTS, today=today)


def codes(report: GateReport) -> list[str]:
    return [notice.code for notice in report.notices]


def test_it_names_both_sides_and_what_they_cost() -> None:
    report = report_of(gate(1.0))
    (comparison,) = report.comparisons
    assert report.status is comparison.verdict.status is VerdictStatus.PASS
    assert (comparison.base.qualifier, comparison.head.qualifier) == ("prod", "$LATEST")
    assert report.spend.invocations == len(comparison.samples) == 100
    assert report.spend.cold_invocations == 20
    assert Decimal(0) < report.spend.usd < Decimal("0.01")


@pytest.mark.parametrize("ratio", [1.0, 1.3])
def test_the_schema_accepts_it_and_it_survives_the_round_trip(ratio: float) -> None:
    report = report_of(gate(ratio))
    written = codec.encode(report)
    jsonschema.Draft202012Validator(codec.gate_schema()).validate(json.loads(written))
    assert codec.decode(written, GateReport) == report
    assert codec.encode(codec.decode(written, GateReport)) == written


def test_one_bad_function_among_many_decides_the_whole() -> None:
    report = report_of(gate(1.0), gate(1.3), gate(1.0))
    assert report.status is VerdictStatus.REGRESSION
    assert [c.verdict.status.value for c in report.comparisons] == ["pass", "regression", "pass"]


def test_a_gate_that_measured_nothing_is_invalid() -> None:
    measured = gate(1.0)
    assert report_of(Gate((), measured.sampling)).status is VerdictStatus.INVALID


def test_sides_that_changed_meanwhile_are_invalid() -> None:
    report = report_of(gate(1.0), mismatches=("the code of head changed during the measurement",))
    assert report.status is VerdictStatus.INVALID


def test_a_finding_at_level_warn_is_a_notice() -> None:
    rules = (*only(Metric.DURATION, margin=0.5), *only(Metric.BILLED_DURATION, level=Level.WARN))
    report = report_of(gate(1.2, policy=GatePolicy(rules=rules)))
    assert report.status is VerdictStatus.PASS
    assert codes(report) == ["gate-warning"]


def test_an_acknowledged_breach_is_a_notice_until_it_expires() -> None:
    given = Acknowledgement(reason="until the cache is back", expires="2026-11-30")
    limit = BudgetLimit(quantity=BudgetQuantity.P50, at_most=90.0, acknowledgement=given)
    measured = gate(1.0, policy=GatePolicy(budgets=(limit,)))
    report, later = report_of(measured), report_of(measured, today="2026-12-01")
    assert (report.status, codes(report)) == (VerdictStatus.PASS, ["acknowledged"])
    assert (later.status, codes(later)) == (VerdictStatus.BUDGET, ["acknowledgement-expired"])


def test_failures_too_few_to_refuse_are_a_notice() -> None:
    report = report_of(gate(1.0, change=head(lambda s: failed(s) if s.sequence == 30 else s)))
    assert report.status is VerdictStatus.PASS
    assert "some-calls-failed" in codes(report)


def test_a_stored_base_makes_it_uncontrolled() -> None:
    measured = gate(1.0)
    base = tuple(replace(s, cell=replace(s.cell, variant="")) for s in measured.samples if s.cell == PAIR.base)
    heads = tuple(s for s in measured.samples if s.cell == PAIR.head)
    plan = gate_plan()
    gated = Gated(
        plan=replace(plan, cells=(PAIR.head,), arms=plan.arms[1:]),
        policy=measured.sampling.policy,
        samples=heads,
        baseline=base,
    )
    report = build_gate_report([gated], FACTS, today=TODAY)
    assert report.comparisons[0].uncontrolled
    assert report.status is VerdictStatus.PASS
    assert codes(report) == ["uncontrolled"]
    assert report.spend.invocations == len(heads)
