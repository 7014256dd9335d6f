"""Limits by control groups version 2: one folder for CPU and memory."""

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

ROOT = Path("/sys/fs/cgroup")
_CONTROLLERS = {"cpu", "memory"}


class CgroupV2:
    mechanism = "cgroup v2 CPU quota, 20 ms period"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.subtree_control").write_text("+cpu +memory")

    @classmethod
    def open(cls, name: str, root: Path = ROOT) -> CgroupV2 | None:
        """None where the unified hierarchy does not hand CPU and memory to its children, or is not ours to write."""
        try:
            enabled = set((root / "cgroup.subtree_control").read_text().split())
        except OSError:
            return None
        if not enabled >= _CONTROLLERS or not usable(root, "cpu.max", "memory.max", "cgroup.procs"):
            return None
        return cls(root / name)

    def cage(self, name: str, memory_mb: int) -> CgroupV2Cage:
        return CgroupV2Cage(self._folder / name, memory_mb)

    async def close(self) -> None:
        await remove_group(self._folder)


class CgroupV2Cage:
    def __init__(self, folder: Path, memory_mb: int) -> None:
        self._folder = folder
        folder.mkdir()
        (folder / "memory.max").write_text(str(memory_mb * BYTES_PER_MB))
        with contextlib.suppress(OSError):  # only there where swap is on
            (folder / "memory.swap.max").write_text("0")

    @property
    def procs_files(self) -> Sequence[Path]:
        return (self._folder / "cgroup.procs",)

    def watch(self, leader: int) -> None: ...

    def limit_cpu(self, cores: float | None) -> None:
        quota = "max" if cores is None else str(quota_us(cores))
        (self._folder / "cpu.max").write_text(f"{quota} {PERIOD_US}")

    def begin_work(self) -> None: ...

    def end_work(self) -> None: ...

    def out_of_memory(self) -> bool:
        return read_counter(self._folder / "memory.events", "oom_kill") > 0

    def peak_mb(self) -> int | None:
        try:  # Linux 5.19 and later
            return math.ceil(int((self._folder / "memory.peak").read_text()) / BYTES_PER_MB)
        except OSError:
            return None

    def members(self) -> Sequence[int]:
        return read_pids(self._folder / "cgroup.procs")

    async def close(self) -> None:
        with contextlib.suppress(OSError):
            self.limit_cpu(None)
        await empty(self._folder / "cgroup.procs")
        await remove_group(self._folder)
