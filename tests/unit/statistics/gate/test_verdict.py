"""Every verdict, and what leads to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.gate_worlds import simulated
from tests.unit.statistics.gate.measured import NOISY, PAIR, failed, gate, head, only
from tuner.model import (
    Acknowledgement,
    BudgetLimit,
    BudgetQuantity,
    BudgetStatus,
    Confirmation,
    GatePolicy,
    Level,
    Metric,
    MetricRule,
    MetricStatus,
    MetricVerdict,
    Outcome,
    Sample,
    Verdict,
    VerdictStatus,
)
from tuner.statistics.gate.verdict import in_force, verdict, worst


def metric(judged: Verdict, name: Metric) -> MetricVerdict:
    return next(found for found in judged.metrics if found.metric is name)


def test_the_same_code_passes_because_it_was_shown_to_be_within_the_margin() -> None:
    judged = gate(1.0).verdict
    duration = metric(judged, Metric.DURATION)
    assert judged.status is VerdictStatus.PASS
    assert duration.ratio is not None
    assert duration.ratio.high is not None
    assert duration.ratio.high < 1.05
    assert "within the margin" in judged.reasons[0]
    assert judged.environments_base == judged.environments_head == 10


def test_slower_code_is_a_regression_that_was_confirmed() -> None:
    judged = gate(1.2).verdict
    duration = metric(judged, Metric.DURATION)
    assert judged.status is VerdictStatus.REGRESSION
    assert judged.confirmation is Confirmation.FRESH
    assert duration.confirmed
    assert "confirmed by further calls" in duration.reason


def test_on_sides_invoked_as_they_are_the_confirmation_may_reuse_environments() -> None:
    assert gate(1.2, renewable=False).verdict.confirmation is Confirmation.REUSED


def test_faster_code_is_an_improvement() -> None:
    assert gate(0.8).verdict.status is VerdictStatus.IMPROVEMENT


def test_what_lies_on_the_margin_is_inconclusive_and_says_what_deciding_takes() -> None:
    judged = gate(1.06, world=NOISY, seed=3).verdict
    duration = metric(judged, Metric.DURATION)
    assert judged.status is VerdictStatus.INCONCLUSIVE
    assert duration.minimum_detectable is not None
    assert 0.06 < duration.minimum_detectable < 0.2
    assert duration.resolve is None or duration.resolve.calls > 0


def test_an_unconfirmed_regression_is_inconclusive() -> None:
    def at_first(sample: Sample) -> Sample:
        if sample.block > 2 or sample.duration_ms is None:
            return sample
        return replace(sample, duration_ms=1.3 * sample.duration_ms)

    judged = gate(1.0, change=head(at_first)).verdict
    assert judged.status is VerdictStatus.INCONCLUSIVE
    assert "did not show it again" in judged.reasons[0]
    assert metric(judged, Metric.DURATION).confirmed is False


def test_a_measurement_that_ended_before_the_confirmation_is_inconclusive() -> None:
    measured = gate(1.3)
    cut = tuple(sample for sample in measured.samples if sample.block <= 2)
    judged = verdict(cut, PAIR, measured.terms)
    assert judged.status is VerdictStatus.INCONCLUSIVE
    assert "ended before" in judged.reasons[0]


@pytest.mark.parametrize("outcome", [Outcome.FUNCTION_ERROR, Outcome.TIMEOUT, Outcome.OUT_OF_MEMORY])
def test_a_head_that_fails_is_invalid_and_not_green(outcome: Outcome) -> None:
    judged = gate(1.0, change=head(lambda s: replace(failed(s), outcome=outcome))).verdict
    assert judged.status is VerdictStatus.INVALID
    assert "calls of head failed" in judged.reasons[0]
    assert [found.metric for found in judged.metrics] == [Metric.ERRORS]
    share = judged.metrics[0].head
    assert share is not None
    assert share.point == 1


def test_lost_calls_are_invalid() -> None:
    judged = gate(1.0, change=lambda s: replace(s, outcome=Outcome.LOST, duration_ms=None)).verdict
    assert judged.status is VerdictStatus.INVALID
    assert "were lost" in judged.reasons[0]


def test_nothing_measured_is_invalid_and_never_green() -> None:
    judged = verdict((), PAIR, gate(1.0).terms)
    assert judged.status is VerdictStatus.INVALID
    assert judged.reasons
    assert judged.look == 0


def test_one_side_only_is_invalid() -> None:
    measured = gate(1.0)
    heads = tuple(sample for sample in measured.samples if sample.cell == PAIR.head)
    assert verdict(heads, PAIR, measured.terms).reasons[0] == "base was never called"


def test_conditions_that_differ_are_invalid_whatever_the_numbers_say() -> None:
    measured = gate(1.0)
    judged = verdict(measured.samples, PAIR, measured.terms, mismatches=("the code of head changed",))
    assert judged.status is VerdictStatus.INVALID
    assert judged.reasons == ("the code of head changed",)


def test_a_single_failure_is_no_reason_to_refuse() -> None:
    judged = gate(1.0, change=head(lambda s: failed(s) if s.sequence == 30 else s)).verdict
    assert judged.status is VerdictStatus.PASS
    assert metric(judged, Metric.ERRORS).status is MetricStatus.INCONCLUSIVE


def test_without_anything_to_judge_nothing_is_green() -> None:
    policy = GatePolicy(rules=only(Metric.DURATION, level=Level.WARN))
    judged = gate(1.0, policy=policy).verdict
    assert judged.status is VerdictStatus.INVALID
    assert "nothing was judged" in judged.reasons[0]


def test_a_limit_that_is_surely_exceeded_breaks_the_budget() -> None:
    limit = BudgetLimit(quantity=BudgetQuantity.P50, at_most=90.0)
    judged = gate(1.0, policy=GatePolicy(budgets=(limit,))).verdict
    assert judged.status is VerdictStatus.BUDGET
    assert judged.budgets[0].status is BudgetStatus.BREACHED


def test_a_regression_is_worse_than_a_broken_budget_and_both_are_named() -> None:
    limit = BudgetLimit(quantity=BudgetQuantity.P50, at_most=90.0)
    judged = gate(1.3, policy=GatePolicy(budgets=(limit,))).verdict
    assert judged.status is VerdictStatus.REGRESSION
    assert len(judged.reasons) == 2


def test_a_warning_does_not_fail_the_gate() -> None:
    rules = (*only(Metric.DURATION, margin=0.5), *only(Metric.BILLED_DURATION, level=Level.WARN))
    judged = gate(1.2, policy=GatePolicy(rules=rules)).verdict
    assert judged.status is VerdictStatus.PASS
    assert metric(judged, Metric.BILLED_DURATION).status is MetricStatus.REGRESSION


def test_an_acknowledged_regression_is_shown_and_does_not_fail() -> None:
    given = Acknowledgement(reason="new encryption", expires="2026-12-31")
    rules = (
        MetricRule(metric=Metric.DURATION, level=Level.ERROR, acknowledgement=given),
        MetricRule(metric=Metric.MAX_MEMORY, level=Level.ERROR),
    )
    policy = GatePolicy(rules=rules)
    judged = gate(1.3, policy=in_force(policy, "2026-12-31")).verdict
    assert judged.status is VerdictStatus.PASS
    assert metric(judged, Metric.DURATION).status is MetricStatus.REGRESSION
    assert metric(judged, Metric.DURATION).acknowledged == given
    assert gate(1.3, policy=in_force(policy, "2027-01-01")).verdict.status is VerdictStatus.REGRESSION


def test_a_metric_that_cannot_be_known_leaves_it_open() -> None:
    rules = (*only(Metric.DURATION), *only(Metric.INIT))

    def warm_only(sample: Sample) -> Sample:
        return replace(sample, init_ms=None)

    judged = gate(1.0, policy=GatePolicy(rules=rules), change=warm_only).verdict
    assert judged.status is VerdictStatus.INCONCLUSIVE
    assert metric(judged, Metric.INIT).status is MetricStatus.UNKNOWN


def test_the_ratio_of_the_cost_is_nearer_to_one_than_that_of_the_duration() -> None:
    """The request price does not grow with the code."""
    judged = gate(1.2).verdict
    cost, billed = metric(judged, Metric.COST).ratio, metric(judged, Metric.BILLED_DURATION).ratio
    assert cost is not None
    assert billed is not None
    assert 1.1 < cost.point < billed.point


def test_outliers_move_the_bill_and_hardly_the_typical_call() -> None:
    def rare(sample: Sample) -> Sample:
        if sample.sequence % 25 or sample.cold or sample.billed_ms is None or sample.duration_ms is None:
            return sample
        return replace(sample, duration_ms=10 * sample.duration_ms, billed_ms=10 * sample.billed_ms)

    judged = gate(1.0, change=head(rare)).verdict
    billed, duration = metric(judged, Metric.BILLED_DURATION).ratio, metric(judged, Metric.DURATION).ratio
    assert billed is not None
    assert duration is not None
    assert billed.point > 1.2 > duration.point


def test_with_several_decisive_metrics_each_must_pass() -> None:
    rules = (*only(Metric.DURATION), *only(Metric.MAX_MEMORY))

    def hungry(sample: Sample) -> Sample:
        return replace(sample, max_memory_used_mb=120)

    judged = gate(1.0, policy=GatePolicy(rules=rules), change=head(hungry)).verdict
    assert judged.status is VerdictStatus.REGRESSION
    assert metric(judged, Metric.MAX_MEMORY).status is MetricStatus.REGRESSION
    assert metric(judged, Metric.DURATION).status is MetricStatus.PASS


def test_the_verdict_does_not_depend_on_the_order_of_the_samples() -> None:
    measured = gate(1.02, world=simulated(0.4))
    by_cell = tuple(sorted(measured.samples, key=lambda s: (s.block, s.cell, s.sequence)))
    assert verdict(by_cell, PAIR, measured.terms) == measured.verdict


def test_the_worst_of_several_verdicts_counts_and_none_is_not_green() -> None:
    assert worst([VerdictStatus.PASS, VerdictStatus.INCONCLUSIVE, VerdictStatus.BUDGET]) is VerdictStatus.BUDGET
    assert worst([VerdictStatus.PASS, VerdictStatus.IMPROVEMENT]) is VerdictStatus.PASS
    assert worst([]) is VerdictStatus.INVALID
