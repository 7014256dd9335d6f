"""The figures of a report as Vega-Lite specifications: data in, data out; ``tuner.render.draw`` makes pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuner.model import Report
from tuner.render.charts.chart import Chart
from tuner.render.charts.cold import cold_chart
from tuner.render.charts.curve import curve_chart
from tuner.render.charts.drift import FEWEST_BLOCKS, drift_chart
from tuner.render.charts.pareto import pareto_chart
from tuner.render.charts.spread import spread_chart
from tuner.render.curves import curve_of_report
from tuner.render.samples import CellSamples, block_levels, spreads
from tuner.render.wording import cell_name, proposed_cell


def report_charts(report: Report, cells: Sequence[CellSamples]) -> tuple[Chart, ...]:
    """The figures that the report has data for: an empty chart is never drawn."""
    return tuple(_charts(report, cells))


def _charts(report: Report, cells: Sequence[CellSamples]) -> Iterator[Chart]:
    view = curve_of_report(report, cells)
    if view.drawable:
        yield curve_chart(view)
        yield pareto_chart(view)
    rows = spreads(cells)
    if rows:
        proposed = proposed_cell(report.recommendation) if report.recommendation else None
        yield spread_chart(rows, [cell_name(row.cell, report) for row in rows], proposed)
    cold = [point for point in report.curve if point.init_ms is not None]
    if cold:
        known = (*(point.cell for point in cold), *(here.cell for here in cells))
        yield cold_chart(cold, cells, {cell: cell_name(cell, report) for cell in known})
    levels = block_levels(cells)
    if len(levels) >= FEWEST_BLOCKS:
        yield drift_chart(levels)
