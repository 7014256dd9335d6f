"""Removing what servers left behind that could not clean up themselves: killed, crashed, or lost with the power.

Only things that carry the name of a server that is known to be dead are touched (``ServerIdentity.known_dead``).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuner.local.processes import SERVER_MARK, ServerIdentity, kill_quietly, marks_of_all
from tuner.local.throttle import cage, cgroup_v1, cgroup_v2

_PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    processes: int = 0
    control_groups: int = 0
    folders: int = 0

    @property
    def nothing(self) -> bool:
        return self == Swept()


def sweep(state_root: Path) -> Swept:
    """End surviving processes of dead servers, remove their control groups, and their folders in ``state_root``.

    Blocks for at most a few seconds. Safe to call at any time and by several processes at once.
    """
    processes = _end_processes()
    groups = sum(_remove_groups(root) for root in _control_group_roots())
    folders = 0
    for folder in _of_dead_servers(state_root):
        shutil.rmtree(folder, ignore_errors=True)
        folders += not folder.exists()
    return Swept(processes=processes, control_groups=groups, folders=folders)


def _end_processes() -> int:
    ended: set[int] = set()
    deadline_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline_s:
        survivors = [pid for pid, name in marks_of_all(SERVER_MARK).items() if _dead(name)]
        if not survivors:
            break
        for pid in survivors:
            kill_quietly(pid)
        ended.update(survivors)
        time.sleep(0.01)
    return len(ended)


def control_groups_of(identity: ServerIdentity) -> tuple[Path, ...]:
    """The control groups of a server's environments that exist right now."""
    return tuple(group for root in _control_group_roots() for group in _folders(root / identity.name))


def _control_group_roots() -> tuple[Path, ...]:
    return (*cgroup_v1.CPU_ROOTS, cgroup_v1.MEMORY_ROOT, cgroup_v1.PIDS_ROOT, cgroup_v2.ROOT)


def _remove_groups(root: Path) -> int:
    removed = 0
    for group in _of_dead_servers(root):
        for inner in [*_folders(group), group]:
            _empty_and_remove(inner)
        removed += not group.exists()
    return removed


def _empty_and_remove(group: Path) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while not cage.removed(group) and time.monotonic() < deadline_s:
        for pid in cage.read_pids(group / "cgroup.procs"):
            kill_quietly(pid)
        time.sleep(0.01)


def _of_dead_servers(folder: Path) -> Iterator[Path]:
    yield from (entry for entry in _folders(folder) if _dead(entry.name))


def _folders(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink()]
    except OSError:
        return []


def _dead(name: str) -> bool:
    identity = ServerIdentity.parse(name)
    return identity is not None and identity.known_dead()
