"""A command of the user's that ends with the run, however the run ends: with all its children in their own group.

Between tuner and the command stands a shell that holds one end of a pipe. Where tuner closes the other end, or dies
of whatever signal, a process of that shell reads the end of the pipe and kills the group. PR_SET_PDEATHSIG would do
so for the command alone, on Linux alone. What a command moves to a session of its own (setsid) is out of reach.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Iterator, Sequence

_KEEPER = """\
exec 3<"/dev/fd/$1" 4<&0
shift
"$@" <&4 3<&- 4<&- &
command=$!
exec 4<&- </dev/null
{ read -r _ <&3; kill -KILL 0; } >/dev/null 2>&1 &
keeper=$!
wait "$command"
code=$?
kill -KILL "$keeper"
wait "$keeper" 2>/dev/null
exit "$code"
"""
"""Of a shell, which starts in a millisecond; file descriptors above 9 are no POSIX shell's, hence /dev/fd."""


async def run_process(words: Sequence[str], data: bytes) -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of a command that gets ``data``. OSError where there is no such command.

    Nothing of it is left when this returns or is cancelled.
    """
    if not words or shutil.which(words[0]) is None:
        raise FileNotFoundError(f"there is no command {' '.join(words[:1]) or 'in it'}")
    with _lifeline() as lifeline:
        process = await _started(lifeline, words)
        try:
            output, errors = await process.communicate(data)
        finally:
            await _end(process)
    return await process.wait(), output, errors


async def _started(lifeline: int, words: Sequence[str]) -> asyncio.subprocess.Process:
    """The shell, leader of a group of its own.

    Starting it is not cancelled half-way: asyncio would kill the shell alone, then wait for its children's output.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *("sh", "-c", _KEEPER, "sh", str(lifeline), *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=(lifeline,),
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _end(await starting)
        raise


@contextlib.contextmanager
def _lifeline() -> Iterator[int]:
    """The end of a pipe to be inherited. The other one is closed afterwards, by the system if need be."""
    theirs, ours = os.pipe()
    try:
        yield theirs
    finally:
        os.close(theirs)
        os.close(ours)


async def _end(leader: asyncio.subprocess.Process) -> None:
    """Kill its group. The number is not another's: the leader is there, or has just ended, and numbers are given out
    in turn."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    await leader.wait()
