"""The search against simulated worlds and traces, by the protocol of the benchmark, with error rates stated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.policies import Adaptive, Parrotfish, PowerTuning, RandomSizes
from benchmarks.search import run
from benchmarks.search_families import curve_worlds, simulated_worlds
from benchmarks.search_tables import Run, reliability, summarise, wilson
from benchmarks.worlds import trace_worlds

SEEDS = range(500, 504)


def test_on_unseen_worlds_the_search_misses_the_cheapest_size_by_little_in_few_calls() -> None:
    """Over 20 other seeds the mean regret was 0.4 %, 97 % of the runs were within 5 %, with 23 calls on average, and
    93 % of the statements between 85 and 95 % were right. Of some 35 correlated ones here 75 % must be."""
    met = [(seed, world) for seed in SEEDS for world in simulated_worlds(seed)]
    runs = [run("tuner", Adaptive(world.cells, world.price, seed), world, seed) for seed, world in met]
    row = summarise(runs, "all")
    assert np.median([r.regret for r in runs]) <= 0.01
    assert row.within_5_percent >= 0.85
    assert row.invocations <= 40
    assert max(r.invocations for r in runs) <= 60
    assert row.stated_90 is not None
    assert row.stated_90 >= 0.75


def test_on_worlds_that_nobody_listed_the_search_ends_near_the_cheapest_size_too() -> None:
    """Over 28 other seeds 98 % of the runs were within 5 %, with 26 calls on average: more than 5 of 30 are not with
    a chance of 0.005 %."""
    met = [(seed, world) for seed in SEEDS[:3] for world in simulated_worlds(seed, unusual=True)]
    runs = [
        run("tuner", Adaptive(world.cells, world.price, seed, largest_wave=world.largest_wave), world, seed)
        for seed, world in met
    ]
    assert len({r.world for r in runs}) == 10
    assert len(runs) == 30
    assert sum(r.regret <= 0.05 for r in runs) >= 25
    assert max(r.invocations for r in runs) <= 60


def test_published_curves_are_worlds_at_their_own_sizes_unless_those_are_too_close(tmp_path: Path) -> None:
    wide = {"id": "wide", "memory_mb": [128, 256, 512, 1024], "duration_ms": [800.0, 300.0, 290.0, 280.0]}
    close = {"id": "close", "memory_mb": [128, 130, 132, 134], "duration_ms": [800.0, 400.0, 900.0, 380.0]}
    file = tmp_path / "curves.json"
    file.write_text(json.dumps({"runs": [wide, close]}))
    (world,) = curve_worlds(file, seed=1)
    assert [cell.memory_mb for cell in world.cells] == [128, 256, 512, 1024]
    assert world.regret(256) == 0
    assert world.regret(1024) > 1


def test_statements_are_binned_by_what_they_say_and_their_interval_counts_runs() -> None:
    runs = [made_run(claims=((0.6, False), (0.9, True), (0.9, seed > 2))) for seed in range(10)]
    (last,) = (found for found in reliability(runs) if found.when == "end")
    bins = {found.stated_from: found for found in reliability(runs) if found.when == "all"}
    assert (last.statements, last.right) == (10, 1.0)
    assert (bins[0.5].statements, bins[0.5].right) == (10, 0.0)
    assert (bins[0.85].statements, bins[0.85].runs) == (20, 10)
    assert bins[0.85].right == pytest.approx(0.85)
    assert (bins[0.85].low, bins[0.85].high) == pytest.approx(wilson(0.85, 10))


def test_the_interval_of_a_share_is_that_of_wilson() -> None:
    assert wilson(0.9, 100) == pytest.approx((0.8256, 0.9448), abs=0.0005)
    assert wilson(1.0, 5)[1] == 1.0


def made_run(claims: tuple[tuple[float, bool], ...]) -> Run:
    return Run(
        policy="tuner",
        world="one",
        kind="smooth",
        seed=1,
        regret=0.0,
        invocations=20,
        cold=8,
        usd=0.01,
        claim=claims[-1][0],
        claims=claims,
    )


@pytest.mark.parametrize("maker", [PowerTuning, Parrotfish, RandomSizes])
def test_other_policies_end_and_recommend_a_size_of_the_world(maker: type) -> None:
    world = simulated_worlds(7)[0]
    arguments = {PowerTuning: (5,), Parrotfish: (), RandomSizes: (1,)}[maker]
    result = run("other", maker(world.cells, world.price, *arguments), world, 7)
    assert result.regret >= 0
    assert 0 < result.invocations <= 60


TRACES = {
    "labelled": {"functions": {"f": {str(m): {"e1": {"duration_ms": [90.0, 91.0]}, "e2": {"duration_ms": [95.0]}}
                                     for m in (128, 512, 1024)}}},
    "one environment": {"functions": {"f": {str(m): {"e1": {"duration_ms": [90.0, 91.0]}} for m in (128, 512)}}},
    "rows": {"f": {str(m): {"duration_ms": [200.0, 90.0, 91.0], "init_ms": [150.0, 0, None]} for m in (128, 300)}},
    "billed only": {"functions": {"f": {str(m): {"billed_ms": [90, 91, 92]} for m in (128, 300, 640)}}},
    "single calls": {"functions": {"f": {str(m): {"duration_ms": [90.0]} for m in (128, 300, 640)}}},
}  # fmt: skip


@pytest.mark.parametrize("name", TRACES)
def test_traces_of_every_form_can_be_searched(name: str, tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    file.write_text(json.dumps(TRACES[name]))
    (world,) = trace_worlds([file], seed=3)
    result = run("tuner", Adaptive(world.cells, world.price, 3), world, 3)
    assert result.regret == 0
    assert result.cold > 0


def test_what_is_no_trace_gives_no_world(tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    file.write_text(json.dumps({"functions": {"f": {"128": {"duration_ms": []}}, "note": "none"}}))
    assert trace_worlds([file], seed=1) == []


def test_a_policy_draws_from_other_environments_than_the_truth_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    environments = {f"e{i}": {"duration_ms": [100.0 + i]} for i in range(6)}
    file.write_text(json.dumps({"functions": {"f": {"128": environments, "256": environments}}}))
    (world,) = trace_worlds([file], seed=1)
    rng = np.random.default_rng(1)
    drawn = {round(world.start(128, rng).warm(rng, 0.0)) for _ in range(400)}
    assert len(drawn) == 3
