"""Prices of the regions, and what use costs. Money is exact: Decimal from the table to the sum.

Cost of an invocation = billed duration x memory x price + request price (AWS Lambda pricing, on-demand, first tier,
no free tier): the billed duration is what Lambda reports, never derived again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType

from tuner import codec
from tuner.errors import PriceUnknownError
from tuner.model import Architecture, Price, Sample

PRICES_FILE = Path(__file__).parent / "data" / "prices.json"

GIVEN = "given on the command line"

INIT_LIMIT_MS = 10_000
"""Longest init phase on demand; its time is billed on top of a duration that reaches the timeout."""

_REFERENCE_REGION = "us-east-1"
_OVERRIDE_HINT = "Give the region's own price with --price-per-gb-s, in US dollars per GB-second, like 0.0000166667."

# Wide enough for every digit of a sum of products: nothing is rounded before it is shown.
_EXACT = Context(prec=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionPrices:
    """One region of the table, per GB-second and per request in ``currency``; None where no source was found."""

    duration_x86: Decimal | None
    duration_arm64: Decimal | None
    request: Decimal | None
    ephemeral_storage_gb_s: Decimal | None
    provisioned_concurrency_x86: Decimal | None
    provisioned_concurrency_arm64: Decimal | None
    provisioned_duration_x86: Decimal | None
    provisioned_duration_arm64: Decimal | None
    currency: str
    as_of: str
    source: str

    def usd_per_gb_s(self, architecture: Architecture) -> Decimal | None:
        if self.currency != "USD":
            return None
        return self.duration_arm64 if architecture is Architecture.ARM64 else self.duration_x86

    @property
    def usd_per_request(self) -> Decimal | None:
        return self.request if self.currency == "USD" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedPrice:
    """Provisioned concurrency: kept by GB-second of configured memory, used at a lower duration price.

    $0.0000041667 per GB-second is $0.015 for an hour of ONE GB: not for each environment whatever its memory.
    """

    usd_per_gb_s: Decimal
    """For keeping it, whether it serves or not."""
    usd_per_gb_s_of_duration: Decimal
    """For what it serves; takes the place of the on-demand price, not of the request price."""
    as_of: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapStartPrice:
    """SnapStart: a snapshot's cache as long as the version exists, and each restore. Both 0 for Java."""

    cache_usd_per_gb_s: Decimal
    restore_usd_per_gb: Decimal
    cache_minimum_hours: int

    @property
    def free(self) -> bool:
        return not self.cache_usd_per_gb_s and not self.restore_usd_per_gb


@dataclass(frozen=True, slots=True, kw_only=True)
class _SnapStartEntry:
    cache_gb_s: Decimal
    restore_per_gb: Decimal
    cache_minimum_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _FargateEntry:
    vcpu_hour: Decimal
    gb_hour: Decimal
    as_of: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FargatePrice:
    """A Fargate task (Linux, x86_64), always on."""

    usd_per_vcpu_hour: Decimal
    usd_per_gb_hour: Decimal
    as_of: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A volume price of GB-seconds; ``up_to_gb_s`` is None for the last."""

    up_to_gb_s: Decimal | None
    usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tiers:
    x86: tuple[Tier, ...]
    arm64: tuple[Tier, ...]
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extras:
    snapstart: _SnapStartEntry
    fargate: _FargateEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    regions: dict[str, RegionPrices]
    us_east_1_extras: _Extras
    tiers: _Tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What samples cost together. ``unpriced`` of them have no known cost and are not in ``usd``."""

    usd: Decimal
    unpriced: int


@cache
def price_table() -> Mapping[str, RegionPrices]:
    """The prices in the package, by region."""
    return _table().regions


@cache
def _table() -> _Table:
    return codec.decode(PRICES_FILE.read_bytes(), _Table)


def price_for(
    region: str,
    architecture: Architecture,
    *,
    usd_per_gb_s: Decimal | None = None,
    usd_per_request: Decimal | None = None,
    updated: Mapping[str, RegionPrices] | None = None,
) -> Price:
    """The price of the region, or the one given. PriceUnknownError where neither is known in US dollars.

    ``updated`` are rows that take the place of those in the package (``tuner prices update``).
    With a price per GB-second but none per request, the request price is the region's, or where that is unknown the
    one of us-east-1; ``source`` then says so.
    """
    if usd_per_gb_s is not None:
        return _given_price(region, architecture, usd_per_gb_s, usd_per_request)
    price = _table_price(region, architecture, updated or {})
    if usd_per_request is None:
        return price
    return replace(price, usd_per_request=usd_per_request, source=f"{price.source}; request price {GIVEN}")


def provisioned_price_for(region: str, architecture: Architecture) -> ProvisionedPrice | None:
    """The region's prices of provisioned concurrency; None where no source was found, or not in US dollars."""
    prices = price_table().get(region)
    if prices is None or prices.currency != "USD":
        return None
    arm = architecture is Architecture.ARM64
    keeping = prices.provisioned_concurrency_arm64 if arm else prices.provisioned_concurrency_x86
    duration = prices.provisioned_duration_arm64 if arm else prices.provisioned_duration_x86
    if keeping is None or duration is None:
        return None
    return ProvisionedPrice(
        usd_per_gb_s=keeping, usd_per_gb_s_of_duration=duration, as_of=prices.as_of, source=prices.source
    )


def snap_start_price_for(region: str, runtime: str | None) -> SnapStartPrice | None:
    """What SnapStart costs for a runtime; None where it is not offered, or the region's price is not known.

    Free for Java; Python (3.12 on) and .NET (8 on) pay, by the price list of us-east-1, the only one at hand.
    """
    if runtime is None or not _has_snap_start(runtime):
        return None
    entry = _table().us_east_1_extras.snapstart
    if runtime.startswith("java"):
        return SnapStartPrice(
            cache_usd_per_gb_s=Decimal(0),
            restore_usd_per_gb=Decimal(0),
            cache_minimum_hours=entry.cache_minimum_hours,
        )
    if region != _REFERENCE_REGION:
        return None
    return SnapStartPrice(
        cache_usd_per_gb_s=entry.cache_gb_s,
        restore_usd_per_gb=entry.restore_per_gb,
        cache_minimum_hours=entry.cache_minimum_hours,
    )


def snap_start_study_usd(versions: int, memory_mb: int, price: SnapStartPrice) -> Decimal:
    """What the cache of versions costs that exist only for a study: the shortest time that is billed."""
    with localcontext(_EXACT):
        seconds = price.cache_minimum_hours * 3600
        return versions * Decimal(memory_mb) / 1024 * seconds * price.cache_usd_per_gb_s


def invocation_cost_usd(billed_ms: float | Decimal, memory_mb: int, price: Price) -> Decimal:
    """Cost of one invocation in US dollars, exact."""
    with localcontext(_EXACT):
        # 1 GB-second is 1000 ms x 1024 MB.
        gb_seconds = Decimal(str(billed_ms)) * memory_mb / 1_024_000
        return gb_seconds * price.usd_per_gb_s + price.usd_per_request


def cost_per_million_usd(mean_billed_ms: float, memory_mb: int, price: Price) -> float:
    """Cost of a million invocations in US dollars; cost is linear, so the mean of the billed durations decides."""
    gb_seconds = mean_billed_ms * memory_mb / 1_024_000
    return 1e6 * (gb_seconds * float(price.usd_per_gb_s) + float(price.usd_per_request))


def total_cost_usd(samples: Iterable[Sample], prices: Mapping[Architecture, Price]) -> Total:
    """What the samples cost. One without billed duration, or without a price, is counted as unpriced, not as free."""
    usd = Decimal(0)
    unpriced = 0
    for sample in samples:
        price = prices.get(sample.cell.architecture)
        if sample.billed_ms is None or price is None:
            unpriced += 1
            continue
        with localcontext(_EXACT):
            usd += invocation_cost_usd(sample.billed_ms, sample.cell.memory_mb, price)
    return Total(usd=usd, unpriced=unpriced)


def worst_case_usd(
    invocations: int, timeout_s: float, memory_mb: int, price: Price, *, cold_starts: int = 0
) -> Decimal:
    """The most these invocations can cost: each runs into its timeout, ``cold_starts`` of them after 10 s of init.

    A cold timeout is billed as timeout plus init (a report of 2026-10: 600000.00 ms + 516.31 ms billed 600517 ms).
    """
    timeout_ms = Decimal(str(timeout_s)) * 1000
    with localcontext(_EXACT):
        warm = (invocations - cold_starts) * invocation_cost_usd(timeout_ms, memory_mb, price)
        return warm + cold_starts * invocation_cost_usd(timeout_ms + INIT_LIMIT_MS, memory_mb, price)


def _has_snap_start(runtime: str) -> bool:
    """Java 11 on, Python 3.12 on, .NET 8 on (AWS Lambda developer guide, "Supported features and limitations")."""
    match = re.match(r"(java|python3\.|dotnet)(\d+)", runtime)
    return match is not None and int(match[2]) >= {"java": 11, "python3.": 12, "dotnet": 8}[match[1]]


def tiers_for(price: Price) -> tuple[Tier, ...]:
    """The volume prices of a month, per account, region and architecture; none where they are not known.

    They are published for the regions whose first tier costs what it costs in us-east-1.
    """
    tiers = _table().tiers
    found = tiers.arm64 if price.architecture is Architecture.ARM64 else tiers.x86
    return found if found[0].usd == price.usd_per_gb_s else ()


def fargate_price_for(region: str) -> FargatePrice | None:
    """None where the price is not at hand: it is for us-east-1 only."""
    if region != _REFERENCE_REGION:
        return None
    entry = _table().us_east_1_extras.fargate
    return FargatePrice(
        usd_per_vcpu_hour=entry.vcpu_hour, usd_per_gb_hour=entry.gb_hour, as_of=entry.as_of, source=entry.source
    )


def _table_price(
    region: str, architecture: Architecture, updated: Mapping[str, RegionPrices] = MappingProxyType({})
) -> Price:
    prices = updated.get(region) or price_table().get(region)
    if prices is None:
        raise PriceUnknownError(
            f"There is no region {region!r} in the price table.", hint=_unknown_region_hint(region)
        )
    usd_per_gb_s = prices.usd_per_gb_s(architecture)
    if usd_per_gb_s is None or prices.usd_per_request is None:
        raise PriceUnknownError(_why_unknown(region, architecture, prices), hint=_OVERRIDE_HINT)
    return Price(
        region=region,
        architecture=architecture,
        usd_per_gb_s=usd_per_gb_s,
        usd_per_request=prices.usd_per_request,
        as_of=prices.as_of,
        source=prices.source,
    )


def _given_price(
    region: str, architecture: Architecture, usd_per_gb_s: Decimal, usd_per_request: Decimal | None
) -> Price:
    source = GIVEN
    if usd_per_request is None:
        prices = price_table().get(region)
        usd_per_request = prices.usd_per_request if prices else None
    if usd_per_request is None:
        usd_per_request = _table_price(_REFERENCE_REGION, Architecture.X86_64).usd_per_request
        source = f"{GIVEN}; request price as in {_REFERENCE_REGION}"
    return Price(
        region=region,
        architecture=architecture,
        usd_per_gb_s=usd_per_gb_s,
        usd_per_request=usd_per_request,
        as_of="this run",
        source=source,
    )


def _why_unknown(region: str, architecture: Architecture, prices: RegionPrices) -> str:
    if prices.currency != "USD":
        return f"{region} is billed in {prices.currency}, and costs are shown in US dollars only."
    if prices.duration_x86 is None:
        return f"The price table holds no price for {region} yet."
    return f"The price table holds no {architecture} price for {region}."


def _unknown_region_hint(region: str) -> str:
    near = get_close_matches(region, price_table(), n=3)
    return f"Did you mean {' or '.join(near)}? {_OVERRIDE_HINT}" if near else _OVERRIDE_HINT
