"""Waiting for the control plane: updates and new versions take a moment to settle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TypeVar

from tuner.engine.ports import Conflicted, ControlPlane, LatestConfiguration
from tuner.errors import TargetError, TunerError

T = TypeVar("T")

MOST_ATTEMPTS = 12
LONGEST_INTERVAL_S = 5.0
SETTLE_TIMEOUT_S = 300.0
"""As long as botocore's own waiters for functions: VPC and image functions can take minutes."""


async def settled(
    read: Callable[[], Awaitable[T]],
    is_settled: Callable[[T], bool],
    *,
    what: str,
    interval_s: float,
    just_changed: bool = False,
) -> T:
    """Read until ``is_settled``, at a growing interval; TargetError after five minutes.

    ``just_changed``: wait before the first read, which could only say "in progress" and would cost a call.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SETTLE_TIMEOUT_S
    if just_changed:
        await asyncio.sleep(interval_s)
    while not is_settled(value := await read()):
        if loop.time() > deadline:
            raise TargetError(
                f"{what} did not settle within {SETTLE_TIMEOUT_S:.0f} s.",
                hint="Look at the function's last update status in the console, then run `tuner recover`.",
            )
        await asyncio.sleep(interval_s)
        interval_s = min(interval_s * 1.5, LONGEST_INTERVAL_S)
    return value


async def settled_latest(
    control: ControlPlane, function: str, *, poll_interval_s: float, just_changed: bool = False
) -> LatestConfiguration:
    """What ``$LATEST`` is, once no update of it is in progress."""
    return await settled(
        lambda: control.latest(function),
        lambda now: now.settled,
        what=f"The update of {function}",
        interval_s=poll_interval_s,
        just_changed=just_changed,
    )


def attempts(
    give_up: Callable[[str], TunerError], *, interval_s: float
) -> Iterator[Callable[[Conflicted], Awaitable[None]]]:
    """Attempts at a change, each with what to await when the service answers with a conflict: it waits, longer each
    time, and after the last attempt raises what ``give_up`` makes of the service's words."""
    for number in range(1, MOST_ATTEMPTS + 1):
        yield partial(_after_conflict, give_up, number, interval_s)


async def patiently(
    change: Callable[[], Awaitable[T]], give_up: Callable[[str], TunerError], *, interval_s: float
) -> T:
    """Make a change that the service may refuse because of another one that is just ending. It must do no harm twice:
    an attempt whose answer was lost has made it."""
    for patience in attempts(give_up, interval_s=interval_s):
        try:
            return await change()
        except Conflicted as refusal:
            await patience(refusal)
    raise AssertionError("the last attempt raises")


async def _after_conflict(
    give_up: Callable[[str], TunerError], number: int, interval_s: float, refusal: Conflicted
) -> None:
    if number == MOST_ATTEMPTS:
        raise give_up(str(refusal)) from refusal
    await asyncio.sleep(min(interval_s * 1.5**number, LONGEST_INTERVAL_S))
