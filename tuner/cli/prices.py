"""``tuner prices``: the table, where it comes from, and what a month costs by it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tuner import codec
from tuner.aws.price_list import fetch
from tuner.aws.session import resolve_region
from tuner.cli.display import columns
from tuner.cli.prices_file import keep_prices, updated_prices
from tuner.cli.report_file import read_report
from tuner.errors import ExitCode, UsageError
from tuner.inputs.files import UnreadableFileError, read_bounded
from tuner.inputs.price_list import parse_price_list, price_list_url
from tuner.model import Architecture, CurrentConfiguration, Price, Report
from tuner.pricing import RegionPrices, fargate_price_for, price_table, tiers_for
from tuner.render.table import render_columns
from tuner.reporting.projection import FargateBreakEven, MonthlyCost, Volume, fargate_break_even, monthly_costs
from tuner.units import format_usd, parse_percent

SCHEMA_VERSION = 1
NOTHING = "-"
FREE_TIER = "The free tier (1,000,000 requests and 400,000 GB-seconds a month) and discounts are not deducted."
RATES = "Per GB-second and per request, first tier, without the free tier. `-`: no source was found."
UPDATE = "`tuner prices update` reads AWS's public price list; every report says which prices it used."
SAVINGS_PLANS = "A Compute Savings Plan lowers duration by 12 % (no upfront) to 17 %, and requests not at all."

LARGEST_PRICE_LIST_BYTES = 256 * 1024 * 1024
"""The file of one region has a few hundred kB."""
MOST_CALLS = 10**15
"""A month at a hundred million calls a second is a quarter of it; written out, 1e999999999 would fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOptions:
    """``tuner prices project`` as it was typed."""

    source: str
    calls_per_month: str
    cold_fraction: str
    used_gb_s: str
    json_output: bool


def show_prices(regions: tuple[str, ...], *, json_output: bool) -> int:
    """Print the rows of ``regions``, of all where none is named."""
    table = {**price_table(), **updated_prices()}
    unknown = [region for region in regions if region not in table]
    if unknown:
        raise UsageError(
            f"There is no region {unknown[0]} in the table.", hint="`tuner prices show` lists those there are."
        )
    rows = {region: table[region] for region in (regions or sorted(table))}
    if json_output:
        content = {"schema_version": SCHEMA_VERSION, "unit": "per GB-second, request: per call", "regions": rows}
        print(codec.encode_pretty(codec.to_builtins(content)).decode(), end="")
        return ExitCode.OK
    print(render_columns(("region", "x86_64", "arm64", "request", "from"), _rows(rows), width=columns()), end="")
    print()
    for line in (RATES, UPDATE):
        print(textwrap.fill(line, columns()))
    return ExitCode.OK


def update_prices(regions: tuple[str, ...], file: Path | None) -> int:
    """Read the price list of each region, keep its row, and say what changed."""
    named = regions or (resolve_region(None, region=None, profile=None),)
    if file is not None and len(named) != 1:
        raise UsageError("--from is the file of one region.", hint="Name that region, and only that.")
    before = {**price_table(), **updated_prices()}
    rows = {region: parse_price_list(_list_of(region, file), region) for region in named}
    path = keep_prices(rows)
    for region, row in rows.items():
        print(f"{region}: {_what_changed(before.get(region), row)} ({row.source})")
    print(f"Kept in {path}; runs use it from now on. Remove it for the prices of the package.")
    return ExitCode.OK


def project_command(options: ProjectOptions) -> int:
    """Print what a month costs at each measured size of a report."""
    report = read_report(options.source)
    volume = Volume(calls=_calls(options.calls_per_month), cold_fraction=parse_percent(options.cold_fraction))
    used_gb_s = Decimal(_calls(options.used_gb_s))
    prices = {price.architecture: price for price in report.measurement.prices}
    costs = tuple(
        cost
        for price in prices.values()
        for cost in monthly_costs(report, volume, tiers_for(price), used_gb_s=used_gb_s)
        if cost.architecture is price.architecture
    )
    if not costs:
        raise UsageError("No size of this report has a billed duration.", hint="Give a report of `tuner run`.")
    if options.json_output:
        content = {"schema_version": SCHEMA_VERSION, "volume": volume, "months": costs}
        print(codec.encode_pretty(codec.to_builtins(content)).decode(), end="")
        return ExitCode.OK
    _print_projection(report, volume, costs, prices, used_gb_s)
    return ExitCode.OK


def _print_projection(
    report: Report,
    volume: Volume,
    costs: tuple[MonthlyCost, ...],
    prices: Mapping[Architecture, Price],
    used_gb_s: Decimal,
) -> None:
    print(f"{report.target.function}, {volume.calls:,} calls a month, {volume.cold_fraction:.1%} of them cold\n")
    current = report.target.current
    rows = [_month(cost, _is_current(cost, current)) for cost in costs]
    header = ("size", "month", "duration", "requests", "cold starts", "")
    print(render_columns(header, rows, width=columns()))
    chosen = report.recommendation.memory_mb if report.recommendation else current.memory_mb
    for line in (*_assumptions(prices, used_gb_s), *_fargate(chosen, prices)):
        print(textwrap.fill(line, columns()))


def _month(cost: MonthlyCost, current: bool) -> tuple[str, ...]:
    return (
        f"{cost.memory_mb} MB {cost.architecture}",
        format_usd(cost.usd),
        format_usd(cost.duration_usd),
        format_usd(cost.request_usd),
        format_usd(cost.cold_usd) if cost.cold_usd is not None else "not measured",
        "now" if current else "",
    )


def _is_current(cost: MonthlyCost, current: CurrentConfiguration) -> bool:
    return (cost.memory_mb, cost.architecture) == (current.memory_mb, current.architecture)


def _assumptions(prices: Mapping[Architecture, Price], used_gb_s: Decimal) -> list[str]:
    lines = ["Means of warm calls, plus the mean init of the cold ones; /tmp, data transfer and logs are not in it."]
    for price in prices.values():
        tiers = tiers_for(price)
        words = (
            f"volume prices from {tiers[0].up_to_gb_s:,} GB-seconds on, after {used_gb_s:,} of the account"
            if tiers
            else "volume prices are not known here and left out"
        )
        lines.append(f"{price.architecture}: {price.source}, {price.as_of}; {words}.")
    return [*lines, FREE_TIER, SAVINGS_PLANS]


def _fargate(memory_mb: int, prices: Mapping[Architecture, Price]) -> list[str]:
    """The break-even of the recommended size, with what it takes for granted."""
    price = prices.get(Architecture.X86_64)
    if price is None:
        return []
    fargate = fargate_price_for(price.region)
    if fargate is None:
        return [f"Fargate: its price in {price.region} is not in the package, so there is no comparison."]
    found = fargate_break_even(memory_mb, price, fargate)
    if found is None:
        return [f"Fargate: {memory_mb} MB has more CPU than the tasks compared here."]
    return [_break_even_words(found, memory_mb, fargate.as_of)]


def _break_even_words(found: FargateBreakEven, memory_mb: int, as_of: str) -> str:
    task = f"a task of {found.vcpu} vCPU and {found.memory_gb} GB ({format_usd(found.usd_per_hour)} an hour, {as_of})"
    if found.busy_share > 1:
        return f"Fargate: {task} costs more than an environment of {memory_mb} MB that is always busy."
    return (
        f"Fargate: {task} is cheaper than {memory_mb} MB that is busy more than {found.busy_share:.1%} of the time: "
        "one call at a time, equal speed, always on, no load balancer, no NAT gateway, no second task for safety."
    )


def _rows(rows: Mapping[str, RegionPrices]) -> list[tuple[str, ...]]:
    return [
        (
            region,
            _rate(row.duration_x86, row.currency),
            _rate(row.duration_arm64, row.currency),
            _rate(row.request, row.currency),
            f"{row.as_of}; {row.source}",
        )
        for region, row in rows.items()
    ]


def _rate(value: Decimal | None, currency: str) -> str:
    if value is None:
        return NOTHING
    return f"{'$' if currency == 'USD' else f'{currency} '}{value:f}"


def _what_changed(before: RegionPrices | None, after: RegionPrices) -> str:
    if before is None:
        return "new"
    names = ("duration_x86", "duration_arm64", "request", "provisioned_concurrency_x86", "provisioned_duration_x86")
    changed = [
        f"{name} {_rate(getattr(before, name), before.currency)} -> {_rate(getattr(after, name), after.currency)}"
        for name in names
        if getattr(before, name) != getattr(after, name)
    ]
    return ", ".join(changed) or "as before"


def _list_of(region: str, file: Path | None) -> bytes:
    if file is None:
        return fetch(price_list_url(region))
    try:
        return read_bounded(file, limit_bytes=LARGEST_PRICE_LIST_BYTES, pipes=True)
    except UnreadableFileError as error:
        raise UsageError(f"{file} {error}.", hint="Give another file with --from.") from error


def _calls(text: str) -> int:
    """``1000000``, ``1,000,000``, ``10M``, ``2.5k``."""
    cleaned = text.strip().replace(",", "").replace("_", "")
    factor = {"k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}.get(cleaned[-1:].lower())
    try:
        value = Decimal(cleaned[:-1] if factor else cleaned) * (factor or 1)
    except ArithmeticError:
        raise UsageError(f"{text!r} is no number of calls.", hint="Write it like 1000000 or 10M.") from None
    if not value.is_finite() or not 0 <= value <= MOST_CALLS:
        raise UsageError(f"{text!r} is no number of calls.", hint="Write it like 1000000 or 10M.")
    return int(value)
