"""Change points: seldom where there are none, found where there are, and dated."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.statistics.history import FEWEST_RUNS, trend

UNCHANGED = 300


def noisy(levels: list[float], seed: int, spread: float = 0.03) -> list[float]:
    rng = np.random.default_rng(seed)
    return [float(level * np.exp(rng.normal(0, spread))) for level in levels]


@pytest.mark.parametrize("tails", ["normal", "heavy"])
def test_of_unchanged_series_about_one_in_a_hundred_shows_a_change(tails: str) -> None:
    """Expected 3 of 300; more than 9 has a probability below .001 where the rate is 1 %."""
    alarms = 0
    for seed in range(UNCHANGED):
        rng = np.random.default_rng(seed)
        noise = rng.normal(0, 0.03, 25) if tails == "normal" else 0.03 * rng.standard_t(2, 25)
        alarms += bool(trend([float(value) for value in 100 * np.exp(noise)], seed=seed).changes)
    assert alarms <= 9


def test_a_change_of_level_is_found_at_its_place_with_its_size() -> None:
    (change,) = trend(noisy([100.0] * 12 + [115.0] * 12, seed=3)).changes
    assert abs(change.index - 12) <= 1
    assert change.ratio == pytest.approx(1.15, rel=0.05)
    assert change.p_value <= 0.01


def test_two_changes_are_found_in_their_order() -> None:
    changes = trend(noisy([100.0] * 15 + [130.0] * 15 + [90.0] * 15, seed=4)).changes
    assert [round(change.index / 15) for change in changes] == [1, 2]
    assert changes[0].ratio > 1 > changes[1].ratio


def test_one_odd_run_is_no_change() -> None:
    values = noisy([100.0] * 20, seed=5)
    values[10] = 900.0
    assert trend(values).changes == ()


def test_a_short_series_says_why_nothing_was_searched() -> None:
    found = trend([100.0] * (FEWEST_RUNS - 1))
    assert found.changes == ()
    assert str(FEWEST_RUNS) in (found.reason or "")


def test_equal_values_have_no_change() -> None:
    assert trend([64.0] * 30).changes == ()


def test_values_of_zero_are_not_searched_instead_of_failing() -> None:
    assert trend([0.0, 1.0] * 8).reason == "values of 0 have no ratio"


def test_the_same_series_gives_the_same_answer() -> None:
    values = noisy([100.0] * 10 + [110.0] * 10, seed=6)
    assert trend(values) == trend(values)
