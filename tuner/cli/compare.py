"""``tuner compare``: two or more reports beside each other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tuner.cli.delivery import Delivery
from tuner.cli.rendering import document_text
from tuner.cli.report import Publication, check_publication, page_name, publish
from tuner.cli.report_file import read_report
from tuner.cli.reports import check_writable, say_written, write_charts, write_document
from tuner.errors import ExitCode, UsageError
from tuner.model import Report
from tuner.render.redact import Private


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions:
    """``tuner compare`` as it was typed."""

    sources: tuple[str, ...]
    files: tuple[Path, ...]
    charts: Path | None
    include: frozenset[Private]
    publication: Publication | None


def compare_command(options: CompareOptions) -> int:
    """Compare, write, print; returns the exit code."""
    check_writable(options.files)
    named = named_reports(options.sources)
    if options.publication is not None:
        check_publication(options.publication, named[0][1].run_id)
    from tuner.render.comparison import comparison_document

    document = comparison_document(named, include=tuple(sorted(options.include)))
    with Delivery() as delivery:
        write_document(document, options.files, delivery)
        if options.charts is not None:
            write_charts(document.charts, options.charts, delivery)
        say_written(delivery.written)
    if options.publication is not None:
        publish(document_text(document, ".html"), options.publication, name=page_name(named[0][1].run_id, "compare-"))
    elif not options.files and options.charts is None:
        print(document_text(document, ".md"), end="")
    return ExitCode.OK


def named_reports(sources: tuple[str, ...]) -> tuple[tuple[str, Report], ...]:
    """The reports with the names they are shown under: the files' own, numbered where two are called the same."""
    reports = tuple(read_report(source) for source in sources)
    names = [Path(source).stem for source in sources]
    if len(reports) == 1 and len({point.architecture for point in reports[0].curve}) < 2:
        raise UsageError(
            "One report of one architecture has nothing to be compared with.", hint="Give a second report.json."
        )
    seen = Counter(names)
    return tuple(
        (f"{name} ({number})" if seen[name] > 1 else name, report)
        for number, (name, report) in enumerate(zip(names, reports, strict=True), start=1)
    )
