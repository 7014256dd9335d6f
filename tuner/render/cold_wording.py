"""What a cold-start report says, in words: the answer, what is compared, and what could not be told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tuner.model import (
    Cell,
    ColdCell,
    ColdDifference,
    ColdDistribution,
    ColdQuantity,
    ColdSource,
    ColdStartReport,
    Estimate,
)
from tuner.render.cold_tables import percent_of
from tuner.render.cold_view import cell_label, start_word
from tuner.render.figures import excludes, ms_range, rounded, usd_range
from tuner.render.text import count
from tuner.units import format_ms, format_usd

_NAMES = {0.5: "p50", 0.9: "p90", 0.95: "p95", 0.99: "p99"}
_MOST_COMPARISONS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdHeadline:
    answer: str
    open: bool
    """Nothing was measured, or no interval can be given for what was."""


def headline(report: ColdStartReport) -> ColdHeadline:
    cell = main_cell(report)
    total = cell.total_ms if cell is not None else None
    if cell is None or total is None:
        return ColdHeadline(answer="No cold start was measured", open=True)
    answer = f"A cold start takes {format_ms(total.p50.point)} at {cell_label(cell.cell, report)}"
    if total.p95.estimable:
        return ColdHeadline(answer=f"{answer} by the median, {format_ms(total.p95.point)} at p95", open=False)
    return ColdHeadline(answer=f"{answer} by the median", open=not total.p50.estimable)


def main_cell(report: ColdStartReport) -> ColdCell | None:
    """The function's own configuration where it was measured, else the first cell with a cold start."""
    current = report.target.current
    here = Cell(current.memory_mb, current.architecture)
    measured = [cell for cell in report.cells if cell.total_ms is not None]
    return next((cell for cell in measured if cell.cell == here), measured[0] if measured else None)


def paragraphs(report: ColdStartReport) -> Iterator[str]:
    """The sentences below the answer."""
    cell = main_cell(report)
    if cell is None or cell.total_ms is None:
        yield "The notices say why and what to do."
        return
    yield _detail(cell, cell.total_ms, report)
    yield from _comparisons(report)
    yield from _hello(cell, report)
    yield from _cost(cell, report)
    yield from _production(cell, report)


def not_estimable_words(report: ColdStartReport, quantity: ColdQuantity) -> tuple[str, ...]:
    """Why a percentile shows n/e: one sentence for each reason, with what it would take."""
    where: dict[tuple[str, str], list[str]] = {}
    for cell in report.cells:
        found = cell.distribution(quantity)
        for name, estimate in _by_name(found) if found else ():
            if not estimate.estimable:
                where.setdefault((name, estimate.method), []).append(cell_label(cell.cell, report))
    return tuple(f"{name} at {', '.join(cells)}: {method}." for (name, method), cells in where.items())


def _detail(cell: ColdCell, total: ColdDistribution, report: ColdStartReport) -> str:
    half = f"Half of them take at most {_with_range(total.p50)}"
    most = f", 95 % at most {_with_range(total.p95)}" if total.p95.estimable else f"; p95 is {total.p95.method}"
    base = f" ({count(total.n, 'cold start')} in {_batches(cell.counts.batches, report)})."
    start = ""
    if cell.start_ms is not None:
        start = f" The {start_word(report)} alone takes {_with_range(cell.start_ms.p50)} at p50."
    return f"{half}{most}{base}{start}"


def _batches(number: int, report: ColdStartReport) -> str:
    if report.source is ColdSource.FORCED:
        return f"{number:,} batch" if number == 1 else f"{number:,} batches"
    return count(number, "period")


def _comparisons(report: ColdStartReport) -> Iterator[str]:
    """p50 and p95 of the total, pair by pair: architectures first."""
    pairs: dict[tuple[Cell, Cell], dict[float, ColdDifference]] = {}
    for found in report.differences:
        if found.quantity is ColdQuantity.TOTAL:
            pairs.setdefault((found.base, found.other), {})[found.quantile] = found
    for (base, other), by_quantile in list(pairs.items())[:_MOST_COMPARISONS]:
        clauses = [
            f"{_NAMES[quantile]} {_change(by_quantile[quantile].difference_ms)}"
            for quantile in (0.5, 0.95)
            if quantile in by_quantile and by_quantile[quantile].difference_ms.estimable
        ]
        if clauses:
            yield f"{cell_label(other, report)} against {cell_label(base, report)}: {', '.join(clauses)}."


def _change(estimate: Estimate) -> str:
    """``38 ms less (31 to 44 ms)``, or that no difference was shown."""
    if not excludes(estimate, 0) or estimate.low is None or estimate.high is None:
        return "no difference shown"
    ends = sorted((abs(estimate.low), abs(estimate.high)))
    size = Estimate(point=abs(estimate.point), low=ends[0], high=ends[1], n=estimate.n, method=estimate.method)
    return f"{format_ms(size.point)} {'less' if estimate.point < 0 else 'more'} ({ms_range(size)})"


def _hello(cell: ColdCell, report: ColdStartReport) -> Iterator[str]:
    hello = cell.hello_world
    if hello is not None and hello.ratio is not None and cell.start_ms is not None:
        yield (
            f"A bare {hello.runtime} {hello.package_type.lower()} on {hello.architecture} starts in "
            f"{format_ms(hello.p50_ms)} at p50 on AWS ({_short(hello.source)}, until {hello.as_of}); this one takes "
            f"{format_ms(cell.start_ms.p50.point)} at {cell_label(cell.cell, report)}, {hello.ratio:.1f} times that."
        )


def _short(source: str) -> str:
    """The name alone; the table has all of it."""
    return source.partition(" (")[0]


def _cost(cell: ColdCell, report: ColdStartReport) -> Iterator[str]:
    for one in report.economics:
        if Cell(one.memory_mb, one.architecture) != cell.cell or one.cold is None:
            continue
        cost = one.cold.usd_per_million_calls
        span = f" ({usd_range(cost)})" if cost.estimable else ""
        yield (
            f"Where {percent_of(one.cold.cold_fraction)} of calls are cold, they add {format_usd(cost.point)}{span} "
            f"to a million calls at {cell_label(cell.cell, report)}."
        )
        if one.provisioned is not None and one.provisioned.break_even_calls_per_hour is not None:
            calls, busy = one.provisioned.break_even_calls_per_hour, one.provisioned.break_even_utilisation
            at = "" if busy is None or busy > 1 else f", when it is {percent_of(busy)} busy"
            yield (
                f"Provisioned concurrency at {cell_label(cell.cell, report)} is cheaper from about {rounded(calls)} "
                f"calls an hour on each environment{at} (point estimates)."
            )


def _production(cell: ColdCell, report: ColdStartReport) -> Iterator[str]:
    fraction = cell.cold_fraction
    if report.logs is not None and fraction is not None:
        yield (
            f"{percent_of(fraction.point)} of {count(report.logs.invocations, 'invocation')} met a cold start, from "
            f"{report.logs.since} to {report.logs.until}."
        )


def _by_name(found: ColdDistribution) -> Iterator[tuple[str, Estimate]]:
    for quantile, name in _NAMES.items():
        yield name, found.at(quantile)


def _with_range(estimate: Estimate) -> str:
    return f"{format_ms(estimate.point)} ({ms_range(estimate)})" if estimate.estimable else format_ms(estimate.point)
