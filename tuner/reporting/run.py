"""From the samples of a run to its Report: the one place where statistics and facts about the run meet. Pure."""

from __future__ import annotations

from dataclasses import replace

from tuner import __version__
from tuner.model import (
    SCHEMA_VERSION,
    CurvePoint,
    Notice,
    Outcome,
    Plan,
    Report,
    Sample,
    Severity,
)
from tuner.pricing import total_cost_usd
from tuner.reporting.parts import (
    RunFacts,
    disturbed_notices,
    engine_notices,
    measurement_of,
    spend_of,
    target_of,
    unpriced_notices,
)
from tuner.reporting.result import result_of
from tuner.statistics.curve import curve_notices
from tuner.statistics.fit import fit_curves
from tuner.statistics.workload import workloads


def build_report(plan: Plan, samples: tuple[Sample, ...], facts: RunFacts) -> Report:
    """The report of a run, also of one that ended early: it says what its samples can say and no more."""
    request = plan.request
    result = result_of(plan, samples)
    recommendation, points = result.recommendation, result.points
    fits = fit_curves(points)
    total = total_cost_usd(samples, {price.architecture: price for price in plan.prices})
    return Report(
        schema_version=SCHEMA_VERSION,
        kind="run",
        tool_version=__version__,
        created_at=facts.created_at,
        run_id=plan.run_id,
        seed=request.seed,
        target=target_of(plan),
        curve=_merged(points, result.predicted),
        fits=fits,
        recommendation=recommendation,
        spend=spend_of(samples, facts, usd=total.usd, estimated_usd=plan.expected_spend.high_usd),
        measurement=measurement_of(plan, facts),
        notices=(
            *engine_notices(request.engine),
            *plan.notices,
            *facts.notices,
            *curve_notices(points, fits, samples),
            *result.notices,
            *unpriced_notices(total.unpriced),
            *_timeout_notices(samples, plan.function.timeout_s),
            *disturbed_notices(samples),
        ),
        samples=samples,
        workloads=workloads(points),
        limits=result.limits,
    )


def _merged(points: tuple[CurvePoint, ...], predicted: tuple[CurvePoint, ...]) -> tuple[CurvePoint, ...]:
    """Predictions beside what was measured; a size with cold calls only keeps what those told."""
    at = {point.cell: point for point in points}
    for point in predicted:
        tried = at.get(point.cell, point)
        at[point.cell] = replace(point, init_ms=tried.init_ms, max_memory_used_mb=tried.max_memory_used_mb)
    return tuple(sorted(at.values(), key=lambda point: point.cell))


def _timeout_notices(samples: tuple[Sample, ...], timeout_s: int) -> tuple[Notice, ...]:
    sizes = sorted({sample.cell.memory_mb for sample in samples if sample.outcome is Outcome.TIMEOUT})
    if not sizes:
        return ()
    named = ", ".join(f"{memory_mb} MB" for memory_mb in sizes)
    return (
        Notice(
            code="timed-out",
            severity=Severity.WARNING,
            message=f"Calls ran into the function's timeout of {timeout_s} s at {named}: how long they would take "
            "there is not known.",
            remedy="Raise the timeout to measure these sizes; as it is, they are too small for this function.",
        ),
    )
