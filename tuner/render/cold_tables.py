"""The tables of a cold-start report: every figure with its interval, and in words where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tuner.model import (
    Cell,
    ColdCell,
    ColdDifference,
    ColdDistribution,
    ColdQuantity,
    ColdStartReport,
    Estimate,
    LogFacts,
)
from tuner.render.cold_view import cell_label, in_order, start_word
from tuner.render.document import Column, Table
from tuner.render.figures import NOTHING, excludes, ms_range, percentile
from tuner.render.rows import Figure
from tuner.units import format_bytes, format_ms, format_seconds, format_signed_ms, format_usd

_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_EMPTY = Figure(value=NOTHING)


def quantity_table(report: ColdStartReport, quantity: ColdQuantity) -> Table:
    """One quantity of every cell: n, mean, percentiles with intervals, the longest."""
    words = {
        ColdQuantity.START: f"{start_word(report).capitalize()} duration.",
        ColdQuantity.FIRST_DURATION: "Duration of the handler in the invocation that met the cold start.",
        ColdQuantity.TOTAL: f"{start_word(report).capitalize()} and first invocation together, without the network.",
    }
    titles = ("Cold starts (n)", "Batches", "Mean", *_PERCENTILES, "Longest")
    return Table(
        caption=f"{words[quantity]} Second lines are 95 % intervals, which allow for batches that differ.",
        columns=(Column(title="Where"), *(Column(title=title) for title in titles)),
        rows=tuple(_quantity_row(cell, cell.distribution(quantity), report) for cell in in_order(report.cells)),
    )


def hello_table(report: ColdStartReport) -> Table | None:
    """Against published inits of a function that does nothing; None where there are none to compare with."""
    rows = []
    sources: dict[str, None] = {}
    for cell in in_order(report.cells):
        hello = cell.hello_world
        if hello is None or cell.start_ms is None:
            continue
        ratio = NOTHING if hello.ratio is None else f"{hello.ratio:.1f} times"
        what = f"{hello.runtime} {hello.package_type}, {hello.architecture}, {hello.memory_mb} MB"
        sources[f"{hello.source}; until {hello.as_of}"] = None
        rows.append(
            (
                cell_label(cell.cell, report),
                _percentile(cell.start_ms.p50),
                format_ms(hello.p50_ms),
                format_ms(hello.p99_ms),
                f"{hello.n:,}",
                ratio,
                what,
            )
        )
    if not rows:
        return None
    titles = ("Init here, p50", "Published p50", "Published p99", "Published n", "Against it")
    return Table(
        caption=f"A function that does nothing, as others measured it on AWS: {'; '.join(sources)}.",
        columns=(
            Column(title="Where"),
            *(Column(title=title) for title in titles),
            Column(title="What was published", words=True),
        ),
        rows=tuple(rows),
    )


def first_and_warm_table(report: ColdStartReport) -> Table:
    """The first invocation beside the warm ones on the same environments."""
    titles = (
        "First, p50",
        "First, p95",
        "Warm (n)",
        "Warm, p50",
        "Warm, p95",
        "First to warm, p50",
        "Max memory used",
    )
    return Table(
        caption="Duration of the handler in the first invocation of an environment, and in later ones.",
        columns=(Column(title="Where"), *(Column(title=title) for title in titles)),
        rows=tuple(_first_row(cell, report) for cell in in_order(report.cells)),
    )


def difference_table(report: ColdStartReport, quantity: ColdQuantity) -> Table | None:
    """Percentiles of one cell less those of another, for every pair that was compared; None without any."""
    pairs: dict[tuple[Cell, Cell], dict[float, ColdDifference]] = {}
    for found in report.differences:
        if found.quantity is quantity:
            pairs.setdefault((found.base, found.other), {})[found.quantile] = found
    if not pairs:
        return None
    rows: tuple[tuple[str | Figure, ...], ...] = tuple(
        (
            f"{cell_label(other, report)} less {cell_label(base, report)}",
            *(_difference(by_quantile.get(quantile)) for quantile in _PERCENTILES.values()),
        )
        for (base, other), by_quantile in pairs.items()
    )
    return Table(
        caption=f"Differences, {_in_short(report, quantity)}; ~ marks those whose 95 % interval holds 0: no "
        "difference was shown. About one in twenty such intervals misses by chance.",
        columns=(Column(title="Compared"), *(Column(title=name) for name in _PERCENTILES)),
        rows=rows,
    )


def count_table(report: ColdStartReport) -> Table:
    """What became of every invocation. Only cold starts and warm calls are in figures."""
    titles = (
        "Cold", "Initialised ahead", "Reused", "Init timeouts", "Warm", "After a crash", "Failed", "Without report",
        "Batches",
    )  # fmt: skip
    return Table(
        caption="What became of the invocations. Only the cold ones are in figures of cold starts, only the warm "
        "ones in warm figures.",
        columns=(Column(title="Where"), *(Column(title=title) for title in titles)),
        rows=tuple(
            (
                cell_label(cell.cell, report),
                *(
                    f"{number:,}"
                    for number in (
                        cell.counts.cold,
                        cell.counts.initialised_ahead,
                        cell.counts.reused,
                        cell.counts.init_timeouts,
                        cell.counts.warm,
                        cell.counts.after_failure,
                        cell.counts.failed,
                        cell.counts.unreported,
                        cell.counts.batches,
                    )
                ),
            )
            for cell in in_order(report.cells)
        ),
    )


def log_table(report: ColdStartReport) -> Table | None:
    """What only a log tells; None for a study."""
    if report.logs is None:
        return None
    return Table(
        caption=f"From {report.logs.since} to {report.logs.until}.",
        columns=(Column(title="In the log"), Column(title="", words=True)),
        rows=tuple(_log_rows(report, report.logs)),
    )


def summary_table(report: ColdStartReport, quantity: ColdQuantity) -> Table:
    """The same for a terminal: percentiles with half the width of their intervals."""
    spent = {"Mean": 5, "p50": 0, "p90": 4, "p95": 0, "p99": 2, "Longest": 3}
    rows = []
    for cell in in_order(report.cells):
        found = cell.distribution(quantity)
        name = cell_label(cell.cell, report)
        if found is None:
            rows.append((name, "0", *(NOTHING for _ in spent)))
            continue
        shown = [_narrow(found.at(quantile)) for quantile in _PERCENTILES.values()]
        rows.append((name, str(found.n), format_ms(found.mean.point), *shown, format_ms(found.max_ms)))
    columns = (Column(title=title, expendable=number) for title, number in spent.items())
    return Table(caption="", columns=(Column(title=""), Column(title="n"), *columns), rows=tuple(rows))


def counts_sentence(report: ColdStartReport) -> str:
    """``200 cold starts, 3 initialised ahead, 40 warm``: what there was, over all cells."""
    counts = [cell.counts for cell in report.cells]
    seen = (
        (sum(count.cold for count in counts), "cold"),
        (sum(count.initialised_ahead for count in counts), "initialised ahead"),
        (sum(count.reused for count in counts), "reused"),
        (sum(count.init_timeouts for count in counts), "with an init timeout"),
        (sum(count.warm for count in counts), "warm"),
        (sum(count.after_failure for count in counts), "after a crash"),
        (sum(count.failed for count in counts), "failed"),
        (sum(count.unreported for count in counts), "without a report"),
    )
    return f"Counted: {', '.join(f'{number:,} {name}' for number, name in seen if number) or 'nothing'}."


def _in_short(report: ColdStartReport, quantity: ColdQuantity) -> str:
    word = start_word(report)
    return {
        ColdQuantity.START: word,
        ColdQuantity.FIRST_DURATION: "first invocation",
        ColdQuantity.TOTAL: f"{word} and first invocation",
    }[quantity]


def _quantity_row(
    cell: ColdCell, found: ColdDistribution | None, report: ColdStartReport
) -> tuple[str | Figure, ...]:
    name = cell_label(cell.cell, report)
    if found is None:
        return (name, "0", str(cell.counts.batches), *(_EMPTY for _ in range(6)))
    return (
        name,
        f"{found.n:,}",
        f"{cell.counts.batches:,}",
        ms_mean(found.mean),
        *(_percentile(found.at(quantile)) for quantile in _PERCENTILES.values()),
        format_ms(found.max_ms),
    )


def _first_row(cell: ColdCell, report: ColdStartReport) -> tuple[str | Figure, ...]:
    first, warm = cell.first_duration_ms, cell.warm_duration_ms
    ratio = NOTHING
    if first and warm and warm.p50.point > 0:
        ratio = f"{first.p50.point / warm.p50.point:.1f} times"
    return (
        cell_label(cell.cell, report),
        _percentile(first.p50) if first else _EMPTY,
        _percentile(first.p95) if first else _EMPTY,
        f"{warm.mean.n:,}" if warm else "0",
        _percentile(warm.p50) if warm else _EMPTY,
        _percentile(warm.p95) if warm else _EMPTY,
        ratio,
        NOTHING if cell.max_memory_used_mb is None else f"{cell.max_memory_used_mb} MB",
    )


def _log_rows(report: ColdStartReport, logs: LogFacts) -> Iterator[tuple[str, str]]:
    yield "Log group", logs.log_group
    yield "Invocations", f"{logs.invocations:,}"
    for cell in in_order(report.cells):
        fraction = cell.cold_fraction
        if fraction is not None:
            span = _span(fraction, percent_of) if fraction.estimable else "interval not estimable"
            yield (
                f"Cold, {cell_label(cell.cell, report)}",
                f"{percent_of(fraction.point)} ({span}, n = {fraction.n:,})",
            )
    if logs.memory_headroom_mb is not None:
        yield "Memory headroom", f"{logs.memory_headroom_mb} MB below the configured size at the peak"
    if logs.timeout_headroom_ms is not None:
        yield "Timeout headroom", f"{format_ms(logs.timeout_headroom_ms)} before the timeout at the longest"
    yield from _idle_rows(logs)
    if logs.bytes_scanned is not None:
        price = "" if logs.scan_usd is None else f", {format_usd(logs.scan_usd)}"
        yield "Scanned", f"{format_bytes(logs.bytes_scanned)}{price}"
    if logs.rows_dropped:
        yield "Rows without numbers", f"{logs.rows_dropped:,}"


def _idle_rows(logs: LogFacts) -> Iterator[tuple[str, str]]:
    idle = logs.idle
    if idle is None:
        return
    if idle.before_cold_p50_s is not None:
        words = f"{format_seconds(idle.before_cold_p50_s)} without any call, typically (n = {idle.n_cold:,})"
        yield "Before a cold start", words
    if idle.before_warm_p50_s is not None:
        words = f"{format_seconds(idle.before_warm_p50_s)}, typically (n = {idle.n_warm:,})"
        yield "Before a warm call", words
    if idle.before_warm_max_s is not None:
        yield "Longest survived idle", format_seconds(idle.before_warm_max_s)


def percent_of(share: float) -> str:
    """A small share as people read it: ``0.42 %``, ``12 %``."""
    return f"{share * 100:.2g} %" if share < 0.1 else f"{share * 100:.0f} %"


def _span(estimate: Estimate, write: Callable[[float], str]) -> str:
    low, high = estimate.low or 0.0, estimate.high or 0.0
    return f"{write(low)} to {write(high)}"


def _difference(found: ColdDifference | None) -> Figure:
    if found is None:
        return _EMPTY
    estimate = found.difference_ms
    if estimate.low is None or estimate.high is None:
        return Figure(value="n/e")
    mark = "" if excludes(estimate, 0) else "~"
    span = f"{format_signed_ms(estimate.low)} to {format_signed_ms(estimate.high)}"
    return Figure(value=f"{mark}{format_signed_ms(estimate.point)}", detail=span)


def _percentile(estimate: Estimate) -> Figure:
    return Figure(value=percentile(estimate), detail=ms_range(estimate) if estimate.estimable else None)


def _narrow(estimate: Estimate) -> str:
    """The percentile with half the width of its interval, or n/e."""
    if estimate.low is None or estimate.high is None or estimate.point <= 0:
        return percentile(estimate)
    side = max(estimate.point - estimate.low, estimate.high - estimate.point) / estimate.point
    return f"{format_ms(estimate.point)} ±{max(side * 100, 1):.0f} %"


def ms_mean(estimate: Estimate | None) -> Figure:
    """A mean in ms with its interval; empty where there is none."""
    if estimate is None:
        return _EMPTY
    return Figure(value=format_ms(estimate.point), detail=ms_range(estimate) if estimate.estimable else None)
