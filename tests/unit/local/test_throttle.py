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
from tuner.local.throttle.control_group import ControlGroupCage


@pytest.mark.parametrize(("cores", "expected_us"), [(128 / 1769, 1447), (1.0, 20_000), (2.0, 40_000), (0.01, 1000)])
def test_the_quota_is_the_share_of_a_twenty_millisecond_period(cores: float, expected_us: int) -> None:
    assert quota_us(cores) == expected_us


async def test_version_two_writes_quota_and_period_to_one_file(tmp_path: Path) -> None:
    cage = CgroupV2Cage(tmp_path / "cage", 512)
    cage.limit_cpu(0.5)
    await cage.begin_work()
    assert (tmp_path / "cage" / "cpu.max").read_text() == "10000 20000"
    assert (tmp_path / "cage" / "memory.max").read_text() == str(512 * 1024 * 1024)
    cage.limit_cpu(None)
    assert (tmp_path / "cage" / "cpu.max").read_text() == "max 20000"


async def test_version_one_writes_to_two_hierarchies(tmp_path: Path) -> None:
    cage = CgroupV1Cage(tmp_path / "cpu", tmp_path / "memory", 512)
    cage.limit_cpu(0.5)
    await cage.begin_work()
    assert (tmp_path / "cpu" / "cpu.cfs_period_us").read_text() == "20000"
    assert (tmp_path / "cpu" / "cpu.cfs_quota_us").read_text() == "10000"
    assert (tmp_path / "memory" / "memory.limit_in_bytes").read_text() == str(512 * 1024 * 1024)


class _Written(ControlGroupCage):
    """A cage that keeps what it would write, at times that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        monkeypatch.setattr("tuner.local.throttle.control_group.monotonic", lambda: self.now_s)
        super().__init__(())
        self.writes: list[tuple[float | None, int]] = []

    def _write_limit(self, cores: float | None, period_us: int) -> None:
        self.writes.append((cores, period_us))

    def take(self) -> list[tuple[float | None, int]]:
        taken, self.writes = self.writes, []
        return taken

    def out_of_memory_kills(self) -> int:
        return 0

    def peak_mb(self) -> int | None:
        return None

    def throttled_s(self) -> float:
        return 0.0


async def test_a_limit_is_written_when_it_has_changed_and_work_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    cage = _Written(monkeypatch)
    cage.limit_cpu(0.5)
    assert cage.take() == [], "nothing runs yet"
    await cage.begin_work()
    cage.take()
    cage.end_work()
    cage.limit_cpu(0.499)
    await cage.begin_work()
    assert cage.take() == [], "a write would fill the quota up"
    cage.end_work()
    cage.limit_cpu(0.49)
    await cage.begin_work()
    assert cage.take() == [(0.49, 20_000)]
    cage.limit_cpu(None)
    assert cage.take() == [(None, 20_000)], "a throttled process needs CPU time to die"


async def test_work_after_a_rest_begins_a_period_and_work_in_quick_succession_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cage = _Written(monkeypatch)
    cage.limit_cpu(0.5)
    await cage.begin_work()
    cage.take()
    cage.end_work()
    cage.now_s += 0.059
    await cage.begin_work()
    assert cage.take() == []
    cage.end_work()
    cage.now_s += 0.061
    await cage.begin_work()
    assert cage.take() == [(0.5, 1000), (0.5, 20_000)]


async def test_the_first_work_under_a_limit_begins_a_period(monkeypatch: pytest.MonkeyPatch) -> None:
    cage = _Written(monkeypatch)
    await cage.begin_work()
    cage.end_work()
    cage.limit_cpu(0.5)
    await cage.begin_work()
    assert cage.take() == [(0.5, 1000), (0.5, 20_000)]


async def test_the_timer_of_the_short_period_has_time_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    cage = _Written(monkeypatch)
    cage.limit_cpu(0.5)
    work = asyncio.ensure_future(cage.begin_work())
    await asyncio.sleep(0)
    assert cage.take() == [(0.5, 1000)], "with the second write, it would tick after the work began"
    await work
    assert cage.take() == [(0.5, 20_000)]


async def test_work_that_is_called_off_leaves_the_limit_as_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    cage = _Written(monkeypatch)
    cage.limit_cpu(0.5)
    work = asyncio.ensure_future(cage.begin_work())
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert cage.take()[-1] == (0.5, 20_000)


async def test_a_cage_that_is_closed_while_work_is_about_to_begin_is_not_written_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cage = _Written(monkeypatch)
    cage.limit_cpu(0.5)
    work = asyncio.ensure_future(cage.begin_work())
    await asyncio.sleep(0)
    cage.take()
    await cage.close()
    await work
    assert cage.take() == [], "its folder is gone"


async def test_a_cage_without_a_limit_begins_no_period(monkeypatch: pytest.MonkeyPatch) -> None:
    cage = _Written(monkeypatch)
    cage.now_s += 10
    await cage.begin_work()
    assert cage.take() == []


async def test_a_limit_holds_where_the_short_period_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cage = _Written(monkeypatch)
    write = cage._write_limit

    def refuse_short(cores: float | None, period_us: int) -> None:
        if period_us < 20_000:
            raise OSError(22, "Invalid argument")
        write(cores, period_us)

    monkeypatch.setattr(cage, "_write_limit", refuse_short)
    cage.limit_cpu(0.5)
    await cage.begin_work()
    assert cage.take() == [(0.5, 20_000)]


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
