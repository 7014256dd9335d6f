"""What cold starts cost, and what the ways around them would: computed from measured bills and the price table.

With GB = memory / 1024, p the on-demand price of a GB-second, c and w the measured mean bills of a cold and a warm
call in seconds, f the share of calls that are cold:

* a cold start costs (c - w) GB p more than a warm call. Its init alone is init x GB p where it is billed (on demand
  since 2025-08-01, AWS Compute Blog 2025-04-29), at the configured memory: more makes the same init dearer;
* provisioned concurrency costs 3600 GB p_kept for each hour and environment, and w GB p_used for each call (AWS
  Lambda pricing, "Provisioned Concurrency Pricing"). It is cheaper from N calls an hour on,
  N = 3600 GB p_kept / [w GB p + f (c - w) GB p - w GB p_used]; without cold starts that is a utilisation of
  p_kept / (p - p_used), 60 % at the prices of us-east-1, whatever the memory;
* SnapStart costs GB p_cache for each second that a version exists and GB p_restore for each cold start (same page),
  both by the configured memory.
"""

from __future__ import annotations

from tuner.model import (
    ColdCell,
    ColdCost,
    ColdEconomics,
    Estimate,
    InitBilling,
    Price,
    ProvisionedConcurrency,
    SnapStart,
    StartKind,
)
from tuner.pricing import ProvisionedPrice, SnapStartPrice
from tuner.statistics.cold.batches import difference
from tuner.statistics.estimates import transform

SECONDS_PER_HOUR = 3600
HOURS_PER_MONTH = 730
"""As the AWS pricing calculator counts."""


def economics(
    cell: ColdCell,
    price: Price | None,
    *,
    cold_fraction: float,
    provisioned: ProvisionedPrice | None,
    snap_start: SnapStartPrice | None,
) -> ColdEconomics:
    """Each part where its measurements and prices are known; ``cold_fraction`` is the share of cold calls."""
    cold = None if price is None else _cold_cost(cell, price, cold_fraction)
    return ColdEconomics(
        memory_mb=cell.memory_mb,
        architecture=cell.architecture,
        cold=cold,
        provisioned=None if price is None or provisioned is None else _provisioned(cell, price, provisioned, cold),
        snap_start=None if snap_start is None else _snap_start(cell, snap_start, cold),
    )


def _cold_cost(cell: ColdCell, price: Price, cold_fraction: float) -> ColdCost | None:
    if cell.billed_cold_ms is None or cell.billed_warm_ms is None:
        return None
    usd_per_ms = _usd_per_ms(cell, price)
    longer_ms = difference(cell.billed_warm_ms, cell.billed_cold_ms, what="mean billed duration, cold less warm")
    usd_each = _times(longer_ms, usd_per_ms)
    return ColdCost(
        usd_each=usd_each,
        cold_fraction=cold_fraction,
        usd_per_million_calls=_times(usd_each, cold_fraction * 1e6),
        init_usd_per_million_cold=_init_usd(cell, usd_per_ms),
    )


def _init_usd(cell: ColdCell, usd_per_ms: float) -> float | None:
    """Cost of the init in a million cold starts, where the lines show that it is billed."""
    billed = cell.init_billing is InitBilling.BILLED and cell.start_kind is StartKind.INIT
    return 1e6 * cell.start_ms.mean.point * usd_per_ms if billed and cell.start_ms is not None else None


def _provisioned(
    cell: ColdCell, price: Price, provisioned: ProvisionedPrice, cold: ColdCost | None
) -> ProvisionedConcurrency | None:
    if cell.billed_warm_ms is None or cell.warm_duration_ms is None:
        return None
    gb, warm_s = cell.memory_mb / 1024, cell.billed_warm_ms.point / 1000
    kept_usd_per_hour = SECONDS_PER_HOUR * gb * float(provisioned.usd_per_gb_s)
    used_usd = warm_s * gb * float(provisioned.usd_per_gb_s_of_duration) + float(price.usd_per_request)
    of_cold_starts = 0.0 if cold is None else cold.cold_fraction * cold.usd_each.point
    on_demand_usd = warm_s * gb * float(price.usd_per_gb_s) + of_cold_starts + float(price.usd_per_request)
    calls = kept_usd_per_hour / (on_demand_usd - used_usd) if on_demand_usd > used_usd else None
    return ProvisionedConcurrency(
        usd_per_hour=kept_usd_per_hour,
        usd_per_call=used_usd,
        on_demand_usd_per_call=on_demand_usd,
        break_even_calls_per_hour=calls,
        break_even_utilisation=None if calls is None else calls * warm_s / SECONDS_PER_HOUR,
    )


def _snap_start(cell: ColdCell, price: SnapStartPrice, cold: ColdCost | None) -> SnapStart:
    gb = cell.memory_mb / 1024
    return SnapStart(
        free=price.free,
        cache_usd_per_month=HOURS_PER_MONTH * SECONDS_PER_HOUR * gb * float(price.cache_usd_per_gb_s),
        restore_usd_per_million_cold=1e6 * gb * float(price.restore_usd_per_gb),
        init_usd_per_million_cold=None if cold is None else cold.init_usd_per_million_cold,
    )


def _usd_per_ms(cell: ColdCell, price: Price) -> float:
    return cell.memory_mb / 1024 / 1000 * float(price.usd_per_gb_s)


def _times(estimate: Estimate, factor: float) -> Estimate:
    return transform(estimate, lambda value: value * factor)
