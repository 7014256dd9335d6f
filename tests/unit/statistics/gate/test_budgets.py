"""Absolute limits against bounds."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.gate_worlds import PRICE
from tests.unit.statistics.gate.measured import PAIR, failed, gate, head
from tuner.model import BudgetLimit, BudgetQuantity, BudgetStatus, BudgetVerdict
from tuner.statistics.gate.budgets import hold, percentile_bounds
from tuner.statistics.gate.faults import Side
from tuner.statistics.observations import independent

LEVEL = 0.05


@pytest.fixture(scope="module")
def slow() -> Side:
    """Head at 120 ms after a whole confirmation: 30 environments, 120 warm calls."""
    return PAIR.sides(gate(1.2).samples)[1]


def held(quantity: BudgetQuantity, at_most: float, side: Side) -> BudgetVerdict:
    return hold(BudgetLimit(quantity=quantity, at_most=at_most), side, PRICE, LEVEL)


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        (BudgetQuantity.MEAN, 120.0),
        (BudgetQuantity.P50, 120.0),
        (BudgetQuantity.P95, 121.0),
        (BudgetQuantity.COST_PER_MILLION, 2.22),
        (BudgetQuantity.INIT_P50, 180.0),
    ],
)
def test_a_limit_well_above_is_met_and_one_well_below_is_breached(
    quantity: BudgetQuantity, value: float, slow: Side
) -> None:
    assert held(quantity, 1.3 * value, slow).status is BudgetStatus.MET
    assert held(quantity, 0.7 * value, slow).status is BudgetStatus.BREACHED


def test_a_limit_inside_the_interval_is_open(slow: Side) -> None:
    estimate = held(BudgetQuantity.P50, 1.0, slow).estimate
    assert estimate is not None
    assert held(BudgetQuantity.P50, estimate.point, slow).status is BudgetStatus.OPEN


def test_p99_of_few_calls_is_unknown_and_says_how_many_it_takes(slow: Side) -> None:
    found = held(BudgetQuantity.P99, 1000.0, slow)
    assert found.status is BudgetStatus.UNKNOWN
    assert "needs 299" in found.reason


def test_one_call_above_the_memory_limit_breaches_it(slow: Side) -> None:
    assert held(BudgetQuantity.MAX_MEMORY_USED, 79.0, slow).status is BudgetStatus.BREACHED
    met = held(BudgetQuantity.MAX_MEMORY_USED, 80.0, slow)
    assert met.status is BudgetStatus.MET
    assert met.unit == "mb"


def test_a_limit_of_errors_is_met_as_far_as_the_calls_can_tell(slow: Side) -> None:
    found = held(BudgetQuantity.ERRORS, 0.001, slow)
    assert found.status is BudgetStatus.MET
    assert "as far as n = 150 can tell" in found.reason


def test_many_errors_breach_their_limit_and_few_leave_it_open() -> None:
    def side(every: int) -> Side:
        samples = gate(1.0, change=head(lambda s: failed(s) if s.sequence % every == 0 else s)).samples
        return PAIR.sides(samples)[1]

    assert held(BudgetQuantity.ERRORS, 0.01, side(3)).status is BudgetStatus.BREACHED
    assert held(BudgetQuantity.ERRORS, 0.01, side(40)).status is BudgetStatus.OPEN


def test_cost_is_unknown_without_a_price(slow: Side) -> None:
    limit = BudgetLimit(quantity=BudgetQuantity.COST_PER_MILLION, at_most=5.0)
    assert hold(limit, slow, None, LEVEL).status is BudgetStatus.UNKNOWN


def test_nothing_measured_is_unknown() -> None:
    empty = PAIR.sides(())[1]
    assert {held(quantity, 1.0, empty).status for quantity in BudgetQuantity} == {BudgetStatus.UNKNOWN}


@pytest.mark.parametrize(("share", "fewest"), [(0.5, 5), (0.9, 29), (0.95, 59)])
def test_an_upper_bound_exists_from_the_published_number_of_calls_on(share: float, fewest: int) -> None:
    values = np.arange(1.0, fewest + 1)
    assert percentile_bounds(independent(list(values)), share, LEVEL).high == fewest
    assert percentile_bounds(independent(list(values[:-1])), share, LEVEL).high is None


def test_bounds_of_a_percentile_miss_as_rarely_as_they_say() -> None:
    """2000 experiments of 100 calls: the standard error of .05 is .005; order statistics are conservative."""
    rng = np.random.default_rng(1)
    found = [percentile_bounds(independent(list(rng.random(100))), 0.9, LEVEL) for _ in range(2000)]
    assert 0.02 < np.mean([b.high is not None and b.high < 0.9 for b in found]) <= 0.06
    assert 0.02 < np.mean([b.low is not None and b.low > 0.9 for b in found]) <= 0.06
