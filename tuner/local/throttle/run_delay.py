"""How long an environment was ready to run and had to wait for a core: time that its memory size does not explain.

The kernel counts the wait of every thread (proc_pid_schedstat, field 2), but counts the time in which a quota holds
a thread back as waiting too; seen on Linux 6.18: 399.6 ms of run delay, 399.0 ms throttled, on an idle machine. So
the throttled time of the control group is taken off. SIGSTOP takes threads off the run queue, nothing to take off.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner.local.throttle.cage import PERIOD_US, Cage

DISTURBED_SHARE = 0.05
"""A sample is disturbed when waiting for a core lengthened it by more than this share ..."""

DISTURBED_MS = 1.0
"""... and by more than the ordinary wake-up and time slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What the machine did to one invocation that had ``cores`` and used ``cpu_ms`` of CPU time."""

    run_delay_ms: float
    duration_ms: float
    cpu_ms: float
    cores: float

    @property
    def lengthened_ms(self) -> float:
        """How much of the duration is owed to waiting for a core.

        Who waits may still get all of its quota before the period ends, and loses nothing: at 512 MB, 90 ms of run
        delay changed 345 ms by nothing at all. So the wait counts up to the time that the CPU used does not explain:
        a period for each quota used up, then the rest at full speed. A quota saved up before the start can hide up
        to one period.
        """
        quota_ms, period_ms = self.cores * PERIOD_US / 1000, PERIOD_US / 1000
        held_back = max(math.ceil(self.cpu_ms / quota_ms) - 1, 0)
        explained_ms = held_back * period_ms + (self.cpu_ms - held_back * quota_ms) / max(self.cores, 1.0)
        return max(min(self.run_delay_ms, self.duration_ms - explained_ms), 0.0)

    @property
    def disturbed(self) -> bool:
        return self.lengthened_ms > max(DISTURBED_SHARE * self.duration_ms, DISTURBED_MS)


@dataclass(frozen=True, slots=True)
class Waited:
    """Since a meter was started: waiting for a core, and CPU time used, in ms."""

    run_delay_ms: float
    cpu_ms: float


class RunDelayMeter:
    """Started before an invocation, read after it.

    With several threads the longest wait counts, less all throttled time: it can come out too small, never too
    large, because threads of one handler that wait for each other's core do so on Lambda too.
    """

    def __init__(self, cage: Cage) -> None:
        self._cage = cage
        self._before = schedstats(cage.members())
        self._throttled_s = cage.throttled_s()

    def read(self) -> Waited | None:
        """None where the kernel keeps no count or no process is left."""
        after = schedstats(self._cage.members())
        if not after:
            return None
        throttled_s = self._cage.throttled_s() - self._throttled_s
        nothing = (0.0, 0.0)
        longest_s = max(waited_s - self._before.get(thread, nothing)[1] for thread, (_, waited_s) in after.items())
        used_s = sum(running_s - self._before.get(thread, nothing)[0] for thread, (running_s, _) in after.items())
        return Waited(run_delay_ms=max(longest_s - throttled_s, 0.0) * 1000, cpu_ms=used_s * 1000)


def cpu_s(pids: Sequence[int]) -> float:
    """CPU time used so far by all living threads, in seconds."""
    return sum(running_s for running_s, _ in schedstats(pids).values())


def schedstats(pids: Sequence[int]) -> dict[str, tuple[float, float]]:
    """Seconds on a CPU and seconds on a run queue so far, by thread (fields 1 and 2 of schedstat)."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - called fifty times a second
                with contextlib.suppress(OSError):
                    running, waiting, _ = Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()
                    found[thread] = (int(running) / 1e9, int(waiting) / 1e9)
    return found
