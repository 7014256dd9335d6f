"""Who may use the CPU now. Two environments that share a core would each look slower than their memory size makes
them, so work waits here, before its duration starts, until the cores can carry it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
        self._in_use = 0.0
        self._running = 0
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()

    @property
    def concurrency(self) -> int:
        """How many environments of the smallest memory size can run at once."""
        return max(1, int(self.capacity / SMALLEST_SHARE + 1e-9))

    @asynccontextmanager
    async def share(self, cores: float) -> AsyncIterator[None]:
        """Hold ``cores`` for the duration of the block; waits for them in order of arrival."""
        await self._acquire(cores)
        try:
            yield
        finally:
            self._release(cores)

    async def _acquire(self, cores: float) -> None:
        if not self._waiting and self._fits(cores):
            self._take(cores)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((cores, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release(cores)
            raise

    def _fits(self, cores: float) -> bool:
        return self._running == 0 or self._in_use + cores <= self.capacity + 1e-9

    def _take(self, cores: float) -> None:
        self._in_use += cores
        self._running += 1

    def _release(self, cores: float) -> None:
        self._in_use -= cores
        self._running -= 1
        while self._waiting:
            wanted, turn = self._waiting[0]
            if turn.cancelled():
                self._waiting.popleft()
            elif self._fits(wanted):
                self._waiting.popleft()
                self._take(wanted)
                turn.set_result(None)
            else:
                return
