"""A hook gets its event, gives its answer, and leaves no process behind, however it ends."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.effects.running import wait_until
from tuner.engine.hook_process import run_process
from tuner.engine.hooks import InvocationHooks
from tuner.errors import UsageError

FAMILY = "sleep 300 & echo $! >> {pids}; echo $$ >> {pids}; {rest}"
"""A shell with a child; both write down their numbers."""


def family(folder: Path, rest: str) -> tuple[list[str], Path]:
    pids = folder / "pids"
    return ["sh", "-c", FAMILY.format(pids=pids, rest=rest)], pids


def numbers(pids: Path) -> list[int]:
    return [int(line) for line in pids.read_text().split()] if pids.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def ended(pids: Path) -> bool:
    return not any(alive(pid) for pid in numbers(pids))


async def test_a_command_reads_the_event_and_gives_its_answer() -> None:
    assert await run_process(["sh", "-c", "cat; echo heard >&2; exit 3"], b"event") == (3, b"event", b"heard\n")


async def test_many_commands_at_once_get_their_own_events() -> None:
    answers = await asyncio.gather(*(run_process(["cat"], str(number).encode()) for number in range(20)))
    assert [output for _, output, _ in answers] == [str(number).encode() for number in range(20)]


async def test_a_command_that_does_not_read_its_event_is_no_failure() -> None:
    assert (await run_process(["true"], b"x" * 1_000_000))[0] == 0


@pytest.mark.parametrize("hook", ["no-such-command-here", "", "'unbalanced"])
async def test_a_hook_that_is_no_command_is_refused_in_a_sentence(hook: str) -> None:
    hooks = InvocationHooks(first=hook or " ", then=None, invoker=None)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="cannot be run"):
        await hooks.before(b"{}")


async def test_a_cancelled_hook_ends_with_its_children(tmp_path: Path) -> None:
    words, pids = family(tmp_path, "wait")
    task = asyncio.create_task(run_process(words, b""))
    await asyncio.to_thread(wait_until, lambda: len(numbers(pids)) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(wait_until, lambda: ended(pids))


async def test_hooks_that_are_just_being_started_end_as_well(tmp_path: Path) -> None:
    words, pids = family(tmp_path, "wait")
    tasks = [asyncio.create_task(run_process(words, b"")) for _ in range(20)]
    for step in range(20):  # whatever each of them is waiting for just then
        await asyncio.sleep(0)
        tasks[step].cancel()
    found = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), timeout=20)
    assert all(isinstance(one, asyncio.CancelledError) for one in found)
    await asyncio.to_thread(wait_until, lambda: ended(pids))


async def test_what_a_hook_leaves_running_ends_with_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    words = ["sh", "-c", f"sleep 300 >/dev/null 2>&1 </dev/null & echo $! > {pids}"]
    assert (await run_process(words, b""))[0] == 0
    await asyncio.to_thread(wait_until, lambda: ended(pids))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_hook_does_not_survive_the_death_of_its_run(tmp_path: Path, number: signal.Signals) -> None:
    words, pids = family(tmp_path, "wait")
    script = (
        f"import asyncio; from tuner.engine.hook_process import run_process; asyncio.run(run_process({words!r}, b''))"
    )
    process = subprocess.Popen([sys.executable, "-c", script])
    wait_until(lambda: len(numbers(pids)) == 2)
    process.send_signal(number)
    process.wait(timeout=20)
    wait_until(lambda: ended(pids))


async def test_a_hundred_hooks_leave_no_descriptor_open() -> None:
    await run_process(["true"], b"")
    before = open_descriptors()
    for _ in range(100):
        await run_process(["true"], b"")
    assert open_descriptors() == before


async def test_the_keeper_costs_a_hook_less_than_a_tenth_of_a_second() -> None:
    began_s = time.perf_counter()
    for _ in range(5):
        await run_process(["true"], b"")
    assert (time.perf_counter() - began_s) / 5 < 0.1
