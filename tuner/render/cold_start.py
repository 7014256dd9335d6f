"""A cold-start report as a document: for the page and for Markdown in full, for a terminal in short."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tuner.model import (
    ColdCell,
    ColdQuantity,
    ColdSource,
    ColdStartReport,
    EngineKind,
    Estimate,
)
from tuner.render import cold_costs as costs
from tuner.render import cold_tables as tables
from tuner.render.charts.chart import Chart
from tuner.render.charts.cold_quantiles import quantile_chart
from tuner.render.charts.cold_shape import shape_chart
from tuner.render.cold_view import ColdSeries, Panel, panels, start_word
from tuner.render.cold_wording import headline, not_estimable_words, paragraphs
from tuner.render.document import Document, Section, Table
from tuner.render.facts import Fact, distinct, measurement_facts
from tuner.render.plot import PlotSeries, quantile_plot
from tuner.render.redact import Private, redacted
from tuner.render.text import count
from tuner.render.wording import LOCAL_REMARK, spend_sentence
from tuner.units import format_bytes, format_usd

_PLOT_WIDTH = 78
_WIDEST_PLOT = 110
_MOST_SERIES = 8


def cold_start_document(report: ColdStartReport, *, include: Iterable[Private] = ()) -> Document:
    """Figures, a table behind each, and what it all rests on. What is private stays out unless included."""
    report = redacted(report, include)
    drawn = panels(report)
    return _document(
        report,
        sections=(
            _total_section(report, drawn),
            _start_section(report, drawn),
            Section(
                slug="first",
                heading="First invocation, and warm ones",
                tables=(
                    tables.quantity_table(report, ColdQuantity.FIRST_DURATION),
                    tables.first_and_warm_table(report),
                ),
            ),
            *_cost_sections(report),
            *_log_sections(report),
            Section(
                slug="counts",
                heading="What was counted",
                paragraphs=(_spend(report),),
                tables=(tables.count_table(report),),
            ),
        ),
        facts=tuple(measurement_facts(report, _methods(report))),
    )


def cold_start_summary(report: ColdStartReport, *, width: int) -> Document:
    """The answer, the plot and the percentiles in ``width`` columns, what it costs, and the notices."""
    drawn = panels(report)
    return _document(
        report,
        sections=(
            *(_short_sections(report, drawn, width) if drawn else ()),
            *_log_sections(report),
            *_short_costs(report),
            Section(slug="counts", heading="", paragraphs=(tables.counts_sentence(report), _spend(report))),
        ),
    )


def cold_start_charts(report: ColdStartReport) -> tuple[Chart, ...]:
    """The figures that the report has data for."""
    drawn = panels(report)
    return (_quantiles(report, drawn), shape_chart(drawn, what=start_word(report))) if drawn else ()


def _document(report: ColdStartReport, *, sections: tuple[Section, ...], facts: tuple[Fact, ...] = ()) -> Document:
    target = report.target
    found = headline(report)
    where = (target.region, target.runtime or target.package_type)
    how = "cold starts" if report.source is ColdSource.FORCED else "cold starts from its log"
    local = target.engine is EngineKind.LOCAL
    return Document(
        title=target.function,
        subtitle=f"{', '.join(where)}, {how}",
        answer=found.answer,
        open=found.open,
        paragraphs=tuple(paragraphs(report)),
        sections=sections,
        notices=report.notices,
        facts=facts,
        footer=f"Made by tuner {report.tool_version} on {report.created_at}{', local' if local else ''}. The same "
        "report.json gives the same page. Account ids, ARNs and payloads are left out unless asked for.",
        local=LOCAL_REMARK if local else "",
    )


def _total_section(report: ColdStartReport, drawn: Sequence[Panel]) -> Section:
    return Section(
        slug="total",
        heading="Cold starts",
        chart=_quantiles(report, drawn) if drawn else None,
        plot=_plot(drawn, _PLOT_WIDTH),
        paragraphs=not_estimable_words(report, ColdQuantity.TOTAL),
        tables=_known(
            tables.quantity_table(report, ColdQuantity.TOTAL), tables.difference_table(report, ColdQuantity.TOTAL)
        ),
    )


def _short_sections(report: ColdStartReport, drawn: Sequence[Panel], width: int) -> Iterator[Section]:
    word = start_word(report)
    yield Section(
        slug="total",
        heading=f"Cold starts: {word} and first invocation together",
        plot=_plot(drawn, min(width, _WIDEST_PLOT)),
        tables=(tables.summary_table(report, ColdQuantity.TOTAL),),
    )
    yield Section(
        slug="start",
        heading=f"{word.capitalize()} alone",
        tables=(tables.summary_table(report, ColdQuantity.START),),
    )


def _short_costs(report: ColdStartReport) -> Iterator[Section]:
    table = costs.cost_table(report)
    if table is not None:
        yield Section(slug="cost", heading="What they cost", tables=(costs.short(table),))


def _start_section(report: ColdStartReport, drawn: Sequence[Panel]) -> Section:
    word = start_word(report)
    return Section(
        slug="start",
        heading=word.capitalize(),
        chart=shape_chart(drawn, what=word) if drawn else None,
        paragraphs=not_estimable_words(report, ColdQuantity.START),
        tables=_known(
            tables.quantity_table(report, ColdQuantity.START),
            tables.difference_table(report, ColdQuantity.START),
            tables.hello_table(report),
        ),
    )


def _cost_sections(report: ColdStartReport) -> Iterator[Section]:
    found = _known(costs.cost_table(report), costs.provisioned_table(report), costs.snap_start_table(report))
    if found:
        yield Section(slug="cost", heading="What they cost, and ways around them", tables=found)


def _log_sections(report: ColdStartReport) -> Iterator[Section]:
    table = tables.log_table(report)
    if table is not None:
        yield Section(slug="log", heading="In production", tables=(table,))


def _quantiles(report: ColdStartReport, drawn: Sequence[Panel]) -> Chart:
    known = {cell.cell: cell.total_ms for cell in report.cells if cell.total_ms is not None}
    return quantile_chart(drawn, known, what=start_word(report))


def _plot(drawn: Sequence[Panel], width: int) -> str:
    series: list[ColdSeries] = [one for panel in drawn for one in panel.series]
    if len(series) > _MOST_SERIES:
        return ""
    return quantile_plot([PlotSeries(name=one.name, values_ms=one.total_ms) for one in series], width=width)


def _spend(report: ColdStartReport) -> str:
    if report.logs is not None:
        scanned = "" if report.logs.bytes_scanned is None else f", {format_bytes(report.logs.bytes_scanned)} scanned"
        read = count(report.logs.invocations, "invocation")
        return f"{read} read from the log{scanned}, for {format_usd(report.spend.usd)}. Nothing was invoked."
    return spend_sentence(report.spend, report.target.engine)


def _known(*found: Table | None) -> tuple[Table, ...]:
    return tuple(table for table in found if table is not None)


def _methods(report: ColdStartReport) -> Iterator[tuple[str, Sequence[str]]]:
    """How each kind of number was made, where it could be made."""
    kinds: tuple[tuple[str, Iterable[Estimate]], ...] = (
        ("means", _means(report.cells)),
        ("percentiles", _percentiles(report.cells)),
        ("differences", (found.difference_ms for found in report.differences)),
        ("costs", (one.cold.usd_each for one in report.economics if one.cold is not None)),
    )
    for name, estimates in kinds:
        found = distinct(estimate.method for estimate in estimates if estimate.estimable)
        if found:
            yield name, found


def _means(cells: Sequence[ColdCell]) -> Iterator[Estimate]:
    for cell in cells:
        yield from (found.mean for quantity in ColdQuantity if (found := cell.distribution(quantity)) is not None)


def _percentiles(cells: Sequence[ColdCell]) -> Iterator[Estimate]:
    for cell in cells:
        for quantity in ColdQuantity:
            found = cell.distribution(quantity)
            if found is not None:
                yield from (found.p50, found.p90, found.p95, found.p99)
