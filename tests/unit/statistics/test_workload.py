"""What a function does with its time is said only where the sizes show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.unit.statistics.factory import PRICE, cell, cpu_bound, flat, parallel, run_of
from tuner.model import Estimate, Workload
from tuner.statistics.curve import curve_points
from tuner.statistics.workload import workloads

SIZES = (128, 256, 512, 1024, 1769, 3008, 5308)


def found(work: Callable[[int], float], sizes: Sequence[int] = SIZES, **noise: float) -> tuple[Workload, ...]:
    samples = run_of(work, sizes, **noise)  # type: ignore[arg-type]
    return workloads(curve_points(samples, [cell(size) for size in sizes], [PRICE]))


def holds(estimate: Estimate | None, truth: float) -> bool:
    assert estimate is not None
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low <= truth <= estimate.high


def test_cpu_work_and_waiting_are_told_apart() -> None:
    (workload,) = found(lambda m: 60 + 200 * 1769 / min(m, 1769))
    assert holds(workload.cpu_ms, 200)
    assert holds(workload.waiting_ms, 60)
    assert workload.nothing_gained_above_mb == 1769


def test_a_single_thread_is_no_faster_above_one_vcpu_and_many_are() -> None:
    (one,) = found(cpu_bound)
    (many,) = found(parallel)
    assert holds(one.speed_up_above_one_vcpu, 1.0)
    assert holds(many.speed_up_above_one_vcpu, 5308 / 1769)
    assert many.nothing_gained_above_mb is None


def test_what_only_waits_does_no_cpu_work_worth_a_number_above_none() -> None:
    (workload,) = found(flat)
    assert workload.cpu_ms is not None
    assert workload.cpu_ms.low == 0
    assert holds(workload.waiting_ms, 150)
    assert workload.nothing_gained_above_mb == 128


@pytest.mark.parametrize("sizes", [(128, 256), (512,), (1024, 1200, 1400, 1769)])
def test_few_sizes_or_sizes_close_together_tell_neither_work_nor_waiting(sizes: Sequence[int]) -> None:
    for workload in found(cpu_bound, sizes):
        assert workload.cpu_ms is None
        assert workload.waiting_ms is None


def test_noise_as_large_as_the_effect_tells_nothing_instead_of_something_wrong() -> None:
    for workload in found(cpu_bound, between=0.6, within=0.6):
        assert workload.cpu_ms is None
        assert workload.nothing_gained_above_mb is None


def test_intervals_of_work_and_waiting_cover_the_truth_at_their_level() -> None:
    """200 runs with 2 % between environments: a nominal 95 % interval holds in 90 % at least."""
    covered = []
    for seed in range(200):
        samples = run_of(lambda m: 60 + 200 * 1769 / min(m, 1769), SIZES, seed=seed, between=0.02, within=0.02)
        (workload,) = workloads(curve_points(samples, [cell(size) for size in SIZES], [PRICE]))
        covered.append((holds(workload.cpu_ms, 200), holds(workload.waiting_ms, 60)))
    assert sum(work for work, _ in covered) >= 180
    assert sum(waiting for _, waiting in covered) >= 180
