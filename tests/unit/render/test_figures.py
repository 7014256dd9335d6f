"""Numbers with their intervals, as people read them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.model import Distribution, Estimate, Report
from tuner.render import figures


def estimate(point: float, low: float | None, high: float | None, *, method: str = "m") -> Estimate:
    return Estimate(point=point, low=low, high=high, n=8, method=method)


@pytest.mark.parametrize(("quantile", "n"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_a_quantile_interval_takes_as_many_samples_as_order_statistics_say(quantile: float, n: int) -> None:
    assert figures.samples_needed(quantile) == n


@given(st.floats(0.01, 0.99))
def test_the_needed_samples_are_the_smallest_that_leave_two_and_a_half_percent(quantile: float) -> None:
    n = figures.samples_needed(quantile)
    tail = max(quantile, 1 - quantile)
    assert tail**n <= 0.025 * (1 + 1e-9)
    assert tail ** (n - 1) > 0.025 * (1 - 1e-9)


def test_the_half_width_is_the_wider_side_of_an_uneven_interval() -> None:
    assert figures.half_width(estimate(100, 98, 107)) == "±7 %"


def test_a_narrow_interval_keeps_a_digit_and_never_reads_as_exact() -> None:
    assert figures.half_width(estimate(100, 99.6, 100.4)) == "±0.4 %"
    assert figures.half_width(estimate(100, 100, 100)) == "±0.1 %"


def test_there_is_no_half_width_without_bounds() -> None:
    assert figures.half_width(estimate(100, None, None)) is None


def test_a_percentile_without_interval_is_not_shown_as_a_number() -> None:
    assert figures.percentile(estimate(123, None, None)) == "n/e"
    assert figures.ms_range(estimate(123, None, None)) == "n/e"


def test_a_range_names_its_unit_once_unless_the_bounds_differ_in_it() -> None:
    assert figures.ms_range(estimate(700, 678, 691)) == "678 to 691 ms"
    assert figures.ms_range(estimate(1000, 985, 1020)) == "985 ms to 1.02 s"
    assert figures.ratio_range(estimate(0.9, 0.86, 0.899)) == "-14.0 to -10.1 %"
    assert figures.usd_range(estimate(5.7, 5.61, 5.88)) == "$5.61 to $5.88"


def test_an_interval_that_holds_one_shows_no_difference() -> None:
    assert not figures.excludes(estimate(0.97, 0.93, 1.01), 1)
    assert figures.excludes(estimate(0.97, 0.95, 0.99), 1)


def test_an_unknown_interval_shows_no_difference() -> None:
    assert not figures.excludes(estimate(0.2, None, None), 1)
    assert not figures.disjoint(estimate(1, None, None), estimate(9, 8, 10))


@pytest.mark.parametrize(
    ("number", "text"), [(8417, "8,400"), (95_481.2, "95,000"), (137, "140"), (64.2, "64"), (3, "3")]
)
def test_a_forecast_has_two_digits(number: float, text: str) -> None:
    assert figures.rounded(number) == text


def test_one_footnote_says_what_the_missing_percentiles_take(report: Report) -> None:
    rows = [point.duration_ms for point in report.curve if point.duration_ms]
    note = figures.not_estimable_note(rows)
    assert (
        note == "n/e: not estimable. A 95 % interval takes at least 72 samples (p95), 368 samples (p99) at one size, "
        "more where they share environments."
    )


def test_where_columns_were_left_out_the_footnote_names_them_instead_of_a_sign_that_is_not_there(
    report: Report,
) -> None:
    rows = [point.duration_ms for point in report.curve if point.duration_ms]
    note = figures.not_estimable_note(rows, hidden=True)
    assert note is not None
    assert note.startswith(
        "Not estimable, and left out: p95 and p99. A 95 % interval takes at least 72 samples (p95)"
    )


def test_a_mean_without_interval_says_its_own_reason() -> None:
    known = estimate(5, 4, 6)
    lone = Distribution(mean=estimate(5, None, None, method="one environment"), p50=known, p95=known, p99=known)
    assert figures.not_estimable_note([lone]) == "n/e: not estimable. Mean: one environment."


def test_there_is_no_footnote_where_everything_is_estimable() -> None:
    known = estimate(5, 4, 6)
    row = Distribution(mean=known, p50=known, p95=known, p99=known)
    assert figures.not_estimable_note([], hidden=True) is None
    assert figures.not_estimable_note([row]) is None
    assert figures.not_estimable_note([row, replace(row, p99=estimate(9, None, None))]) is not None
