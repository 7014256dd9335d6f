"""Limits by control groups version 2: one folder for CPU and memory."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

from tuner.local.processes import MOST_PROCESSES
from tuner.local.throttle.cage import BYTES_PER_MB, quota_us, read_counter, remove_group, usable
from tuner.local.throttle.control_group import ControlGroupCage

ROOT = Path("/sys/fs/cgroup")
_CONTROLLERS = {"cpu", "memory"}
_LEAF = "server"


class CgroupV2:
    def __init__(self, folder: Path, mechanism: str = "cgroup v2 CPU quota, 20 ms period") -> None:
        self.mechanism = mechanism
        self._folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.subtree_control").write_text("+cpu +memory")
        with contextlib.suppress(OSError):  # counting processes is good to have
            (folder / "cgroup.subtree_control").write_text("+pids")

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

    @classmethod
    def open_scope(
        cls, name: str, root: Path = ROOT, membership: Path = Path("/proc/self/cgroup")
    ) -> CgroupV2 | None:
        """In the scope that systemd delegated to this process; None where there is none.

        A group with controllers for its children may have no processes of its own (cgroups(7), "no internal
        processes"), so the server moves into a leaf first.
        """
        own = _own_group(membership)
        if own is None or not own.name.endswith(".scope"):
            return None
        scope = root / own.relative_to("/")
        try:
            (scope / _LEAF).mkdir(exist_ok=True)
            (scope / _LEAF / "cgroup.procs").write_text("0")
            (scope / "cgroup.subtree_control").write_text("+cpu +memory")
            return cls(scope / name, "cgroup v2 CPU quota in a systemd user scope, 20 ms period")
        except OSError:
            return None

    def cage(self, name: str, memory_mb: int) -> CgroupV2Cage:
        return CgroupV2Cage(self._folder / name, memory_mb)

    async def close(self) -> None:
        await remove_group(self._folder)


def _own_group(membership: Path) -> Path | None:
    """The path of this process in the unified hierarchy, as the line "0::/path" says (cgroups(7))."""
    with contextlib.suppress(OSError):
        for line in membership.read_text().splitlines():
            if line.startswith("0::/"):
                return Path(line.removeprefix("0::"))
    return None


class CgroupV2Cage(ControlGroupCage):
    def __init__(self, folder: Path, memory_mb: int) -> None:
        self._folder = folder
        super().__init__((folder,), lambda: self._write_limits(memory_mb))

    def _write_limits(self, memory_mb: int) -> None:
        (self._folder / "memory.max").write_text(str(memory_mb * BYTES_PER_MB))
        with contextlib.suppress(OSError):  # only there where swap is on
            (self._folder / "memory.swap.max").write_text("0")
        with contextlib.suppress(OSError):
            (self._folder / "pids.max").write_text(str(MOST_PROCESSES))

    def _write_limit(self, cores: float | None, period_us: int) -> None:
        quota = "max" if cores is None else str(quota_us(cores))
        (self._folder / "cpu.max").write_text(f"{quota} {period_us}")

    def out_of_memory_kills(self) -> int:
        return read_counter(self._folder / "memory.events", "oom_kill")

    def throttled_s(self) -> float:
        return read_counter(self._folder / "cpu.stat", "throttled_usec") / 1e6

    def peak_mb(self) -> int | None:
        try:  # Linux 5.19 and later
            return math.ceil(int((self._folder / "memory.peak").read_text()) / BYTES_PER_MB)
        except OSError:
            return None
