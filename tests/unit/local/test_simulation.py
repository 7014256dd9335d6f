"""Declared worlds: repeatable, bounded, and labelled."""

from __future__ import annotations

import statistics
from typing import Any

import pytest

from tuner.local.simulation import Nature, Simulation, parse_simulation


def test_nothing_is_simulated_by_default() -> None:
    nature = Nature(parse_simulation({}))
    assert (nature.host_speed(), nature.speed_now(123.0), nature.network_s()) == (1.0, 1.0, 0.0)
    assert nature.simulation.labels() == ()


def test_hosts_come_in_their_shares_and_repeatably() -> None:
    value = {"seed": 3, "hosts": [{"share": 0.9, "speed": 1.0}, {"share": 0.1, "speed": 0.82}]}
    speeds = [[Nature(parse_simulation(value)).host_speed() for _ in range(1)] for _ in range(2)]
    assert speeds[0] == speeds[1]
    nature = Nature(parse_simulation(value))
    slow = sum(nature.host_speed() == 0.82 for _ in range(2000)) / 2000
    assert 0.07 < slow < 0.13, "4 standard deviations around 0.1"


def test_a_spread_only_slows_down() -> None:
    nature = Nature(parse_simulation({"spread": 0.05}))
    speeds = [nature.host_speed() for _ in range(2000)]
    assert max(speeds) <= 1.0
    assert 0.02 < statistics.stdev(speeds) < 0.04, "half-normal: 0.6 of the spread"


def test_drift_returns_to_where_it_began() -> None:
    nature = Nature(parse_simulation({"drift": {"depth": 0.2, "period_s": 100}}))
    assert [round(nature.speed_now(now_s), 9) for now_s in (0, 50, 100)] == [1.0, 0.8, 1.0]


def test_network_jitter_comes_on_top() -> None:
    nature = Nature(parse_simulation({"network_ms": 20, "network_jitter_ms": 5}))
    delays_ms = [nature.network_s() * 1000 for _ in range(2000)]
    assert min(delays_ms) >= 20
    assert 24 < statistics.mean(delays_ms) < 26


def test_environments_are_initialised_ahead_in_their_share_and_never_unasked() -> None:
    nature = Nature(parse_simulation({"initialised_ahead": 0.05}))
    ahead = sum(nature.initialises_ahead() for _ in range(2000)) / 2000
    assert 0.03 < ahead < 0.07, "4 standard deviations around 0.05"
    assert not Nature(parse_simulation({})).initialises_ahead()


def test_every_effect_has_its_label() -> None:
    simulation = parse_simulation(
        {
            "hosts": [{"share": 1, "speed": 0.9}],
            "spread": 0.03,
            "drift": {"depth": 0.1},
            "arm64_speed": 0.85,
            "network_ms": 20,
            "restore_ms": 180,
            "initialised_ahead": 0.05,
        }
    )
    assert len(simulation.labels()) == 7
    assert simulation != Simulation()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "JSON object"),
        ({"arm64_sped": 1}, "arm64_sped is not known"),
        ({"arm64_speed": 0}, "a speed is a share"),
        ({"hosts": [{"share": 1, "speed": 1.1}]}, "a speed is a share"),
        ({"drift": {"depth": 1}}, "drift has a depth"),
        ({"network_ms": -1}, "not negative"),
    ],
)
def test_a_mistake_is_named(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_simulation(value)
