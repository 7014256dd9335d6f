"""Quantities read the way people write them, and are written the way people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tuner.errors import UsageError
from tuner.units import (
    format_ms,
    format_probability,
    format_ratio,
    format_seconds,
    format_share,
    format_usd,
    parse_percent,
    parse_usd,
)


@pytest.mark.parametrize(
    ("value_ms", "text"),
    [
        (0.4, "0.40 ms"),
        (8.4, "8.40 ms"),
        (9.996, "10.0 ms"),
        (99.96, "100 ms"),
        (236.4, "236 ms"),
        (1000, "1.00 s"),
        (2104, "2.10 s"),
        (119_999, "120 s"),
        (740_000, "12.3 min"),
    ],
)
def test_a_duration_has_three_digits_and_a_unit(value_ms: float, text: str) -> None:
    assert format_ms(value_ms) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0", "$0"),
        ("4.167", "$4.17"),
        ("1234.5", "$1,234.50"),
        ("0.1", "$0.10"),
        ("0.2", "$0.20"),
        ("0.05", "$0.05"),
        ("0.0031", "$0.0031"),
        ("0.00000021", "$0.00000021"),
    ],
)
def test_an_amount_never_rounds_to_nothing(usd: str, text: str) -> None:
    assert format_usd(Decimal(usd)) == text


@pytest.mark.parametrize(
    ("ratio", "text"), [(0.876, "-12.4 %"), (1.03, "+3.0 %"), (0.99996, "+0.0 %"), (1, "+0.0 %")]
)
def test_a_ratio_is_a_signed_percentage(ratio: float, text: str) -> None:
    assert format_ratio(ratio) == text


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.93, "93 %"),
        (0.896, "89 %"),
        (0.8999999, "89 %"),
        (0.9, "90 %"),
        (0.29, "29 %"),
        (0.99, "99 %"),
        (0.9996, "> 99 %"),
        (1.0, "> 99 %"),
        (0.004, "< 1 %"),
        (0.0, "< 1 %"),
    ],
)
def test_a_probability_never_reads_as_more_than_it_is_nor_as_certainty(probability: float, text: str) -> None:
    assert format_probability(probability) == text


@pytest.mark.parametrize("asked", range(50, 100))
def test_a_probability_below_the_one_asked_for_never_prints_as_that(asked: int) -> None:
    assert format_probability(asked / 100 - 1e-6) != f"{asked} %"
    assert format_probability(asked / 100) == f"{asked} %"


@pytest.mark.parametrize(("share", "text"), [(0.05, "5 %"), (0.025, "2.5 %"), (0.07, "7 %"), (0.0013, "0.13 %")])
def test_a_share_keeps_the_digits_that_were_given(share: float, text: str) -> None:
    assert format_share(share) == text


@pytest.mark.parametrize(("seconds", "text"), [(8.2, "8 s"), (119.6, "2 min 00 s"), (125, "2 min 05 s")])
def test_a_span_of_time_is_in_seconds_or_minutes(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(("text", "value"), [("5%", 0.05), (" 5 % ", 0.05), ("0.05", 0.05), ("0", 0.0)])
def test_a_percentage_is_read_with_or_without_its_sign(text: str, value: float) -> None:
    assert parse_percent(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "much", "100%", "-1%", "nan", "5"])
def test_a_percentage_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_percent(text)


@pytest.mark.parametrize(("text", "value"), [("$0.05", "0.05"), ("0.1", "0.1"), ("$2", "2")])
def test_money_is_exact(text: str, value: str) -> None:
    assert parse_usd(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "dear", "-1", "nan", "inf", "$"])
def test_an_amount_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_usd(text)
