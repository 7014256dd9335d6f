"""The rows of a report, gathered once for every figure that needs them: by cell, by block, in bins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import floor, log
from statistics import fmean, median, stdev

from tuner.model import Cell, Outcome, Sample

BINS = 40
MOST_BLOCKS = 60
"""More blocks than this are shown in groups of neighbours."""
SHORTEST_MS = 0.001
"""A tenth of the smallest duration that a REPORT line can tell: below, a ratio means nothing."""

_WIDEST = (0.4, 2.5)
_NARROWEST = (0.95, 1.05)


@dataclass(slots=True)
class CellSamples:
    """What the invocations of one cell left. Warm durations are of successful warm invocations, in ms."""

    cell: Cell
    total: int = 0
    cold: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    warm_ms: list[float] = field(default_factory=list)
    warm_by_block: dict[int, list[float]] = field(default_factory=dict)
    init_ms: list[float] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    cold_billed_ms: list[float] = field(default_factory=list)

    def add(self, sample: Sample) -> None:
        self.total += 1
        self.outcomes[sample.outcome] += 1
        cold = sample.cold
        self.cold += cold
        if sample.outcome is not Outcome.OK or sample.duration_ms is None:
            return
        if cold:
            self._add_cold(sample, sample.duration_ms)
        else:
            self.warm_ms.append(sample.duration_ms)
            self.warm_by_block.setdefault(sample.block, []).append(sample.duration_ms)

    def _add_cold(self, sample: Sample, duration_ms: float) -> None:
        start_ms = sample.init_ms if sample.init_ms is not None else sample.restore_ms
        if start_ms is not None:
            self.init_ms.append(start_ms)
        self.first_ms.append(duration_ms)
        if sample.billed_ms is not None:
            self.cold_billed_ms.append(sample.billed_ms)

    @property
    def middle_ms(self) -> float | None:
        """The median of the warm durations; None without any, or where it is nothing to divide by."""
        middle = median(self.warm_ms) if self.warm_ms else 0
        return middle if middle >= SHORTEST_MS else None

    @property
    def variation(self) -> float | None:
        """Standard deviation over mean of the warm durations; None with fewer than two."""
        mean = fmean(self.warm_ms) if len(self.warm_ms) > 1 else 0
        return stdev(self.warm_ms) / mean if mean > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """How many warm durations of a cell lie between two ratios to the cell's own median."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The distribution of one cell around its median, in bins shared by all cells; ``beyond`` lie outside them."""

    cell: Cell
    median_ms: float
    n: int
    bins: tuple[Bin, ...]
    beyond: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLevel:
    """Warm durations of one block, or of a group of neighbours, relative to the medians of their cells."""

    first: int
    last: int
    n: int
    p10: float
    p50: float
    p90: float


def by_cell(samples: Iterable[Sample]) -> tuple[CellSamples, ...]:
    """One entry for each cell that was invoked, smallest memory first."""
    found: dict[Cell, CellSamples] = {}
    for sample in samples:
        here = found.get(sample.cell)
        if here is None:
            here = found[sample.cell] = CellSamples(sample.cell)
        here.add(sample)
    return tuple(found[cell] for cell in sorted(found))


def spreads(cells: Sequence[CellSamples]) -> tuple[Spread, ...]:
    """The distribution of each cell with warm samples, binned on the log scale of the ratio to its median."""
    middles = {here.cell: here.middle_ms for here in cells}
    low, high = _bounds([value / m for here in cells if (m := middles[here.cell]) for value in here.warm_ms])
    return tuple(_spread(here, m, low, high) for here in cells if (m := middles[here.cell]))


def block_levels(cells: Sequence[CellSamples]) -> tuple[BlockLevel, ...]:
    """How the level of all cells together moved from block to block: drift, and hosts that came and went."""
    ratios: dict[int, list[float]] = {}
    for here in cells:
        middle = here.middle_ms
        if middle is not None:
            for block, values in here.warm_by_block.items():
                ratios.setdefault(block, []).extend(value / middle for value in values)
    blocks = sorted(ratios)
    size = -(-len(blocks) // MOST_BLOCKS) or 1
    groups = (blocks[start : start + size] for start in range(0, len(blocks), size))
    return tuple(_level(group, [ratio for block in group for ratio in ratios[block]]) for group in groups)


def thinned(values: Sequence[float], most: int) -> tuple[float, ...]:
    """At most ``most`` values that keep the shape of the distribution: evenly spaced order statistics."""
    ordered = sorted(values)
    if len(ordered) <= most:
        return tuple(ordered)
    return tuple(ordered[round(index * (len(ordered) - 1) / (most - 1))] for index in range(most))


def quantile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between order statistics (Hyndman and Fan 1996, type 7)."""
    position = (len(ordered) - 1) * share
    below = floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def _bounds(ratios: list[float]) -> tuple[float, float]:
    """The bins reach over the middle 98 % of all ratios, neither absurdly far nor so near that noise fills them."""
    if not ratios:
        return _NARROWEST
    ratios.sort()
    low = min(max(quantile(ratios, 0.01), _WIDEST[0]), _NARROWEST[0])
    high = max(min(quantile(ratios, 0.99), _WIDEST[1]), _NARROWEST[1])
    return low, high


def _spread(here: CellSamples, middle_ms: float, low: float, high: float) -> Spread:
    step = log(high / low) / BINS * (1 + 1e-9)  # the largest ratio falls into the last bin, not behind it
    start = log(middle_ms * low)
    counts = Counter(floor((log(value) - start) / step) if value > 0 else -1 for value in here.warm_ms)
    edges = [low * (high / low) ** (index / BINS) for index in range(BINS + 1)]
    inside = tuple(_bins(counts, edges))
    n = len(here.warm_ms)
    beyond = n - sum(found.count for found in inside)
    return Spread(cell=here.cell, median_ms=middle_ms, n=n, bins=inside, beyond=beyond)


def _bins(counts: Counter[int], edges: Sequence[float]) -> Iterator[Bin]:
    for index in range(BINS):
        if counts.get(index):
            yield Bin(low=edges[index], high=edges[index + 1], count=counts[index])


def _level(blocks: Sequence[int], ratios: list[float]) -> BlockLevel:
    ratios.sort()
    p10, p50, p90 = (quantile(ratios, share) for share in (0.1, 0.5, 0.9))
    return BlockLevel(first=blocks[0], last=blocks[-1], n=len(ratios), p10=p10, p50=p50, p90=p90)
