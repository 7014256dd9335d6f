"""Blocking boto3 calls on threads, from asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class BlockingCalls:
    """A pool of threads of our own: asyncio's default pool has too few for a wave."""

    def __init__(self, name: str, threads: int) -> None:
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)

    async def run(self, call: Callable[[], T]) -> T:
        """Run ``call`` on a thread. A cancelled caller leaves it behind: it ends by its own timeout."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    async def run_to_end(self, call: Callable[[], T]) -> T:
        """Like ``run``, but a cancelled caller waits for the call first: of a mutation we must know the outcome
        before we undo it."""
        future = asyncio.get_running_loop().run_in_executor(self._executor, call)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    def close(self) -> None:
        """Take no further calls; those under way end by themselves."""
        self._executor.shutdown(wait=False, cancel_futures=True)
