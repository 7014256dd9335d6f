"""Which samples count as what, and what is known of the execution environments behind them.

The unit of replication is the execution environment: two calls on one environment share its host and resemble
each other. An answer does not name its environment, but two facts are known without labels:

* a version just published has no environments, so the cold starts seen on it count how many were created;
* invocations that are in flight together on one version are each in a different environment.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuner.model import NO_EVIDENCE, Cell, Outcome, Sample

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

SHORTEST_SURE_OVERLAP_MS = 10.0
"""Calls shorter than this may be over before the next one of their wave arrives, on the same environment. Our own
judgement: the starts of a wave sent over a network spread over some milliseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """The values of one quantity in one cell, with where they come from.

    ``waves``, ``versions`` and ``labels`` hold one code per value. ``environments`` is how many environments are
    known to be behind the values, None where nothing is known about it.
    """

    values: FloatArray
    waves: IntArray
    versions: IntArray
    labels: IntArray | None
    environments: int | None
    overlapping: bool

    @property
    def n(self) -> int:
        return int(self.values.size)

    def with_values(self, values: FloatArray) -> Observations:
        """The same invocations, another quantity."""
        return Observations(values, self.waves, self.versions, self.labels, self.environments, self.overlapping)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSamples:
    """All samples of one cell, sorted by what they can tell."""

    cell: Cell
    warm: tuple[Sample, ...]
    """Successful, with a duration, on an environment that had served a call before. Without those that waited for a
    CPU of a busy machine (embedded Lambda), unless all did."""
    cold: tuple[Sample, ...]
    """Successful cold starts, disturbed ones too: each counts an environment."""
    initialised_ahead: tuple[Sample, ...]
    """First calls without an init: Lambda had initialised the environment ahead. Neither warm nor cold."""
    errors: tuple[Sample, ...]
    unreported: int
    """Calls that tell nothing: without a usable answer, or without a REPORT line in it."""
    lost: int = 0
    """Those of them without a usable answer."""

    def durations_ms(self) -> Observations | None:
        """Durations of the warm samples; None without any."""
        return _observations(self.warm, [s.duration_ms for s in self.warm], self.cold)

    def billed_ms(self) -> Observations | None:
        """Billed durations of the warm samples that report one; None without any."""
        billed = [s for s in self.warm if s.billed_ms is not None]
        return _observations(billed, [s.billed_ms for s in billed], self.cold)

    def init_ms(self) -> Observations | None:
        """Init durations of the cold samples: each is an environment of its own."""
        values = [s.init_ms for s in self.cold if s.init_ms is not None]
        return independent(values) if values else None


def split_by_cell(samples: Iterable[Sample], cells: Sequence[Cell]) -> tuple[CellSamples, ...]:
    """The samples of each of ``cells``, in that order; a cell without samples is there too, and empty."""
    by_cell: dict[Cell, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_cell[sample.cell].append(sample)
    return tuple(_cell_samples(cell, by_cell[cell]) for cell in cells)


def calm(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Without the calls that waited for a CPU of a busy machine, unless nothing else is there."""
    return tuple(sample for sample in samples if not sample.disturbed) or tuple(samples)


def independent(values: Sequence[float]) -> Observations:
    """Values each of which comes from an environment of its own."""
    codes = np.arange(len(values))
    return Observations(np.asarray(values, dtype=np.float64), codes, codes * 0, codes, len(values), overlapping=True)


def _cell_samples(cell: Cell, samples: Sequence[Sample]) -> CellSamples:
    succeeded = [s for s in samples if s.outcome is Outcome.OK and s.duration_ms is not None]
    opening = _opening_waves(samples)
    not_cold = [s for s in succeeded if not s.cold]
    return CellSamples(
        cell=cell,
        warm=calm([s for s in not_cold if _wave_key(s) not in opening]),
        cold=tuple(s for s in succeeded if s.cold),
        initialised_ahead=tuple(s for s in not_cold if _wave_key(s) in opening),
        errors=tuple(s for s in samples if s.outcome not in {Outcome.OK, *NO_EVIDENCE}),
        unreported=sum(s.outcome in NO_EVIDENCE for s in samples),
        lost=sum(s.outcome is Outcome.LOST for s in samples),
    )


def _wave_key(sample: Sample) -> tuple[str, int, int]:
    return sample.version, sample.block, sample.wave


def _opening_waves(samples: Sequence[Sample]) -> set[tuple[str, int, int]]:
    """The first wave of each version, where it shows cold starts: a call in it without one is not a warm call."""
    first: dict[str, tuple[str, int, int]] = {}
    for sample in sorted(samples, key=lambda s: s.sequence):
        first.setdefault(sample.version, _wave_key(sample))
    cold = {_wave_key(sample) for sample in samples if sample.cold}
    return set(first.values()) & cold


def _observations(
    samples: Sequence[Sample], values: Sequence[float | None], cold: Sequence[Sample]
) -> Observations | None:
    known = [value for value in values if value is not None]
    if not samples or len(known) != len(samples):
        return None
    labels = _codes([s.environment for s in samples]) if all(s.environment for s in samples) else None
    durations = [s.duration_ms for s in samples if s.duration_ms is not None]
    return Observations(
        values=np.asarray(known, dtype=np.float64),
        waves=_codes([_wave_key(s) for s in samples]),
        versions=_codes([s.version for s in samples]),
        labels=labels,
        environments=_environments(samples, cold) if labels is None else int(labels.max()) + 1,
        overlapping=float(np.median(durations)) >= SHORTEST_SURE_OVERLAP_MS,
    )


def _environments(warm: Sequence[Sample], cold: Sequence[Sample]) -> int | None:
    """How many environments are surely behind the warm samples; None where no cold start was seen.

    Cold starts bound the number from above (one may have served nothing since), the largest wave bounds it from
    below. The smaller of the two is safe: it enters the degrees of freedom, so too few only widens an interval.
    """
    started = Counter(s.version for s in cold)
    largest: dict[str, int] = defaultdict(int)
    for (version, _, _), size in Counter(_wave_key(s) for s in warm).items():
        largest[version] = max(largest[version], size)
    return sum(min(started[version], size) for version, size in largest.items()) or None


def _codes(keys: Sequence[object]) -> IntArray:
    """Equal keys get equal codes 0, 1, 2, ... in order of appearance."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.intp)
