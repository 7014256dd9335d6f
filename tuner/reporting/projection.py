"""From the cost of a call to the bill of a month: volume, cold starts, tiers, and what else could run the code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tuner.model import FULL_VCPU_MB, Architecture, CurvePoint, CurveStatus, Price, Report
from tuner.pricing import FargatePrice, Tier

SECONDS_PER_HOUR = 3600

FARGATE_SIZES = (
    (Decimal("0.25"), Decimal("0.5"), 2),
    (Decimal("0.5"), Decimal(1), 4),
    (Decimal(1), Decimal(2), 8),
    (Decimal(2), Decimal(4), 16),
    (Decimal(4), Decimal(8), 30),
    (Decimal(8), Decimal(16), 60),
)
"""vCPU of a task with its least and its most memory in GB (Amazon ECS developer guide, "Task CPU and memory")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How often a function is called in a month."""

    calls: int
    cold_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyCost:
    """One size for a month at a volume."""

    memory_mb: int
    architecture: Architecture
    gb_seconds: Decimal
    duration_usd: Decimal
    request_usd: Decimal
    cold_usd: Decimal | None
    """The part of ``duration_usd`` that cold starts add; None where no init was measured: then it is left out."""

    @property
    def usd(self) -> Decimal:
        return self.duration_usd + self.request_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class FargateBreakEven:
    """A task of the same CPU that is always on, against one environment that works for it."""

    vcpu: Decimal
    memory_gb: Decimal
    usd_per_hour: Decimal
    busy_share: Decimal
    """From this share of the hour on, one call at a time, the task is cheaper; above 1 it never is."""


def monthly_costs(
    report: Report, volume: Volume, tiers: Sequence[Tier], *, used_gb_s: Decimal = Decimal(0)
) -> tuple[MonthlyCost, ...]:
    """Each measured size of the report for a month.

    ``tiers`` are the region's volume prices of GB-seconds, none for the report's own price throughout;
    ``used_gb_s`` is what the account uses beside this function, which moves it up the tiers.
    """
    prices = {price.architecture: price for price in report.measurement.prices}
    return tuple(
        _monthly(point, volume, prices[point.architecture], tiers, used_gb_s)
        for point in report.curve
        if point.status is CurveStatus.MEASURED and point.billed_ms is not None and point.architecture in prices
    )


def tiered_usd(gb_seconds: Decimal, price: Price, tiers: Sequence[Tier], used_gb_s: Decimal = Decimal(0)) -> Decimal:
    """What GB-seconds cost when ``used_gb_s`` were used before them: each at the price of its tier."""
    if not tiers:
        return gb_seconds * price.usd_per_gb_s
    total, begin, end = Decimal(0), used_gb_s, used_gb_s + gb_seconds
    floor = Decimal(0)
    for tier in tiers:
        ceiling = tier.up_to_gb_s if tier.up_to_gb_s is not None else max(end, floor)
        total += max(Decimal(0), min(end, ceiling) - max(begin, floor)) * tier.usd
        floor = ceiling
    return total


def fargate_break_even(memory_mb: int, price: Price, fargate: FargatePrice) -> FargateBreakEven | None:
    """When a Fargate task with at least the CPU and memory of this size would be cheaper; None above its sizes.

    Assumes: one call at a time, the same speed for the same share of a vCPU, no load balancer, no NAT gateway, no
    second task for safety, no time to scale. Requests to the task are free, requests to Lambda are left out.
    """
    wanted_vcpu, wanted_gb = Decimal(memory_mb) / FULL_VCPU_MB, Decimal(memory_mb) / 1024
    for vcpu, least_gb, most_gb in FARGATE_SIZES:
        if vcpu >= wanted_vcpu and most_gb >= wanted_gb:
            memory_gb = max(least_gb, wanted_gb.to_integral_value(rounding="ROUND_CEILING"))
            hourly = vcpu * fargate.usd_per_vcpu_hour + memory_gb * fargate.usd_per_gb_hour
            busy = wanted_gb * SECONDS_PER_HOUR * price.usd_per_gb_s
            return FargateBreakEven(vcpu=vcpu, memory_gb=memory_gb, usd_per_hour=hourly, busy_share=hourly / busy)
    return None


def _monthly(
    point: CurvePoint, volume: Volume, price: Price, tiers: Sequence[Tier], used_gb_s: Decimal
) -> MonthlyCost:
    if point.billed_ms is None:
        raise ValueError("a measured size has a billed duration")
    gb_per_ms = Decimal(point.memory_mb) / 1024 / 1000
    calls, cold_calls = Decimal(volume.calls), Decimal(volume.calls) * Decimal(str(volume.cold_fraction))
    warm_gb_s = calls * Decimal(str(point.billed_ms.mean.point)) * gb_per_ms
    init_ms = point.init_ms.mean.point if point.init_ms else None
    cold_gb_s = None if init_ms is None else cold_calls * Decimal(str(init_ms)) * gb_per_ms
    all_gb_s = warm_gb_s + (cold_gb_s or Decimal(0))
    duration_usd = tiered_usd(all_gb_s, price, tiers, used_gb_s)
    return MonthlyCost(
        memory_mb=point.memory_mb,
        architecture=point.architecture,
        gb_seconds=all_gb_s,
        duration_usd=duration_usd,
        request_usd=calls * price.usd_per_request,
        cold_usd=None if cold_gb_s is None else duration_usd - tiered_usd(warm_gb_s, price, tiers, used_gb_s),
    )
