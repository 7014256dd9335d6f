"""Differences of estimates that a report holds: what they are, and that their intervals keep their promise."""

from __future__ import annotations

import random
from math import exp
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.model import Estimate
from tuner.render.differences import UNBOUNDED, difference, ratio


def estimate(point: float, low: float | None, high: float | None, n: int = 20) -> Estimate:
    return Estimate(point=point, low=low, high=high, n=n, method="test")


def test_each_bound_combines_the_distances_that_point_its_way() -> None:
    """Low: the lower side of the first with the upper side of the second; high: the other two."""
    found = difference(estimate(0.80, 0.72, 0.86), estimate(0.60, 0.50, 0.69))
    assert found.point == pytest.approx(0.20)
    assert found.low == pytest.approx(0.20 - (0.08**2 + 0.09**2) ** 0.5)
    assert found.high == pytest.approx(0.20 + (0.06**2 + 0.10**2) ** 0.5)


def test_without_one_interval_there_is_none_for_the_difference() -> None:
    for found in (
        difference(estimate(2, None, None), estimate(1, 0.9, 1.1)),
        ratio(estimate(2, None, None), estimate(1, 0.9, 1.1)),
        ratio(estimate(2, 1.8, 2.2), estimate(1, -0.1, 2.1)),
    ):
        assert found is not None
        assert not found.estimable
        assert found.method == UNBOUNDED


def test_a_ratio_with_nothing_is_no_ratio() -> None:
    assert ratio(estimate(1, 0.9, 1.1), estimate(0, -0.1, 0.1)) is None
    assert ratio(estimate(0, -0.1, 0.1), estimate(1, 0.9, 1.1)) is None


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.floats(0.001, 0.5), st.floats(0.001, 0.5))
def test_a_ratio_and_its_reverse_say_the_same(a: float, b: float, wide: float, narrow: float) -> None:
    one, other = estimate(a, a * exp(-wide), a * exp(wide)), estimate(b, b * exp(-narrow), b * exp(narrow))
    there, back = ratio(one, other), ratio(other, one)
    assert there is not None
    assert back is not None
    assert there.low is not None
    assert back.high is not None
    assert there.low == pytest.approx(1 / back.high)


def test_the_interval_of_a_ratio_covers_the_truth_as_often_as_it_says() -> None:
    """2,000 pairs of means of 12 normal values each, seed 3: nominal 95 %, accepted 93.5 to 97.5 %."""
    rng = random.Random(3)
    hits = sum(covers(rng, 100.0, 130.0) for _ in range(2000))
    assert 0.935 <= hits / 2000 <= 0.975


def covers(rng: random.Random, before: float, after: float) -> bool:
    found = ratio(measured(rng, after), measured(rng, before))
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    return found.low <= after / before <= found.high


def measured(rng: random.Random, mean: float) -> Estimate:
    values = [rng.gauss(mean, 0.1 * mean) for _ in range(12)]
    margin = 2.201 * stdev(values) / 12**0.5
    return estimate(fmean(values), fmean(values) - margin, fmean(values) + margin, n=12)
