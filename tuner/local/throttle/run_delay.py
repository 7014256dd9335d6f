"""How long an environment was ready to run and had to wait for a core: time that its memory size does not explain.

The kernel counts the wait of every thread (proc_pid_schedstat, field 2), but counts the time in which a quota holds
a thread back as waiting too; seen on Linux 6.18: 399.6 ms of run delay, 399.0 ms throttled, on an idle machine. So
the throttled time of the control group is taken off. SIGSTOP takes threads off the run queue, nothing to take off.

The count of a thread is gone when the thread ends, and handlers start threads for a single call. So threads are
looked at during the call too; and the clock of a process, which keeps the time of threads that have ended, tells how
much was used by threads that nobody has seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tuner.local.procfs import read_file
from tuner.local.throttle.cage import PERIOD_S, PERIOD_US, Cage

DISTURBED_SHARE = 0.05
"""A sample is disturbed when waiting for a core lengthened it by more than this share ..."""

DISTURBED_MS = 1.0
"""... and by more than the ordinary wake-up and time slice."""

FIRST_LOOK_S = PERIOD_S / 2
"""A limited handler computes at the beginning of a period; in the middle a look disturbs it least."""
_CPUCLOCK_SCHED = 2
LOOKS_SHARE = 0.02
"""Of a core, for looking at the threads: a handler may have hundreds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What the machine did to one invocation that had ``cores`` and used ``cpu_ms`` of CPU time.

    ``unseen_ms`` of them were used by threads whose waiting is not known.
    """

    run_delay_ms: float
    duration_ms: float
    cpu_ms: float
    cores: float
    unseen_ms: float = 0.0

    @property
    def lengthened_ms(self) -> float:
        """How much of the duration is owed to waiting for a core.

        Who waits may still get all of its quota before the period ends, and loses nothing: at 512 MB, 90 ms of run
        delay changed 345 ms by nothing at all. So the wait counts up to the time that the CPU used does not explain:
        a period for each quota used up, then the rest at full speed. A quota saved up before the start can hide up
        to one period.
        """
        return max(min(self.run_delay_ms, self._unexplained_ms), 0.0)

    @property
    def disturbed(self) -> bool | None:
        """None where it cannot be told: unseen threads did much of the work, and there is time left to explain."""
        limit_ms = max(DISTURBED_SHARE * self.duration_ms, DISTURBED_MS)
        if self.lengthened_ms > limit_ms:
            return True
        return None if self.unseen_ms > limit_ms and self._unexplained_ms > limit_ms else False

    @property
    def _unexplained_ms(self) -> float:
        quota_ms, period_ms = self.cores * PERIOD_US / 1000, PERIOD_US / 1000
        held_back = max(math.ceil(self.cpu_ms / quota_ms) - 1, 0)
        return self.duration_ms - held_back * period_ms - (self.cpu_ms - held_back * quota_ms) / max(self.cores, 1.0)


@dataclass(frozen=True, slots=True)
class Waited:
    """Since a meter was started, in ms: waiting for a core, CPU time used, and the part of it of unseen threads."""

    run_delay_ms: float
    cpu_ms: float
    unseen_ms: float = 0.0


class RunDelayMeter:
    """Started before an invocation, read after it.

    With several threads the longest wait counts, less all throttled time: it can come out too small, never too
    large, because threads of one handler that wait for each other's core do so on Lambda too.
    """

    def __init__(self, cage: Cage) -> None:
        self._cage = cage
        members = cage.members()
        self._clocks_before = clocks_s(members)  # reading the clocks brings the counts of running threads up to date
        self._before = schedstats(members)
        self._seen = dict(self._before)
        self._throttled_s = cage.throttled_s()
        self._timer: asyncio.TimerHandle | None = None

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Inside the block the threads are looked at now and then, lest one ends unseen."""
        self._look_after(FIRST_LOOK_S)
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def look(self) -> None:
        self._seen |= schedstats(self._cage.members())

    def read(self) -> Waited | None:
        """None where the kernel keeps no count or no process is left."""
        members = self._cage.members()
        clocks = clocks_s(members)
        after = schedstats(members)
        if not after:
            return None
        self._seen |= after
        waits = [
            (running_s, waited_s, *self._before.get(one, (0.0, 0.0)))
            for one, (running_s, waited_s) in self._seen.items()
        ]
        longest_s = max(waited_s - before_s for _, waited_s, _, before_s in waits)
        seen_s = sum(running_s - before_s for running_s, _, before_s, _ in waits)
        used_s = sum(now_s - self._clocks_before.get(pid, 0.0) for pid, now_s in clocks.items())
        throttled_s = self._cage.throttled_s() - self._throttled_s
        return Waited(
            run_delay_ms=max(longest_s - throttled_s, 0.0) * 1000,
            cpu_ms=max(used_s, seen_s) * 1000,
            unseen_ms=max(used_s - seen_s, 0.0) * 1000,
        )

    def _look_after(self, delay_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._look_again)

    def _look_again(self) -> None:
        started_s = time.perf_counter()
        self.look()
        self._look_after(max(PERIOD_S, (time.perf_counter() - started_s) / LOOKS_SHARE))


def cpu_s(pids: Sequence[int]) -> float:
    """CPU time used so far by these processes, in seconds, threads that have ended included."""
    return sum(clocks_s(pids).values())


def clocks_s(pids: Sequence[int]) -> Mapping[int, float]:
    """The CPU-time clock of each living process, in seconds (clock_getcpuclockid(3))."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            found[pid] = time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)
    return found


def schedstats(pids: Sequence[int]) -> dict[str, tuple[float, float]]:
    """Seconds on a CPU and seconds on a run queue so far, by thread (fields 1 and 2 of schedstat)."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - called fifty times a second
                with contextlib.suppress(OSError):
                    running, waiting, _ = read_file(f"/proc/{pid}/task/{thread}/schedstat").split()
                    found[thread] = (int(running) / 1e9, int(waiting) / 1e9)
    return found
