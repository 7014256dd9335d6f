"""What a call costs and how long it takes, when a share of the calls meets a cold start.

    quantity = (1 - f) * warm + f * cold

Warm and cold means are estimated apart, because the share of cold calls in a run is its design and not what users
meet. A cold call takes init and duration, and costs what its own line says was billed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tuner.model import Price, Sample
from tuner.pricing import cost_per_million_usd
from tuner.statistics.components import NotEstimable
from tuner.statistics.estimates import MeanEvidence, mean_evidence
from tuner.statistics.observations import CellSamples, Observations, independent

Evidence = MeanEvidence | NotEstimable


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualCall:
    """Points and evidence of one size: cost in USD per million calls, duration in ms."""

    cost_usd: float
    duration_ms: float
    cost: Evidence
    duration: Evidence


def usual_call(group: CellSamples, price: Price, cold_fraction: float = 0.0) -> UsualCall | None:
    """What a call at one size costs and takes; None without warm durations and what was billed for them, or where
    cold calls count and none was seen."""
    durations, billed = group.durations_ms(), group.billed_ms()
    if durations is None or billed is None:
        return None
    duration_point, duration = _mixed(durations, cold_durations_ms(group), cold_fraction)
    billed_point, billed_evidence = _mixed(billed, cold_billed_ms(group), cold_fraction)
    if duration_point is None or billed_point is None:
        return None
    request_usd = cost_per_million_usd(0.0, group.cell.memory_mb, price)
    usd_per_ms = cost_per_million_usd(1.0, group.cell.memory_mb, price) - request_usd
    cost = billed_evidence
    if isinstance(cost, MeanEvidence):
        cost = cost.affine(usd_per_ms, request_usd)
    return UsualCall(
        cost_usd=request_usd + usd_per_ms * billed_point, duration_ms=duration_point, cost=cost, duration=duration
    )


def cold_durations_ms(group: CellSamples) -> list[float]:
    """What a caller waited for at each cold start: init or restore, and the handler."""
    return [s.duration_ms + _start_ms(s) for s in group.cold if s.duration_ms is not None]


def cold_billed_ms(group: CellSamples) -> list[float]:
    return [s.billed_ms for s in group.cold if s.billed_ms is not None]


def mixed_evidence(warm: MeanEvidence, cold: MeanEvidence, cold_fraction: float) -> MeanEvidence:
    """Evidence of the weighted mean of two independent means, with Welch's degrees of freedom (Welch 1947)."""
    parts = ((1 - cold_fraction, warm), (cold_fraction, cold))
    variances = [(weight * mean.point * mean.relative_error) ** 2 for weight, mean in parts]
    point, variance = sum(weight * mean.point for weight, mean in parts), sum(variances)
    spent = sum(v**2 / mean.degrees_of_freedom for v, (_, mean) in zip(variances, parts, strict=True))
    return MeanEvidence(
        point=point,
        relative_error=math.sqrt(variance) / point,
        degrees_of_freedom=variance**2 / spent if spent > 0 else warm.degrees_of_freedom,
        n=warm.n + cold.n,
        method=f"{warm.method}; {cold_fraction * 100:.3g} % of the calls cold, by {cold.n} cold starts",
    )


def _mixed(warm: Observations, cold: list[float], cold_fraction: float) -> tuple[float | None, Evidence]:
    warm_point, warm_evidence = float(warm.values.mean()), mean_evidence(warm)
    if cold_fraction == 0:
        return warm_point, warm_evidence
    if not cold:
        return None, NotEstimable("no cold start was seen")
    point = (1 - cold_fraction) * warm_point + cold_fraction * sum(cold) / len(cold)
    cold_evidence = mean_evidence(independent(cold))
    if isinstance(warm_evidence, NotEstimable):
        return point, warm_evidence
    if isinstance(cold_evidence, NotEstimable):
        return point, NotEstimable(f"only {len(cold)} cold start tells what cold calls add (needs 2)")
    return point, mixed_evidence(warm_evidence, cold_evidence, cold_fraction)


def _start_ms(sample: Sample) -> float:
    return (sample.init_ms or 0.0) + (sample.restore_ms or 0.0)
