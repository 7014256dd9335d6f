"""When in a quota's period whom the cores belong to: environments that started together would want them together.

A throttled process computes at the start of each of its periods, and its periods begin with its work. Three that
start at once on two cores thus meet in every period, wait for each other, and a call of 17 ms of CPU at 829 MB takes
38 ms where it should take 27. So everybody gets a window of the period on some core, and starts when it opens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tuner.local.throttle.cage import PERIOD_S

GUARD_S = 0.0008
"""Between two windows: the event loop wakes up to a millisecond late. With more, three of 512 MB would not fit into
one period."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """``length_s`` from ``start_s`` on, and again in every period, on each of ``lanes``."""

    start_s: float
    length_s: float
    lanes: tuple[int, ...]


class Windows:
    """The windows that are taken; a lane for every core."""

    def __init__(self, cores: float) -> None:
        self._lanes: list[list[Window]] = [[] for _ in range(max(1, int(cores)))]

    def find(self, cores: float, now_s: float) -> Window | None:
        """The earliest window for work that may use ``cores``; None while there is no room for one."""
        if cores >= 1:
            wanted = min(math.ceil(cores - 1e-9), len(self._lanes))
            empty = [number for number, taken in enumerate(self._lanes) if not taken]
            return Window(now_s, PERIOD_S, tuple(empty[:wanted])) if len(empty) >= wanted else None
        length_s = min(cores * PERIOD_S + GUARD_S, PERIOD_S)
        found = [
            Window(now_s + _until(start_s, now_s), length_s, (number,))
            for number, taken in enumerate(self._lanes)
            for start_s in (now_s, *(window.start_s + window.length_s for window in taken))
            if all(_apart(start_s, length_s, window) for window in taken)
        ]
        return min(found, key=lambda window: (window.start_s, window.lanes), default=None)

    def take(self, window: Window) -> None:
        for number in window.lanes:
            self._lanes[number].append(window)

    def give_back(self, window: Window) -> None:
        for number in window.lanes:
            self._lanes[number].remove(window)


def _until(start_s: float, now_s: float) -> float:
    """Seconds until the same moment of a period as ``start_s`` comes again."""
    return (start_s - now_s) % PERIOD_S


def _apart(start_s: float, length_s: float, taken: Window) -> bool:
    after_us, before_us = _until(start_s, taken.start_s) * 1e6, _until(taken.start_s, start_s) * 1e6
    return round(after_us) >= round(taken.length_s * 1e6) and round(before_us) >= round(length_s * 1e6)
