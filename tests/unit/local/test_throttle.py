"""What the mechanisms write, on folders that stand in for control groups."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tuner.local.processes import ServerIdentity
from tuner.local.throttle import choose_throttle
from tuner.local.throttle.cage import quota_us
from tuner.local.throttle.cgroup_v1 import CgroupV1Cage
from tuner.local.throttle.cgroup_v2 import CgroupV2, CgroupV2Cage


@pytest.mark.parametrize(("cores", "expected_us"), [(128 / 1769, 1447), (1.0, 20_000), (2.0, 40_000), (0.01, 1000)])
def test_the_quota_is_the_share_of_a_twenty_millisecond_period(cores: float, expected_us: int) -> None:
    assert quota_us(cores) == expected_us


def test_version_two_writes_quota_and_period_to_one_file(tmp_path: Path) -> None:
    cage = CgroupV2Cage(tmp_path / "cage", 512)
    cage.limit_cpu(0.5)
    assert (tmp_path / "cage" / "cpu.max").read_text() == "10000 20000"
    assert (tmp_path / "cage" / "memory.max").read_text() == str(512 * 1024 * 1024)
    cage.limit_cpu(None)
    assert (tmp_path / "cage" / "cpu.max").read_text() == "max 20000"


def test_version_one_writes_to_two_hierarchies(tmp_path: Path) -> None:
    cage = CgroupV1Cage(tmp_path / "cpu", tmp_path / "memory", 512)
    cage.limit_cpu(0.5)
    assert (tmp_path / "cpu" / "cpu.cfs_period_us").read_text() == "20000"
    assert (tmp_path / "cpu" / "cpu.cfs_quota_us").read_text() == "10000"
    assert (tmp_path / "memory" / "memory.limit_in_bytes").read_text() == str(512 * 1024 * 1024)


def test_an_out_of_memory_kill_is_read_from_the_events(tmp_path: Path) -> None:
    cage = CgroupV2Cage(tmp_path / "cage", 128)
    assert cage.out_of_memory_kills() == 0
    (tmp_path / "cage" / "memory.events").write_text("low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\n")
    assert cage.out_of_memory_kills() == 1


@pytest.mark.parametrize("controllers", ["", "memory", "cpuset io"])
def test_version_two_is_not_chosen_without_its_controllers(tmp_path: Path, controllers: str) -> None:
    (tmp_path / "cgroup.subtree_control").write_text(controllers)
    assert CgroupV2.open("tuner-1-2-3", root=tmp_path) is None


def test_a_probe_leaves_no_folder_behind(tmp_path: Path) -> None:
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory")
    assert CgroupV2.open("tuner-1-2-3", root=tmp_path) is None, "an ordinary folder has no cpu.max"
    assert [file.name for file in tmp_path.iterdir()] == ["cgroup.subtree_control"]


def test_without_a_limit_the_mechanism_says_so() -> None:
    throttle = choose_throttle(ServerIdentity.current(), "none")
    assert throttle.mechanism.startswith("none: CPU is not limited")
    asyncio.run(throttle.close())


def test_a_servers_name_can_be_read_back() -> None:
    identity = ServerIdentity.current()
    assert ServerIdentity.parse(identity.name) == identity
    assert not identity.known_dead()


@pytest.mark.parametrize("name", ["tuner-1-2", "tuner-a-b-c", "docker-1-2-3", "tuner-probe-7"])
def test_names_of_others_are_not_taken_for_servers(name: str) -> None:
    assert ServerIdentity.parse(name) is None


def test_a_server_in_another_pid_namespace_is_never_called_dead() -> None:
    mine = ServerIdentity.current()
    assert not ServerIdentity(mine.pid, mine.started + 1, mine.namespace + 1).known_dead()
    assert ServerIdentity(mine.pid, mine.started + 1, mine.namespace).known_dead()
