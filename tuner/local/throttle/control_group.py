"""What the cages of both versions of control groups share: when a quota's periods begin, and how a cage ends.

The kernel (kernel/sched/fair.c) counts periods by a timer that stops when a group is idle for a whole period, and
that keeps its phase: ``start_cfs_bandwidth`` moves it on by whole periods. Each write of a limit fills the quota up
(``tg_set_cfs_bandwidth``), and so does each tick of the timer, while a core keeps the slice of up to 5 ms that it has
already taken. So a handler that is woken from idleness, or whose limit has just been written, finds a full quota and
gets the next one after any part of a period: 100 ms of CPU at 1,024 MB came out 9.4 % too short.

Hence two habits. A limit is written only when it changes, so that calls in quick succession find what their period
has left. And after a rest the periods are made to begin with the work: the limit is written with the shortest period
that the kernel takes, which starts the timer within 1 ms; when that timer has stopped again, the limit is written
with its own period. Without that pause the timer would tick just after the work has begun, and a slice would be free.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from tuner.local.throttle.cage import PERIOD_S, PERIOD_US, empty, read_pids, remove_group, removed

SHORTEST_PERIOD_US = 1_000
"""min_cfs_quota_period of the kernel."""

TIMER_STOPS_S = 0.0018
"""The timer of the shortest period ticks within 1 ms and stops at the next tick in which nobody ran. (The event loop
rounds up to 2 ms.) By as much at most is the first period shorter than the others."""

RESTED_S = 3 * PERIOD_S
"""The timer stops at the end of the first period in which nothing ran, and its phase is free only then. By its text
the kernel takes 40 ms at most after the work; it was seen to take 55 (Linux 6.18)."""

SAME_WITHIN = 0.005
"""A drift that is simulated moves the limit a little with every call; so small a step is not worth a full quota."""


class ControlGroupCage(ABC):
    """One cage. ``folders`` are its control groups, in the order in which they are emptied and removed.

    They are made here; ``write_limits`` then writes what never changes. Raises OSError, and leaves none of them.
    """

    def __init__(self, folders: Sequence[Path], write_limits: Callable[[], None] = lambda: None) -> None:
        self._folders = tuple(folders)
        try:
            for folder in self._folders:
                folder.mkdir()
            write_limits()
        except OSError:  # no more file descriptors, for example
            for folder in self._folders:
                removed(folder)
            raise
        self._cores: float | None = None
        self._written: float | None = None
        """What the kernel was told."""
        self._rests_since_s = monotonic()
        self._closed = False

    @abstractmethod
    def _write_limit(self, cores: float | None, period_us: int) -> None:
        """At most the CPU time of ``cores`` over 20 ms in each ``period_us``; None lifts the limit."""

    @property
    def procs_files(self) -> Sequence[Path]:
        return tuple(folder / "cgroup.procs" for folder in self._folders)

    def watch(self, leader: int, mark: bytes) -> None:
        """Processes belong to a control group by birth: nothing to watch for."""
        del leader, mark

    def limit_cpu(self, cores: float | None) -> None:
        if cores is None or self._cores is None or abs(cores / self._cores - 1) >= SAME_WITHIN:
            self._cores = cores
        if cores is None and self._written is not None:
            self._write(None)

    async def begin_work(self) -> None:
        if self._cores is None:
            return
        timer_stands = self._written is None or monotonic() - self._rests_since_s >= RESTED_S
        try:
            if timer_stands:
                with contextlib.suppress(OSError):  # a parent's limit forbids it: then the phase stays what it is
                    self._write_limit(self._cores, SHORTEST_PERIOD_US)
                    await asyncio.sleep(TIMER_STOPS_S)
        finally:
            if (timer_stands or self._written != self._cores) and not self._closed:
                self._write(self._cores)

    def end_work(self) -> None:
        self._rests_since_s = monotonic()

    def _write(self, cores: float | None) -> None:
        self._write_limit(cores, PERIOD_US)
        self._written = cores

    def members(self) -> Sequence[int]:
        return read_pids(self.procs_files[-1])

    async def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self.limit_cpu(None)  # a throttled process needs CPU time to die
        for folder in self._folders:
            await empty(folder / "cgroup.procs")
            await remove_group(folder)
