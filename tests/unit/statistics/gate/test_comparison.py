"""Ratios on the log scale: Welch, its bounds and its doubts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ttest_ind

from tuner.statistics.gate.comparison import LogEvidence, ratio_of, widened


def evidence(point: float, error: float, freedom: float = 20) -> LogEvidence:
    return LogEvidence(
        log_point=math.log(point),
        standard_error=error,
        degrees_of_freedom=freedom,
        n=100,
        environments=21,
        method="test",
    )


def test_the_doubt_is_the_p_value_of_welchs_test() -> None:
    rng = np.random.default_rng(1)
    base, head = rng.normal(0, 0.04, 12), rng.normal(0.06, 0.08, 20)

    def of(values: np.ndarray) -> LogEvidence:
        error = float(values.std(ddof=1)) / math.sqrt(values.size)
        return evidence(math.exp(float(values.mean())), error, values.size - 1)

    expected = ttest_ind(head, base, equal_var=False, alternative="greater").pvalue
    assert ratio_of(of(head), of(base)).doubt_above(1.0) == pytest.approx(expected)


def test_a_bound_lies_where_the_doubt_equals_its_level() -> None:
    ratio = ratio_of(evidence(110, 0.02), evidence(100, 0.01))
    assert ratio.doubt_above(ratio.lower(0.03)) == pytest.approx(0.03)
    assert ratio.doubt_above(ratio.upper(0.03)) == pytest.approx(0.97)


def test_without_any_spread_the_ratio_is_certain() -> None:
    ratio = ratio_of(evidence(110, 0), evidence(100, 0))
    assert (ratio.lower(0.05), ratio.upper(0.05)) == pytest.approx((1.1, 1.1))
    assert ratio.doubt_above(1.05) == 0
    assert ratio.doubt_above(1.2) == 1


def test_a_ratio_nobody_knows_has_no_interval() -> None:
    estimate = ratio_of(evidence(110, 3.0, 2), evidence(100, 3.0, 2)).estimate(0.01)
    assert estimate.low is None
    assert "not estimable" in estimate.method


def test_blocks_that_differ_more_than_their_environments_decide_the_width() -> None:
    ratio = ratio_of(evidence(110, 0.001), evidence(100, 0.001))
    wide = widened(ratio, [0.05, 0.15, 0.10])
    assert wide.standard_error == pytest.approx(0.05 / math.sqrt(3))
    assert wide.degrees_of_freedom == 2


@pytest.mark.parametrize("differences", [[], [0.1], [0.1, 0.1, 0.1]])
def test_blocks_that_agree_or_are_too_few_change_nothing(differences: list[float]) -> None:
    ratio = ratio_of(evidence(110, 0.01), evidence(100, 0.01))
    assert widened(ratio, differences) == ratio
