"""One metric at one look: Holm, the smallest detectable effect, and what deciding would take."""

from __future__ import annotations

import math

import pytest

from tests.unit.statistics.gate.measured import PAIR, failed, gate, head
from tuner.model import Level, Metric, MetricRule, MetricStatus
from tuner.statistics.gate.comparison import LogRatio
from tuner.statistics.gate.metrics import (
    Calls,
    Look,
    effort,
    failure_share,
    judge,
    minimum_detectable,
    regressed,
    status_of,
)
from tuner.statistics.gate.quantities import Compared

LAST = Look(number=5, information=(10, 20, 30, 40, 60))
CALLS = Calls(calls=600, usd=0.003)


def ratio(point: float, error: float = 0.01) -> LogRatio:
    return LogRatio(
        log_point=math.log(point),
        standard_error=error,
        degrees_of_freedom=100,
        n=240,
        environments=60,
        method="test",
    )


def worse_with_doubt(doubt: float) -> LogRatio:
    """A ratio whose doubt to be above 1.05 is ``doubt``."""
    low, high = 1.0, 2.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if ratio(middle).doubt_above(1.05) > doubt else (low, middle)
    return ratio(high)


def test_one_metric_is_tested_at_the_level_of_the_look() -> None:
    level = LAST.level(0.05)
    assert regressed({Metric.DURATION: (worse_with_doubt(0.9 * level), 0.05)}, 0.05, LAST)
    assert not regressed({Metric.DURATION: (worse_with_doubt(1.1 * level), 0.05)}, 0.05, LAST)


def test_of_two_metrics_the_first_needs_half_the_level_and_the_second_the_whole() -> None:
    whole, half = LAST.level(0.05), LAST.level(0.025)
    second = worse_with_doubt(0.9 * whole)
    both = {Metric.DURATION: (worse_with_doubt(0.9 * half), 0.05), Metric.P50: (second, 0.05)}
    assert regressed(both, 0.05, LAST) == {Metric.DURATION, Metric.P50}
    assert not regressed({Metric.DURATION: (second, 0.05), Metric.P50: (second, 0.05)}, 0.05, LAST)


def test_each_metric_has_its_own_margin() -> None:
    found = regressed({Metric.DURATION: (ratio(1.1), 0.05), Metric.INIT: (ratio(1.1), 0.2)}, 0.05, LAST)
    assert found == {Metric.DURATION}


@pytest.mark.parametrize(
    ("point", "status"),
    [
        (0.90, MetricStatus.IMPROVEMENT),
        (1.0, MetricStatus.PASS),
        (1.045, MetricStatus.INCONCLUSIVE),
        (1.2, MetricStatus.INCONCLUSIVE),
    ],
)
def test_what_is_not_red_is_judged_by_its_upper_bound(point: float, status: MetricStatus) -> None:
    assert status_of(ratio(point), 0.05, 0.05, red=False) is status


def test_what_would_be_red_alone_says_that_several_metrics_decide() -> None:
    compared = Compared(base=None, head=None, ratio=ratio(1.1))
    rule = MetricRule(metric=Metric.P50, level=Level.ERROR)
    judged = judge(rule, compared, margin=0.05, level=0.05, red=False, calls=CALLS)
    assert judged.status is MetricStatus.INCONCLUSIVE
    assert "as one of several" in judged.reason


def test_the_smallest_detectable_effect_shrinks_to_the_margin() -> None:
    wide, narrow = (minimum_detectable(ratio(1.0, error), 0.05, 0.05) for error in (0.02, 0.0001))
    assert wide == pytest.approx(1.05 * math.exp((1.660 + 0.845) * 0.02) - 1, rel=0.001)
    assert narrow == pytest.approx(0.05, abs=0.001)


def test_deciding_takes_four_times_the_calls_where_the_distance_is_half() -> None:
    """(t + t) * error / distance = 2, and the error falls with the root of the calls."""
    error = 0.01
    distance = (1.660 + 0.845) * error / 2
    found = effort(ratio(1.05 * math.exp(-distance), error), 0.05, 0.05, CALLS)
    assert found is not None
    assert found.calls == pytest.approx(3 * CALLS.calls, rel=0.01)
    assert found.usd == pytest.approx(0.009, rel=0.01)


def test_no_number_of_calls_decides_a_ratio_on_the_margin() -> None:
    assert effort(ratio(1.05), 0.05, 0.05, CALLS) is None


def test_the_price_of_deciding_is_unknown_where_no_call_was_billed() -> None:
    found = effort(ratio(1.03), 0.05, 0.05, Calls(calls=600, usd=None))
    assert found is not None
    assert found.usd is None


def test_no_failure_in_a_hundred_calls_leaves_room_for_a_few() -> None:
    samples = gate(1.0).samples[:100]
    share = failure_share(PAIR.sides(samples)[1])
    assert share is not None
    assert (share.point, share.low) == (0, 0)
    assert share.high == pytest.approx(1 - 0.025 ** (1 / 50))


def test_the_share_of_failures_has_the_exact_interval() -> None:
    samples = gate(1.0, change=head(lambda s: failed(s) if s.sequence % 2 else s)).samples
    share = failure_share(PAIR.sides(samples)[1])
    assert share is not None
    assert share.low is not None
    assert share.high is not None
    assert 0.2 < share.low < share.point < share.high < 0.8
