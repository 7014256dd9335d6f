"""Blocking calls on threads: as many at once as asked for, and nobody waits for them at the end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from tuner.aws.threads import BlockingCalls

LEFT_BEHIND = """
import asyncio, time
from tuner.aws.threads import BlockingCalls

async def main():
    calls = BlockingCalls("slow", 2)
    slow = [asyncio.ensure_future(calls.run(lambda: time.sleep(600))) for _ in range(3)]
    await asyncio.sleep(0.1)
    for one in slow:
        one.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    calls.close()
    print("done")

asyncio.run(main())
"""


def test_the_process_ends_while_calls_are_under_way() -> None:
    ended = subprocess.run([sys.executable, "-c", LEFT_BEHIND], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


async def test_as_many_calls_as_threads_are_under_way_together() -> None:
    calls, together = BlockingCalls("test", 3), threading.Barrier(3, timeout=30)
    assert sorted(await asyncio.gather(*(calls.run(together.wait) for _ in range(6)))) == [0, 0, 1, 1, 2, 2]
    calls.close()


async def test_an_idle_thread_is_used_again() -> None:
    calls = BlockingCalls("test", 50)
    seen = set()
    for _ in range(20):
        seen.add(await calls.run(threading.get_ident))
        await asyncio.sleep(0.005)
    assert len(seen) < 5
    calls.close()


async def test_an_error_of_a_call_reaches_its_caller_and_the_thread_lives_on() -> None:
    calls = BlockingCalls("test", 1)
    with pytest.raises(ZeroDivisionError):
        await calls.run(lambda: 1 // 0)
    assert await calls.run(lambda: 7) == 7
    calls.close()


async def test_a_mutation_is_waited_for_although_its_caller_was_cancelled() -> None:
    calls, go, ended = BlockingCalls("test", 1), threading.Event(), threading.Event()

    def mutate() -> None:
        go.wait(30)
        ended.set()

    caller = asyncio.ensure_future(calls.run_to_end(mutate))
    await asyncio.sleep(0.01)
    caller.cancel()
    await asyncio.sleep(0.01)
    assert not caller.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()
    calls.close()


async def test_what_has_not_begun_when_the_pool_is_closed_never_begins() -> None:
    calls, go, begun = BlockingCalls("test", 1), threading.Event(), threading.Event()
    first = asyncio.ensure_future(calls.run(lambda: go.wait(30)))
    second = asyncio.ensure_future(calls.run(begun.set))
    await asyncio.sleep(0.01)
    calls.close()
    go.set()
    assert await first
    with pytest.raises(asyncio.CancelledError):
        await second
    assert not begun.is_set()
