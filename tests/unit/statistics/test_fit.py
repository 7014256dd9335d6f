from collections.abc import Callable, Sequence

import pytest

from tests.unit.statistics.factory import PRICE, cell, cpu_bound, parallel, run_of, staircase
from tuner.model import Architecture, Cell, CurvePoint
from tuner.statistics.curve import curve_points
from tuner.statistics.fit import fit_curve, fit_curves, predict_duration_ms

SIZES = (128, 256, 512, 1024, 1769, 3008)


def points_of(duration_ms: Callable[[int], float], sizes: Sequence[int] = SIZES) -> tuple[CurvePoint, ...]:
    return curve_points(run_of(duration_ms, sizes), [cell(size) for size in sizes], [PRICE])


def test_work_on_one_cpu_is_capped_at_one_vcpu() -> None:
    fit = fit_curve(points_of(cpu_bound))
    assert fit is not None
    assert fit.cap_mb == 1769
    assert fit.residual_percent < 3
    assert predict_duration_ms(fit, 768) == pytest.approx(cpu_bound(768), rel=0.03)
    assert predict_duration_ms(fit, 10_240) == predict_duration_ms(fit, 1769)


def test_parallel_work_is_not_capped() -> None:
    fit = fit_curve(points_of(parallel, (*SIZES, 5308, 10_240)))
    assert fit is not None
    assert fit.cap_mb == 10_240
    assert predict_duration_ms(fit, 8000) == pytest.approx(parallel(8000), rel=0.05)


def test_a_staircase_shows_in_the_residual() -> None:
    fit = fit_curve(points_of(staircase, (128, 256, 400, 512, 752, 761, 1024, 1536, 3008)))
    assert fit is not None
    assert fit.residual_percent > 5


def test_one_wild_size_does_not_bend_the_curve() -> None:
    fit = fit_curve(points_of(lambda m: cpu_bound(m) * (3 if m == 700 else 1), (128, 256, 400, 512, 700, 1024, 1769)))
    assert fit is not None
    assert predict_duration_ms(fit, 600) == pytest.approx(cpu_bound(600), rel=0.1)


def test_two_sizes_are_no_curve() -> None:
    assert fit_curve(points_of(cpu_bound, (128, 512))) is None


def test_sizes_above_one_vcpu_do_not_stand_in_for_sizes_below_it() -> None:
    assert fit_curve(points_of(cpu_bound, (512, 1769, 3008, 5308))) is None


def test_three_sizes_fit_but_say_that_nothing_checks_them() -> None:
    fit = fit_curve(points_of(cpu_bound, (128, 512, 1024)))
    assert fit is not None
    assert "too few sizes to check" in fit.method


def test_each_architecture_gets_its_own_curve() -> None:
    arm = tuple(Cell(size, Architecture.ARM64) for size in SIZES)
    points = (*points_of(cpu_bound), *curve_points((), arm, [PRICE]))
    assert [fit.architecture for fit in fit_curves(points)] == [Architecture.X86_64]
    with pytest.raises(ValueError, match="one architecture"):
        fit_curve(points)
