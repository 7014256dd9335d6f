"""The search chooses its waves from what was measured, ends by itself, and wastes no call on what cannot win."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.statistics.factory import PRICE, X86, cpu_bound, flat, sample, staircase
from tuner.model import Architecture, Block, Cell, Outcome, Sample, Stop, Strategy
from tuner.statistics.search.goal import Goal, near_best
from tuner.statistics.search.luck import normals, uniforms
from tuner.statistics.search.policy import AdaptiveSampling, thinned

SIZES = tuple(range(128, 1770, 16))
LUCK = [0.4590673121432685, 0.5252187108738771, 0.3598218949165591]


def policy(**changes: object) -> AdaptiveSampling:
    cells = tuple(Cell(size, X86) for size in SIZES)
    return replace(AdaptiveSampling(cells=cells, prices=(PRICE,)), **changes)  # type: ignore[arg-type]


def search(
    made: AdaptiveSampling,
    duration_ms: Callable[[int], float],
    *,
    outcomes: Mapping[int, Outcome] | None = None,
    seed: int = 1,
    noise: float = 0.02,
) -> tuple[list[Block], list[Sample], Stop]:
    """Answer every block as Lambda would: idle environments first, new ones cold."""
    rng = np.random.default_rng(seed)
    blocks: list[Block] = []
    samples: list[Sample] = []
    environments: dict[Cell, int] = {}
    while isinstance(block := made.next_block(samples), Block):
        blocks.append(block)
        for number, wave in enumerate(block.waves):
            idle = environments.get(wave.cell, 0)
            environments[wave.cell] = max(idle, wave.size)
            for call in range(wave.size):
                value = duration_ms(wave.cell.memory_mb) * math.exp(rng.normal(0, noise))
                row = sample(
                    wave.cell.memory_mb,
                    cell=wave.cell,
                    version=f"{wave.cell.memory_mb}/{wave.cell.architecture}",
                    sequence=len(samples),
                    block=block.number,
                    wave=number,
                    duration_ms=value,
                    billed_ms=float(math.ceil(value)),
                    init_ms=150.0 if call >= idle else None,
                    outcome=(outcomes or {}).get(wave.cell.memory_mb, Outcome.OK),
                )
                samples.append(row)
    return blocks, samples, block


def cost(duration_ms: Callable[[int], float], memory_mb: int) -> float:
    return duration_ms(memory_mb) * memory_mb


@pytest.mark.parametrize("curve", [cpu_bound, flat, staircase])
def test_ten_searches_in_ten_find_a_size_within_a_tenth_of_the_least_cost(curve: Callable[[int], float]) -> None:
    for seed in range(10):
        made = policy(seed=seed)
        _, samples, _ = search(made, curve, seed=seed)
        verdict = made.verdict(samples)
        assert verdict is not None
        least = min(cost(curve, size) for size in SIZES)
        assert cost(curve, verdict.winner.memory_mb) <= 1.1 * least
        assert len(samples) <= made.most_calls


def test_a_flat_function_needs_few_calls_and_none_at_most_sizes() -> None:
    _, samples, stop = search(policy(), flat)
    assert len(samples) < 20
    assert len({s.cell for s in samples}) < 8
    assert "128 MB is best" in stop.reason


def test_the_opening_spreads_over_the_range_on_more_than_one_environment_at_its_low_end() -> None:
    block = policy().next_block([])
    assert isinstance(block, Block)
    waves = {wave.cell.memory_mb: wave.size for wave in block.waves}
    assert min(waves) == 128
    assert max(waves) > 1700
    assert waves[128] == 2


def test_a_search_ends_at_its_cap_and_says_that_it_is_undecided() -> None:
    for cap in (9, 20, 33):
        _, samples, stop = search(policy(most_calls=cap, confidence=0.99), cpu_bound, noise=0.4)
        assert len(samples) == cap
        assert f"undecided after {cap}" in stop.reason


def test_no_wave_is_larger_than_what_may_be_in_flight() -> None:
    for largest in (1, 2, 4):
        blocks, _, _ = search(policy(largest_wave=largest), cpu_bound)
        assert max(wave.size for block in blocks for wave in block.waves) <= largest


def test_what_runs_out_of_memory_rules_out_every_smaller_size() -> None:
    outcomes = {size: Outcome.OUT_OF_MEMORY for size in SIZES if size <= 512}
    made = policy()
    blocks, samples, _ = search(made, flat, outcomes=outcomes)
    verdict = made.verdict(samples)
    assert verdict is not None
    assert verdict.winner.memory_mb > 512
    failed = max(s.cell.memory_mb for s in samples if s.block == 1 and s.outcome is Outcome.OUT_OF_MEMORY)
    assert all(wave.cell.memory_mb > failed for block in blocks[1:] for wave in block.waves)


def test_sizes_too_small_for_the_memory_used_are_not_proposed() -> None:
    made = policy()
    _, samples, _ = search(made, flat)
    greedy = [replace(s, max_memory_used_mb=200) for s in samples]
    verdict = made.verdict(greedy)
    assert verdict is not None
    assert verdict.winner.memory_mb > 230


def test_a_size_that_fails_now_and_then_is_given_up() -> None:
    made = policy()
    _, samples, _ = search(made, flat, outcomes={128: Outcome.FUNCTION_ERROR})
    verdict = made.verdict(samples)
    assert verdict is not None
    assert verdict.winner.memory_mb > 128
    assert sum(s.cell.memory_mb == 128 for s in samples) == 2


def test_calls_that_waited_for_a_busy_machine_count_only_where_nothing_else_is_there_and_then_little() -> None:
    made = policy()
    _, samples, _ = search(made, cpu_bound)
    slow = [replace(s, duration_ms=9 * (s.duration_ms or 1), disturbed=True) for s in samples]
    calm = made.verdict(samples)
    mixed = made.verdict([*samples, *slow])
    alone = made.verdict(slow)
    assert calm is not None
    assert mixed is not None
    assert alone is not None
    assert [known.log_warm for known in mixed.evidence.cells] == [known.log_warm for known in calm.evidence.cells]
    assert min(known.warm_variance for known in alone.evidence.cells) > 0.2
    assert not any(made.well_known(known) for known in alone.evidence.cells)


def test_a_size_of_which_only_disturbed_calls_are_known_does_not_win_by_what_is_merely_possible() -> None:
    made = policy()
    _, samples, _ = search(made, flat)
    least = min(s.cell.memory_mb for s in samples)
    slow = [replace(s, duration_ms=3 * (s.duration_ms or 1), disturbed=s.cell.memory_mb == least) for s in samples]
    verdict = made.verdict([s if s.cell.memory_mb != least else t for s, t in zip(samples, slow, strict=True)])
    assert verdict is not None
    assert verdict.winner.memory_mb > least
    assert verdict.confidence < made.confidence


def test_among_near_equals_the_size_that_is_most_surely_within_the_tolerance_leads() -> None:
    made = policy()
    _, samples, _ = search(made, cpu_bound, noise=0.05)
    verdict = made.verdict(samples)
    assert verdict is not None
    chance = near_best(verdict.loss, made.goal.near)
    measured = [known.cell for known in verdict.evidence.cells if known.warm > 1]
    assert len(measured) > 2
    assert verdict.confidence == max(chance[verdict.posterior.index(cell)] for cell in measured)


@pytest.mark.parametrize("outcome", [Outcome.FUNCTION_ERROR, Outcome.LOST, Outcome.UNREPORTED, Outcome.INIT_ERROR])
def test_a_function_that_never_answers_ends_the_search_after_its_opening(outcome: Outcome) -> None:
    blocks, samples, stop = search(policy(), flat, outcomes=dict.fromkeys(SIZES, outcome))
    assert len(blocks) == 1
    assert len(samples) < 10
    assert "no invocation" in stop.reason


def test_samples_of_a_resumed_run_lead_to_the_same_next_block_in_any_order() -> None:
    made = policy()
    blocks, samples, _ = search(made, staircase)
    assert len(blocks) > 2
    earlier = [s for s in samples if s.block < blocks[-1].number]
    assert made.next_block(earlier[::-1]) == blocks[-1]


def test_both_architectures_are_searched_and_the_cheaper_one_wins() -> None:
    arm = replace(PRICE, architecture=Architecture.ARM64, usd_per_gb_s=PRICE.usd_per_gb_s * 4 / 5)
    cells = tuple(Cell(size, architecture) for architecture in Architecture for size in SIZES)
    made = policy(cells=cells, prices=(PRICE, arm), most_calls=120)
    _, samples, _ = search(made, cpu_bound)
    verdict = made.verdict(samples)
    assert verdict is not None
    assert verdict.winner.architecture is Architecture.ARM64


@pytest.mark.parametrize(
    ("strategy", "low", "high"),
    [(Strategy.SPEED, 1500, 1769), (Strategy.BALANCED, 1200, 1769), (Strategy.KNEE, 128, 1769)],
)
def test_other_strategies_search_for_what_they_minimise(strategy: Strategy, low: int, high: int) -> None:
    made = policy(goal=Goal(strategy=strategy))
    _, samples, _ = search(made, cpu_bound)
    verdict = made.verdict(samples)
    assert verdict is not None
    assert low <= verdict.winner.memory_mb <= high


def test_candidates_are_thinned_but_a_coarse_grid_keeps_every_size() -> None:
    fine = tuple(Cell(size, X86) for size in range(128, 3009))
    assert 250 < len(thinned(fine)) < 450
    coarse = tuple(Cell(size, X86) for size in range(128, 3009, 64))
    assert thinned(coarse) == coarse


def test_luck_is_made_of_counters_so_that_no_library_can_change_it() -> None:
    assert uniforms(1, 3).tolist() == pytest.approx(LUCK, abs=1e-15)
    table = normals(7, 200, 50)
    assert abs(float(table.mean())) < 0.03
    assert abs(float(table.std()) - 1) < 0.03
