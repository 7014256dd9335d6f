"""Virtual time: an event loop that does not wait but moves its clock to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

MOST_STEPS = 200_000
"""Iterations of the loop after which a schedule counts as waiting for ever."""


class WaitsForEverError(AssertionError):
    """Nothing is scheduled any more, or the loop never comes to an end."""


class _NoWaiting(selectors.BaseSelector):
    """No file is ever ready: a call moves the clock by the time it was asked to wait."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._left = MOST_STEPS

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._left -= 1
        if timeout is None or self._left < 0:
            raise WaitsForEverError("nothing is scheduled" if timeout is None else f"{MOST_STEPS} steps")
        self.now_s += timeout
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        del fileobj, events, data
        raise AssertionError("a simulation opens no sockets")

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        del fileobj
        raise AssertionError("a simulation opens no sockets")

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}


class VirtualLoop(asyncio.BaseEventLoop):
    """BaseEventLoop asks its selector how long to wait: this one's answers at once."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _NoWaiting()
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._selector.now_s

    def _process_events(self, event_list: list[object]) -> None:
        del event_list

    def _write_to_self(self) -> None:
        """Nothing sleeps in a selector that would have to be woken."""


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """What ``main`` returns. Raises WaitsForEverError where it never would."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        _cancel_all(loop)
        loop.close()


def _cancel_all(loop: VirtualLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
