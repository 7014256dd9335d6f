"""Where samples name their environments, only a call that came before can have warmed one."""

from __future__ import annotations

from tuner.model import Architecture, Cell, Outcome, Sample
from tuner.statistics.cold.recognition import recognise

CELL = Cell(512, Architecture.X86_64)


def sample(sequence: int, wave: int, second: int, environment: str | None = "a") -> Sample:
    return Sample(
        sequence=sequence,
        block=wave,
        wave=wave,
        cell=CELL,
        version="1",
        started_at=f"2026-11-21T10:00:{second:02d}.000+00:00",
        client_ms=100.0,
        outcome=Outcome.OK,
        duration_ms=90.0,
        environment=environment,
    )


def test_a_first_call_without_init_was_initialised_ahead_though_the_next_wave_came_to_its_environment() -> None:
    (found,) = recognise([sample(1, 1, 0), sample(2, 2, 5)], [CELL])
    assert (found.counts.initialised_ahead, found.counts.reused, found.counts.warm) == (1, 0, 1)


def test_a_late_call_of_the_same_wave_on_an_environment_that_served_is_reused() -> None:
    (found,) = recognise([sample(1, 1, 0), sample(2, 1, 5)], [CELL])
    assert (found.counts.initialised_ahead, found.counts.reused) == (1, 1)


def test_a_late_call_of_the_same_wave_on_an_environment_of_its_own_is_not() -> None:
    (found,) = recognise([sample(1, 1, 0), sample(2, 1, 5, "b")], [CELL])
    assert (found.counts.initialised_ahead, found.counts.reused) == (2, 0)
