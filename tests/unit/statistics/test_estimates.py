import numpy as np
import pytest

from tuner.statistics.estimates import (
    MeanEvidence,
    distribution,
    interval_estimate,
    mean_estimate,
    mean_evidence,
    quantile_estimate,
    ratio_evidence,
    transform,
)
from tuner.statistics.observations import FloatArray, Observations, independent


def in_waves(values: FloatArray, k: int, *, environments: int | None) -> Observations:
    waves = np.arange(values.size) // k
    return Observations(values, waves, waves * 0, None, environments, overlapping=True)


def noisy(n: int, seed: int = 1) -> FloatArray:
    return np.random.default_rng(seed).lognormal(4.6, 0.05, n)


def evidence(point: float = 100.0, relative_error: float = 0.01, degrees_of_freedom: float = 9) -> MeanEvidence:
    return MeanEvidence(
        point=point, relative_error=relative_error, degrees_of_freedom=degrees_of_freedom, n=40, method="test"
    )


def test_a_mean_says_how_many_calls_and_environments_are_behind_it() -> None:
    estimate = mean_estimate(in_waves(noisy(40), 10, environments=10))
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < estimate.point < estimate.high
    assert estimate.n == 40
    assert "40 calls in 10 environments" in estimate.method


def test_an_outlier_is_part_of_the_mean() -> None:
    values = np.array([10.0] * 19 + [1000.0])
    assert mean_estimate(in_waves(values, 5, environments=5)).point == pytest.approx(59.5)


def test_one_environment_gives_a_mean_without_an_interval() -> None:
    estimate = mean_estimate(in_waves(noisy(20), 1, environments=1))
    assert not estimate.estimable
    assert "one environment" in estimate.method


def test_a_mean_is_never_bounded_by_a_negative_duration() -> None:
    estimate = mean_estimate(independent([1.0, 40.0, 2.0, 3.0, 30.0]))
    assert estimate.low is not None
    assert estimate.low > 0


def test_two_wildly_different_environments_give_no_interval_at_all() -> None:
    estimate = mean_estimate(independent([1.0, 400.0]))
    assert not estimate.estimable
    assert "differ too much" in estimate.method


def test_a_mean_of_zero_has_no_interval() -> None:
    assert not mean_estimate(independent([0.0, 0.0, 0.0])).estimable


def test_a_percentile_below_its_sample_size_says_what_it_takes() -> None:
    estimate = quantile_estimate(independent(noisy(20).tolist()), 0.95)
    assert not estimate.estimable
    assert estimate.method == "not estimable with n = 20 (needs 72)"


def test_a_percentile_of_clustered_calls_needs_more_of_them() -> None:
    hosts = np.tile(np.linspace(90, 110, 10), 8)
    clustered = in_waves(hosts + np.random.default_rng(1).normal(0, 0.1, 80), 10, environments=10)
    estimate = quantile_estimate(clustered, 0.95)
    assert not estimate.estimable
    assert "n = 80 worth" in estimate.method
    assert quantile_estimate(independent(noisy(80).tolist()), 0.95).estimable


def test_independent_values_get_the_textbook_order_statistics() -> None:
    estimate = quantile_estimate(independent([float(i) for i in range(1, 21)]), 0.5)
    assert (estimate.low, estimate.point, estimate.high) == (6.0, 10.5, 15.0)


def test_percentiles_do_not_mind_ties() -> None:
    estimate = quantile_estimate(in_waves(np.full(40, 3.0), 10, environments=10), 0.5)
    assert (estimate.low, estimate.point, estimate.high) == (3.0, 3.0, 3.0)


def test_bounds_enclose_the_point_for_every_percentile() -> None:
    described = distribution(independent(noisy(400).tolist()))
    for estimate in (described.mean, described.p50, described.p95, described.p99):
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low <= estimate.point <= estimate.high


def test_a_ratio_of_equal_evidence_is_wider_than_either_side_and_contains_one() -> None:
    ratio = interval_estimate(ratio_evidence(evidence(), evidence()))
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low < 1 < ratio.high
    assert ratio.high > interval_estimate(evidence(1.0, degrees_of_freedom=18)).point * 1.02


def test_the_degrees_of_freedom_of_a_ratio_lie_between_the_smaller_side_and_the_sum() -> None:
    assert ratio_evidence(evidence(), evidence()).degrees_of_freedom == pytest.approx(18)
    lopsided = ratio_evidence(evidence(relative_error=0.1, degrees_of_freedom=3), evidence(relative_error=0.001))
    assert lopsided.degrees_of_freedom == pytest.approx(3, rel=0.01)


def test_a_ratio_without_any_spread_is_exact() -> None:
    ratio = interval_estimate(ratio_evidence(evidence(200.0, 0.0), evidence(100.0, 0.0)))
    assert (ratio.low, ratio.point, ratio.high) == (2.0, 2.0, 2.0)


def test_a_fixed_price_per_request_dilutes_the_relative_error() -> None:
    cost = evidence(100.0, 0.02).affine(slope=0.01, offset=1.0)
    assert cost.point == pytest.approx(2.0)
    assert cost.relative_error == pytest.approx(0.01)


def test_an_increasing_function_maps_both_bounds() -> None:
    doubled = transform(interval_estimate(evidence()), lambda value: 2 * value)
    assert doubled.point == 200
    assert doubled.low == pytest.approx(2 * 100 / evidence().factor)


def test_evidence_and_estimate_agree() -> None:
    observations = in_waves(noisy(40), 10, environments=10)
    found = mean_evidence(observations)
    assert isinstance(found, MeanEvidence)
    assert interval_estimate(found) == mean_estimate(observations)
