"""A version is left alone for a while between two waves."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tuner.engine.rests import REST_S, Rests

QUOTA_PERIOD_S = 0.02


@dataclass
class Clock:
    now_s: float = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("tuner.engine.rests.monotonic", lambda: found.now_s)
    return found


def test_a_wave_right_after_another_waits_until_the_quota_of_its_period_is_forgotten(clock: Clock) -> None:
    rests = Rests()
    rests.begin("fn", "1")
    assert rests.left_s("fn", "1") == pytest.approx(REST_S)
    assert REST_S > 3 * QUOTA_PERIOD_S
    clock.now_s += 0.6 * REST_S
    assert rests.left_s("fn", "1") == pytest.approx(0.4 * REST_S)
    clock.now_s += REST_S
    assert rests.left_s("fn", "1") == 0


@pytest.mark.usefixtures("clock")
def test_other_versions_and_other_functions_do_not_wait() -> None:
    rests = Rests()
    rests.begin("fn", "1")
    assert rests.left_s("fn", "2") == rests.left_s("other", "1") == 0


async def test_a_rest_ends() -> None:
    rests = Rests()
    rests.begin("fn", "1")
    await rests.end("fn", "1")
    assert rests.left_s("fn", "1") == 0
