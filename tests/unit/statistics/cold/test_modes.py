"""The dip test: two humps are noticed, tails are not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

from tests.unit.statistics.cold.factory import in_batches
from tuner.statistics.cold.modes import ALARM, dip, dip_p_value, modes


def dip_by_linear_programming(values: NDArray[np.float64]) -> float:
    """The definition: the least distance to any distribution convex before a mode and concave after it."""
    return min(_distance(np.sort(values), mode) for mode in range(values.size))


def _distance(x: NDArray[np.float64], mode: int) -> float:
    """Unknowns: the distribution at x[0..mode] from the left, at x[mode..] from the right, and the distance."""
    n = x.size
    rows: list[NDArray[np.float64]] = []
    limits: list[float] = []

    def at_most(limit: float, *terms: tuple[int, float]) -> None:
        row = np.zeros(n + 2)
        for column, factor in terms:
            row[column] += factor
        rows.append(row)
        limits.append(limit)

    def column(i: int, *, right: bool) -> int:
        return i + 1 if i > mode or (i == mode and right) else i

    for i in range(n):
        for right, step in ((False, i / n), (True, (i + 1) / n)):
            at_most(step, (column(i, right=right), 1), (n + 1, -1))
            at_most(-step, (column(i, right=right), -1), (n + 1, -1))
    for i in range(n):
        at_most(0, (i, 1), (i + 1, -1))
    for i in [*range(1, mode), *range(mode + 1, n - 1)]:
        before, after = 1 / (x[i] - x[i - 1]), 1 / (x[i + 1] - x[i])
        sign = 1 if i < mode else -1
        c = [column(i - 1, right=True), column(i, right=True), column(i + 1, right=i + 1 > mode)]
        at_most(0, (c[0], -sign * before), (c[1], sign * (before + after)), (c[2], -sign * after))
    objective = np.zeros(n + 2)
    objective[-1] = 1
    solved = linprog(objective, A_ub=np.array(rows), b_ub=limits, bounds=[(0, 1)] * (n + 2))
    assert solved.fun is not None
    return solved.fun


@pytest.mark.parametrize("seed", range(12))
def test_the_dip_is_the_distance_to_the_closest_unimodal_distribution(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 18))
    humps = np.concatenate([rng.normal(0, 1, n // 2), rng.normal(5, 1, n - n // 2)])
    values = humps if seed % 2 else rng.random(n)
    assert dip(np.sort(values)) == pytest.approx(dip_by_linear_programming(values), abs=1e-7)


def test_equal_values_have_the_smallest_dip() -> None:
    assert dip(np.full(40, 3.0)) == pytest.approx(1 / 80)


def test_two_points_have_the_largest_dip() -> None:
    assert dip(np.repeat([1.0, 2.0], 50)) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("n", [50, 200])
def test_one_mode_is_called_two_in_one_of_a_hundred_uniform_samples_at_most(n: int) -> None:
    """600 trials at level .01 give 6 alarms +- 2.4; more than 14 would be 3.3 standard deviations too many."""
    rng = np.random.default_rng(n)
    dips = sum(dip_p_value(dip(np.sort(rng.random(n))), n) <= ALARM for _ in range(600))
    notices = sum(modes(in_batches(list(np.exp(rng.random(n))), 1)) is not None for _ in range(600))
    assert 0 < dips <= 14
    assert notices <= 14


def test_a_heavy_tail_is_not_a_second_mode() -> None:
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(100):
        values = 100 * np.exp(rng.normal(0, 0.1, 200))
        slow = rng.random(200) < 0.05
        values = np.where(slow, values * (1 + rng.exponential(2, 200)), values)
        alarms += modes(in_batches(list(values), 5)) is not None
    assert alarms == 0


def test_batches_that_differ_are_not_taken_for_modes() -> None:
    rng = np.random.default_rng(8)
    alarms = 0
    for _ in range(100):
        logs = 0.1 * (np.sqrt(0.5) * rng.normal(0, 1, (40, 1)) + np.sqrt(0.5) * rng.normal(0, 1, (40, 5)))
        alarms += modes(in_batches(list(100 * np.exp(logs).ravel()), 5)) is not None
    assert alarms <= 3


def test_a_fifth_of_slow_starts_is_noticed_and_described() -> None:
    rng = np.random.default_rng(9)
    slow = rng.random(200) < 0.2
    values = 250 * np.exp(rng.normal(0, 0.06, 200)) * np.where(slow, 2.4, 1.0)
    found = modes(in_batches(list(values), 5))
    assert found is not None
    assert found.low_ms == pytest.approx(250, rel=0.05)
    assert found.high_ms == pytest.approx(600, rel=0.05)
    assert found.low_ms < found.split_ms < found.high_ms
    assert found.share_high == pytest.approx(slow.mean())
    assert found.p_value <= ALARM


def test_a_tenth_of_slow_starts_shows_among_the_slowest_quarter() -> None:
    rng = np.random.default_rng(11)
    slow = np.arange(200) % 10 == 0
    values = 250 * np.exp(rng.normal(0, 0.06, 200)) * np.where(slow, 2.4, 1.0)
    assert dip_p_value(dip(np.sort(np.log(values))), 200) > ALARM, "not in the distribution of all"
    found = modes(in_batches(list(values), 5))
    assert found is not None
    assert found.share_high == pytest.approx(0.1)
    assert found.high_ms == pytest.approx(600, rel=0.05)


def test_modes_too_close_to_matter_and_samples_too_small_are_left_alone() -> None:
    rng = np.random.default_rng(10)
    close = np.concatenate([rng.normal(100, 1, 100), rng.normal(110, 1, 100)])
    assert modes(in_batches(list(close), 1)) is None
    assert modes(in_batches([100.0] * 10 + [300.0] * 10, 1)) is None
