"""A confirmed run measures winner, rival and current size again, where nothing has served before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.planning.doubles import FakeLambda, measured, plan_of
from tests.unit.statistics.factory import cpu_bound, flat, staircase
from tuner.model import Block, CurveStatus, Plan, Report, Sample, SamplingKind, Stop
from tuner.planning.candidates import candidate_sizes
from tuner.planning.plan import sampling_of, stages_of
from tuner.reporting.parts import RunFacts
from tuner.reporting.run import build_report

RANGE = candidate_sizes([(128, 3008, None)])
NAMED = (128, 256, 512, 1024, 1769, 3008)
CONFIRMING_BLOCKS = 3


def plan(sampling: SamplingKind, **changes: object) -> Plan:
    sizes = RANGE if sampling is SamplingKind.ADAPTIVE else NAMED
    return plan_of(sizes, sampling=sampling, confirm=True, **changes)  # type: ignore[arg-type]


def report_of(made: Plan, samples: tuple[Sample, ...]) -> Report:
    facts = RunFacts(
        created_at="2026-11-21T00:00:00+00:00",
        command="tuner run",
        sampling="",
        payload_sha256="",
        blocks=1,
        seconds=1.0,
        notices=(),
    )
    return build_report(made, samples, facts)


@pytest.mark.parametrize("sampling", SamplingKind)
@pytest.mark.parametrize("curve", [cpu_bound, flat, staircase])
def test_the_last_blocks_measure_few_sizes_on_fresh_environments_with_warm_calls(
    sampling: SamplingKind, curve: Callable[[int], float]
) -> None:
    made, lambda_ = plan(sampling), FakeLambda(curve)
    samples = measured(made, lambda_)
    choosing, confirming = stages_of(made, samples)
    blocks = lambda_.blocks[-CONFIRMING_BLOCKS:]
    assert [block.fresh for block in lambda_.blocks] == [False] * (len(lambda_.blocks) - 3) + [True, False, False]
    assert len({block.cells for block in blocks}) == 1
    assert 1 <= len(blocks[0].cells) <= 3
    assert {s.block for s in confirming} == {block.number for block in blocks}
    assert len(choosing) + len(confirming) == len(samples) <= made.expected_invocations


@pytest.mark.parametrize("sampling", SamplingKind)
def test_figures_of_confirmed_sizes_come_from_their_fresh_calls_alone(sampling: SamplingKind) -> None:
    made = plan(sampling)
    samples = measured(made, FakeLambda(flat, fresh_ms=lambda m: 0.9 * flat(m)))
    report = report_of(made, samples)
    found = report.recommendation
    assert found is not None
    assert (found.confirmed, found.decided) == (True, True)
    point = next(p for p in report.curve if p.memory_mb == found.memory_mb)
    assert point.duration_ms is not None
    assert point.duration_ms.mean.point == pytest.approx(135, rel=0.02)
    assert point.n == 2 * made.wave_size
    assert "raised" not in point.duration_ms.mean.method
    assert "fresh environments" in found.rationale


def test_the_current_size_is_measured_with_the_others_although_nobody_named_it() -> None:
    made = plan_of(NAMED, sampling=SamplingKind.FIXED, confirm=True, current_mb=640)
    report = report_of(made, measured(made, FakeLambda(cpu_bound)))
    point = next(p for p in report.curve if p.memory_mb == 640)
    assert point.status is CurveStatus.MEASURED
    assert report.recommendation is not None
    assert report.recommendation.versus_current is not None


def test_a_choice_that_fresh_environments_contradict_gives_way_to_the_one_they_bear_out() -> None:
    made = plan(SamplingKind.FIXED)
    slow_there = FakeLambda(cpu_bound, fresh_ms=lambda m: cpu_bound(m) * (1.5 if m == 1769 else 1))
    report = report_of(made, measured(made, slow_there))
    assert report.recommendation is not None
    assert report.recommendation.memory_mb != 1769
    assert report.recommendation.rationale.startswith("Fresh environments contradict the choice of 1769 MB")
    assert "confirmation-contradicts" in {notice.code for notice in report.notices}


def test_a_contradiction_that_names_no_better_size_is_undecided() -> None:
    made = plan(SamplingKind.FIXED)
    noisy = FakeLambda(cpu_bound, fresh_ms=lambda m: cpu_bound(m) * (1.06 if m == 1769 else 1), host_noise=0.05)
    report = report_of(made, measured(made, noisy))
    assert report.recommendation is not None
    if "confirmation-contradicts" in {notice.code for notice in report.notices}:
        assert not report.recommendation.decided or report.recommendation.memory_mb != 1769


def test_a_run_that_ended_before_it_confirmed_says_so_and_keeps_its_choice() -> None:
    made = plan(SamplingKind.FIXED)
    samples = measured(made, FakeLambda(cpu_bound))
    _, confirming = stages_of(made, samples)
    first = min(s.block for s in confirming)
    report = report_of(made, tuple(s for s in samples if s.block <= first))
    assert report.recommendation is not None
    assert not report.recommendation.confirmed
    assert report.recommendation.memory_mb == 1769
    assert "not-confirmed" in {notice.code for notice in report.notices}


@pytest.mark.parametrize("sampling", SamplingKind)
def test_a_recorded_run_replays_to_the_same_blocks_its_confirmation_included(sampling: SamplingKind) -> None:
    made, lambda_ = plan(sampling), FakeLambda(staircase, noise=0.03)
    samples = measured(made, lambda_)
    policy = sampling_of(made)
    for block in lambda_.blocks:
        assert policy.next_block([s for s in samples if s.block < block.number][::-1]) == block
    assert isinstance(policy.next_block(samples), Stop)


def test_nothing_is_confirmed_where_nothing_could_be_chosen() -> None:
    made = plan(SamplingKind.ADAPTIVE)
    policy = sampling_of(made)
    block = policy.next_block([])
    assert isinstance(block, Block)
    lambda_ = FakeLambda(flat)
    lambda_.answer(block)
    lost = [s for s in lambda_.samples if s.cold]
    assert not any(block.fresh for block in lambda_.blocks)
    assert stages_of(made, tuple(lost))[1] == ()


def test_over_many_runs_a_right_choice_is_rarely_contradicted() -> None:
    """Ten environments a size with 3 % between them: 20 runs, at most one contradiction."""
    contradicted = 0
    for seed in range(20):
        made = plan(SamplingKind.FIXED, seed=seed)
        report = report_of(made, measured(made, FakeLambda(cpu_bound, host_noise=0.03, seed=seed)))
        contradicted += any(notice.code == "confirmation-contradicts" for notice in report.notices)
    assert contradicted <= 1


def test_the_plan_counts_the_calls_of_a_confirmation_and_what_they_may_cost() -> None:
    plain = plan_of(NAMED, sampling=SamplingKind.FIXED, current_mb=10_240)
    confirmed = plan_of(NAMED, sampling=SamplingKind.FIXED, confirm=True, current_mb=10_240)
    assert confirmed.expected_invocations == plain.expected_invocations + 3 * 3 * plain.wave_size
    assert confirmed.expected_spend.high_usd > plain.expected_spend.high_usd * 2
    assert confirmed.expected_spend.low_usd > plain.expected_spend.low_usd


def test_a_limit_of_invocations_holds_with_the_confirmation() -> None:
    made = plan(SamplingKind.ADAPTIVE, max_invocations=80)
    samples = measured(made, FakeLambda(cpu_bound, noise=0.3))
    assert len(samples) <= 80
    assert stages_of(made, samples)[1]
