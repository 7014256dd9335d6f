"""Percentiles, means and differences of values that came in batches."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.statistics.cold.factory import in_batches
from tuner.model import Estimate
from tuner.statistics.cold.batches import (
    FEWEST_BATCHES,
    batch_icc,
    batched,
    design_effect,
    difference,
    effective_n,
    implied_effect,
    mean_of,
    quantile_estimate,
)

ALONE = 1


def estimate(point: float, low: float | None, high: float | None) -> Estimate:
    return Estimate(point=point, low=low, high=high, n=10, method="not estimable" if low is None else "")


@pytest.mark.parametrize(("quantile", "needed"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_a_percentile_has_bounds_from_its_known_number_of_values_on(quantile: float, needed: int) -> None:
    values = [float(value) for value in range(1, needed + 1)]
    assert quantile_estimate(in_batches(values, ALONE), quantile).estimable
    fewer = quantile_estimate(in_batches(values[:-1], ALONE), quantile)
    assert fewer.low is None
    assert fewer.method == f"not estimable with n = {needed - 1} (needs n = {needed})"


def test_the_bounds_of_single_values_are_fractional_order_statistics() -> None:
    """n = 20, p50: P(Beta(r, 21 - r) < .5) = .975 at r = 6.1696; the whole ranks 6 and 15 would hold 95.9 %."""
    found = quantile_estimate(in_batches([float(value) for value in range(1, 21)], ALONE), 0.5)
    assert (found.point, found.n) == (10.5, 20)
    assert found.low == pytest.approx(6.1696, abs=1e-4)
    assert found.high == pytest.approx(21 - 6.1696, abs=1e-4)


def test_equal_values_have_an_interval_of_no_width() -> None:
    found = quantile_estimate(in_batches([7.0] * 40, 2), 0.5)
    assert (found.low, found.point, found.high) == (7.0, 7.0, 7.0)


def test_too_few_batches_are_said_with_the_number_that_would_do() -> None:
    values = np.random.default_rng(1).normal(100, 5, 200)
    found = quantile_estimate(in_batches(list(values), 20), 0.95)
    assert found.low is None
    assert found.method == f"not estimable with n = 200 in 10 batches (needs {FEWEST_BATCHES[0.95]} batches)"


def test_just_enough_values_do_not_suffice_in_batches() -> None:
    values = np.random.default_rng(1).normal(100, 5, 400)
    found = quantile_estimate(in_batches(list(values), 5), 0.99)
    assert found.method == "not estimable with n = 400 in 80 batches (needs n = 460 in batches)"
    assert quantile_estimate(in_batches(list(values), ALONE), 0.99).estimable


def test_the_correlation_of_ranks_implies_how_high_values_cluster() -> None:
    """Normal values of correlation .5 in 2,000 batches: the share above p95 clusters as Owen's function says."""
    rng = np.random.default_rng(7)
    values = np.sqrt(0.5) * rng.normal(0, 1, (2000, 1)) + np.sqrt(0.5) * rng.normal(0, 1, (2000, 5))
    data = in_batches(list(values.ravel()), 5)
    assert implied_effect(data, 0.95) == pytest.approx(
        design_effect(data, float(np.quantile(values, 0.95))), abs=0.15
    )
    assert implied_effect(data, 0.5) == 0.0
    assert implied_effect(in_batches([1.0, 2.0, 3.0], ALONE), 0.95) == 0.0


def test_batches_that_are_one_value_each_time_are_worth_their_number() -> None:
    """40 batches of 10 equal values know as much as 40 values: enough for p50 and, corrected for few, not for p95."""
    values = np.repeat(np.random.default_rng(1).normal(100, 5, 40), 10)
    data = in_batches(list(values), 10)
    assert design_effect(data, float(np.median(values))) == pytest.approx(10.2, abs=0.3)
    assert effective_n(data, 10.0) == pytest.approx(40, rel=0.1)
    assert quantile_estimate(data, 0.5).estimable
    found = quantile_estimate(data, 0.95)
    assert found.low is None
    assert "worth" in found.method
    assert "needs about n = " in found.method


def test_batches_that_do_not_differ_cost_nothing_but_their_small_number() -> None:
    rng = np.random.default_rng(2)
    effects = [design_effect(in_batches(list(rng.normal(0, 1, 400)), 10), 0.0) for _ in range(200)]
    assert np.mean(effects) == pytest.approx(1.0, abs=0.05)


def test_the_interval_widens_with_the_likeness_of_batches() -> None:
    rng = np.random.default_rng(3)
    alike, apart = rng.normal(0, 1, (40, 1)), rng.normal(0, 1, (40, 5))

    def width(icc: float) -> float:
        values = 100 + np.sqrt(icc) * alike + np.sqrt(1 - icc) * apart
        found = quantile_estimate(in_batches(list(values.ravel()), 5), 0.5)
        assert found.low is not None
        assert found.high is not None
        return found.high - found.low

    assert width(0.0) < width(0.3) < width(0.8)


def test_the_order_of_values_within_and_of_batches_does_not_matter() -> None:
    values = np.random.default_rng(4).normal(100, 5, 60)
    names = [str(number // 5) for number in range(60)]
    shuffled = np.random.default_rng(5).permutation(60)
    one = batched(values, names)
    two = batched(values[shuffled], [names[i] for i in shuffled])
    assert one is not None
    assert two is not None
    assert quantile_estimate(one, 0.5).low == pytest.approx(quantile_estimate(two, 0.5).low)
    assert mean_of(one).low == pytest.approx(mean_of(two).low)


def test_no_values_are_no_data() -> None:
    assert batched([], []) is None


def test_the_likeness_of_batches_is_estimated_near_the_truth() -> None:
    rng = np.random.default_rng(6)
    values = np.sqrt(0.4) * rng.normal(0, 1, (300, 1)) + np.sqrt(0.6) * rng.normal(0, 1, (300, 5))
    assert batch_icc(in_batches(list(values.ravel()), 5)) == pytest.approx(0.4, abs=0.06)
    assert batch_icc(in_batches([1.0, 2.0, 3.0], ALONE)) is None
    assert batch_icc(in_batches([5.0] * 6, 2)) == 0.0


def test_a_difference_keeps_the_longer_side_of_its_intervals() -> None:
    """Zou & Donner: low = 50 - hypot(150 - 140, 103 - 100), high = 50 + hypot(200 - 150, 100 - 99)."""
    found = difference(estimate(100, 99, 103), estimate(150, 140, 200))
    assert found.point == 50
    assert found.low == pytest.approx(50 - 109**0.5)
    assert found.high == pytest.approx(50 + 2501**0.5)


def test_a_difference_has_no_bounds_where_a_side_has_none() -> None:
    found = difference(estimate(100, None, None), estimate(150, 140, 200))
    assert (found.point, found.low, found.method) == (50, None, "not estimable")
