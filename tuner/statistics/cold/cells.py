"""Samples to ColdCell: the distributions of one cell's cold starts, and what they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tuner.model import ColdCell, ColdCounts, ColdDistribution, ColdSource, Distribution, Estimate, Sample, StartKind
from tuner.statistics.cold.batches import Batched, batch_icc, batched, mean_of, quantile_estimate
from tuner.statistics.cold.modes import modes
from tuner.statistics.cold.recognition import ColdSamples, init_billing, start_ms


def cold_cell(group: ColdSamples) -> ColdCell:
    """What is known of one cell. Durations in ms; every part is None where no sample tells."""
    kind, starts = group.start_kind, group.starts()
    everything = (*group.cold, *group.warm, *group.initialised_ahead, *group.reused, *group.failed)
    peaks = [sample.max_memory_used_mb for sample in everything if sample.max_memory_used_mb is not None]
    return ColdCell(
        memory_mb=group.cell.memory_mb,
        architecture=group.cell.architecture,
        counts=_counts(group),
        start_kind=kind,
        start_ms=None if kind is None else _distribution(_starts(group, kind)),
        first_duration_ms=_distribution(_values(group, starts, [s.duration_ms for s in starts])),
        total_ms=_distribution(totals_ms(group)),
        warm_duration_ms=_warm(group),
        billed_cold_ms=_mean(group, group.cold),
        billed_warm_ms=_mean(group, group.warm),
        init_billing=init_billing(group.cold),
        max_memory_used_mb=max(peaks, default=None),
        hello_world=None,
        cold_fraction=_cold_fraction(group),
    )


def totals_ms(group: ColdSamples) -> Batched | None:
    """Start plus duration of each cold start: what its caller waited for, the network apart."""
    kind, starts = group.start_kind, group.starts()
    if kind is None:
        return None
    return _values(group, starts, [_sum(start_ms(s, kind), s.duration_ms) for s in starts])


def _counts(group: ColdSamples) -> ColdCounts:
    """With the batches that the total is told apart by."""
    totals = totals_ms(group) if group.source is ColdSource.LOGS else None
    return group.counts if totals is None else replace(group.counts, batches=totals.batches)


def _starts(group: ColdSamples, kind: StartKind) -> Batched | None:
    starts = group.starts()
    return _values(group, starts, [start_ms(sample, kind) for sample in starts])


def _distribution(data: Batched | None) -> ColdDistribution | None:
    if data is None:
        return None
    return ColdDistribution(
        n=data.n,
        mean=mean_of(data),
        p50=quantile_estimate(data, 0.50),
        p90=quantile_estimate(data, 0.90),
        p95=quantile_estimate(data, 0.95),
        p99=quantile_estimate(data, 0.99),
        max_ms=float(data.values.max()),
        batch_icc=batch_icc(data),
        modes=modes(data),
    )


def _warm(group: ColdSamples) -> Distribution | None:
    data = _values(group, group.warm, [sample.duration_ms for sample in group.warm])
    if data is None:
        return None
    return Distribution(
        mean=mean_of(data),
        p50=quantile_estimate(data, 0.50),
        p95=quantile_estimate(data, 0.95),
        p99=quantile_estimate(data, 0.99),
    )


def _mean(group: ColdSamples, samples: Sequence[Sample]) -> Estimate | None:
    billed = [sample for sample in samples if sample.billed_ms is not None]
    data = _values(group, billed, [sample.billed_ms for sample in billed])
    return None if data is None else mean_of(data)


def _cold_fraction(group: ColdSamples) -> Estimate | None:
    if group.source is ColdSource.FORCED:
        return None
    served = (*group.cold, *group.warm, *group.after_failure)
    data = batched([float(sample.cold) for sample in served], group.batches_of(served))
    return None if data is None else mean_of(data)


def _values(group: ColdSamples, samples: Sequence[Sample], values: Sequence[float | None]) -> Batched | None:
    """Values with their batches; None where there are none, or one of them is not known."""
    known = [value for value in values if value is not None]
    if len(known) != len(samples):
        return None
    period = group.period_for(samples, known)
    if period is None:
        return batched(known, group.batches_of(samples))
    return batched(known, [period.of(sample.started_at) for sample in samples], f"{period}s")


def _sum(start: float | None, duration: float | None) -> float | None:
    return None if start is None or duration is None else start + duration
