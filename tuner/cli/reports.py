"""Where a report goes: checked before anything is spent, written when the run has ended."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.cli.delivery import Delivery, try_writing
from tuner.cli.inputs import OutputOptions
from tuner.cli.rendering import AnyReport, charts_of, document_text, html_of, markdown_of, shown_as
from tuner.cli.state import runs_folder
from tuner.errors import UsageError
from tuner.model import ColdStartReport, Notice, Report, Severity
from tuner.render.json import render_json
from tuner.render.redact import Private

if TYPE_CHECKING:
    from tuner.render.charts.chart import Chart
    from tuner.render.document import Document

FORMATS = (".json", ".html")
"""What a run writes by default."""
ACCEPTED = (*FORMATS, ".md")
DEFAULT_FOLDER = Path("reports")


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The files to write, and what to say about them."""

    paths: tuple[Path, ...]
    notices: tuple[Notice, ...] = ()


def report_files(asked: tuple[Path, ...], *, name: str, run_id: str) -> ReportFiles:
    """The report files of a run. UsageError if one that was asked for cannot be written.

    Without ``--report`` both formats go to ``reports/``; where that cannot be written, to the run's own folder.
    """
    if asked:
        check_writable(asked)
        return ReportFiles(asked)
    paths = tuple(DEFAULT_FOLDER / f"{name}-{run_id}{suffix}" for suffix in FORMATS)
    try:
        check_writable(paths)
    except UsageError as error:
        folder = runs_folder() / run_id
        return ReportFiles(
            tuple(folder / f"report{suffix}" for suffix in FORMATS), (_fallback_notice(error, folder),)
        )
    return ReportFiles(paths)


def check_writable(paths: Iterable[Path]) -> None:
    """UsageError for the first file that has another ending than a report, or cannot be written."""
    for path in paths:
        _check(path)


def deliver(
    report: Report | ColdStartReport, files: ReportFiles, output: OutputOptions, *, shown: Iterable[Private] = ()
) -> None:
    """Write and print what was asked for. ``shown``: what is private and in the printed text all the same."""
    with Delivery() as delivery:
        write_reports(report, files.paths, delivery)
        if output.charts is not None:
            write_charts(charts_of(report), output.charts, delivery)
        print(shown_as(report, "json" if output.json_output else "text", shown), end="")
        say_kept(delivery.has_written(files.paths), quiet=output.quiet)


def say_kept(paths: Sequence[Path], *, quiet: bool) -> None:
    if paths and not quiet:
        print(f"Report: {', '.join(map(str, paths))}", file=sys.stderr)


def say_written(paths: Iterable[Path]) -> None:
    written = ", ".join(map(str, paths))
    if written:
        print(f"Written: {written}", file=sys.stderr)


def write_charts(charts: Sequence[Chart], folder: Path, delivery: Delivery) -> None:
    """Each figure as picture (.svg, .png) and as Vega-Lite specification (.vl.json)."""
    from tuner.render import draw
    from tuner.render.charts.chart import WIDE

    for chart in charts:
        spec = chart.spec(WIDE)
        contents = {
            ".svg": draw.svg(spec).encode(),
            ".png": draw.png(spec),
            ".vl.json": json.dumps(spec, indent=2, ensure_ascii=False).encode(),
        }
        for ending, data in contents.items():
            delivery.write(folder / f"{chart.name}{ending}", data)


def write_reports(
    report: AnyReport, paths: Iterable[Path], delivery: Delivery, *, include: Collection[Private] = ()
) -> None:
    """The report as .json (complete), .html or .md, by the ending of each path."""
    for path in paths:
        delivery.write(path, _rendered(report, path.suffix, include))


def write_document(document: Document, paths: Sequence[Path], delivery: Delivery) -> None:
    """A comparison or an imported result as .html and .md; it has no report.json."""
    for path in paths:
        if path.suffix == ".json":
            raise UsageError(
                f"{path}: only a run of tuner has a report.json.", hint="Give a file that ends with .html or .md."
            )
    for path in paths:
        delivery.write(path, document_text(document, path.suffix))


def _rendered(report: AnyReport, suffix: str, include: Iterable[Private]) -> str:
    if suffix == ".json":
        return render_json(report)
    return markdown_of(report, include) if suffix == ".md" else html_of(report, include)


def _check(path: Path) -> None:
    if path.suffix not in ACCEPTED:
        raise UsageError(
            f"{path} is neither .json nor .html nor .md.", hint="Give --report a file with one of these endings."
        )
    try:
        try_writing(path)
    except OSError as error:
        raise UsageError(
            f"The report {path} cannot be written: {error.strerror}.", hint="Give another file with --report."
        ) from error


def _fallback_notice(error: UsageError, folder: Path) -> Notice:
    return Notice(
        code="report-folder",
        severity=Severity.WARNING,
        message=f"{error.message} The report is kept in {folder} instead.",
        remedy="Give --report a file that can be written.",
    )
