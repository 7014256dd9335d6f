"""The running account of a run: what was spent, and whether the next wave still fits."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from tuner.model import Architecture, Cell, Price, Sample, Wave
from tuner.pricing import invocation_cost_usd


class Ledger:
    """Counts what each sample cost. An invocation without a billed duration is charged its client time, rounded
    up, which it cannot exceed: what is not known must not look free to the budget."""

    def __init__(self, limit_usd: Decimal, prices: Iterable[Price]) -> None:
        self._limit_usd = limit_usd
        self._prices: Mapping[Architecture, Price] = {price.architecture: price for price in prices}
        self._spent: defaultdict[Cell, Decimal] = defaultdict(Decimal)
        self._calls: defaultdict[Cell, int] = defaultdict(int)

    @property
    def spent_usd(self) -> Decimal:
        return sum(self._spent.values(), start=Decimal(0))

    def add(self, sample: Sample) -> None:
        billed_ms = sample.billed_ms if sample.billed_ms is not None else math.ceil(sample.client_ms)
        price = self._prices[sample.cell.architecture]
        self._spent[sample.cell] += invocation_cost_usd(billed_ms, sample.cell.memory_mb, price)
        self._calls[sample.cell] += 1

    def affords(self, wave: Wave) -> bool:
        """Whether the wave should fit what is left, judged by what calls at its size have cost so far. Of a size
        never tried nothing is known: its first wave may exceed the limit by what is in flight."""
        calls = self._calls[wave.cell]
        expected = self._spent[wave.cell] / calls * wave.size if calls else Decimal(0)
        return self.spent_usd < self._limit_usd and self.spent_usd + expected <= self._limit_usd
