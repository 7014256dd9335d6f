"""Limits are read as they are typed, and nothing is guessed."""

from __future__ import annotations

import pytest

from tuner.errors import UsageError
from tuner.inputs.limits import parse_cost_limit, parse_duration_limit
from tuner.model import DurationLimit, Statistic


@pytest.mark.parametrize(
    ("text", "statistic", "limit_ms"),
    [
        ("p95<=250ms", Statistic.P95, 250),
        (" P99 <= 1.5 s ", Statistic.P99, 1500),
        ("mean<2m", Statistic.MEAN, 120_000),
        ("p50≤20ms", Statistic.P50, 20),
    ],
)
def test_a_limit_names_a_statistic_and_a_span(text: str, statistic: Statistic, limit_ms: float) -> None:
    assert parse_duration_limit(text) == DurationLimit(statistic=statistic, limit_ms=limit_ms)


@pytest.mark.parametrize("text", ["250ms", "p95<=250", "p42<=250ms", "p95>=250ms", "p95<=0ms", "p95<=-1ms", ""])
def test_what_is_no_limit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_duration_limit(text)
    assert "p95<=250ms" in refusal.value.hint


def test_a_cost_limit_is_an_amount_above_nothing() -> None:
    assert parse_cost_limit("$4.20") == pytest.approx(4.2)
    for text in ("$0", "cheap", "-1"):
        with pytest.raises(UsageError):
            parse_cost_limit(text)
