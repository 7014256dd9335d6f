"""Ctrl-C, SIGTERM and a terminal that is closed end the measurement, not the clean-up."""

from __future__ import annotations

import signal
from collections.abc import Coroutine
from types import FrameType
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

_HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)
"""The terminal was closed, or the connection to it; Windows has no such signal."""


def end_on_signals() -> None:
    """Before and after a measurement nothing needs more care than Python's own answer to Ctrl-C."""
    for number in _heeded() - {signal.SIGINT}:
        signal.signal(number, _as_ctrl_c)


def ignore_signals() -> None:
    for number in _heeded():
        signal.signal(number, signal.SIG_IGN)


def run_interruptibly(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main``; the first signal cancels it, so that it can undo what it did, a second one cancels that too.

    Raises KeyboardInterrupt when it was cancelled before it had anything to undo or to report.
    """
    import asyncio

    async def guarded() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is None:
            raise AssertionError("a coroutine runs in a task")
        for number in before:
            loop.add_signal_handler(number, task.cancel)
        try:
            return await main
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    before = {number: signal.getsignal(number) for number in _heeded()}
    try:
        return asyncio.run(guarded())
    finally:
        for number, handler in before.items():  # asyncio leaves the system's own, which ends the process at once
            signal.signal(number, handler)


def _heeded() -> frozenset[signal.Signals]:
    """``nohup`` starts a command with SIGHUP ignored: then it stays ignored."""
    always = frozenset({signal.SIGINT, signal.SIGTERM})
    if _HANGUP is None or signal.getsignal(_HANGUP) is signal.SIG_IGN:
        return always
    return always | {_HANGUP}


def _as_ctrl_c(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt
