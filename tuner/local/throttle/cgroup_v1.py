"""Limits by control groups version 1: separate hierarchies for CPU, memory and the number of processes."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

from tuner.local.processes import MOST_PROCESSES
from tuner.local.throttle.cage import BYTES_PER_MB, quota_us, read_counter, remove_group, usable
from tuner.local.throttle.control_group import ControlGroupCage

CPU_ROOTS = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup/cpu,cpuacct"))
MEMORY_ROOT = Path("/sys/fs/cgroup/memory")
PIDS_ROOT = Path("/sys/fs/cgroup/pids")


class CgroupV1:
    mechanism = "cgroup v1 CPU quota, 20 ms period"

    def __init__(self, cpu: Path, memory: Path, pids: Path | None = None) -> None:
        self._cpu = cpu
        self._memory = memory
        self._pids = pids
        for folder in self._folders():
            folder.mkdir(exist_ok=True)

    @classmethod
    def open(cls, name: str) -> CgroupV1 | None:
        """None where the hierarchies are missing or not ours to write."""
        for cpu_root in CPU_ROOTS:
            if usable(cpu_root, "cpu.cfs_quota_us", "cgroup.procs") and usable(MEMORY_ROOT, "memory.limit_in_bytes"):
                counted = usable(PIDS_ROOT, "pids.max", "cgroup.procs")
                return cls(cpu_root / name, MEMORY_ROOT / name, PIDS_ROOT / name if counted else None)
        return None

    def cage(self, name: str, memory_mb: int) -> CgroupV1Cage:
        pids = self._pids / name if self._pids else None
        return CgroupV1Cage(self._cpu / name, self._memory / name, memory_mb, pids)

    async def close(self) -> None:
        for folder in self._folders():
            await remove_group(folder)

    def _folders(self) -> tuple[Path, ...]:
        return (self._cpu, self._memory, *((self._pids,) if self._pids else ()))


class CgroupV1Cage(ControlGroupCage):
    def __init__(self, cpu: Path, memory: Path, memory_mb: int, pids: Path | None = None) -> None:
        self._cpu = cpu
        self._memory = memory
        self._pids = pids
        super().__init__((memory, *((pids,) if pids else ()), cpu), lambda: self._write_limits(memory_mb))

    def _write_limits(self, memory_mb: int) -> None:
        if self._pids is not None:
            (self._pids / "pids.max").write_text(str(MOST_PROCESSES))
        limit = str(memory_mb * BYTES_PER_MB)
        (self._memory / "memory.limit_in_bytes").write_text(limit)
        with contextlib.suppress(OSError):  # only there where swap accounting is on
            (self._memory / "memory.memsw.limit_in_bytes").write_text(limit)

    def _write_limit(self, cores: float | None, period_us: int) -> None:
        (self._cpu / "cpu.cfs_period_us").write_text(str(period_us))
        (self._cpu / "cpu.cfs_quota_us").write_text("-1" if cores is None else str(quota_us(cores)))

    def out_of_memory_kills(self) -> int:
        return read_counter(self._memory / "memory.oom_control", "oom_kill")

    def throttled_s(self) -> float:
        return read_counter(self._cpu / "cpu.stat", "throttled_time") / 1e9

    def peak_mb(self) -> int | None:
        try:
            return math.ceil(int((self._memory / "memory.max_usage_in_bytes").read_text()) / BYTES_PER_MB)
        except OSError:
            return None
