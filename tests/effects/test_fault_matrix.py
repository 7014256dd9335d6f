"""A reduced fault matrix: whole runs that meet faults and signals. `python -m benchmarks.faults` plays many more."""

from __future__ import annotations

import pytest

from benchmarks.faults import draw_schedule, play_in_own_folder

SEEDS = range(1, 13)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_goes_wrong_the_function_is_as_it_was(seed: int) -> None:
    assert play_in_own_folder(seed).violations == ()


def test_the_schedules_above_meet_faults_signals_and_copies() -> None:
    drawn = [draw_schedule(seed) for seed in SEEDS]
    assert len({rule["fault"] for schedule in drawn for rule in schedule.rules}) >= 5
    assert len({schedule.signal for schedule in drawn}) == 4
    assert {schedule.clone for schedule in drawn} == {True, False}
