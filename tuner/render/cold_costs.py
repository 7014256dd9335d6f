"""What cold starts cost, and what the ways around them would, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.model import Cell, ColdEconomics, ColdStartReport, Estimate, InitBilling
from tuner.render.cold_tables import ms_mean, percent_of
from tuner.render.cold_view import cell_label, in_order
from tuner.render.document import Column, Table
from tuner.render.figures import NOTHING, rounded, usd_range
from tuner.render.rows import Figure
from tuner.units import format_usd

_BILLING = {
    InitBilling.BILLED: "billed",
    InitBilling.NOT_BILLED: "not billed",
    InitBilling.MIXED: "billed in part",
    InitBilling.UNKNOWN: "not known",
}


def cost_table(report: ColdStartReport) -> Table | None:
    """What cold starts add to the bill; None where no bill was measured."""
    cells = {cell.cell: cell for cell in report.cells}
    rows = []
    for one in _economics(report):
        cell, cost = cells[Cell(one.memory_mb, one.architecture)], one.cold
        if cost is None:
            continue
        init = cost.init_usd_per_million_cold
        rows.append(
            (
                cell_label(cell.cell, report),
                ms_mean(cell.billed_cold_ms),
                ms_mean(cell.billed_warm_ms),
                _per_million(cost.usd_each),
                f"{NOTHING} ({_BILLING[cell.init_billing]})" if init is None else format_usd(init),
                percent_of(cost.cold_fraction),
                _usd(cost.usd_per_million_calls),
            )
        )
    if not rows:
        return None
    titles = (
        "Billed, cold", "Billed, warm", "A million cold ones add", "of which init", "Share cold",
        "Adds to a million calls",
    )  # fmt: skip
    return Table(
        caption="Means with 95 % intervals. Init is billed at the configured memory size where the lines say so.",
        columns=(Column(title="Where"), *(Column(title=title) for title in titles)),
        rows=tuple(rows),
    )


def provisioned_table(report: ColdStartReport) -> Table | None:
    """Provisioned concurrency against paying on demand; None where a price or a measurement is missing."""
    rows = tuple(
        (
            cell_label(Cell(one.memory_mb, one.architecture), report),
            format_usd(found.usd_per_hour),
            format_usd(found.usd_per_call * 1e6),
            format_usd(found.on_demand_usd_per_call * 1e6),
            *_break_even(found.break_even_calls_per_hour, found.break_even_utilisation),
        )
        for one in _economics(report)
        if (found := one.provisioned) is not None
    )
    titles = (
        "Kept for an hour", "A million calls on it", "A million on demand", "Cheaper from, calls an hour",
        "Then busy",
    )  # fmt: skip
    return _optional_table(
        "One environment kept initialised (provisioned concurrency), at its rates per GB-second. Point estimates.",
        titles,
        rows,
    )


def snap_start_table(report: ColdStartReport) -> Table | None:
    """SnapStart's own price; None where the runtime has none."""
    rows = tuple(
        (
            cell_label(Cell(one.memory_mb, one.architecture), report),
            "free" if found.free else format_usd(found.cache_usd_per_month),
            "free" if found.free else format_usd(found.restore_usd_per_million_cold),
            NOTHING if found.init_usd_per_million_cold is None else format_usd(found.init_usd_per_million_cold),
        )
        for one in _economics(report)
        if (found := one.snap_start) is not None
    )
    titles = ("Cache, a month and version", "Restores, per million cold", "Init today, per million cold")
    return _optional_table("SnapStart: what it costs, beside the init that a restore replaces.", titles, rows)


def short(costs: Table) -> Table:
    """The columns of a cost table that a terminal has room for."""
    kept = {0: Column(title=""), 6: Column(title="per million calls"), 5: Column(title="share cold", expendable=1)}
    kept |= {3: Column(title="per million cold", expendable=2)}
    return Table(
        caption="With 95 % intervals; the init as it is billed, at the configured memory size.",
        columns=tuple(kept.values()),
        rows=tuple(tuple(row[index] for index in kept) for row in costs.rows),
    )


def _break_even(calls: float | None, utilisation: float | None) -> tuple[str, str]:
    if calls is None or utilisation is None:
        return "never", NOTHING
    busy = f"{utilisation * 100:.0f} %" if utilisation <= 1 else "more than one can serve"
    return rounded(calls), busy


def _usd(estimate: Estimate) -> Figure:
    return Figure(value=format_usd(estimate.point), detail=usd_range(estimate) if estimate.estimable else None)


def _per_million(each: Estimate) -> Figure:
    low, high = (None if bound is None else bound * 1e6 for bound in (each.low, each.high))
    return _usd(Estimate(point=each.point * 1e6, low=low, high=high, n=each.n, method=each.method))


def _economics(report: ColdStartReport) -> tuple[ColdEconomics, ...]:
    order = [cell.cell for cell in in_order(report.cells)]
    return tuple(sorted(report.economics, key=lambda one: order.index(Cell(one.memory_mb, one.architecture))))


def _optional_table(caption: str, titles: Sequence[str], rows: tuple[tuple[str, ...], ...]) -> Table | None:
    if not rows:
        return None
    return Table(
        caption=caption, columns=(Column(title="Where"), *(Column(title=title) for title in titles)), rows=rows
    )
