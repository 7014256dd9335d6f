"""From the samples of a run to its Report: the one place where statistics and facts about the run meet. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuner import __version__
from tuner.model import (
    SCHEMA_VERSION,
    Cell,
    CurrentConfiguration,
    CurvePoint,
    EngineKind,
    Measurement,
    Notice,
    Plan,
    Recommendation,
    Report,
    Sample,
    SamplingKind,
    Severity,
    Spend,
    Target,
)
from tuner.pricing import total_cost_usd
from tuner.statistics.curve import curve_notices, curve_points
from tuner.statistics.fit import fit_curves
from tuner.statistics.recommendation import recommend, recommendation_notices

MOST_DISTURBED = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What only the caller of a run knows about it."""

    created_at: str
    command: str
    sampling: str
    payload_sha256: str
    blocks: int
    seconds: float
    notices: tuple[Notice, ...]
    host: str | None = None
    throttle: str | None = None


def build_report(plan: Plan, samples: tuple[Sample, ...], facts: RunFacts) -> Report:
    """The report of a run, also of one that ended early: it says what its samples can say and no more."""
    request, function = plan.request, plan.function
    adaptive = request.sampling is SamplingKind.ADAPTIVE
    # Of a search's hundreds of candidates only what was tried belongs on the curve, and what is predicted.
    cells = tuple(sorted({sample.cell for sample in samples})) if adaptive else plan.cells
    points = curve_points(samples, cells, plan.prices)
    fits = fit_curves(points)
    conclude = _search if adaptive else _sweep
    recommendation, predicted = conclude(plan, samples, points)
    total = total_cost_usd(samples, {price.architecture: price for price in plan.prices})
    return Report(
        schema_version=SCHEMA_VERSION,
        kind="run",
        tool_version=__version__,
        created_at=facts.created_at,
        run_id=plan.run_id,
        seed=request.seed,
        target=Target(
            function=function.name,
            region=function.region,
            engine=request.engine,
            runtime=function.runtime,
            package_type=function.package_type,
            current=CurrentConfiguration(memory_mb=function.memory_mb, architecture=function.architecture),
        ),
        curve=_merged(points, predicted),
        fits=fits,
        recommendation=recommendation,
        spend=Spend(
            invocations=len(samples),
            cold_invocations=sum(sample.cold for sample in samples),
            usd=total.usd,
            estimated_usd=plan.expected_spend.high_usd,
            seconds=round(facts.seconds, 3),
        ),
        measurement=Measurement(
            command=facts.command,
            sampling=facts.sampling,
            wave_size=plan.wave_size,
            blocks=facts.blocks,
            payload_sha256=facts.payload_sha256,
            prices=plan.prices,
            host=facts.host,
            throttle=facts.throttle,
        ),
        notices=(
            *_engine_notices(request.engine),
            *plan.notices,
            *facts.notices,
            *curve_notices(points, fits, samples),
            *(recommendation_notices(recommendation) if recommendation is not None else ()),
            *_unpriced_notices(total.unpriced),
            *_disturbed_notices(samples),
        ),
        samples=samples,
    )


def _sweep(
    plan: Plan, samples: tuple[Sample, ...], points: tuple[CurvePoint, ...]
) -> tuple[Recommendation | None, tuple[CurvePoint, ...]]:
    request = plan.request
    recommendation = recommend(
        points,
        samples,
        plan.prices,
        strategy=request.strategy,
        tolerance=request.tolerance,
        current=_current(plan),
        seed=request.seed,
        weight=request.weight,
    )
    return recommendation, ()


def _search(
    plan: Plan, samples: tuple[Sample, ...], points: tuple[CurvePoint, ...]
) -> tuple[Recommendation | None, tuple[CurvePoint, ...]]:
    from tuner.planning.adaptive import adaptive_sampling  # noqa: PLC0415  (only a search needs its model)
    from tuner.statistics.search.conclusion import conclude  # noqa: PLC0415

    conclusion = conclude(adaptive_sampling(plan), samples, points, _current(plan))
    return (conclusion.recommendation, conclusion.predicted) if conclusion is not None else (None, ())


def _merged(points: tuple[CurvePoint, ...], predicted: tuple[CurvePoint, ...]) -> tuple[CurvePoint, ...]:
    """Predictions beside what was measured; a size with cold calls only keeps what those told."""
    at = {point.cell: point for point in points}
    for point in predicted:
        tried = at.get(point.cell, point)
        at[point.cell] = replace(point, init_ms=tried.init_ms, max_memory_used_mb=tried.max_memory_used_mb)
    return tuple(sorted(at.values(), key=lambda point: point.cell))


def _current(plan: Plan) -> Cell:
    return Cell(plan.function.memory_mb, plan.function.architecture)


def _engine_notices(engine: EngineKind) -> tuple[Notice, ...]:
    if engine is not EngineKind.LOCAL:
        return ()
    return (
        Notice(
            code="local",
            severity=Severity.INFO,
            message="Measured on the embedded Lambda on this machine, not on AWS: another CPU, and nothing was "
            "billed. Costs are what the same durations would cost at the region's prices.",
            remedy="Run it on the deployed function for numbers to act on.",
        ),
    )


def _unpriced_notices(unpriced: int) -> tuple[Notice, ...]:
    if not unpriced:
        return ()
    return (
        Notice(
            code="unreported-invocations",
            severity=Severity.WARNING,
            message=f"{unpriced} invocations came back without a billed duration. They are not in the spend, and "
            "not in any estimate.",
            remedy="Look at the function's logging configuration: its log tail should end with a REPORT line.",
        ),
    )


def _disturbed_notices(samples: tuple[Sample, ...]) -> tuple[Notice, ...]:
    known = [sample for sample in samples if sample.disturbed is not None]
    disturbed = sum(bool(sample.disturbed) for sample in known)
    if not disturbed:
        return ()
    much = disturbed > MOST_DISTURBED * len(known)
    return (
        Notice(
            code="disturbed",
            severity=Severity.WARNING if much else Severity.INFO,
            message=f"{disturbed} of {len(known)} invocations had to wait for a CPU of this machine and took longer "
            "for it; they are in the numbers.",
            remedy="Run this when the machine has less to do." if much else None,
        ),
    )
