from collections.abc import Callable, Sequence

import pytest

from tests.unit.statistics.factory import PRICE, cell, cpu_bound, flat, parallel, run_of, sample, staircase
from tuner.model import Outcome, Recommendation, Sample, Strategy
from tuner.statistics.curve import curve_points
from tuner.statistics.recommendation import Rule, recommend

SIZES = (128, 256, 512, 1024, 1769, 3008)
STAIRS = (128, 256, 400, 512, 761, 1024, 1536, 3008)


def recommended(
    samples: Sequence[Sample],
    *,
    strategy: Strategy = Strategy.COST,
    tolerance: float = 0.05,
    current_mb: int | None = None,
    seed: int = 1,
) -> Recommendation:
    points = curve_points(samples, sorted({s.cell for s in samples}), [PRICE])
    current = None if current_mb is None else cell(current_mb)
    found = recommend(
        points, samples, [PRICE], rule=Rule(strategy=strategy, tolerance=tolerance), current=current, seed=seed
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("work", "sizes", "expected_mb"),
    [
        (cpu_bound, SIZES, 1769),
        (flat, SIZES, 128),
        (staircase, STAIRS, 761),
        (parallel, (*SIZES, 5308, 10_240), 10_240),
    ],
)
def test_each_kind_of_work_gets_the_size_that_its_physics_asks_for(
    work: Callable[[int], float], sizes: Sequence[int], expected_mb: int
) -> None:
    found = recommended(run_of(work, sizes))
    assert (found.memory_mb, found.decided) == (expected_mb, True)


def test_speed_takes_the_cheapest_of_the_sizes_that_are_as_fast_as_the_fastest() -> None:
    found = recommended(run_of(cpu_bound, SIZES), strategy=Strategy.SPEED)
    assert (found.memory_mb, found.decided) == (1769, True)


def test_a_faster_size_that_may_exceed_the_tolerance_is_tied_but_not_proposed() -> None:
    found = recommended(run_of(lambda m: 1000.0 if m == 1024 else 524.0, (1024, 2048), between=0.015, within=0.015))
    assert (found.memory_mb, found.decided) == (1024, True)
    assert found.tied == (cell(2048),)


def test_noise_wider_than_the_differences_is_undecided_and_has_rivals() -> None:
    found = recommended(run_of(cpu_bound, SIZES, between=0.1, within=0.1))
    assert not found.decided
    assert found.confidence is not None
    assert found.confidence < 0.9
    assert found.tied
    assert all(tied.memory_mb != found.memory_mb for tied in found.tied)


def test_one_environment_at_each_size_never_makes_a_decision() -> None:
    found = recommended(run_of(cpu_bound, SIZES, environments=1, waves=20), current_mb=128)
    assert (found.decided, found.confidence) == (False, None)
    assert found.versus_current is not None
    assert found.versus_current.cost_ratio is not None
    assert not found.versus_current.cost_ratio.estimable


def test_a_single_size_without_an_interval_leaves_the_whole_choice_open() -> None:
    samples = (*run_of(flat, (128, 256)), sample(512, duration_ms=150.0, billed_ms=150.0))
    found = recommended(samples)
    assert not found.decided


def test_the_comparison_with_the_current_size_has_intervals() -> None:
    found = recommended(run_of(cpu_bound, SIZES), current_mb=128)
    assert found.versus_current is not None
    duration, cost = found.versus_current.duration_ratio, found.versus_current.cost_ratio
    assert duration is not None
    assert cost is not None
    assert duration.low is not None
    assert duration.high is not None
    assert duration.low < 128 / 1769 < duration.high
    assert cost.estimable


def test_the_current_size_compared_with_itself_is_exactly_one() -> None:
    found = recommended(run_of(flat, SIZES), current_mb=128)
    assert found.versus_current is not None
    assert found.versus_current.cost_ratio is not None
    assert (found.versus_current.cost_ratio.low, found.versus_current.cost_ratio.high) == (1.0, 1.0)


def test_a_current_size_that_was_not_measured_is_not_compared() -> None:
    assert recommended(run_of(flat, SIZES), current_mb=640).versus_current is None


def test_a_size_that_ran_out_of_memory_once_is_no_candidate() -> None:
    samples = (*run_of(flat, SIZES), sample(128, outcome=Outcome.OUT_OF_MEMORY, duration_ms=None))
    found = recommended(samples, current_mb=128)
    assert found.memory_mb == 256
    assert cell(128) not in found.pareto
    assert found.versus_current is not None


def test_where_every_size_timed_out_now_and_then_nothing_is_decided() -> None:
    samples = (*run_of(flat, (128, 256)), *(sample(size, outcome=Outcome.TIMEOUT) for size in (128, 256)))
    assert not recommended(samples).decided


def test_a_single_usable_size_is_reported_without_a_claim() -> None:
    found = recommended(run_of(flat, [512]))
    assert (found.decided, found.confidence) == (False, None)


def test_nothing_measured_recommends_nothing() -> None:
    points = curve_points((), [cell(512)], [PRICE])
    assert (
        recommend(points, (), [PRICE], rule=Rule(strategy=Strategy.COST, tolerance=0.05), current=None, seed=1)
        is None
    )


def test_the_same_samples_and_seed_give_the_same_recommendation() -> None:
    samples = run_of(cpu_bound, SIZES, between=0.05, within=0.05)
    assert recommended(samples, seed=3) == recommended(samples, seed=3)


def test_the_pareto_set_holds_the_cheapest_and_the_fastest_size() -> None:
    found = recommended(run_of(lambda m: 50 + 300 * 512 / m, SIZES))
    assert cell(128) in found.pareto
    assert cell(3008) in found.pareto
