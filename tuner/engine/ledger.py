"""The running account of a run: what was spent, and whether the next wave still fits."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal

from tuner.model import Architecture, Cell, Plan, Price, Sample, Wave
from tuner.pricing import invocation_cost_usd
from tuner.units import format_seconds, format_usd


class Ledger:
    """Counts what each sample cost. An invocation without a billed duration is charged its client time, rounded
    up, which it cannot exceed: what is not known must not look free to the budget."""

    def __init__(self, plan: Plan) -> None:
        self._request = plan.request
        self._prices: Mapping[Architecture, Price] = {price.architecture: price for price in plan.prices}
        self._spent: defaultdict[Cell, Decimal] = defaultdict(Decimal)
        self._calls: defaultdict[Cell, int] = defaultdict(int)
        self._in_flight: defaultdict[Cell, int] = defaultdict(int)

    @property
    def spent_usd(self) -> Decimal:
        return sum(self._spent.values(), start=Decimal(0))

    @property
    def knows_a_cost(self) -> bool:
        """Whether any invocation has come back: before, no wave's cost can be foreseen."""
        return bool(self._calls)

    def add(self, sample: Sample) -> None:
        billed_ms = sample.billed_ms if sample.billed_ms is not None else math.ceil(sample.client_ms)
        price = self._prices[sample.cell.architecture]
        self._spent[sample.cell] += invocation_cost_usd(billed_ms, sample.cell.memory_mb, price)
        self._calls[sample.cell] += 1

    @contextmanager
    def reserve(self, wave: Wave) -> Iterator[None]:
        """Count ``wave`` as in flight: what it will cost is not there for another wave."""
        self._in_flight[wave.cell] += wave.size
        try:
            yield
        finally:
            self._in_flight[wave.cell] -= wave.size

    def refusal(self, wave: Wave, *, elapsed_s: float) -> str | None:
        """Why ``wave`` may not start, in words; None if it may.

        Its cost is judged by calls at its own size, else at the nearest one, at whose cost per call times the
        ratio of memory it cannot be dearer unless more memory makes it slower.
        """
        request = self._request
        if request.max_time_s is not None and elapsed_s >= request.max_time_s:
            return f"{format_seconds(request.max_time_s)} are over"
        calls = sum(self._calls.values()) + sum(self._in_flight.values())
        if request.max_invocations is not None and calls + wave.size > request.max_invocations:
            return f"{calls} of {request.max_invocations} invocations are made, and the next wave takes {wave.size}"
        expected = self._per_call(wave.cell) * wave.size
        pending = sum((self._per_call(cell) * count for cell, count in self._in_flight.items()), start=Decimal(0))
        if self.spent_usd + pending + expected > request.max_cost_usd:
            return (
                f"{format_usd(self.spent_usd)} of {format_usd(request.max_cost_usd)} is spent, and the next wave "
                "would not fit"
            )
        return None

    def _per_call(self, cell: Cell) -> Decimal:
        if self._calls[cell]:
            return self._spent[cell] / self._calls[cell]
        known = [other for other, calls in self._calls.items() if calls]
        if not known:
            return Decimal(0)
        nearest = min(known, key=lambda other: abs(math.log(other.memory_mb / cell.memory_mb)))
        ratio = max(Decimal(cell.memory_mb) / nearest.memory_mb, Decimal(1))
        return self._spent[nearest] / self._calls[nearest] * ratio
