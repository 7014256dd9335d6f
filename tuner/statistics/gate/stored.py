"""A base that was measured earlier: one look, no common blocks, and no confirmation fresh on both sides.

Nothing that changed on Lambda in between can be told from a change of the code, so neither promise of the gate holds
for it; whoever shows the result says that it is uncontrolled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tuner.model import Sample
from tuner.statistics.gate.schedule import BlockShape, Schedule
from tuner.statistics.gate.sequence import Opponents, Terms

BEFORE = 1_000_000
"""Subtracted from stored block numbers: blocks of different days share nothing."""


def beside(stored: Sequence[Sample], measured: Sequence[Sample], opponents: Opponents) -> tuple[Sample, ...]:
    """The stored samples at the memory size of ``opponents`` as its base, then the measured ones of its head."""
    wanted = (opponents.base.memory_mb, opponents.base.architecture)
    base = [sample for sample in stored if (sample.cell.memory_mb, sample.cell.architecture) == wanted]
    kept = [sample for sample in base if sample.cell.variant in ("", "head")] or base
    return (
        *(replace(sample, cell=opponents.base, block=sample.block - BEFORE) for sample in kept),
        *(sample for sample in measured if sample.cell == opponents.head),
    )


def single_look(terms: Terms, samples: Sequence[Sample]) -> Terms:
    """The terms on which samples are judged that were not taken look by look."""
    blocks = max(len({sample.block for sample in samples}), 1)
    schedule = Schedule(
        blocks=(BlockShape(1, 1),) * blocks,
        looks=(blocks,),
        confirmation=(),
        renewable=terms.schedule.renewable,
        warm_calls=terms.schedule.warm_calls,
    )
    return replace(terms, schedule=schedule)
