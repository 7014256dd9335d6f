"""From the samples of a study to what is known of each cell, and of one cell against another."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.statistics.cold.factory import ARM, CELL, X86, first_call, study, warm_call
from tuner.model import Cell, ColdCell, ColdQuantity, ColdSource, InitBilling, Precision, Sample, StartKind
from tuner.statistics.cold.cells import cold_cell
from tuner.statistics.cold.differences import differences
from tuner.statistics.cold.precision import precise, reached
from tuner.statistics.cold.recognition import recognise


def cell_of(*samples: Sample, cell: Cell = CELL, source: ColdSource = ColdSource.FORCED) -> ColdCell:
    (group,) = recognise(samples, [cell], source)
    return cold_cell(group)


def inits(batches: int, size: int, *, seed: int = 1, middle_ms: float = 300.0) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    return [[round(float(value), 2) for value in rng.normal(middle_ms, 10, size)] for _ in range(batches)]


def test_percentiles_of_init_first_duration_and_total_are_those_of_the_samples() -> None:
    rows = inits(40, 5)
    found = cell_of(*study(rows))
    values = np.array(rows).ravel()
    assert found.start_ms is not None
    assert found.total_ms is not None
    assert found.first_duration_ms is not None
    for quantile in (0.5, 0.9, 0.95, 0.99):
        assert found.start_ms.at(quantile).point == pytest.approx(np.quantile(values, quantile))
        assert found.total_ms.at(quantile).point == pytest.approx(np.quantile(values, quantile) + 50)
    assert found.start_ms.max_ms == values.max()
    assert found.start_ms.mean.point == pytest.approx(values.mean())
    assert found.first_duration_ms.p50.point == 50.0
    assert found.start_kind is StartKind.INIT


def test_two_hundred_cold_starts_bound_p95_but_not_p99() -> None:
    found = cell_of(*study(inits(40, 5))).start_ms
    assert found is not None
    assert [found.at(q).estimable for q in (0.5, 0.9, 0.95, 0.99)] == [True, True, True, False]
    assert "needs n = 368" in found.p99.method


def test_the_warm_duration_stands_beside_and_holds_no_cold_call() -> None:
    found = cell_of(*study(inits(40, 5), warm_ms=12.0))
    assert found.warm_duration_ms is not None
    assert found.warm_duration_ms.p50.point == 12.0
    assert found.billed_warm_ms is not None
    assert found.billed_warm_ms.n == 40


def test_the_bill_of_a_cold_start_holds_the_init_where_the_lines_do() -> None:
    found = cell_of(*study([[300.0], [310.0]], duration_ms=50.0))
    assert found.init_billing is InitBilling.BILLED
    assert found.billed_cold_ms is not None
    assert found.billed_cold_ms.point == 355.0


def test_restores_make_the_start_and_the_total() -> None:
    restored = [
        first_call(n, version=str(n), init_ms=None, restore_ms=163.0, duration_ms=149.0, billed_ms=312.0)
        for n in range(1, 9)
    ]
    found = cell_of(*restored)
    assert found.start_kind is StartKind.RESTORE
    assert found.total_ms is not None
    assert found.total_ms.p50.point == 312.0
    assert found.init_billing is InitBilling.UNKNOWN


def test_a_cell_without_cold_starts_claims_nothing() -> None:
    found = cell_of(first_call(1, init_ms=None), warm_call(2))
    assert (found.start_kind, found.start_ms, found.total_ms, found.billed_cold_ms) == (None, None, None, None)
    assert found.counts.initialised_ahead == 1


def test_the_real_share_of_cold_starts_is_known_from_a_log_only() -> None:
    samples = [first_call(1), *(warm_call(n) for n in range(2, 51))]
    from_log = cell_of(*samples, source=ColdSource.LOGS).cold_fraction
    assert from_log is not None
    assert from_log.point == pytest.approx(0.02)
    assert cell_of(*samples).cold_fraction is None


def test_architectures_are_compared_at_the_same_size_and_sizes_within_an_architecture() -> None:
    cells = [Cell(512, X86), Cell(512, ARM), Cell(1769, X86), Cell(1769, ARM)]
    measured = [cell_of(*study(inits(10, 2), cell=cell), cell=cell) for cell in cells]
    pairs = {(found.base, found.other) for found in differences(measured)}
    assert pairs == {
        (Cell(512, X86), Cell(512, ARM)),
        (Cell(1769, X86), Cell(1769, ARM)),
        (Cell(512, X86), Cell(1769, X86)),
        (Cell(512, ARM), Cell(1769, ARM)),
    }


def test_a_difference_is_of_the_same_quantile_and_has_an_interval() -> None:
    one = cell_of(*study(inits(40, 5)))
    other_cell = Cell(512, ARM)
    two = cell_of(*study(inits(40, 5, seed=2, middle_ms=250.0), cell=other_cell), cell=other_cell)
    found = {(d.quantity, d.quantile): d.difference_ms for d in differences([one, two])}
    median = found[ColdQuantity.START, 0.5]
    assert median.point == pytest.approx(-50, abs=5)
    assert median.low is not None
    assert median.high is not None
    assert median.low < -50 < median.high < 0
    assert not found[ColdQuantity.TOTAL, 0.99].estimable


def test_an_init_is_not_compared_with_a_restore() -> None:
    other = Cell(512, ARM)
    restored = cell_of(first_call(1, cell=other, init_ms=None, restore_ms=100.0), cell=other)
    assert differences([cell_of(first_call(1)), restored]) == ()


def test_a_precision_is_reached_when_half_the_interval_is_narrow_enough() -> None:
    samples = study(inits(40, 5))
    assert reached(Precision(quantile=0.5, half_width=0.05), CELL, samples)
    assert not reached(Precision(quantile=0.5, half_width=0.001), CELL, samples)
    assert not reached(Precision(quantile=0.99, half_width=0.5), CELL, samples), "no interval is no precision"
    assert not reached(Precision(quantile=0.5, half_width=0.5), Cell(128, X86), samples)


def test_the_precision_counts_from_bound_to_bound() -> None:
    cell = cell_of(*study(inits(40, 5)))
    assert cell.total_ms is not None
    median = cell.total_ms.p50
    assert median.low is not None
    assert median.high is not None
    half = (median.high - median.low) / 2 / median.point
    assert precise(median, Precision(quantile=0.5, half_width=half * 1.01))
    assert not precise(median, Precision(quantile=0.5, half_width=half * 0.99))
