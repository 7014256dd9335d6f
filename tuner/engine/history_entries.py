"""The numbers of a report that are worth keeping for years."""

from __future__ import annotations

from collections.abc import Iterator

from tuner.engine.history import Entry
from tuner.model import Comparison, Estimate, GateReport, Metric, Report

KEPT = (Metric.DURATION, Metric.BILLED_DURATION, Metric.COST, Metric.P50, Metric.P95, Metric.INIT, Metric.MAX_MEMORY)


def entries_of(report: GateReport | Report) -> tuple[Entry, ...]:
    """Of a gate the numbers of head; of a run those of every measured size."""
    found = _of_gate(report) if isinstance(report, GateReport) else _of_run(report)
    return tuple(found)


def _of_gate(report: GateReport) -> Iterator[Entry]:
    for comparison in report.comparisons:
        for metric in comparison.verdict.metrics:
            if metric.head is not None and metric.metric in KEPT:
                yield _gate_entry(report, comparison, metric.metric, metric.unit, metric.head)


def _gate_entry(report: GateReport, comparison: Comparison, metric: Metric, unit: str, estimate: Estimate) -> Entry:
    return Entry(
        created_at=report.created_at,
        run_id=report.run_id,
        kind=report.kind,
        function=comparison.function,
        engine=report.engine.value,
        region=report.region,
        memory_mb=comparison.memory_mb,
        architecture=comparison.architecture.value,
        payload_sha256=report.measurement.payload_sha256,
        version=comparison.head.qualifier or "",
        code_sha256=comparison.head.code_sha256,
        status=comparison.verdict.status.value,
        metric=metric.value,
        unit=unit,
        value=estimate.point,
        low=estimate.low,
        high=estimate.high,
        n=estimate.n,
    )


def _of_run(report: Report) -> Iterator[Entry]:
    for point in report.curve:
        kept = (
            ("mean_duration", "ms", point.duration_ms.mean if point.duration_ms else None),
            (Metric.P50.value, "ms", point.duration_ms.p50 if point.duration_ms else None),
            (Metric.COST.value, "usd_per_million", point.cost_usd_per_million),
        )
        for metric, unit, estimate in kept:
            if estimate is not None and point.n > 0:
                yield Entry(
                    created_at=report.created_at,
                    run_id=report.run_id,
                    kind=report.kind,
                    function=report.target.function,
                    engine=report.target.engine.value,
                    region=report.target.region,
                    memory_mb=point.memory_mb,
                    architecture=point.architecture.value,
                    payload_sha256=report.measurement.payload_sha256,
                    version="",
                    code_sha256="",
                    status="",
                    metric=metric,
                    unit=unit,
                    value=estimate.point,
                    low=estimate.low,
                    high=estimate.high,
                    n=estimate.n,
                )
