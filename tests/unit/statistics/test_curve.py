from decimal import Decimal

import pytest

from tests.unit.statistics.factory import PRICE, cell, cpu_bound, flat, run_of, sample, staircase
from tuner.model import Architecture, CurveStatus, Notice, Outcome, Sample
from tuner.statistics.curve import curve_notices, curve_points, is_flat, stops_at_one_vcpu
from tuner.statistics.fit import fit_curves

SIZES = (128, 256, 512, 1024, 1769, 3008)


def notices_of(samples: tuple[Sample, ...]) -> dict[str, Notice]:
    points = curve_points(samples, sorted({s.cell for s in samples}), [PRICE])
    return {notice.code: notice for notice in curve_notices(points, fit_curves(points), samples)}


def test_cost_is_the_mean_billed_duration_times_the_price_plus_the_request() -> None:
    samples = tuple(sample(1024, billed_ms=billed) for billed in (100.0, 300.0))
    (point,) = curve_points(samples, [cell(1024)], [PRICE])
    assert point.cost_usd_per_million is not None
    assert point.cost_usd_per_million.point == pytest.approx(0.2 * 16.6667 + 0.2)


def test_the_interval_of_the_cost_is_that_of_the_billed_duration_at_the_same_price() -> None:
    (point,) = curve_points(run_of(flat, [1024]), [cell(1024)], [PRICE])
    assert point.cost_usd_per_million is not None
    assert point.billed_ms is not None
    assert point.cost_usd_per_million.high is not None
    assert point.billed_ms.mean.high is not None
    request_usd = float(PRICE.usd_per_request * 1_000_000)
    per_ms = float(PRICE.usd_per_gb_s * Decimal(1000))
    assert point.cost_usd_per_million.high == pytest.approx(point.billed_ms.mean.high * per_ms + request_usd)


def test_durations_are_of_warm_samples_and_init_of_cold_ones() -> None:
    (point,) = curve_points(run_of(flat, [512], environments=6, waves=3), [cell(512)], [PRICE])
    assert (point.n, point.environments, point.status) == (18, 6, CurveStatus.MEASURED)
    assert point.duration_ms is not None
    assert point.duration_ms.mean.point == pytest.approx(150, rel=0.03)
    assert point.init_ms is not None
    assert (point.init_ms.p50.point, point.init_ms.p50.n) == (180.0, 6)


def test_points_come_smallest_first_and_without_duplicates() -> None:
    points = curve_points((), [cell(512), cell(128), cell(512)], [PRICE])
    assert [point.memory_mb for point in points] == [128, 512]
    assert {point.status for point in points} == {CurveStatus.SKIPPED}


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.OUT_OF_MEMORY, CurveStatus.OUT_OF_MEMORY),
        (Outcome.TIMEOUT, CurveStatus.TIMEOUT),
        (Outcome.FUNCTION_ERROR, CurveStatus.FAILED),
        (Outcome.INIT_ERROR, CurveStatus.FAILED),
    ],
)
def test_a_size_where_nothing_worked_says_why(outcome: Outcome, status: CurveStatus) -> None:
    samples = [
        sample(128, outcome=outcome),
        sample(128, outcome=outcome),
        sample(128, outcome=Outcome.FUNCTION_ERROR),
    ]
    (point,) = curve_points(samples, [cell(128)], [PRICE])
    assert point.status is status
    assert (point.n, point.errors, point.duration_ms) == (0, 3, None)


def test_errors_beside_successes_leave_the_size_measured_and_are_counted() -> None:
    (point,) = curve_points([sample(), sample(outcome=Outcome.TIMEOUT)], [cell(512)], [PRICE])
    assert (point.status, point.n, point.errors) == (CurveStatus.MEASURED, 1, 1)


def test_without_a_price_of_its_architecture_a_size_has_no_cost() -> None:
    arm = cell(512).__class__(512, Architecture.ARM64)
    (point,) = curve_points([sample(cell=arm)], [arm], [PRICE])
    assert point.duration_ms is not None
    assert point.cost_usd_per_million is None


def test_max_memory_used_is_the_peak_of_all_invocations_also_failed_ones() -> None:
    samples = [
        sample(max_memory_used_mb=None),
        sample(max_memory_used_mb=71),
        sample(max_memory_used_mb=512, outcome=Outcome.OUT_OF_MEMORY),
    ]
    assert curve_points(samples, [cell(512)], [PRICE])[0].max_memory_used_mb == 512
    assert curve_points(samples[:1], [cell(512)], [PRICE])[0].max_memory_used_mb is None


def test_flat_and_single_threaded_work_are_recognised() -> None:
    cells = [cell(size) for size in SIZES]
    of_flat = curve_points(run_of(flat, SIZES), cells, [PRICE])
    of_cpu = curve_points(run_of(cpu_bound, SIZES), cells, [PRICE])
    assert (is_flat(of_flat), stops_at_one_vcpu(of_flat)) == (True, False)
    assert (is_flat(of_cpu), stops_at_one_vcpu(of_cpu)) == (False, True)


def test_a_clean_smooth_curve_needs_no_notice() -> None:
    assert notices_of(run_of(cpu_bound, SIZES)) == {}


def test_a_flat_curve_says_that_memory_buys_nothing() -> None:
    assert "Memory buys nothing" in notices_of(run_of(flat, SIZES))["flat"].message


def test_a_staircase_is_named_with_its_cause_and_a_remedy() -> None:
    notice = notices_of(run_of(staircase, (128, 256, 400, 512, 752, 761, 1024, 1536, 3008)))["staircase"]
    assert "20 ms" in notice.message
    assert notice.remedy is not None


def test_calls_of_a_few_ms_are_said_to_tie_by_rounding() -> None:
    assert "rounding" in notices_of(run_of(lambda _: 2.5, SIZES))


def test_sizes_without_an_interval_are_named_with_the_reason() -> None:
    notice = notices_of(run_of(cpu_bound, (256, 512), environments=1))["no_interval"]
    assert "256, 512 MB" in notice.message
    assert "one environment" in notice.message


def test_a_lost_call_is_called_lost_and_not_blamed_on_logging() -> None:
    lost = sample(128, outcome=Outcome.LOST, duration_ms=None)
    unreported = sample(128, outcome=Outcome.UNREPORTED, duration_ms=None)
    found = notices_of((*run_of(flat, (128, 256)), lost, lost, unreported))
    assert found["lost"].message.startswith("2 invocations were lost")
    assert found["unreported"].message.startswith("1 invocations answered")
    assert "unreported" not in notices_of((*run_of(flat, (128, 256)), lost))


def test_errors_unreported_and_tight_memory_are_all_said_and_warnings_come_first() -> None:
    odd = (
        sample(128, outcome=Outcome.OUT_OF_MEMORY),
        sample(128, outcome=Outcome.UNREPORTED, duration_ms=None),
        sample(128, max_memory_used_mb=126),
    )
    found = notices_of((*run_of(flat, (128, 256)), *odd))
    assert {"errors", "unreported", "memory_headroom", "flat"} <= set(found)
    assert list(found)[-1] == "flat"
