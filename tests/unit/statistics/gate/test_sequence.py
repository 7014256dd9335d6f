"""The looks in order: what stops, what goes on, what is confirmed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.gate_worlds import cell
from tests.unit.statistics.gate.measured import NOISY, PAIR, failed, gate, head, only, sampling, still
from tuner.model import BudgetLimit, BudgetQuantity, GatePolicy, Metric, Sample
from tuner.statistics.gate.schedule import make_schedule
from tuner.statistics.gate.sequence import progress


def test_what_is_plain_is_decided_at_the_first_look() -> None:
    measured = gate(1.0)
    assert measured.verdict.look == 1
    assert measured.verdict.calls_base == measured.verdict.calls_head == 50


def test_a_regression_is_measured_again_before_it_stands() -> None:
    measured = gate(1.3)
    state = progress(measured.samples, PAIR, measured.terms)
    assert state.confirmed == frozenset({Metric.DURATION})
    assert len(state.judged) == 100
    assert len(measured.samples) == 300


def test_a_regression_that_other_environments_do_not_show_is_not_confirmed() -> None:
    def at_first(sample: Sample) -> Sample:
        slow = sample.block <= 2 and sample.duration_ms is not None
        return replace(sample, duration_ms=1.3 * sample.duration_ms) if slow and sample.duration_ms else sample

    measured = gate(1.0, change=head(at_first))
    state = progress(measured.samples, PAIR, measured.terms)
    assert state.finding is not None
    assert state.finding.red == {Metric.DURATION}
    assert state.confirmed == frozenset()
    assert not state.due


def test_at_the_margin_it_ends_undecided_within_the_calls_allowed() -> None:
    measured = gate(1.05, world=NOISY, seed=3)
    state = progress(measured.samples, PAIR, measured.terms)
    assert state.finding is not None
    assert state.finding.open
    assert not state.due
    assert len(measured.samples) <= 2 * 400


def test_failing_calls_end_it_at_the_first_look() -> None:
    measured = gate(1.0, change=head(failed))
    state = progress(measured.samples, PAIR, measured.terms)
    assert state.finding is not None
    assert state.finding.faults
    assert len(measured.samples) == 100


def test_a_limit_that_is_still_open_keeps_it_measuring() -> None:
    """p95 has no upper bound with 40 calls a side, so the first look cannot show that it is met."""
    limit = BudgetLimit(quantity=BudgetQuantity.P95, at_most=150.0)
    assert len(gate(1.0, policy=GatePolicy(budgets=(limit,))).samples) > 100


def test_samples_after_the_last_look_count_once_nothing_more_is_coming() -> None:
    measured = gate(1.05, world=NOISY, seed=3)
    cut = tuple(sample for sample in measured.samples if sample.block <= 3)
    going_on, ended = (progress(cut, PAIR, measured.terms, ended=ended) for ended in (False, True))
    assert len(going_on.judged) == 100
    assert going_on.due
    assert len(ended.judged) == 150


def test_nothing_measured_is_no_finding() -> None:
    terms = sampling(GatePolicy()).terms(PAIR.head.architecture)
    state = progress((), PAIR, terms, ended=True)
    assert state.finding is None
    assert len(state.due) == 2


def test_other_memory_sizes_do_not_disturb() -> None:
    measured = gate(1.0)
    other = tuple(replace(s, cell=replace(s.cell, memory_mb=512)) for s in gate(2.0).samples)
    alone, together = (
        progress(samples, PAIR, measured.terms) for samples in (measured.samples, (*other, *measured.samples))
    )
    assert alone.finding == together.finding


def test_metrics_that_decide_nothing_do_not_keep_it_measuring() -> None:
    policy = GatePolicy(rules=(*only(Metric.DURATION), *only(Metric.P95)))
    assert len(gate(1.0, world=still()).samples) < len(gate(1.0, policy=policy, world=still()).samples)


@pytest.mark.parametrize("renewable", [True, False])
@pytest.mark.parametrize("wave_size", [1, 2, 5, 7, 10, 60])
@pytest.mark.parametrize("most", [20, 100, 400, 2000])
def test_no_schedule_exceeds_the_calls_allowed(wave_size: int, most: int, *, renewable: bool) -> None:
    policy = GatePolicy(max_calls=most)
    schedule = make_schedule(policy, wave_size=wave_size, renewable=renewable)
    assert schedule.most_calls <= most
    assert list(schedule.information) == sorted(set(schedule.information))
    assert schedule.looks[-1] == len(schedule.blocks)


def test_the_usual_schedule_is_the_one_that_is_documented() -> None:
    schedule = make_schedule(GatePolicy(), wave_size=10, renewable=True)
    assert schedule.information == (10, 20, 30, 40, 60)
    assert {block.environments for block in schedule.blocks} == {5}
    assert sum(block.environments for block in schedule.confirmation) == 20
    assert schedule.most_calls == 400


def test_sides_that_cannot_be_renewed_get_wider_waves() -> None:
    schedule = make_schedule(GatePolicy(), wave_size=60, renewable=False)
    assert [block.environments for block in schedule.blocks] == [10, 20, 30, 60]
    assert [block.passes for block in schedule.blocks] == [5, 2, 2, 2]


def test_cells_are_told_apart_by_their_variant() -> None:
    assert cell("base") != cell("head")
