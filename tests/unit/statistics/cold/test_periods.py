"""The batches of a log: hours where days are alike, else days, and the interval says which."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.statistics.cold.factory import CELL, first_call
from tuner.model import ColdSource, Sample
from tuner.statistics.cold.cells import cold_cell
from tuner.statistics.cold.periods import SUSPICION, Period, nested_p_value, period_of
from tuner.statistics.cold.recognition import recognise

HOURS = 24


def times(days: int) -> list[str]:
    """Two moments in each hour."""
    return [
        f"2026-11-{1 + day:02d}T{h:02d}:{m}:00+00:00" for day in range(days) for h in range(HOURS) for m in (10, 40)
    ]


def drawn(days: int, *, of_day: float, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.normal(size=days), 2 * HOURS)
    return [float(value) for value in 300 + 30 * (of_day * level + rng.normal(size=level.size))]


def test_days_that_differ_are_the_batches() -> None:
    chosen = [period_of(drawn(7, of_day=0.7, seed=seed), times(7)) for seed in range(100)]
    assert chosen.count(Period.DAY) >= 98


def test_hours_are_where_days_are_alike_as_often_as_the_two_tests_let_them() -> None:
    chosen = [period_of(drawn(7, of_day=0.0, seed=seed), times(7)) for seed in range(200)]
    assert 0.3 <= chosen.count(Period.HOUR) / 200 <= 0.75, "both tests pass at 0.7, and are not independent"


def test_the_p_value_is_uniform_where_days_are_alike() -> None:
    """Binomial tolerance: 2,000 draws at 0.3 lie within 0.3 +- 0.034 in 999 of 1,000 cases."""
    hours, days = np.repeat(np.arange(7 * HOURS), 2), np.repeat(np.arange(7), 2 * HOURS)
    seeds = range(2000, 4000)
    values = [nested_p_value(np.array(drawn(7, of_day=0.0, seed=seed)), hours, days) for seed in seeds]
    assert np.mean(np.array(values) < SUSPICION) == pytest.approx(SUSPICION, abs=0.034)


@pytest.mark.parametrize(("days", "expected"), [(5, Period.HOUR), (1, Period.HOUR)])
def test_few_days_are_no_batches(days: int, expected: Period) -> None:
    assert period_of(drawn(days, of_day=0.7, seed=1), times(days)) is expected


def test_few_hours_gain_nothing_over_days() -> None:
    noons = [at for at in times(7) if "T12:10" in at]
    assert period_of([float(n) for n in range(7)], noons) is Period.DAY


def log(days: int, *, of_day: float, seed: int) -> list[Sample]:
    values = drawn(days, of_day=of_day, seed=seed)
    return [
        first_call(n, started_at=at, init_ms=value, environment=f"e{n}")
        for n, (at, value) in enumerate(zip(times(days), values, strict=True))
    ]


def test_a_week_bounds_p95_by_its_hours_and_says_so() -> None:
    seed = next(s for s in range(20) if period_of(drawn(7, of_day=0.0, seed=s), times(7)) is Period.HOUR)
    (group,) = recognise(log(7, of_day=0.0, seed=seed), [CELL], ColdSource.LOGS)
    cell = cold_cell(group)
    assert cell.start_ms is not None
    assert cell.start_ms.p95.estimable
    assert "in 168 hours" in cell.start_ms.p95.method


def test_a_week_of_days_that_differ_leaves_p95_open_and_names_the_days_it_takes() -> None:
    (group,) = recognise(log(7, of_day=0.7, seed=1), [CELL], ColdSource.LOGS)
    cell = cold_cell(group)
    assert cell.start_ms is not None
    assert not cell.start_ms.p95.estimable
    assert cell.start_ms.p95.method == "not estimable with n = 336 in 7 days (needs 40 days)"
    assert cell.counts.batches == 7
