"""Parts that reports of every kind share: what was measured and how, and what everybody must know about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tuner.model import (
    CurrentConfiguration,
    EngineKind,
    Measurement,
    Notice,
    Plan,
    Sample,
    Severity,
    Spend,
    Target,
)

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


def target_of(plan: Plan) -> Target:
    function = plan.function
    return Target(
        function=function.name,
        region=function.region,
        engine=plan.request.engine,
        runtime=function.runtime,
        package_type=function.package_type,
        current=CurrentConfiguration(memory_mb=function.memory_mb, architecture=function.architecture),
        code_sha256=function.code_sha256,
    )


def measurement_of(plan: Plan, facts: RunFacts) -> Measurement:
    return Measurement(
        command=facts.command,
        sampling=facts.sampling,
        wave_size=plan.wave_size,
        blocks=facts.blocks,
        payload_sha256=facts.payload_sha256,
        prices=plan.prices,
        host=facts.host,
        throttle=facts.throttle,
        cold_fraction=plan.request.cold_fraction,
    )


def spend_of(samples: Sequence[Sample], facts: RunFacts, *, usd: Decimal, estimated_usd: Decimal) -> Spend:
    """What was used; ``usd`` is the bill in US dollars, ``estimated_usd`` what was announced at most."""
    return Spend(
        invocations=len(samples),
        cold_invocations=sum(sample.cold for sample in samples),
        usd=usd,
        estimated_usd=estimated_usd,
        seconds=round(facts.seconds, 3),
    )


def engine_notices(engine: EngineKind) -> tuple[Notice, ...]:
    """Results of the embedded Lambda are called local, always."""
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


def unpriced_notices(unpriced: int) -> tuple[Notice, ...]:
    if not unpriced:
        return ()
    return (
        Notice(
            code="unreported-invocations",
            severity=Severity.WARNING,
            message=f"{unpriced} invocations have no known billed duration. They are not in the spend, and not in "
            "any estimate.",
            remedy="If they were answered, check the function's logging configuration: its log tail should end with "
            "a REPORT line.",
        ),
    )


def disturbed_notices(samples: Sequence[Sample]) -> tuple[Notice, ...]:
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
            "for it. Warm ones are left out where the size has others; cold starts are all counted.",
            remedy="Run this when the machine has less to do." if much else None,
        ),
    )
