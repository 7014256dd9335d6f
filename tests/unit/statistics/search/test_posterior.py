"""What the search believes of a curve: lawful until the data say otherwise, sure only where it measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tests.unit.statistics.factory import X86, cpu_bound, flat, run_of, sample, staircase
from tuner.model import Architecture, Cell
from tuner.statistics.search.evidence import CellEvidence, gather
from tuner.statistics.search.posterior import Posterior, posterior

CELLS = tuple(Cell(size, X86) for size in range(128, 1770, 16))
MEASURED = (128, 256, 512, 1024, 1760)


def believed(duration_ms: Callable[[int], float], sizes: Sequence[int] = MEASURED) -> Posterior:
    return posterior(gather(run_of(duration_ms, sizes)), CELLS, seed=1)


def column(draws: Posterior, memory_mb: int) -> np.ndarray:
    return np.asarray(draws.log_ms[:, draws.index(Cell(memory_mb, X86))])


@pytest.mark.parametrize("curve", [cpu_bound, flat])
def test_between_measured_sizes_of_a_lawful_function_the_curve_is_known_to_some_per_cent(
    curve: Callable[[int], float],
) -> None:
    values = column(believed(curve), 368)
    assert float(np.median(values)) == pytest.approx(math.log(curve(368)), abs=0.04)
    assert 0.002 < float(values.std()) < 0.1


def test_a_size_that_keeps_to_no_law_is_believed_where_it_was_measured_and_makes_its_neighbours_doubtful() -> None:
    def odd(memory_mb: int) -> float:
        return cpu_bound(memory_mb) * (0.6 if memory_mb == 512 else 1.0)

    lawful, lawless = believed(cpu_bound), believed(odd)
    assert float(np.median(column(lawless, 512))) == pytest.approx(math.log(odd(512)), abs=0.04)
    assert float(column(lawless, 720).std()) > 2 * float(column(lawful, 720).std())


def test_a_cliff_of_any_height_leaves_its_edge_open_between_the_sizes_that_show_it() -> None:
    values = column(believed(lambda memory_mb: 100.0 if memory_mb > 384 else 370.0), 368)
    high = float(np.mean(values > math.log(200)))
    assert 0.1 < high < 0.95


def test_a_staircase_is_recognised_by_its_steps() -> None:
    steps = believed(staircase, (128, 256, 400, 512, 640, 768, 1024, 1760))
    assert steps.stairs_share > 0.9
    assert believed(flat).stairs_share < 0.1


def test_both_architectures_have_what_strays_partly_in_common() -> None:
    cells = (*CELLS, *(Cell(cell.memory_mb, Architecture.ARM64) for cell in CELLS))
    draws = posterior(gather(run_of(cpu_bound, MEASURED)), tuple(sorted(cells)), seed=1)
    other = draws.log_ms[:, draws.index(Cell(512, Architecture.ARM64))]
    assert float(other.std()) > float(column(draws, 512).std())
    assert float(np.median(other)) == pytest.approx(math.log(cpu_bound(512)), abs=0.15)


def test_the_same_calls_say_less_when_they_come_from_one_environment() -> None:
    one, five = evidence_on(environments=1), evidence_on(environments=5)
    assert one.warm == five.warm
    assert one.log_warm == five.log_warm
    assert one.warm_variance > 2 * five.warm_variance


def evidence_on(environments: int) -> CellEvidence:
    """A cold wave, then twenty warm calls that differ by three per cent either way."""
    cold = [sample(sequence=n, wave=0, duration_ms=1000.0, init_ms=100.0) for n in range(environments)]
    times_ms = [970.0, 1030.0] * 10
    warm = [sample(sequence=100 + n, wave=1 + n // environments, duration_ms=x) for n, x in enumerate(times_ms)]
    (known,) = gather([*cold, *warm]).cells
    return known


def test_requests_of_two_kinds_are_no_outliers_so_that_the_mean_counts_both() -> None:
    light_and_heavy = [100.0, 100.0, 300.0] * 10
    calls = [
        sample(sequence=number, wave=1 + number, duration_ms=value, billed_ms=value)
        for number, value in enumerate(light_and_heavy)
    ]
    (known,) = gather(calls).cells
    assert known.log_warm == pytest.approx(math.log(np.mean(light_and_heavy)), abs=0.02)


def test_a_call_in_thirty_that_takes_ten_times_as_long_is_drawn_in() -> None:
    calls = [
        sample(sequence=number, wave=1 + number, duration_ms=value, billed_ms=value)
        for number, value in enumerate([100.0, 101.0] * 15 + [1000.0])
    ]
    (known,) = gather(calls).cells
    assert known.log_warm is not None
    assert known.log_warm < math.log(103)
