"""Waiting for the control plane: updates and new versions take a moment to settle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tuner.errors import TargetError

T = TypeVar("T")

SETTLE_TIMEOUT_S = 300.0
"""As long as botocore's own waiters for functions: VPC and image functions can take minutes."""


async def settled(
    read: Callable[[], Awaitable[T]], is_settled: Callable[[T], bool], *, what: str, interval_s: float
) -> T:
    """Read until ``is_settled``, at a growing interval; TargetError after five minutes."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SETTLE_TIMEOUT_S
    while not is_settled(value := await read()):
        if loop.time() > deadline:
            raise TargetError(
                f"{what} did not settle within {SETTLE_TIMEOUT_S:.0f} s.",
                hint="Look at the function's last update status in the console, then run `tuner recover`.",
            )
        await asyncio.sleep(interval_s)
        interval_s = min(interval_s * 1.5, 5.0)
    return value
