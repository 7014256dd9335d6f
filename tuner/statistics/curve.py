"""From samples to the curve: what is known of each size, and what its reader must know about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tuner.model import (
    FULL_VCPU_MB,
    Cell,
    CurveFit,
    CurvePoint,
    CurveStatus,
    Distribution,
    Estimate,
    MeanOnly,
    Notice,
    Outcome,
    Price,
    Sample,
    Severity,
)
from tuner.pricing import cost_per_million_usd
from tuner.statistics.calls import usual_call
from tuner.statistics.components import NotEstimable
from tuner.statistics.estimates import distribution, interval_estimate, mean_estimate, transform
from tuner.statistics.observations import CellSamples, Observations, split_by_cell
from tuner.units import format_ms

FLAT_WITHIN = 0.05
"""Durations that differ by no more than this are called equal in words."""
SHORT_MS = 200.0
"""Up to about ten quota periods of 20 ms the steps of the CPU quota are larger than usual noise."""
ROUNDING_MS = 5.0
ROUGH_PERCENT = 6.0
"""A left-out size missed by more: smooth functions stay under 3 % in the median."""
HEADROOM = 1.15


def curve_points(
    samples: Sequence[Sample], cells: Sequence[Cell], prices: Sequence[Price], *, cold_fraction: float = 0.0
) -> tuple[CurvePoint, ...]:
    """One point for each of ``cells``, smallest memory first, also where nothing could be measured.

    Durations in ms of warm successful samples, init in ms of cold ones, cost in USD per million invocations, of
    which ``cold_fraction`` are cold (None where no price of the architecture is given, no billed duration was
    reported, or cold invocations count and none was seen).
    """
    price_of = {price.architecture: price for price in prices}
    ordered = sorted(set(cells))
    return tuple(
        _curve_point(group, price_of.get(group.cell.architecture), cold_fraction)
        for group in split_by_cell(samples, ordered)
    )


def curve_notices(
    points: Sequence[CurvePoint], fits: Sequence[CurveFit], samples: Sequence[Sample]
) -> tuple[Notice, ...]:
    """What to know about the curve before trusting it, most serious first."""
    groups = split_by_cell(samples, [point.cell for point in points])
    notices = (
        _errors(points),
        _without_intervals(points),
        *(_rough(points, fit) for fit in fits),
        _little_headroom(points),
        _rounding(points),
        _flat(points),
        _lost(groups),
        _unreported(groups),
        _initialised_ahead(groups),
    )
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    return tuple(sorted((n for n in notices if n is not None), key=lambda notice: order.index(notice.severity)))


def is_flat(points: Sequence[CurvePoint]) -> bool:
    """Whether no measured size is noticeably faster than another, by point estimates."""
    means = [mean.point for _, mean in mean_durations(points)]
    return len(means) > 1 and max(means) <= min(means) * (1 + FLAT_WITHIN)


def stops_at_one_vcpu(points: Sequence[CurvePoint]) -> bool:
    """Whether sizes below one vCPU gain from memory and sizes above it do not: single-threaded CPU-bound work."""
    means = [(point.memory_mb, mean.point) for point, mean in mean_durations(points)]
    below = [mean for memory_mb, mean in means if memory_mb < FULL_VCPU_MB * 0.95]
    above = [mean for memory_mb, mean in means if memory_mb >= FULL_VCPU_MB * 0.95]
    if not below or len(above) < 2:
        return False
    return max(above) <= min(above) * (1 + FLAT_WITHIN) and max(below) > max(above) * (1 + 2 * FLAT_WITHIN)


def mean_durations(points: Sequence[CurvePoint]) -> list[tuple[CurvePoint, Estimate]]:
    """The points that have a mean duration, with it."""
    return [(point, point.duration_ms.mean) for point in points if point.duration_ms is not None]


def _curve_point(group: CellSamples, price: Price | None, cold_fraction: float) -> CurvePoint:
    durations, billed = group.durations_ms(), group.billed_ms()
    billed_mean = mean_estimate(billed) if billed else None
    everything = (*group.warm, *group.cold, *group.initialised_ahead, *group.errors)
    peaks = [sample.max_memory_used_mb for sample in everything if sample.max_memory_used_mb is not None]
    return CurvePoint(
        memory_mb=group.cell.memory_mb,
        architecture=group.cell.architecture,
        n=len(group.warm),
        environments=durations.environments if durations else None,
        errors=len(group.errors),
        duration_ms=_distribution(durations),
        billed_ms=MeanOnly(mean=billed_mean) if billed_mean else None,
        init_ms=_distribution(group.init_ms()),
        cost_usd_per_million=_cost_with_cold_calls(group, price, cold_fraction)
        if cold_fraction
        else _cost(billed_mean, group.cell.memory_mb, price),
        max_memory_used_mb=max(peaks, default=None),
        status=_status(group),
    )


def _distribution(observations: Observations | None) -> Distribution | None:
    return None if observations is None else distribution(observations)


def _cost(billed_ms: Estimate | None, memory_mb: int, price: Price | None) -> Estimate | None:
    if billed_ms is None or price is None:
        return None
    return transform(billed_ms, lambda mean_ms: cost_per_million_usd(mean_ms, memory_mb, price))


def _cost_with_cold_calls(group: CellSamples, price: Price | None, cold_fraction: float) -> Estimate | None:
    call = None if price is None else usual_call(group, price, cold_fraction)
    if call is None:
        return None
    if isinstance(call.cost, NotEstimable):
        method = f"not estimable: {call.cost.reason}"
        return Estimate(point=call.cost_usd, low=None, high=None, n=len(group.warm), method=method)
    return interval_estimate(call.cost)


def _status(group: CellSamples) -> CurveStatus:
    """Measured with any warm sample; else what the commonest failure says."""
    if group.warm:
        return CurveStatus.MEASURED
    if not group.errors:
        return CurveStatus.SKIPPED
    (outcome, _), *_rest = Counter(sample.outcome for sample in group.errors).most_common()
    named = {Outcome.OUT_OF_MEMORY: CurveStatus.OUT_OF_MEMORY, Outcome.TIMEOUT: CurveStatus.TIMEOUT}
    return named.get(outcome, CurveStatus.FAILED)


def _sizes_text(points: Sequence[CurvePoint]) -> str:
    """``128, 256 MB``; architectures only where there are several."""
    several = len({point.architecture for point in points}) > 1
    return ", ".join(f"{p.memory_mb} {p.architecture}" if several else str(p.memory_mb) for p in points) + " MB"


def _errors(points: Sequence[CurvePoint]) -> Notice | None:
    failing = [point for point in points if point.errors]
    if not failing:
        return None
    count = sum(point.errors for point in failing)
    return Notice(
        code="errors",
        severity=Severity.WARNING,
        message=f"{count} invocations failed, at {_sizes_text(failing)}. They enter no duration and no cost.",
        remedy="Look at error_type in the samples. A size that runs out of memory or time is no candidate.",
    )


def _without_intervals(points: Sequence[CurvePoint]) -> Notice | None:
    lacking: dict[str, list[CurvePoint]] = {}
    for point, mean in mean_durations(points):
        if not mean.estimable:
            reason = mean.method.removeprefix("not estimable: ").partition(";")[0]
            lacking.setdefault(reason, []).append(point)
    if not lacking:
        return None
    reasons = "; ".join(f"at {_sizes_text(where)}, as {reason}" for reason, where in lacking.items())
    return Notice(
        code="no_interval",
        severity=Severity.WARNING,
        message=f"Means have no interval {reasons}.",
        remedy="Run waves of at least 5 simultaneous invocations, at least twice at each size.",
    )


def _rough(points: Sequence[CurvePoint], fit: CurveFit) -> Notice | None:
    if fit.residual_percent < ROUGH_PERCENT:
        return None
    means = [mean.point for point, mean in mean_durations(points) if point.architecture is fit.architecture]
    opening = (
        f"The curve is not smooth ({fit.architecture}: a left-out size is missed by {fit.residual_percent:.0f} %)."
    )
    if min(means) < SHORT_MS:
        return Notice(
            code="staircase",
            severity=Severity.WARNING,
            message=f"{opening} Short CPU-bound functions move in steps of 20 ms, the period of the CPU quota.",
            remedy="Measure more sizes around the recommended one: the cheapest lies just above a step.",
        )
    return Notice(
        code="not_smooth",
        severity=Severity.WARNING,
        message=f"{opening} Near its memory floor a function slows down abruptly; other jumps mean noise.",
        remedy="Do not interpolate between the measured sizes; measure the ones you care about.",
    )


def _little_headroom(points: Sequence[CurvePoint]) -> Notice | None:
    tight = [
        point
        for point, _ in mean_durations(points)
        if point.max_memory_used_mb is not None and point.max_memory_used_mb * HEADROOM > point.memory_mb
    ]
    if not tight:
        return None
    return Notice(
        code="memory_headroom",
        severity=Severity.WARNING,
        message=f"At {_sizes_text(tight)} the function used more than {100 / HEADROOM:.0f} % of its memory.",
        remedy="A larger payload may run out of memory there: prefer a size with room to spare.",
    )


def _rounding(points: Sequence[CurvePoint]) -> Notice | None:
    billed = [(point, point.billed_ms.mean.point) for point in points if point.billed_ms is not None]
    short = [point for point, mean in billed if mean < ROUNDING_MS]
    if not short:
        return None
    return Notice(
        code="rounding",
        severity=Severity.INFO,
        message=f"At {_sizes_text(short)} under {ROUNDING_MS:.0f} ms is billed: rounding up to whole ms hides gains.",
        remedy="Sizes that bill the same number of ms tie in duration; there the smaller one is cheaper.",
    )


def _flat(points: Sequence[CurvePoint]) -> Notice | None:
    if not is_flat(points):
        return None
    means = [mean.point for _, mean in mean_durations(points)]
    return Notice(
        code="flat",
        severity=Severity.INFO,
        message=f"Memory buys nothing here: {format_ms(min(means))} to {format_ms(max(means))} at every size.",
        remedy="Use the smallest size that leaves room for the memory the function needs.",
    )


def _lost(groups: Sequence[CellSamples]) -> Notice | None:
    count = sum(group.lost for group in groups)
    if not count:
        return None
    return Notice(
        code="lost",
        severity=Severity.WARNING,
        message=f"{count} invocations were lost: sent, but without a usable answer. They may have run and been "
        "billed; they enter no number.",
        remedy="Check the network between here and Lambda. If it happens again, try --transport boto3.",
    )


def _unreported(groups: Sequence[CellSamples]) -> Notice | None:
    count = sum(group.unreported - group.lost for group in groups)
    if not count:
        return None
    return Notice(
        code="unreported",
        severity=Severity.WARNING,
        message=f"{count} invocations answered without a readable REPORT line; they enter no number.",
        remedy="Log less in the last 4 KB of an invocation, or set the system log level to INFO.",
    )


def _initialised_ahead(groups: Sequence[CellSamples]) -> Notice | None:
    count = sum(len(group.initialised_ahead) for group in groups)
    if not count:
        return None
    return Notice(
        code="initialised_ahead",
        severity=Severity.INFO,
        message=f"{count} first calls of a version showed no init: Lambda had prepared their environments ahead.",
        remedy="They count neither as cold nor as warm; nothing needs to be done.",
    )
