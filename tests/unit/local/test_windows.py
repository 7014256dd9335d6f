"""Windows of a quota's period: they never meet, and the earliest is found."""

from __future__ import annotations

import random

import pytest

from tuner.local.throttle.cage import PERIOD_S
from tuner.local.windows import GUARD_S, Window, Windows

NOW_S = 1000.0


def taken(windows: Windows, cores: float, now_s: float = NOW_S) -> Window:
    found = windows.find(cores, now_s)
    assert found is not None
    windows.take(found)
    return found


def test_on_idle_cores_a_window_opens_at_once() -> None:
    windows = Windows(2)
    assert taken(windows, 0.4).start_s == NOW_S
    assert taken(windows, 0.4).start_s == NOW_S, "on the second core"


def test_a_third_one_on_two_cores_starts_when_the_first_window_closes() -> None:
    windows = Windows(2)
    first, _ = taken(windows, 0.4), taken(windows, 0.4)
    third = windows.find(0.4, NOW_S + 0.001)
    assert third is not None
    assert third.start_s == pytest.approx(NOW_S + 0.4 * PERIOD_S + GUARD_S)
    windows.give_back(first)
    assert taken(windows, 0.4, NOW_S + 0.002).start_s == NOW_S + 0.002, "its place is free again"


def test_windows_come_again_in_every_period() -> None:
    windows = Windows(1)
    first = taken(windows, 0.4)
    later_s = NOW_S + 50 * PERIOD_S + 0.003
    assert taken(windows, 0.4, later_s).start_s == pytest.approx(NOW_S + 50 * PERIOD_S + first.length_s)


def test_there_is_no_window_that_does_not_fit() -> None:
    windows = Windows(1)
    taken(windows, 0.6)
    assert windows.find(0.4, NOW_S) is None, "0.6 and 0.4 and their guards are more than a period"
    assert windows.find(0.2, NOW_S) is not None


@pytest.mark.parametrize(("memory_mb", "at_once"), [(128, 16), (256, 10), (512, 6), (1024, 2), (1769, 2)])
def test_two_cores_carry_about_as_many_as_their_shares_allow(memory_mb: int, at_once: int) -> None:
    windows = Windows(2)
    for _ in range(at_once):
        taken(windows, memory_mb / 1769)
    assert windows.find(memory_mb / 1769, NOW_S) is None


def test_a_whole_core_needs_one_that_nobody_uses() -> None:
    windows = Windows(2)
    small = taken(windows, 0.1)
    assert taken(windows, 1.0).lanes == (1,)
    assert windows.find(1.0, NOW_S) is None
    windows.give_back(small)
    assert windows.find(1.7, NOW_S) is None, "it would need both"


def test_more_cores_than_there_are_take_all_of_them() -> None:
    assert taken(Windows(2), 5.7).lanes == (0, 1)
    assert taken(Windows(0.5), 1.0).lanes == (0,)


@pytest.mark.parametrize("seed", range(20))
def test_at_no_moment_do_more_want_a_core_than_there_are(seed: int) -> None:
    luck = random.Random(seed)
    windows, open_windows, now_s = Windows(3), list[Window](), NOW_S
    for _ in range(200):
        now_s += luck.expovariate(1 / 0.004)
        if open_windows and luck.random() < 0.45:
            windows.give_back(open_windows.pop(luck.randrange(len(open_windows))))
        found = windows.find(luck.choice((0.07, 0.29, 0.47, 0.9, 1.0)), now_s)
        if found is not None:
            assert now_s <= found.start_s < now_s + PERIOD_S
            windows.take(found)
            open_windows.append(found)
        for moment_s in (window.start_s + 1e-5 for window in open_windows):
            assert sum((moment_s - w.start_s) % PERIOD_S < w.length_s - 2e-5 for w in open_windows) <= 3
