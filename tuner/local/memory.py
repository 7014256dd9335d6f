"""How much memory an environment has used at most, as Lambda reports it: the high-water mark of its whole life."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tuner.local.procfs import read_file

_KIB_PER_MB = 1024


def peak_mb(pids: Iterable[int]) -> int | None:
    """The sum of the processes' resident high-water marks (VmHWM, proc_pid_status(5)) in MB, rounded up.

    None where no process is left to ask, or the system has no /proc.
    """
    marks = [kib for pid in pids if (kib := _status_kib(pid, "VmHWM")) is not None]
    return math.ceil(sum(marks) / _KIB_PER_MB) if marks else None


def resident_mb(pids: Iterable[int]) -> float:
    """Resident memory right now (VmRSS) in MB."""
    return sum(_status_kib(pid, "VmRSS") or 0 for pid in pids) / _KIB_PER_MB


def _status_kib(pid: int, field: str) -> int | None:
    try:
        status = read_file(f"/proc/{pid}/status")
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    return None  # a zombie has no memory any more
