"""A reduced fault matrix: whole runs that meet faults, signals, full disks, each other and the function's owner.

`python -m benchmarks.faults` plays many more.
"""

from __future__ import annotations

import signal

import pytest

from benchmarks.faults.play import play_in_own_folder
from benchmarks.faults.schedule import SIGNALS, Deed, Schedule, draw_schedule

SEEDS = (7, 12, 17, 45, 46, 47, 68, 146, 225, 231, 362)
"""Together they meet everything that is drawn."""


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_goes_wrong_the_function_is_as_it_was(seed: int) -> None:
    assert play_in_own_folder(seed).violations == ()


def test_the_schedules_above_meet_every_kind_of_run_and_fault() -> None:
    drawn = [draw_schedule(seed) for seed in SEEDS]
    runs = [run for schedule in drawn for run in schedule.runs]
    rules = [rule for schedule in drawn for rule in schedule.rules]
    assert {run.signal for run in runs} == set(SIGNALS)
    assert {run.clone for run in runs} == {True, False}
    assert {run.disk_full_after_s is None for run in runs} == {True, False}
    assert {len(schedule.runs) for schedule in drawn} == {1, 2}
    assert len({rule["fault"] for rule in rules}) >= 8
    assert {rule["operation"] for rule in rules} >= {"TagResource", "UntagResource"}


def test_the_schedules_above_meet_every_deed_of_the_owner_during_a_run_and_a_new_function_after_a_kill() -> None:
    drawn = [draw_schedule(seed) for seed in SEEDS]
    assert {act.deed for schedule in drawn for act in schedule.acts} == set(Deed)
    assert any(recreated_after_a_kill(schedule) for schedule in drawn)


def recreated_after_a_kill(schedule: Schedule) -> bool:
    run = schedule.runs[0]
    return run.signal == signal.SIGKILL and any(
        act.deed is Deed.RECREATE and act.after_s is not None and act.after_s > run.signal_after_s
        for act in schedule.acts
    )
