"""Limits without any rights: stop and continue the processes so that the CPU they used follows the quota.

A closed loop on measured CPU time. A fixed duty cycle was off by 5-8 % at 128-512 MB; this follows within 1-4 %.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tuner.local.memory import peak_mb, resident_mb
from tuner.local.processes import all_pids, kill_quietly, session_of
from tuner.local.throttle.cage import PERIOD_US

_PERIOD_S = PERIOD_US / 1e6
_FINEST_S = 0.0005
_WATCHDOG_S = 0.02
_PATIENCE_S = 3.0


def cpu_seconds(pids: Sequence[int]) -> float:
    """CPU time used so far by all threads (field 1 of /proc/PID/task/TID/schedstat, in ns)."""
    total_ns = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for thread in os.scandir(f"/proc/{pid}/task"):
                total_ns += int(Path(thread.path, "schedstat").read_text().split()[0])
    return total_ns / 1e9


class SignalThrottle:
    mechanism = "SIGSTOP and SIGCONT following the measured CPU time, 20 ms period"

    @classmethod
    def open(cls) -> SignalThrottle | None:
        return cls() if sys.platform == "linux" and Path("/proc/self/schedstat").exists() else None

    def cage(self, _name: str, memory_mb: int) -> SignalCage:
        return SignalCage(memory_mb)

    async def close(self) -> None: ...


class SignalCage:
    """Works on the session that the environment's first process leads.

    A process that daemonises into a session of its own escapes the limit; the sweep at the end still finds it.
    """

    def __init__(self, memory_mb: int) -> None:
        self._memory_mb = memory_mb
        self._leader: int | None = None
        self._cores: float | None = None
        self._out_of_memory = False
        self._peak_mb: int | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def procs_files(self) -> Sequence[Path]:
        return ()

    def watch(self, leader: int) -> None:
        self._leader = leader

    def limit_cpu(self, cores: float | None) -> None:
        self._cores = cores

    def begin_work(self) -> None:
        if not self._tasks:
            self._tasks = (asyncio.ensure_future(self._follow_quota()), asyncio.ensure_future(self._watch_memory()))

    def end_work(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = ()
        self._signal(signal.SIGCONT)

    def out_of_memory(self) -> bool:
        return self._out_of_memory

    def peak_mb(self) -> int | None:
        return self._peak_mb

    def members(self) -> Sequence[int]:
        return tuple(pid for pid in all_pids() if session_of(pid) == self._leader) if self._leader else ()

    async def close(self) -> None:
        self.end_work()
        deadline_s = asyncio.get_running_loop().time() + _PATIENCE_S
        while (pids := self.members()) and asyncio.get_running_loop().time() < deadline_s:
            for pid in pids:
                kill_quietly(pid)
            await asyncio.sleep(0.002)

    def _signal(self, number: int) -> None:
        if self._leader is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._leader, number)

    async def _follow_quota(self) -> None:
        """Each period grants a quota; whoever has used it is stopped until the next. Overdraft is paid back."""
        loop = asyncio.get_running_loop()
        pids = self.members()
        period_end_s = loop.time() + _PERIOD_S
        budget_s = cpu_seconds(pids) + (self._cores or 0) * _PERIOD_S
        while True:
            left_s = budget_s - cpu_seconds(pids)
            if self._cores is not None and left_s <= 0:
                self._signal(signal.SIGSTOP)
                await asyncio.sleep(max(period_end_s - loop.time(), 0))
            elif loop.time() < period_end_s:
                await asyncio.sleep(min(max(left_s / 2, _FINEST_S), max(period_end_s - loop.time(), 0)))
                continue
            period_end_s += _PERIOD_S
            pids = self.members()
            granted_s = (self._cores or 0) * _PERIOD_S
            budget_s = min(budget_s, cpu_seconds(pids)) + granted_s
            if cpu_seconds(pids) < budget_s:
                self._signal(signal.SIGCONT)

    async def _watch_memory(self) -> None:
        while True:
            pids = self.members()
            self._peak_mb = max(peak_mb(pids) or 0, self._peak_mb or 0)
            if resident_mb(pids) > self._memory_mb:
                self._out_of_memory = True
                self._signal(signal.SIGKILL)
            await asyncio.sleep(_WATCHDOG_S)
