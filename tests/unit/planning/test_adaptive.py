"""An adaptive plan: its candidates, its bounds, and a recorded run that replays to the same decisions.

The recording is what ``tuner run examples/short-cpu --local --memory 128..1769 --sampling adaptive`` left in its
folder: 32 blocks, 141 calls, of which 40 waited for a CPU. Make a new one when the policy
changes. With another numpy the same must hold::

    python -m venv older && older/bin/pip install -e . pytest "numpy==2.0.2" "scipy==1.14.1"
    older/bin/python -m pytest tests/unit/planning/test_adaptive.py
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fakes import limits, price, snapshot
from tuner import codec
from tuner.model import (
    Architecture,
    Block,
    Cell,
    CurveStatus,
    EngineKind,
    Plan,
    RunRequest,
    Sample,
    SamplingKind,
    Stop,
)
from tuner.planning.adaptive import adaptive_sampling
from tuner.planning.candidates import candidate_sizes
from tuner.planning.plan import make_plan, sampling_of
from tuner.planning.sampling import FixedSampling
from tuner.reporting.parts import RunFacts
from tuner.reporting.run import build_report
from tuner.statistics.search.policy import AdaptiveSampling

RECORDING = Path(__file__).parent / "recording"
PRICES = {Architecture.X86_64: price()}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return codec.decode((RECORDING / "plan.json").read_bytes(), Plan)


@pytest.fixture(scope="module")
def samples() -> tuple[Sample, ...]:
    return tuple(codec.decode(line, Sample) for line in (RECORDING / "samples.jsonl").read_bytes().splitlines())


def waves(samples: tuple[Sample, ...]) -> Counter[tuple[Cell, int]]:
    """The waves that samples were taken in, as (cell, size)."""
    sizes = Counter((s.wave, s.cell) for s in samples)
    return Counter((cell, size) for (_, cell), size in sizes.items())


def test_a_recorded_run_replays_to_the_same_blocks_and_then_stops(plan: Plan, samples: tuple[Sample, ...]) -> None:
    policy = sampling_of(plan)
    last = max(s.block for s in samples)
    assert last > 3
    for number in range(1, last + 1):
        block = policy.next_block([s for s in samples if s.block < number])
        assert isinstance(block, Block)
        assert block.number == number
        taken = tuple(s for s in samples if s.block == number)
        assert Counter((wave.cell, wave.size) for wave in block.waves) == waves(taken)
    assert isinstance(policy.next_block(samples), Stop)


def test_a_recorded_run_replays_to_the_same_recommendation(plan: Plan, samples: tuple[Sample, ...]) -> None:
    report = build_report(plan, samples, facts())
    assert report.recommendation is not None
    assert report.recommendation.memory_mb == 805
    assert report.recommendation.decided
    assert report.recommendation.confidence == pytest.approx(0.9010416666666666, abs=0.003)
    assert [cell.memory_mb for cell in report.recommendation.tied] == [881, 1024, 1769]


def test_predictions_fill_the_curve_and_are_never_called_measured(plan: Plan, samples: tuple[Sample, ...]) -> None:
    report = build_report(plan, samples, facts())
    warm = {s.cell for s in samples if not s.cold}
    measured = {point.cell for point in report.curve if point.status is CurveStatus.MEASURED}
    predicted = [point for point in report.curve if point.status is CurveStatus.PREDICTED]
    assert measured == warm
    assert len(report.curve) < 20
    for point in predicted:
        assert point.n == 0
        assert point.duration_ms is not None
        assert point.duration_ms.mean.estimable
        assert "predicted" in point.duration_ms.mean.method
        assert not point.duration_ms.p95.estimable


def test_the_current_size_is_compared_by_prediction_where_it_was_not_measured(
    plan: Plan, samples: tuple[Sample, ...]
) -> None:
    elsewhere = replace(plan, function=replace(plan.function, memory_mb=3008))
    report = build_report(elsewhere, samples, facts())
    point = next(point for point in report.curve if point.memory_mb == 3008)
    assert point.status is CurveStatus.PREDICTED
    assert report.recommendation is not None
    assert report.recommendation.memory_mb == 805
    assert report.recommendation.versus_current is not None
    ratio = report.recommendation.versus_current.cost_ratio
    assert ratio is not None
    assert "predicted" in ratio.method


def test_a_run_that_ended_after_its_cold_calls_recommends_nothing(plan: Plan, samples: tuple[Sample, ...]) -> None:
    report = build_report(plan, tuple(s for s in samples if s.block == 1), facts())
    assert report.recommendation is None
    assert build_report(plan, (), facts()).recommendation is None


def test_an_adaptive_plan_spends_at_most_every_call_at_the_dearest_size_up_to_the_timeout_after_an_init() -> None:
    made = made_plan()
    longest_s = 10 + made.function.timeout_s
    dearest = Decimal(2048) / 1024 * longest_s * PRICES[Architecture.X86_64].usd_per_gb_s
    assert made.expected_invocations == 60
    assert made.expected_spend.high_usd == 60 * (dearest + PRICES[Architecture.X86_64].usd_per_request)
    assert made.expected_spend.low_usd < made.expected_spend.high_usd
    assert made.wave_size == 6


@pytest.mark.parametrize("calls", [25, 200])
def test_a_limit_of_invocations_is_the_cap_of_the_search_be_it_below_the_usual_one_or_above(calls: int) -> None:
    policy = sampling_of(made_plan(max_invocations=calls))
    assert isinstance(policy, AdaptiveSampling)
    assert policy.most_calls == calls


def test_on_the_embedded_lambda_where_calls_are_free_and_noisy_a_search_may_take_four_times_as_many() -> None:
    assert made_plan(engine=EngineKind.LOCAL).expected_invocations == 240


def test_with_little_concurrency_waves_are_small() -> None:
    assert made_plan(concurrency=4).wave_size == 2


def test_a_tolerance_of_zero_still_ends() -> None:
    assert adaptive_sampling(made_plan(tolerance=0.0)).goal.near == 0.01


def test_a_fixed_plan_has_a_fixed_policy() -> None:
    assert isinstance(sampling_of(made_plan(sampling=SamplingKind.FIXED)), FixedSampling)


def test_candidates_of_a_range_hold_its_ends_and_landmarks_and_steps_of_about_a_per_cent() -> None:
    sizes = candidate_sizes([(128, 3008, None)])
    assert {128, 256, 512, 1024, 1769, 2048, 3008} <= set(sizes)
    assert max(b / a for a, b in pairwise(sizes)) < 1.02
    assert len(sizes) < 330


def test_candidates_that_were_named_are_all_there_and_nothing_else() -> None:
    assert candidate_sizes([(512, 512, None), (128, 320, 64)]) == (128, 192, 256, 320, 512)
    assert candidate_sizes([(128, 131, None)]) == (128, 129, 131)


def made_plan(concurrency: int = 100, **changes: object) -> Plan:
    request = RunRequest(
        function="thumbnail",
        engine=EngineKind.AWS,
        memory_mb=(1024, 2048),
        sampling=SamplingKind.ADAPTIVE,
    )
    asked = replace(request, **changes)  # type: ignore[arg-type]
    return make_plan(asked, snapshot(), limits(concurrency), PRICES, run_id="20261121T000000-abc")


def facts() -> RunFacts:
    return RunFacts(
        created_at="2026-11-21T00:00:00+00:00",
        command="tuner run",
        sampling="adaptive",
        payload_sha256="",
        blocks=1,
        seconds=1.0,
        notices=(),
    )
