"""Who may use the CPU now. Two environments that share a core would each look slower than their memory size makes
them, so work waits here, before its duration starts, until the cores can carry it: on average, and in each period of
the quota."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tuner.local.windows import Window, Windows
from tuner.model import FULL_VCPU_MB

RESERVED_CORES = 0.5
"""Kept free for the server, the client and the rest of the machine."""

SMALLEST_SHARE = 128 / FULL_VCPU_MB


def cpu_share(memory_mb: int) -> float:
    """Cores that a memory size buys: memory / 1769 (AWS Lambda developer guide, "Configure memory")."""
    return memory_mb / FULL_VCPU_MB


class Admission:
    """First come, first served, by cores. Whoever is alone is admitted whatever it asks for."""

    def __init__(self, cores: float) -> None:
        self.capacity = max(cores - RESERVED_CORES, SMALLEST_SHARE)
        self._windows = Windows(cores)
        self._in_use = 0.0
        self._running = 0
        self._waiting: deque[tuple[float, asyncio.Future[Window]]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def concurrency(self) -> int:
        """How many environments of the smallest memory size can run at once."""
        return max(1, int(self.capacity / SMALLEST_SHARE + 1e-9))

    @asynccontextmanager
    async def share(self, cores: float) -> AsyncIterator[None]:
        """Hold ``cores`` for the duration of the block, which begins when a window of the period opens."""
        window = await self._turn(cores)
        try:
            yield
        finally:
            self._release(cores, window)

    async def _turn(self, cores: float) -> Window:
        turn: asyncio.Future[Window] = asyncio.get_running_loop().create_future()
        self._waiting.append((cores, turn))
        self._admit()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release(cores, turn.result())
            raise

    def _admit(self) -> None:
        """Let in who is first in line, and whoever then is, as long as their windows are open."""
        loop = asyncio.get_running_loop()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        while self._waiting:
            cores, turn = self._waiting[0]
            if turn.cancelled():
                self._waiting.popleft()
                continue
            now_s = loop.time()
            window = self._windows.find(cores, now_s) if self._fits(cores) else None
            if window is None:
                return
            if window.start_s > now_s:
                self._alarm = loop.call_at(window.start_s, self._admit)
                return
            self._waiting.popleft()
            self._take(cores, window)
            turn.set_result(window)

    def _fits(self, cores: float) -> bool:
        return self._running == 0 or self._in_use + cores <= self.capacity + 1e-9

    def _take(self, cores: float, window: Window) -> None:
        self._windows.take(window)
        self._in_use += cores
        self._running += 1

    def _release(self, cores: float, window: Window) -> None:
        self._windows.give_back(window)
        self._in_use -= cores
        self._running -= 1
        self._admit()
