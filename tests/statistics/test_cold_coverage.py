"""Do 95 % intervals of cold-start percentiles hold in 93 to 97 % of studies? The benchmark's worlds, seeded.

Simulated studies with batch effects (intra-batch correlation 0 to .5) and two modes, and real init durations
resampled by batch, at the batch sizes that a study would have. Pooled over worlds each coverage rests on 2,000
intervals or more, so that its simulation error is .005: required are 93 to 97.5 %; a single world may fall to 88 %
over its 100 to 200 intervals, 3 standard errors below 94 %. ``python -m benchmarks.cold_starts`` has ten times as
many trials, and prints what falls outside.

Differences between two cells combine two intervals and hold in 94 to 99 %.

Known limits, stated by the last tests: a quantile that lies in the gap between two modes, when batches decide which
mode comes; and a slow mode of 5 % is not noticed in 200 cold starts.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.cold_logs import LogWorld
from benchmarks.cold_logs import Row as LogRow
from benchmarks.cold_logs import coverage as log_coverage
from benchmarks.cold_starts import Row, coverage, mode_alarms, pooled, stopping
from benchmarks.cold_worlds import (
    ColdWorld,
    OneMode,
    TwoModes,
    published_worlds,
    recorded_worlds,
    simulated_worlds,
)
from tuner.statistics.cold.batches import Batched, quantile_estimate

TRIALS = 60
"""Pairs of studies for each world and design."""
SINGLE_LEAST = 0.88


def rows_of(worlds: list[ColdWorld], *starts: int, trials: int = TRIALS) -> list[Row]:
    return [row for world in worlds for number in starts for row in coverage(world, number, trials)]


@pytest.fixture(scope="module")
def simulated() -> list[Row]:
    return rows_of(list(simulated_worlds()), 36, 200, 1000, trials=100)


@pytest.fixture(scope="module")
def recorded() -> list[Row]:
    return rows_of([*recorded_worlds()], 36, 200, 1000)


@pytest.fixture(scope="module")
def published() -> list[Row]:
    return rows_of([*published_worlds()[::10]], 200, 1000, trials=15)


def families(rows: list[Row]) -> tuple[str, ...]:
    return tuple({row.family for row in rows})


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("kind", ["simulated", "recorded", "published"])
def test_intervals_of_a_percentile_hold_in_93_to_97_percent_of_studies(
    kind: str, quantile: float, request: pytest.FixtureRequest
) -> None:
    rows: list[Row] = request.getfixturevalue(kind)
    held, apart = pooled(rows, quantile, *families(rows))
    assert 0.93 <= held <= 0.975
    assert 0.94 <= apart <= 0.99


def test_no_single_world_falls_far_below(simulated: list[Row], recorded: list[Row]) -> None:
    judged = [row for row in (*simulated, *recorded) if row.intervals >= 100]
    assert len(judged) > 80
    lowest = min(judged, key=lambda row: row.coverage)
    assert lowest.coverage >= SINGLE_LEAST, lowest


def test_intervals_exist_where_there_are_enough_cold_starts(simulated: list[Row]) -> None:
    typical = [row for row in simulated if row.quantile < 0.99 and "0.5" not in row.world]
    assert sum(row.intervals for row in typical) / sum(row.trials for row in typical) >= 0.97


def test_intervals_that_ignore_batches_do_not_hold() -> None:
    """The same studies with every cold start taken for a batch of its own."""
    world, rng = OneMode(0.5), np.random.default_rng(1)
    truth, held = world.quantile(0.5), 0
    for _ in range(200):
        values = world.draw(rng, 100, 10).ravel()
        estimate = quantile_estimate(Batched(values, np.arange(values.size)), 0.5)
        held += estimate.low is not None and estimate.high is not None and estimate.low <= truth <= estimate.high
    assert held / 200 < 0.75


def test_stopping_when_the_precision_is_reached_does_not_spoil_the_interval() -> None:
    """150 studies that stop at +-5 %: 91 % is 2.3 standard errors below 95 %."""
    assert stopping(OneMode(0.05), 0.95, 150).coverage >= 0.91


@pytest.fixture(scope="module")
def noticed() -> dict[tuple[str, int], float]:
    """Share of 50 studies of each kind in which two modes were noticed."""
    return {(alarm.world, alarm.starts): alarm.noticed for alarm in mode_alarms(50)}


def test_two_modes_are_noticed_from_a_tenth_on_and_one_is_never_taken_for_two(
    noticed: dict[tuple[str, int], float],
) -> None:
    """False alarms are 1 % where they are most likely (uniform values); in these worlds there are none."""
    assert max(share for (world, _), share in noticed.items() if world.startswith("one mode")) <= 0.02
    assert min(share for (world, _), share in noticed.items() if world.startswith(("20%", "40%"))) >= 0.9
    assert noticed["10% slow, icc 0", 200] >= 0.75


def test_a_slow_mode_of_a_twentieth_needs_more_than_200_cold_starts_to_be_noticed(
    noticed: dict[tuple[str, int], float],
) -> None:
    assert noticed["5% slow, icc 0", 200] <= 0.4
    assert noticed["5% slow, icc 0", 1000] >= 0.9


def test_a_percentile_in_the_gap_between_modes_that_come_by_batch_is_the_known_limit() -> None:
    """5 % of starts are slow and come by batch (correlation .5): many studies see too few slow batches to know."""
    (row,) = [row for row in coverage(TwoModes(0.05, 0.5), 200, 200) if row.quantile == 0.95]
    assert row.intervals / row.trials < 0.8, "a third of the studies say that they do not know"
    assert 0.65 <= row.coverage <= 0.93
    assert row.differences_covered / row.differences >= 0.9, "identical cells: the difference is 0"


def test_percentiles_of_a_week_of_production_hold_where_its_hours_are_the_batches() -> None:
    """Each coverage rests on 200 to 330 intervals of four worlds, simulation error .015: 91 % are required."""
    alike = [row for slow in (False, True) for hour in (0.0, 0.1) for row in logs_of(LogWorld(0.0, hour, 0.0, slow))]
    for quantile in (0.9, 0.95):
        rows = [row for row in alike if row.quantile == quantile]
        assert sum(row.intervals for row in rows) >= 0.35 * sum(row.trials for row in rows)
        assert sum(row.covered for row in rows) / sum(row.intervals for row in rows) >= 0.91


@pytest.mark.parametrize("slow", [False, True])
def test_a_week_whose_days_differ_much_hardly_ever_bounds_a_high_percentile_by_its_hours(slow: bool) -> None:
    """With hours always, its intervals would hold in 50 to 80 % of weeks."""
    rows = [row for row in logs_of(LogWorld(0.2, 0.0, 0.0, slow)) if row.quantile > 0.5]
    assert all(row.intervals <= 0.05 * row.trials for row in rows)
    assert all(row.if_always_by_hour < 0.9 for row in rows)


def logs_of(world: LogWorld) -> list[LogRow]:
    return list(log_coverage(world, 100, 120))
