"""What each metric is made of: its values on both sides, the mean they are compared by, and the ratio of the two.

Drift is read from the durations of warm calls and taken out of all that is made of the same calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tuner.model import Estimate, Metric, Price
from tuner.pricing import cost_per_million_usd
from tuner.statistics.components import NotEstimable
from tuner.statistics.gate import series
from tuner.statistics.gate.comparison import LogEvidence, LogRatio, ratio_of, widened
from tuner.statistics.gate.series import Evidence, LogLevel, Pair, Series
from tuner.statistics.observations import CellSamples

NO_CALLS = "no successful call on one side, or none that says anything about it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One metric of both sides, before it is judged. ``ratio`` is None where there is none, and ``missing`` says
    why."""

    base: Estimate | None
    head: Estimate | None
    ratio: LogRatio | None
    missing: str = ""


def compare_quantity(metric: Metric, base: CellSamples, head: CellSamples, price: Price | None) -> Compared:
    """Estimates of both sides and their ratio, of any metric but errors."""
    pair = _cost_pair(base, head, price) if metric is Metric.COST else _pair(_QUANTITIES[metric], base, head)
    if isinstance(pair, NotEstimable):
        return Compared(base=None, head=None, ratio=None, missing=pair.reason)
    quantity = _QUANTITIES[metric]
    of_base, of_head = quantity.evidence(pair.base), quantity.evidence(pair.head)
    if isinstance(of_head, NotEstimable):
        return Compared(base=_shown(of_base), head=None, ratio=None, missing=of_head.reason)
    if isinstance(of_base, NotEstimable):
        return Compared(base=None, head=_shown(of_head), ratio=None, missing=of_base.reason)
    ratio = widened(ratio_of(of_head, of_base), pair.block_differences(quantity.log_level))
    return Compared(base=_shown(of_base), head=_shown(of_head), ratio=ratio)


def cost_series(arm: CellSamples, price: Price) -> Series | None:
    """Cost of warm calls in USD per million of them."""
    billed = series.billed(arm)
    return None if billed is None else _priced(billed, arm.cell.memory_mb, price)


def _priced(billed: Series, memory_mb: int, price: Price) -> Series:
    request = cost_per_million_usd(0, memory_mb, price)
    each_ms = cost_per_million_usd(1, memory_mb, price) - request
    return billed.with_values(request + each_ms * billed.observations.values)


@dataclass(frozen=True, slots=True)
class _Quantity:
    """``of`` finds the values of one side, ``evidence`` their mean; ``log_level`` is that mean of one block."""

    of: Callable[[CellSamples], Series | None]
    evidence: Callable[[Series], Evidence]
    log_level: LogLevel
    clock: Callable[[CellSamples], Series | None] | None
    """What drift is read from; None for what does not drift."""


_QUANTITIES: Mapping[Metric, _Quantity] = {
    Metric.DURATION: _Quantity(series.durations, series.geometric, series.mean_log, series.durations),
    Metric.BILLED_DURATION: _Quantity(series.billed, series.arithmetic, series.log_mean, series.durations),
    Metric.COST: _Quantity(series.billed, series.arithmetic, series.log_mean, series.durations),
    Metric.P50: _Quantity(series.durations, series.p50, series.log_quantile(0.50), series.durations),
    Metric.P95: _Quantity(series.durations, series.p95, series.log_quantile(0.95), series.durations),
    Metric.INIT: _Quantity(series.init, series.geometric, series.mean_log, series.init),
    Metric.MAX_MEMORY: _Quantity(series.memory, series.arithmetic, series.log_mean, None),
}


def _pair(quantity: _Quantity, base: CellSamples, head: CellSamples) -> Pair | NotEstimable:
    pair = _both(quantity.of, base, head)
    if quantity.clock is None or isinstance(pair, NotEstimable):
        return pair
    clock = pair if quantity.clock is quantity.of else _both(quantity.clock, base, head)
    return clock if isinstance(clock, NotEstimable) else pair.steadied(clock)


def _both(of: Callable[[CellSamples], Series | None], base: CellSamples, head: CellSamples) -> Pair | NotEstimable:
    of_base, of_head = of(base), of(head)
    return NotEstimable(NO_CALLS) if of_base is None or of_head is None else Pair(of_base, of_head)


def _cost_pair(base: CellSamples, head: CellSamples, price: Price | None) -> Pair | NotEstimable:
    billed = _pair(_QUANTITIES[Metric.COST], base, head)
    if isinstance(billed, NotEstimable):
        return billed
    if price is None:
        return NotEstimable("the price of the region is not known")
    return Pair(_priced(billed.base, base.cell.memory_mb, price), _priced(billed.head, head.cell.memory_mb, price))


def _shown(evidence: Evidence) -> Estimate | None:
    return evidence.estimate() if isinstance(evidence, LogEvidence) else None
