"""``tuner report``: from a report, or from an old friend's result, to whatever people want to share."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tuner.cli.delivery import Delivery
from tuner.cli.rendering import charts_of, document_text, html_of, shown_as
from tuner.cli.report_file import read_source
from tuner.cli.reports import check_writable, say_written, write_charts, write_document, write_reports
from tuner.cli.state import RUN_ID
from tuner.errors import ExitCode, UsageError
from tuner.inputs.power_tuning import PowerTuningCurve, PowerTuningResult, power_tuning_url
from tuner.model import Architecture, ColdStartReport, CurvePoint, GateReport, Price, Report
from tuner.render.redact import Private, redacted_gate, redacted_with_samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Where a page is to be published, as it was typed."""

    destination: str
    expires: str
    region: str | None
    profile: str | None
    endpoint_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """``tuner report`` as it was typed."""

    source: str
    files: tuple[Path, ...]
    charts: Path | None
    include: frozenset[Private]
    output: str | None
    """text, json or markdown; None prints text only where nothing else was asked for."""
    export_power_tuning: bool
    publication: Publication | None


def report_command(options: ReportOptions) -> int:
    """Read, write, publish; returns the exit code."""
    check_writable(options.files)
    source = read_source(options.source)
    if isinstance(source, PowerTuningResult):
        _share_imported(source, options)
    else:
        _share(source, options)
    return ExitCode.OK


def publish(html: str, publication: Publication, *, name: str) -> None:
    """Upload the page and print its link, the only line on standard output."""
    from tuner.aws.publish import parse_expiry, parse_s3_prefix, publish_page

    published = publish_page(
        html,
        parse_s3_prefix(publication.destination),
        name=name,
        expires_s=parse_expiry(publication.expires),
        region=publication.region,
        profile=publication.profile,
        endpoint_url=publication.endpoint_url,
    )
    print(published.url)
    for line in published.remarks:
        print(line, file=sys.stderr)


def check_publication(publication: Publication, run_id: str) -> None:
    """UsageError where the page of a run cannot be published as it was typed."""
    from tuner.aws.publish import parse_expiry, parse_s3_prefix

    parse_s3_prefix(publication.destination)
    parse_expiry(publication.expires)
    page_name(run_id)


def page_name(run_id: str, prefix: str = "") -> str:
    """What the page of a run is called in a bucket. UsageError where the run id, which was read from a file, would
    name another object there."""
    if not RUN_ID.fullmatch(run_id):
        raise UsageError(
            f"{run_id!r} is not the id of a run, and cannot name a page in S3.",
            hint="Publish a report as `tuner` wrote it, or write the page with -o page.html and upload that.",
        )
    return f"{prefix}{run_id}.html"


def report_as_power_tuning(report: Report) -> PowerTuningResult:
    """The measured sizes of a report in Power Tuning's terms: cost of one invocation, without the request price."""
    prices = {price.architecture: price for price in report.measurement.prices}
    architectures = sorted({point.architecture for point in report.curve if _exportable(point)})
    if not architectures:
        raise UsageError(
            "No size of this report has a duration and a cost.", hint="Export a report with a measured curve."
        )
    return PowerTuningResult(curves=tuple(_exported(report, arch, prices.get(arch)) for arch in architectures))


def _share(report: Report | ColdStartReport | GateReport, options: ReportOptions) -> None:
    """Everything that this command writes is there to be passed on: private parts are left out of all of it."""
    if options.publication is not None:  # before anything is written
        check_publication(options.publication, report.run_id)
    curves = _curve_report(report) if options.export_power_tuning else None
    shared = _without_private_parts(report, options)
    with Delivery() as delivery:
        write_reports(shared, options.files, delivery, include=options.include)
        if options.charts is not None:
            write_charts(charts_of(shared, options.include), options.charts, delivery)
        say_written(delivery.written)
    if curves is not None:
        print(power_tuning_url(report_as_power_tuning(curves)))
    if options.publication is not None:
        publish(html_of(shared, options.include), options.publication, name=page_name(report.run_id))
    if _wants_print(options):
        print(shown_as(shared, options.output or "text", options.include), end="")


def _without_private_parts(
    report: Report | ColdStartReport | GateReport, options: ReportOptions
) -> Report | ColdStartReport | GateReport:
    if isinstance(report, GateReport):
        return redacted_gate(report, options.include, samples=True)
    return redacted_with_samples(report, options.include)


def _curve_report(report: Report | ColdStartReport | GateReport) -> Report:
    if isinstance(report, Report):
        return report
    kind = "gate" if isinstance(report, GateReport) else "study of cold starts"
    raise UsageError(f"A {kind} has no curve to export.", hint="Export a report of `tuner run`.")


def _share_imported(result: PowerTuningResult, options: ReportOptions) -> None:
    from tuner.render.imported import imported_document

    document = imported_document(result)
    if options.output == "json":
        raise UsageError("An imported result has no report.json.", hint="Use --output markdown, or measure it anew.")
    with Delivery() as delivery:
        write_document(document, options.files, delivery)
        if options.charts is not None:
            write_charts(document.charts, options.charts, delivery)
        say_written(delivery.written)
    if options.export_power_tuning:
        print(power_tuning_url(result))
    if options.publication is not None:
        publish(document_text(document, ".html"), options.publication, name="power-tuning.html")
    if _wants_print(options):
        print(document_text(document, ".md"), end="")


def _wants_print(options: ReportOptions) -> bool:
    asked = options.files or options.charts or options.export_power_tuning or options.publication
    return options.output is not None or not asked


def _exportable(point: CurvePoint) -> bool:
    return point.duration_ms is not None and point.cost_usd_per_million is not None and point.n > 0


def _exported(report: Report, architecture: Architecture, price: Price | None) -> PowerTuningCurve:
    points = [point for point in report.curve if point.architecture is architecture and _exportable(point)]
    if price is None:
        raise UsageError(
            f"The report does not hold the price behind its {architecture} costs.",
            hint="Run it again with this version.",
        )
    request_usd = float(price.usd_per_request)
    return PowerTuningCurve(
        name=architecture.value,
        memory_mb=tuple(point.memory_mb for point in points),
        duration_ms=tuple(point.duration_ms.mean.point for point in points if point.duration_ms),
        cost=tuple(p.cost_usd_per_million.point / 1e6 - request_usd for p in points if p.cost_usd_per_million),
    )
