"""A base from a stored report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.statistics.gate.measured import PAIR, gate
from tuner.model import Confirmation, Sample, Verdict, VerdictStatus
from tuner.statistics.gate.stored import beside, single_look
from tuner.statistics.gate.verdict import verdict


def stored_run() -> list[Sample]:
    """What a run left: samples without a variant."""
    return [
        replace(sample, cell=replace(sample.cell, variant=""))
        for sample in gate(1.0).samples
        if sample.cell == PAIR.base
    ]


def against_stored(ratio: float) -> Verdict:
    measured = gate(ratio, seed=2)
    samples = beside(stored_run(), measured.samples, PAIR)
    return verdict(samples, PAIR, single_look(measured.terms, samples))


@pytest.mark.parametrize(
    ("ratio", "status"),
    [(1.0, VerdictStatus.PASS), (1.2, VerdictStatus.REGRESSION), (0.8, VerdictStatus.IMPROVEMENT)],
)
def test_it_is_judged_by_one_look_without_a_confirmation(ratio: float, status: VerdictStatus) -> None:
    judged = against_stored(ratio)
    assert judged.status is status
    assert judged.look == 1


def test_the_base_of_another_memory_size_is_no_base() -> None:
    other = [replace(sample, cell=replace(sample.cell, memory_mb=512)) for sample in stored_run()]
    samples = beside(other, gate(1.0).samples, PAIR)
    assert {sample.cell for sample in samples} == {PAIR.head}


def test_of_a_stored_gate_its_head_is_the_base() -> None:
    earlier = gate(1.2).samples
    base = [sample for sample in beside(earlier, (), PAIR) if sample.cell == PAIR.base]
    assert len(base) == sum(sample.cell == PAIR.head for sample in earlier)


def test_blocks_of_two_days_have_nothing_in_common() -> None:
    samples = beside(stored_run(), gate(1.0).samples, PAIR)
    blocks = {cell: {s.block for s in samples if s.cell == cell} for cell in (PAIR.base, PAIR.head)}
    assert not blocks[PAIR.base] & blocks[PAIR.head]


def test_nothing_is_called_confirmed_that_was_not() -> None:
    assert against_stored(1.2).confirmation is Confirmation.NONE
