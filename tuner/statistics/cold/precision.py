"""Whether a quantile is known as precisely as somebody asked for."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.model import Cell, Estimate, Precision, Sample
from tuner.statistics.cold.batches import quantile_estimate
from tuner.statistics.cold.cells import totals_ms
from tuner.statistics.cold.recognition import recognise


def reached(precision: Precision, cell: Cell, samples: Sequence[Sample]) -> bool:
    """Whether the total of start and first duration is known at its quantile, by the samples of a study."""
    (group,) = recognise(samples, [cell])
    totals = totals_ms(group)
    return totals is not None and precise(quantile_estimate(totals, precision.quantile), precision)


def precise(estimate: Estimate, precision: Precision) -> bool:
    """Whether half the interval's width is at most the wanted share of the point; False without an interval."""
    if estimate.low is None or estimate.high is None:
        return False
    return estimate.high - estimate.low <= 2 * precision.half_width * estimate.point
