"""Where a report goes: checked before anything is spent, written when the run has ended."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.errors import UsageError
from tuner.model import ColdStartReport, Notice, Report, Severity
from tuner.render.redact import Private

if TYPE_CHECKING:
    from tuner.render.charts.chart import Chart

FORMATS = (".json", ".html")
"""What a run writes by default."""
ACCEPTED = (*FORMATS, ".md")
DEFAULT_FOLDER = Path("reports")


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The files to write, and what to say about them."""

    paths: tuple[Path, ...]
    notices: tuple[Notice, ...] = ()


def report_files(asked: tuple[Path, ...], *, name: str, fallback_folder: Path) -> ReportFiles:
    """The report files of a run. UsageError if one that was asked for cannot be written.

    Without ``--report`` both formats go to ``reports/``; where that cannot be written, to the run's own folder.
    """
    if asked:
        check_writable(asked)
        return ReportFiles(asked)
    try:
        for suffix in FORMATS:
            _check(DEFAULT_FOLDER / f"{name}{suffix}")
    except UsageError as error:
        paths = tuple(fallback_folder / f"report{suffix}" for suffix in FORMATS)
        return ReportFiles(paths, (_fallback_notice(error, fallback_folder),))
    return ReportFiles(tuple(DEFAULT_FOLDER / f"{name}{suffix}" for suffix in FORMATS))


def check_writable(paths: Iterable[Path]) -> None:
    """UsageError for the first file that has another ending than a report, or cannot be written."""
    for path in paths:
        _check(path)


def write_report_charts(
    report: Report | ColdStartReport, folder: Path, *, include: Collection[Private] = ()
) -> tuple[Path, ...]:
    """The figures of a report's page as files of their own."""
    from tuner.render.charts import report_charts
    from tuner.render.cold_start import cold_start_charts
    from tuner.render.redact import redacted
    from tuner.render.samples import by_cell

    if isinstance(report, ColdStartReport):
        return write_charts(cold_start_charts(redacted(report, include)), folder)
    shown = redacted(report, include)
    return write_charts(report_charts(shown, by_cell(shown.samples)), folder)


def write_charts(charts: Sequence[Chart], folder: Path) -> tuple[Path, ...]:
    """Each figure as picture (.svg, .png) and as Vega-Lite specification (.vl.json)."""
    from tuner.render import draw
    from tuner.render.charts.chart import WIDE

    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for chart in charts:
            spec = chart.spec(WIDE)
            contents = {
                ".svg": draw.svg(spec).encode(),
                ".png": draw.png(spec),
                ".vl.json": json.dumps(spec, indent=2, ensure_ascii=False).encode(),
            }
            for ending, data in contents.items():
                path = folder / f"{chart.name}{ending}"
                path.write_bytes(data)
                written.append(path)
    except OSError as error:
        raise UsageError(
            f"The charts cannot be written to {folder}: {error.strerror}.", hint="Give another folder with --charts."
        ) from error
    return tuple(written)


def write_reports(
    report: Report | ColdStartReport, paths: tuple[Path, ...], *, include: Iterable[Private] = ()
) -> None:
    for path in paths:
        text = _rendered(report, path.suffix, frozenset(include))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def text_of(report: Report | ColdStartReport, include: Iterable[Private] = ()) -> str:
    """The report for a terminal as wide as this one."""
    from tuner.cli.display import columns, wants_color
    from tuner.render.redact import redacted
    from tuner.render.terminal import render_document, render_report

    if isinstance(report, ColdStartReport):
        from tuner.render.cold_start import cold_start_summary

        summary = cold_start_summary(redacted(report, include), width=columns())
        return render_document(summary, width=columns(), color=wants_color())
    return render_report(redacted(report, include), width=columns(), color=wants_color())


def markdown_of(report: Report | ColdStartReport, include: Iterable[Private] = ()) -> str:
    from tuner.render.markdown import render_document_markdown, render_markdown

    if isinstance(report, ColdStartReport):
        from tuner.render.cold_start import cold_start_document

        return render_document_markdown(cold_start_document(report, include=include))
    return render_markdown(report, include=include)


def html_of(report: Report | ColdStartReport, include: Iterable[Private] = ()) -> str:
    if isinstance(report, ColdStartReport):
        from tuner.render.cold_start import cold_start_document
        from tuner.render.document import render_document_html

        return render_document_html(cold_start_document(report, include=include))
    from tuner.render.html import render_html

    return render_html(report, include=include)


def _rendered(report: Report | ColdStartReport, suffix: str, include: frozenset[Private]) -> str:
    if suffix == ".json":
        from tuner.render.json import render_json

        return render_json(report)
    return markdown_of(report, include) if suffix == ".md" else html_of(report, include)


def _check(path: Path) -> None:
    """That ``path`` can be written, without leaving anything behind."""
    if path.suffix not in ACCEPTED:
        raise UsageError(
            f"{path} is neither .json nor .html nor .md.", hint="Give --report a file with one of these endings."
        )
    try:
        made = _make_parents(path.parent)
        existed = path.exists()
        with path.open("ab"):
            pass
        if not existed:
            path.unlink()
        for folder in made:
            folder.rmdir()
    except OSError as error:
        raise UsageError(
            f"The report {path} cannot be written: {error.strerror}.", hint="Give another file with --report."
        ) from error


def _make_parents(folder: Path) -> list[Path]:
    """Make ``folder`` and return the folders that did not exist, innermost first."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _fallback_notice(error: UsageError, folder: Path) -> Notice:
    return Notice(
        code="report-folder",
        severity=Severity.WARNING,
        message=f"{error.message} The report is kept in {folder} instead.",
        remedy="Give --report a file that can be written.",
    )
