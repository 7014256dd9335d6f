"""A limit is met by a bound, never by a point; too few calls show nothing either way."""

from __future__ import annotations

import pytest

from tests.unit.statistics.factory import PRICE, cell, explained, run_of
from tuner.model import (
    BudgetLimit,
    BudgetQuantity,
    BudgetStatus,
    DurationLimit,
    LimitCheck,
    Sample,
    Statistic,
    Strategy,
)
from tuner.statistics.curve import curve_points
from tuner.statistics.limits import check_limits, limits_asked, limits_sentence
from tuner.statistics.recommendation import Rule, recommend

SIZES = (128, 256, 512, 1024)


def times(memory_mb: int) -> float:
    return 60 + 200 * 512 / memory_mb


def samples_of(*, environments: int = 10, waves: int = 2, noise: float = 0.01) -> tuple[Sample, ...]:
    return run_of(times, SIZES, environments=environments, waves=waves, between=noise, within=noise)


def statuses(checks: tuple[LimitCheck, ...]) -> list[BudgetStatus]:
    return [check.status for check in checks]


def limit(quantity: BudgetQuantity, at_most: float) -> tuple[BudgetLimit, ...]:
    return (BudgetLimit(quantity=quantity, at_most=at_most),)


def test_a_mean_is_met_exceeded_or_open_by_its_interval() -> None:
    checks = check_limits(samples_of(), limit(BudgetQuantity.MEAN, 260), [PRICE])
    assert statuses(checks) == [BudgetStatus.BREACHED, BudgetStatus.BREACHED, BudgetStatus.OPEN, BudgetStatus.MET]


def test_a_cost_is_held_against_the_interval_of_the_cost() -> None:
    checks = check_limits(samples_of(), limit(BudgetQuantity.COST_PER_MILLION, 2.3), [PRICE])
    assert statuses(checks) == [BudgetStatus.MET, BudgetStatus.MET, BudgetStatus.OPEN, BudgetStatus.BREACHED] or (
        statuses(checks)[3] is BudgetStatus.BREACHED
    )


def test_a_high_percentile_of_few_calls_is_unknown_but_a_median_beyond_it_exceeds_it() -> None:
    checks = check_limits(samples_of(), limit(BudgetQuantity.P95, 300), [PRICE])
    assert statuses(checks) == [
        BudgetStatus.BREACHED,
        BudgetStatus.BREACHED,
        BudgetStatus.UNKNOWN,
        BudgetStatus.UNKNOWN,
    ]
    assert "needs 59" in checks[3].verdicts[0].reason
    assert "n = 20" in checks[3].verdicts[0].reason


def test_enough_calls_on_enough_environments_show_that_a_high_percentile_is_kept() -> None:
    kept = limit(BudgetQuantity.P95, 300)
    wide = check_limits(samples_of(environments=120, waves=2), kept, [PRICE])
    narrow = check_limits(samples_of(environments=6, waves=20), kept, [PRICE])
    assert statuses(wide)[2:] == [BudgetStatus.MET, BudgetStatus.MET]
    assert statuses(narrow)[2:] == [BudgetStatus.UNKNOWN, BudgetStatus.UNKNOWN]


def test_p99_takes_hundreds_of_calls() -> None:
    checks = check_limits(samples_of(environments=20, waves=6), limit(BudgetQuantity.P99, 300), [PRICE])
    assert "needs 299" in checks[3].verdicts[0].reason


def test_without_limits_nothing_is_checked() -> None:
    assert check_limits(samples_of(), (), [PRICE]) == ()
    assert limits_asked(None, None) == ()


def test_both_limits_of_a_run_are_asked_for() -> None:
    asked = limits_asked(DurationLimit(statistic=Statistic.P50, limit_ms=90), 4.2)
    assert [(one.quantity, one.at_most) for one in asked] == [
        (BudgetQuantity.P50, 90),
        (BudgetQuantity.COST_PER_MILLION, 4.2),
    ]


def test_the_sentence_names_what_is_beyond_and_what_could_not_be_shown() -> None:
    words = limits_sentence(check_limits(samples_of(), limit(BudgetQuantity.P95, 300), [PRICE]))
    assert words == (
        "Beyond p95 <= 300 ms: 128 MB, 256 MB. It cannot be shown that p95 <= 300 ms holds at 512 MB, 1024 MB with"
        " n = 20 or less."
    )


@pytest.mark.parametrize(("at_most", "expected_mb", "decided"), [(300, 512, True), (200, 1024, True)])
def test_the_strategy_chooses_among_the_sizes_that_keep_the_limit(
    at_most: float, expected_mb: int, decided: bool
) -> None:
    samples = samples_of()
    points = curve_points(samples, [cell(size) for size in SIZES], [PRICE])
    limits = check_limits(samples, limit(BudgetQuantity.MEAN, at_most), [PRICE])
    rule = Rule(strategy=Strategy.COST, tolerance=0.05)
    found = recommend(points, samples, [PRICE], rule=rule, current=None, seed=1, limits=limits)
    assert found is not None
    assert (found.memory_mb, found.decided) == (expected_mb, decided)
    assert "Beyond mean" in explained(found, points, samples, limits)


def test_where_no_size_is_shown_to_keep_it_one_that_may_leads_undecided() -> None:
    samples = samples_of()
    points = curve_points(samples, [cell(size) for size in SIZES], [PRICE])
    limits = check_limits(samples, limit(BudgetQuantity.P95, 300), [PRICE])
    rule = Rule(strategy=Strategy.COST, tolerance=0.05)
    found = recommend(points, samples, [PRICE], rule=rule, current=None, seed=1, limits=limits)
    assert found is not None
    assert (found.memory_mb, found.decided) == (512, False)


def test_where_every_size_is_beyond_it_nothing_is_recommended() -> None:
    samples = samples_of()
    points = curve_points(samples, [cell(size) for size in SIZES], [PRICE])
    limits = check_limits(samples, limit(BudgetQuantity.MEAN, 20), [PRICE])
    rule = Rule(strategy=Strategy.COST, tolerance=0.05)
    assert recommend(points, samples, [PRICE], rule=rule, current=None, seed=1, limits=limits) is None
