"""How often is the gate wrong? Whole gates, block by block, on noise clustered by environment. Seeded.

Promised for every world: at exactly the margin red and green each in at most 5 % of the gates. ``benchmarks.gate``
counts it over 400 trials a condition; here fewer trials look for gross mistakes, and a limit is the promise plus
three standard errors of the trials (0.05 + 3 * 0.024 with 80 of them).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.gate import Trial, gate, naive
from benchmarks.gate_worlds import PRICE, Fleet, World, cell, simulated
from tuner.model import GatePolicy, Level, Metric, MetricRule, Stop
from tuner.planning.gate import GateSampling
from tuner.statistics.gate.comparison import LogRatio
from tuner.statistics.gate.metrics import compare
from tuner.statistics.gate.sequence import Opponents

TRIALS = 80
LIMIT = 0.05 + 3 * math.sqrt(0.05 * 0.95 / TRIALS)
LEAN = GatePolicy(rules=(MetricRule(metric=Metric.DURATION, level=Level.ERROR),))
"""The usual policy without the metrics that decide nothing: they take time to compute."""
PAIR = Opponents(cell("base"), cell("head"))
WORLDS = {
    "little clustering": simulated(0.17),
    "much clustering": simulated(0.64),
    "outliers": simulated(0.4, outliers=0.06),
    "drift": simulated(0.4, drift=0.1),
    "shared hosts": simulated(0.4, placement=0.02),
}


def trials(
    world: World, ratio: float, count: int = TRIALS, *, labels: bool = False, wave_size: int = 10
) -> list[Trial]:
    return [gate(world, ratio, 5000 + seed, labels=labels, policy=LEAN, wave_size=wave_size) for seed in range(count)]


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


@pytest.mark.parametrize(
    ("name", "labels"), [*((name, False) for name in WORLDS), ("outliers", True), ("drift", True)]
)
def test_at_the_margin_both_promises_hold(name: str, labels: bool) -> None:
    found = trials(WORLDS[name], 1.05, labels=labels)
    assert share([t.red for t in found]) <= LIMIT
    assert share([t.green for t in found]) <= LIMIT
    assert share([t.covered is True for t in found]) >= 0.9 - 3 * math.sqrt(0.09 / TRIALS)
    assert max(t.calls_per_side for t in found) <= 400


@pytest.mark.parametrize("wave_size", [1, 2])
def test_few_calls_at_once_keep_the_promises_too(wave_size: int) -> None:
    found = trials(WORLDS["little clustering"], 1.05, wave_size=wave_size)
    assert share([t.red for t in found]) <= LIMIT
    assert share([t.green for t in found]) <= LIMIT


@pytest.mark.parametrize("name", WORLDS)
def test_the_same_code_twice_is_green_and_never_red(name: str) -> None:
    """Measured over 400: no red; green in 91 % with 6 % outliers, in 97 % and more elsewhere."""
    found = trials(WORLDS[name], 1.0, 40)
    assert not any(t.red for t in found)
    assert share([t.green for t in found]) >= 0.8


@pytest.mark.parametrize("name", ["little clustering", "much clustering", "drift"])
def test_twice_the_margin_is_red(name: str) -> None:
    found = trials(WORLDS[name], 1.10, 40)
    assert share([t.red for t in found]) >= 0.85


def test_mann_whitney_over_invocations_calls_the_same_code_different() -> None:
    found = [naive("Mann-Whitney", WORLDS["much clustering"], 1.0, seed) for seed in range(200)]
    assert share([t.red for t in found]) > 0.15


def test_looks_without_a_correction_would_be_wrong_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.statistics.gate.metrics.nominal_levels", lambda alpha, looks: (alpha,) * len(looks))
    found = trials(WORLDS["much clustering"], 1.05, labels=True)
    assert share([t.green for t in found]) > 0.07


@pytest.mark.parametrize("metric", [Metric.BILLED_DURATION, Metric.COST, Metric.P50, Metric.P95, Metric.INIT])
def test_intervals_of_the_other_metrics_cover_the_true_ratio(metric: Metric) -> None:
    """Two-sided 90 %, over 100 comparisons of 60 environments: the standard error of the coverage is 3 %."""
    ratios = [ratio for seed in range(100) if (ratio := _ratio_at_the_last_look(metric, seed)) is not None]
    assert len(ratios) >= 90
    assert share([ratio.lower(0.05) <= 1.0 <= ratio.upper(0.05) for ratio in ratios]) >= 0.9 - 3 * 0.03


def _ratio_at_the_last_look(metric: Metric, seed: int) -> LogRatio | None:
    sampling = GateSampling(
        pairs=(PAIR,),
        policy=replace(LEAN, environments=(60,)),
        prices=(PRICE,),
        wave_size=5,
        renewable=True,
        seed=seed,
    )
    fleet = Fleet(WORLDS["little clustering"], 1.0, np.random.default_rng([seed, 9]), labels=False)
    blocks = sampling.blocks_to_next_look(())
    assert not isinstance(blocks, Stop)
    for block in blocks:
        fleet.run(block)
    return compare(metric, *PAIR.sides(fleet.samples), PRICE).ratio
