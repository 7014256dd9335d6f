"""What every throttling mechanism offers: cages, one per execution environment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tuner.local.processes import kill_quietly
from tuner.local.procfs import read_file

PERIOD_US = 20_000
"""CFS period of AWS Lambda's workers (Lin, Ma and Shahrad, EuroSys 2026: durations move in steps of 20 ms)."""

PERIOD_S = PERIOD_US / 1e6

LEAST_QUOTA_US = 1_000
"""The kernel refuses smaller quotas (tg_set_cfs_bandwidth, min_cfs_quota_period)."""

BYTES_PER_MB = 1024 * 1024
_PATIENCE_S = 3.0


class Cage(Protocol):
    """The limits around the processes of one execution environment."""

    @property
    def procs_files(self) -> Sequence[Path]:
        """Files to which a child writes "0" before exec, so that it starts inside."""

    def watch(self, leader: int, mark: bytes) -> None:
        """Processes started from ``leader`` belong to this cage from now on; ``mark`` is in their environment."""

    def limit_cpu(self, cores: float | None) -> None:
        """From the next work on at most this many cores; None lifts the limit now."""

    async def begin_work(self) -> None:
        """An init or an invocation is about to start; nothing inside runs yet."""

    def end_work(self) -> None:
        """The environment is idle again."""

    def out_of_memory_kills(self) -> int:
        """How often, since the cage was made, something was killed that wanted more memory than the limit."""

    def peak_mb(self) -> int | None:
        """High-water mark of memory as far as the mechanism itself knows it, for processes that are gone."""

    def throttled_s(self) -> float:
        """Time so far in which threads waited for quota and are counted as waiting for a core; 0 where none are."""

    def members(self) -> Sequence[int]: ...

    async def close(self) -> None:
        """End every process inside and remove the cage."""


class Throttle(Protocol):
    @property
    def mechanism(self) -> str:
        """How CPU is limited, in words for a report."""

    def cage(self, name: str, memory_mb: int, /) -> Cage: ...

    async def close(self) -> None: ...


def freeze(cage: Cage) -> None:
    """Stop everything inside, as Lambda does between invocations: background threads must not run unpaid."""
    for _ in range(2):  # whoever was forked during the first pass is met by the second
        for pid in cage.members():
            kill_quietly(pid, signal.SIGSTOP)


def thaw(cage: Cage) -> None:
    for pid in cage.members():
        kill_quietly(pid, signal.SIGCONT)


def quota_us(cores: float) -> int:
    return max(round(cores * PERIOD_US), LEAST_QUOTA_US)


def read_pids(procs_file: Path) -> tuple[int, ...]:
    try:
        return tuple(int(line) for line in read_file(procs_file).split())
    except OSError:
        return ()


def read_counter(path: Path, name: str) -> int:
    """The number after ``name`` in a flat keyed file such as memory.events; 0 where the kernel keeps none."""
    with contextlib.suppress(OSError):
        for line in read_file(path).splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0


async def empty(procs_file: Path) -> None:
    """Kill until nobody is left: a process may fork between the list and the signal."""
    deadline_s = asyncio.get_running_loop().time() + _PATIENCE_S
    while (pids := read_pids(procs_file)) and asyncio.get_running_loop().time() < deadline_s:
        for pid in pids:
            kill_quietly(pid)
        await asyncio.sleep(0.002)


async def remove_group(folder: Path) -> None:
    """Remove an empty control group; the kernel may call it busy for a moment after the last exit."""
    deadline_s = asyncio.get_running_loop().time() + _PATIENCE_S
    while not removed(folder) and asyncio.get_running_loop().time() < deadline_s:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.002)


def removed(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def usable(folder: Path, *files: str) -> bool:
    """A control group can be made in ``folder`` and has these files, writable."""
    probe = folder / f"tuner-probe-{os.getpid()}"
    try:
        probe.mkdir()
    except OSError:
        return False
    try:
        return all(os.access(probe / file, os.W_OK) for file in files)
    finally:
        with contextlib.suppress(OSError):
            probe.rmdir()
