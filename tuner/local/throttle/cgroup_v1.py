"""Limits by control groups version 1: separate hierarchies for CPU and memory."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from pathlib import Path

from tuner.local.throttle.cage import (
    BYTES_PER_MB,
    PERIOD_US,
    empty,
    quota_us,
    read_counter,
    read_pids,
    remove_group,
    usable,
)

CPU_ROOTS = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup/cpu,cpuacct"))
MEMORY_ROOT = Path("/sys/fs/cgroup/memory")


class CgroupV1:
    mechanism = "cgroup v1 CPU quota, 20 ms period"

    def __init__(self, cpu: Path, memory: Path) -> None:
        self._cpu = cpu
        self._memory = memory
        cpu.mkdir(exist_ok=True)
        memory.mkdir(exist_ok=True)

    @classmethod
    def open(cls, name: str) -> CgroupV1 | None:
        """None where the hierarchies are missing or not ours to write."""
        for cpu_root in CPU_ROOTS:
            if usable(cpu_root, "cpu.cfs_quota_us", "cgroup.procs") and usable(MEMORY_ROOT, "memory.limit_in_bytes"):
                return cls(cpu_root / name, MEMORY_ROOT / name)
        return None

    def cage(self, name: str, memory_mb: int) -> CgroupV1Cage:
        return CgroupV1Cage(self._cpu / name, self._memory / name, memory_mb)

    async def close(self) -> None:
        await remove_group(self._cpu)
        await remove_group(self._memory)


class CgroupV1Cage:
    def __init__(self, cpu: Path, memory: Path, memory_mb: int) -> None:
        self._cpu = cpu
        self._memory = memory
        cpu.mkdir()
        memory.mkdir()
        (cpu / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        limit = str(memory_mb * BYTES_PER_MB)
        (memory / "memory.limit_in_bytes").write_text(limit)
        with contextlib.suppress(OSError):  # only there where swap accounting is on
            (memory / "memory.memsw.limit_in_bytes").write_text(limit)

    @property
    def procs_files(self) -> Sequence[Path]:
        return (self._memory / "cgroup.procs", self._cpu / "cgroup.procs")

    def watch(self, leader: int) -> None: ...

    def limit_cpu(self, cores: float | None) -> None:
        (self._cpu / "cpu.cfs_quota_us").write_text("-1" if cores is None else str(quota_us(cores)))

    def begin_work(self) -> None: ...

    def end_work(self) -> None: ...

    def out_of_memory(self) -> bool:
        return read_counter(self._memory / "memory.oom_control", "oom_kill") > 0

    def peak_mb(self) -> int | None:
        try:
            return math.ceil(int((self._memory / "memory.max_usage_in_bytes").read_text()) / BYTES_PER_MB)
        except OSError:
            return None

    def members(self) -> Sequence[int]:
        return read_pids(self._cpu / "cgroup.procs")

    async def close(self) -> None:
        with contextlib.suppress(OSError):
            self.limit_cpu(None)  # a throttled process needs CPU time to die
        for folder in (self._cpu, self._memory):
            await empty(folder / "cgroup.procs")
            await remove_group(folder)
