"""Fixed sampling asks for the same number of warm samples at every size, in a random but repeatable order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes import sample
from tuner.model import Architecture, Block, Cell, Outcome, Sample, Stop
from tuner.planning.sampling import FixedSampling, default_wave_size

SIZES = (128, 256, 512, 1024)


def policy(samples: int = 20, wave: int = 5, seed: int = 1) -> FixedSampling:
    cells = tuple(Cell(memory_mb, Architecture.X86_64) for memory_mb in SIZES)
    return FixedSampling(cells=cells, samples_per_size=samples, wave_size=wave, seed=seed)


def play(made: FixedSampling, outcome: dict[int, Outcome] | None = None) -> tuple[list[Block], list[Sample]]:
    """Answer every block: the first wave of a size is cold, later ones warm."""
    samples: list[Sample] = []
    blocks: list[Block] = []
    while not isinstance(block := made.next_block(samples), Stop):
        blocks.append(block)
        for wave in block.waves:
            cold = not any(s.cell == wave.cell for s in samples)
            row = replace(
                sample(),
                cell=wave.cell,
                block=block.number,
                init_ms=90.0 if cold else None,
                outcome=(outcome or {}).get(wave.cell.memory_mb, Outcome.OK),
            )
            samples.extend([row] * wave.size)
    return blocks, samples


def test_every_size_gets_one_cold_wave_and_then_its_warm_samples() -> None:
    blocks, samples = play(policy())
    assert len(blocks) == 5
    for memory_mb in SIZES:
        mine = [s for s in samples if s.cell.memory_mb == memory_mb]
        assert sum(s.cold for s in mine) == 5
        assert sum(not s.cold for s in mine) == 20


def test_the_expected_invocations_are_those_of_a_run_without_failures() -> None:
    made = policy(samples=17, wave=5)
    assert len(play(made)[1]) == made.expected_invocations


def test_the_last_wave_is_as_small_as_what_is_missing() -> None:
    blocks, _ = play(policy(samples=7, wave=5))
    assert {wave.size for wave in blocks[-1].waves} == {2}


def test_the_order_of_sizes_is_random_within_a_block_and_repeats_with_the_seed() -> None:
    orders = [tuple(wave.cell.memory_mb for wave in block.waves) for block in play(policy())[0]]
    assert len(set(orders)) > 1
    assert all(sorted(order) == list(SIZES) for order in orders)
    assert orders == [tuple(wave.cell.memory_mb for wave in block.waves) for block in play(policy())[0]]
    assert orders != [tuple(wave.cell.memory_mb for wave in block.waves) for block in play(policy(seed=2))[0]]


def test_a_size_on_which_nothing_succeeds_is_dropped_after_its_first_wave() -> None:
    _, samples = play(policy(), {128: Outcome.TIMEOUT})
    assert sum(s.cell.memory_mb == 128 for s in samples) == 5
    assert sum(s.cell.memory_mb == 256 for s in samples) == 25


def test_a_size_that_never_gets_warm_is_given_up() -> None:
    made = policy(samples=4, wave=2)
    samples: list[Sample] = []
    while not isinstance(block := made.next_block(samples), Stop):
        for wave in block.waves:
            samples.extend([replace(sample(), cell=wave.cell, block=block.number, init_ms=90.0)] * wave.size)
    assert len(samples) == len(SIZES) * 12


@pytest.mark.parametrize(
    ("samples", "concurrency", "wave"),
    [(20, 100, 10), (36, 100, 18), (100, 1000, 20), (20, 3, 3), (1, 100, 1), (10, 100, 6)],
)
def test_waves_are_half_of_the_samples_within_sense_and_concurrency(
    samples: int, concurrency: int, wave: int
) -> None:
    assert default_wave_size(samples, concurrency) == wave
