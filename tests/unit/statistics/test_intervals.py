import pytest

from tuner.statistics.intervals import order_statistic_ranks, smallest_n, student_quantile


def test_the_t_factor_matches_the_tables() -> None:
    assert student_quantile(1) == pytest.approx(12.706, abs=1e-3)
    assert student_quantile(9) == pytest.approx(2.262, abs=1e-3)
    assert student_quantile(1e6) == pytest.approx(1.960, abs=1e-3)


@pytest.mark.parametrize(("quantile", "needed"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_percentile_intervals_exist_from_the_known_sample_sizes(quantile: float, needed: int) -> None:
    assert smallest_n(quantile) == needed
    assert order_statistic_ranks(needed, quantile) is not None
    assert order_statistic_ranks(needed - 1, quantile) is None


def test_the_ranks_for_a_median_match_the_sign_test() -> None:
    assert order_statistic_ranks(6, 0.5) == (1, 6)
    assert order_statistic_ranks(20, 0.5) == (6, 15)


def test_a_thousand_values_bound_p99_by_their_983rd_and_997th() -> None:
    assert order_statistic_ranks(1000, 0.99) == (983, 997)
