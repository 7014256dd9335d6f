"""Blocking boto3 calls on threads, from asyncio."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
_Work = tuple["Future[Any]", Callable[[], Any]]


class BlockingCalls:
    """A pool of daemon threads of our own.

    asyncio's default pool has too few for a wave. And the interpreter waits at its end for every thread of a
    ThreadPoolExecutor, so that a run interrupted during a call of 15 minutes would end 15 minutes later.
    """

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._most = threads
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0

    async def run(self, call: Callable[[], T]) -> T:
        """Run ``call`` on a thread. A cancelled caller leaves it behind: it ends by its own timeout, or with the
        process."""
        return await self._start(call)

    async def run_to_end(self, call: Callable[[], T]) -> T:
        """Like ``run``, but a cancelled caller waits for the call first: of a mutation we must know the outcome
        before we undo it."""
        future = self._start(call)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    def close(self) -> None:
        """Take no further calls; those under way end by themselves, those that have not begun are cancelled."""
        while (work := self._next()) is not None:
            work[0].cancel()
        for _ in range(self._threads):
            self._work.put(None)

    def _start(self, call: Callable[[], T]) -> asyncio.Future[T]:
        future: Future[T] = Future()
        self._work.put((future, call))
        if not self._idle.acquire(blocking=False) and self._threads < self._most:
            self._threads += 1
            threading.Thread(target=self._serve, name=f"{self._name}-{self._threads}", daemon=True).start()
        return asyncio.wrap_future(future)

    def _serve(self) -> None:
        while True:
            work = self._next()
            if work is None:
                self._idle.release()
                work = self._work.get()
            if work is None:
                return
            _perform(*work)

    def _next(self) -> _Work | None:
        try:
            return self._work.get_nowait()
        except queue.Empty:
            return None


def _perform(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to whoever waits for it
        future.set_exception(error)
    else:
        future.set_result(result)
