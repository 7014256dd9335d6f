"""A report of any kind as text, Markdown, a page or figures. What is private stays out of them unless included."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from tuner.cli.display import columns, wants_color
from tuner.model import ColdStartReport, GateReport, Report
from tuner.render.json import render_json
from tuner.render.redact import Private, redacted, redacted_gate

if TYPE_CHECKING:
    from tuner.render.charts.chart import Chart
    from tuner.render.document import Document

AnyReport: TypeAlias = Report | ColdStartReport | GateReport


def shown_as(report: AnyReport, format_: str, include: Iterable[Private] = ()) -> str:
    """``report`` for standard output as json (complete), markdown or text."""
    if format_ == "json":
        return render_json(report)
    return markdown_of(report, include) if format_ == "markdown" else text_of(report, include)


def text_of(report: AnyReport, include: Iterable[Private] = ()) -> str:
    """The report for a terminal as wide as this one."""
    from tuner.render.terminal import render_document, render_report

    if isinstance(report, Report):
        return render_report(redacted(report, include), width=columns(), color=wants_color())
    if isinstance(report, ColdStartReport):
        from tuner.render.cold_start import cold_start_summary

        summary = cold_start_summary(redacted(report, include), width=columns())
        return render_document(summary, width=columns(), color=wants_color())
    return render_document(_document(report, include), width=columns(), color=wants_color())


def markdown_of(report: AnyReport, include: Iterable[Private] = ()) -> str:
    if isinstance(report, Report):
        from tuner.render.markdown import render_markdown

        return render_markdown(report, include=include)
    return document_text(_document(report, include), ".md")


def html_of(report: AnyReport, include: Iterable[Private] = ()) -> str:
    if isinstance(report, Report):
        from tuner.render.html import render_html

        return render_html(report, include=include)
    return document_text(_document(report, include), ".html")


def charts_of(report: AnyReport, include: Iterable[Private] = ()) -> tuple[Chart, ...]:
    """The figures of its page."""
    if isinstance(report, Report):
        from tuner.render.charts import report_charts
        from tuner.render.samples import by_cell

        return report_charts(redacted(report, include), by_cell(report.samples))
    if isinstance(report, ColdStartReport):
        from tuner.render.cold_start import cold_start_charts

        return cold_start_charts(redacted(report, include))
    return _document(report, include).charts


def document_text(document: Document, suffix: str) -> str:
    """A document as ``.md``, or as the page of any other ending."""
    if suffix == ".md":
        from tuner.render.markdown import render_document_markdown

        return render_document_markdown(document)
    from tuner.render.document import render_document_html

    return render_document_html(document)


def _document(report: ColdStartReport | GateReport, include: Iterable[Private]) -> Document:
    if isinstance(report, GateReport):
        from tuner.render.gate_document import gate_document

        return gate_document(redacted_gate(report, include))
    from tuner.render.cold_start import cold_start_document

    return cold_start_document(report, include=include)
