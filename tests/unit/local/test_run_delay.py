"""What counts as disturbed."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tuner.local.throttle import cgroup_v2, run_delay
from tuner.local.throttle.run_delay import Disturbance, RunDelayMeter, schedstats
from tuner.local.throttle.signals import SignalCage


@pytest.mark.parametrize(
    ("run_delay_ms", "duration_ms", "disturbed"),
    [(0.9, 5.0, False), (1.1, 5.0, True), (4.9, 100.0, False), (5.1, 100.0, True), (0.0, 0.0, False)],
)
def test_more_than_a_share_of_the_duration_and_more_than_a_wake_up(
    run_delay_ms: float, duration_ms: float, disturbed: bool
) -> None:
    seen = Disturbance(run_delay_ms=run_delay_ms, duration_ms=duration_ms, cpu_ms=0.5, cores=1.0)
    assert seen.disturbed is disturbed


@pytest.mark.parametrize(
    ("duration_ms", "cpu_ms", "cores", "lengthened_ms"),
    [
        (345.0, 100.0, 0.29, 3.6),
        (38.0, 17.4, 0.47, 10.0),
        (142.0, 100.0, 1.0, 42.0),
        (130.0, 3.0, 0.29, 90.0),
        (300.0, 100.0, 0.29, 0.0),
        (500.0, 100.0, 2.0, 90.0),
    ],
    ids=[
        "the quota absorbed it",
        "a short call on a stair",
        "a whole core lost it",
        "within the first quota",
        "saved-up quota",
        "one of two",
    ],
)
def test_a_wait_counts_only_where_the_cpu_used_does_not_explain_the_duration(
    duration_ms: float, cpu_ms: float, cores: float, lengthened_ms: float
) -> None:
    seen = Disturbance(run_delay_ms=90.0, duration_ms=duration_ms, cpu_ms=cpu_ms, cores=cores)
    assert seen.lengthened_ms == pytest.approx(lengthened_ms, abs=0.01)


class StandIn(SignalCage):
    """A cage around this very process, with throttled time as the test says."""

    throttled = 0.0
    inside: Sequence[int] = (os.getpid(),)

    def members(self) -> Sequence[int]:
        return self.inside

    def throttled_s(self) -> float:
        return self.throttled


@pytest.fixture
def cage(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    waited = {"7": (5.0, 1.0), "8": (6.0, 2.0)}
    monkeypatch.setattr(run_delay, "schedstats", lambda pids: dict(waited) if pids else {})
    made = StandIn(128)
    made.__dict__["waited"] = waited
    return made


def test_the_longest_wait_less_the_throttled_time_counts(cage: StandIn) -> None:
    meter = RunDelayMeter(cage)
    cage.__dict__["waited"].update({"7": (5.1, 1.5), "8": (6.2, 2.1)})
    cage.throttled = 0.3
    waited = meter.read()
    assert waited is not None
    assert waited.run_delay_ms == pytest.approx(200.0)
    assert waited.cpu_ms == pytest.approx(300.0)


def test_a_wait_shorter_than_the_throttled_time_is_none_at_all(cage: StandIn) -> None:
    meter = RunDelayMeter(cage)
    cage.throttled = 0.3
    waited = meter.read()
    assert waited is not None
    assert waited.run_delay_ms == 0.0


def test_the_wait_of_a_thread_that_ended_within_the_call_counts(cage: StandIn) -> None:
    meter = RunDelayMeter(cage)
    cage.__dict__["waited"]["9"] = (0.3, 0.7)
    meter.look()
    del cage.__dict__["waited"]["9"]
    waited = meter.read()
    assert waited is not None
    assert waited.run_delay_ms == pytest.approx(700.0)
    assert waited.cpu_ms == pytest.approx(300.0)


async def test_threads_are_looked_at_while_a_call_lasts(cage: StandIn) -> None:
    meter = RunDelayMeter(cage)
    with meter.looking():
        cage.__dict__["waited"]["9"] = (0.3, 0.7)
        await asyncio.sleep(10 * run_delay.FIRST_LOOK_S)
        del cage.__dict__["waited"]["9"]
    waited = meter.read()
    assert waited is not None
    assert waited.run_delay_ms == pytest.approx(700.0)


def burn(cpu_s: float) -> None:
    end_s = time.thread_time() + cpu_s
    while time.thread_time() < end_s:
        pass


def test_the_work_of_a_thread_that_nobody_has_seen_is_told_apart() -> None:
    meter = RunDelayMeter(StandIn(128))
    thread = threading.Thread(target=burn, args=(0.03,))
    thread.start()
    thread.join()
    while Path(f"/proc/self/task/{thread.native_id}").exists():  # Python's thread ends before the kernel's
        time.sleep(0.001)
    waited = meter.read()
    assert waited is not None
    assert waited.cpu_ms >= 30
    assert waited.unseen_ms >= 25


@pytest.mark.parametrize(
    ("duration_ms", "unseen_ms", "disturbed"),
    [(100.0, 40.0, None), (50.0, 40.0, False), (100.0, 2.0, False)],
    ids=["unseen threads may have waited", "the work explains the duration", "they did next to nothing"],
)
def test_what_cannot_be_told_is_not_called_undisturbed(
    duration_ms: float, unseen_ms: float, disturbed: bool | None
) -> None:
    seen = Disturbance(run_delay_ms=0.0, duration_ms=duration_ms, cpu_ms=50.0, cores=1.0, unseen_ms=unseen_ms)
    assert seen.disturbed is disturbed


def test_nobody_left_means_not_known(cage: StandIn) -> None:
    meter = RunDelayMeter(cage)
    cage.inside = ()
    assert meter.read() is None


def test_the_kernels_count_is_read_for_every_thread() -> None:
    running_s, waiting_s = schedstats([os.getpid()])[str(os.getpid())]
    assert running_s > 0
    assert waiting_s >= 0


def test_a_scope_is_used_only_where_systemd_made_one(tmp_path: Path) -> None:
    membership = tmp_path / "cgroup"
    membership.write_text("1:name=systemd:/x\n0::/user.slice/user-1000.slice/session-2.session\n")
    assert cgroup_v2.CgroupV2.open_scope("tuner-1-2-3", root=tmp_path, membership=membership) is None
    scope = tmp_path / "user.slice" / "app.slice" / "run-7.scope"
    scope.mkdir(parents=True)
    membership.write_text("0::/user.slice/app.slice/run-7.scope\n")
    opened = cgroup_v2.CgroupV2.open_scope("tuner-1-2-3", root=tmp_path, membership=membership)
    assert opened is not None
    assert opened.mechanism.startswith("cgroup v2 CPU quota in a systemd user scope")
    assert (scope / "server" / "cgroup.procs").read_text() == "0", "the server leaves the group that gets children"
