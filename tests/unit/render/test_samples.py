"""The rows of a report gathered for its figures: nothing is counted twice, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner import codec
from tuner.model import Cell, Outcome, Report, Sample
from tuner.render.samples import BINS, MOST_BLOCKS, block_levels, by_cell, quantile, spreads, thinned


@cache
def a_sample() -> Sample:
    return codec.decode((Path(__file__).parents[2] / "golden" / "report.json").read_bytes(), Report).samples[20]


def warm(values: list[float], block: int = 0) -> list[Sample]:
    return [replace(a_sample(), duration_ms=value, init_ms=None, block=block) for value in values]


def test_every_sample_is_in_exactly_one_cell(report: Report) -> None:
    cells = by_cell(report.samples)
    assert sum(here.total for here in cells) == len(report.samples)
    assert [here.cell for here in cells] == sorted({sample.cell for sample in report.samples})
    assert sum(here.cold for here in cells) == report.spend.cold_invocations


def test_failed_and_cold_invocations_are_no_warm_durations(report: Report) -> None:
    cells = {here.cell: here for here in by_cell(report.samples)}
    for point in report.curve:
        assert len(cells[point.cell].warm_ms) == point.n
    lost = cells[report.curve[0].cell]
    assert lost.outcomes[Outcome.OUT_OF_MEMORY] == 4
    assert lost.init_ms == []


def test_a_start_from_a_snapshot_counts_with_its_restore_duration(report: Report) -> None:
    restored = replace(report.samples[20], init_ms=None, restore_ms=321.0)
    (here,) = by_cell([restored])
    assert here.init_ms == [321.0]
    assert here.warm_ms == []


@given(
    groups=st.lists(
        st.lists(st.floats(0, 1e6, exclude_min=True) | st.just(0.0), min_size=1, max_size=60), min_size=1, max_size=5
    )
)
def test_every_warm_duration_is_in_a_bin_or_beyond(groups: list[list[float]]) -> None:
    samples = [
        replace(sample, cell=Cell(128 + index, sample.cell.architecture))
        for index, values in enumerate(groups)
        for sample in warm(values)
    ]
    for row in spreads(by_cell(samples)):
        assert sum(found.count for found in row.bins) + row.beyond == row.n
        assert len(row.bins) <= BINS
        assert all(found.low < found.high for found in row.bins)


def test_the_median_of_each_size_is_in_the_frame() -> None:
    samples = warm([1.0, 2.0, 3.0, 100.0, 9000.0])
    (row,) = spreads(by_cell(samples))
    assert any(found.low <= 1 <= found.high for found in row.bins)
    assert row.median_ms == 3.0
    assert row.beyond == 3


def test_a_size_whose_durations_are_all_zero_has_no_distribution() -> None:
    assert spreads(by_cell(warm([0.0, 0.0]))) == ()


def test_the_level_of_blocks_is_relative_to_each_size() -> None:
    samples = [
        replace(sample, cell=Cell(size, sample.cell.architecture))
        for size, base in ((128, 1000.0), (256, 10.0))
        for block, factor in ((0, 0.9), (1, 1.0), (2, 1.1))
        for sample in warm([base * factor] * 3, block)
    ]
    levels = block_levels(by_cell(samples))
    assert [level.p50 for level in levels] == pytest.approx([0.9, 1.0, 1.1])
    assert [level.n for level in levels] == [6, 6, 6]


def test_many_blocks_are_shown_in_groups_of_neighbours() -> None:
    samples = [sample for block in range(1000) for sample in warm([5.0], block)]
    levels = block_levels(by_cell(samples))
    assert len(levels) <= MOST_BLOCKS
    assert (levels[0].first, levels[-1].last) == (0, 999)
    assert sum(level.n for level in levels) == 1000


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=300), st.integers(2, 50))
def test_thinning_keeps_the_extremes_and_the_order(values: list[float], most: int) -> None:
    kept = thinned(values, most)
    assert len(kept) == min(len(values), most)
    assert (kept[0], kept[-1]) == (min(values), max(values))
    assert list(kept) == sorted(kept)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_the_middle_quantile_is_the_median(values: list[float]) -> None:
    assert quantile(sorted(values), 0.5) == pytest.approx(median(values))
