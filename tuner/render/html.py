"""The report as one HTML page that needs nothing else: readable wherever it is opened, also without scripts.

This module chooses what the page says; ``page`` and ``templates/`` choose how it looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tuner.model import EngineKind, Estimate, Recommendation, Report
from tuner.render.charts import report_charts
from tuner.render.facts import facts, fit_text
from tuner.render.figures import excludes, not_estimable_note, ratio_range
from tuner.render.page import render_page
from tuner.render.redact import Private, redacted
from tuner.render.rows import (
    block_rows,
    cold_rows,
    curve_notes,
    curve_rows,
    outcomes_seen,
    pareto_rows,
    sample_rows,
    spread_rows,
)
from tuner.render.samples import block_levels, by_cell
from tuner.render.text import count, join_and
from tuner.render.wording import (
    GOALS,
    LOCAL_REMARK,
    cell_name,
    current_cell,
    headline,
    proposed_cell,
    spend_sentence,
    workload_sentence,
)
from tuner.units import format_probability, format_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    name: str
    value: str
    detail: str | None = None


def render_html(report: Report, *, include: Iterable[Private] = (), interactive: bool = True) -> str:
    """The page of a report. The same report gives the same bytes; what is private stays out unless included.

    Without ``interactive`` the page holds no script and is 0.9 MB smaller.
    """
    report = redacted(report, include)
    cells = by_cell(report.samples)
    return render_page(
        "report.html.jinja",
        report_charts(report, cells),
        interactive=interactive,
        report=report,
        target=report.target,
        local=report.target.engine is EngineKind.LOCAL,
        local_remark=LOCAL_REMARK,
        headline=headline(report),
        recommendation=report.recommendation,
        decided=report.recommendation is not None and report.recommendation.decided,
        tiles=tuple(_tiles(report.recommendation, report)) if report.recommendation else (),
        compared=_compared_sizes(report),
        rows=curve_rows(report),
        row_notes=curve_notes(report),
        pareto=pareto_rows(report),
        fits=tuple(map(fit_text, report.fits)),
        workloads=tuple(map(workload_sentence, report.workloads)),
        spread=spread_rows(cells, report),
        blocks=block_rows(block_levels(cells)),
        cold=cold_rows(cells, report),
        cold_note=not_estimable_note(point.init_ms for point in report.curve if point.init_ms),
        spend=spend_sentence(report.spend, report.target.engine),
        outcomes=tuple(outcome.value.replace("_", " ") for outcome in outcomes_seen(cells)),
        samples=sample_rows(cells, report),
        sample_total=count(len(report.samples), "sample"),
        facts=facts(report),
    )


def _compared_sizes(report: Report) -> tuple[str, str] | None:
    """The groups whose costs the page compares at the reader's volume, where both are drawn."""
    recommendation = report.recommendation
    drawn = {point.cell for point in report.curve if point.cost_usd_per_million}
    if recommendation is None or not recommendation.decided:
        return None
    proposed, current = proposed_cell(recommendation), current_cell(report)
    return ("recommended", "current") if proposed != current and {proposed, current} <= drawn else None


def _tiles(recommendation: Recommendation, report: Report) -> Iterator[Tile]:
    versus = recommendation.versus_current
    proposed = cell_name(proposed_cell(recommendation), report)
    if versus is not None and versus.cost_ratio is not None:
        yield _ratio_tile(f"Cost at {proposed}, against now", versus.cost_ratio)
    if versus is not None and versus.duration_ratio is not None:
        yield _ratio_tile(f"Mean duration at {proposed}, against now", versus.duration_ratio)
    if recommendation.confidence is not None:
        yield Tile(
            name="Confidence",
            value=format_probability(recommendation.confidence),
            detail=GOALS[recommendation.strategy],
        )
    if recommendation.pareto:
        names = [cell_name(cell, report) for cell in recommendation.pareto]
        yield Tile(name="Pareto set", value=count(len(names), "size"), detail=join_and(names))


def _ratio_tile(name: str, ratio: Estimate) -> Tile:
    detail = ratio_range(ratio) if ratio.estimable else "interval not estimable"
    base = f"n = {ratio.n}" if ratio.n else ratio.method  # a ratio of draws has no n of its own
    shown = excludes(ratio, 1)
    return Tile(
        name=name,
        value=format_ratio(ratio.point) if shown else f"~{format_ratio(ratio.point)}",
        detail=f"{detail}, {base}" if shown else f"{detail}, {base}: no difference shown",
    )
