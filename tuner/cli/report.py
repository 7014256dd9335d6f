"""``tuner report``: from a report, or from an old friend's result, to whatever people want to share."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tuner import codec
from tuner.cli.reports import (
    check_writable,
    html_of,
    markdown_of,
    text_of,
    write_charts,
    write_report_charts,
    write_reports,
)
from tuner.errors import ExitCode, UsageError
from tuner.inputs.power_tuning import (
    PowerTuningCurve,
    PowerTuningResult,
    looks_like_power_tuning,
    parse_power_tuning,
    power_tuning_url,
)
from tuner.model import SCHEMA_VERSION, Architecture, ColdStartReport, CurvePoint, GateReport, Price, Report
from tuner.render.document import Document
from tuner.render.redact import Private


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
    elif isinstance(source, GateReport):
        _share_gate(source, options)
    else:
        _share_report(source, options)
    return ExitCode.OK


def read_source(source: str) -> Report | ColdStartReport | GateReport | PowerTuningResult:
    """A report.json, ``-`` for standard input, a Power Tuning link, or a file with its JSON output."""
    if looks_like_power_tuning(source):
        return parse_power_tuning(source)
    data = _read(source)
    if not _is_report(data):
        return parse_power_tuning(data.decode("utf-8", "replace"))
    kind = codec.kind_of(data)
    if kind == "gate":
        return codec.decode(data, GateReport)
    return codec.decode(data, ColdStartReport) if kind == "cold-start" else codec.decode(data, Report)


def read_report(source: str) -> Report:
    """A report.json. UsageError for anything else."""
    data = _read(source)
    if not _is_report(data):
        raise UsageError(
            f"{source} is not a report.json of schema version {SCHEMA_VERSION}.",
            hint="Give the .json file that `tuner run` wrote.",
        )
    if codec.kind_of(data) == "gate":
        raise UsageError(
            f"{source} is the report of a gate, which compares two sides itself and has no curve.",
            hint="Show it with `tuner report`; to measure against it type `tuner gate --baseline`.",
        )
    if codec.kind_of(data) == "cold-start":
        raise UsageError(
            f"{source} is a study of cold starts, and has no curve to be put beside another.",
            hint="It compares architectures and sizes itself: give `tuner cold-start` both, or show each with "
            "`tuner report`.",
        )
    return codec.decode(data, Report)


def write_document(document: Document, files: tuple[Path, ...]) -> None:
    """A comparison or an imported result as .html and .md; it has no report.json."""
    for path in files:
        if path.suffix == ".json":
            raise UsageError(
                f"{path}: only a run of tuner has a report.json.", hint="Give a file that ends with .html or .md."
            )
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_document_text(document, path.suffix), encoding="utf-8")


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


def tell_written(paths: tuple[Path, ...]) -> None:
    if paths:
        print(f"Written: {', '.join(map(str, paths))}", file=sys.stderr)


def report_as_power_tuning(report: Report) -> PowerTuningResult:
    """The measured sizes of a report in Power Tuning's terms: cost of one invocation, without the request price."""
    prices = {price.architecture: price for price in report.measurement.prices}
    architectures = sorted({point.architecture for point in report.curve if _exportable(point)})
    if not architectures:
        raise UsageError(
            "No size of this report has a duration and a cost.", hint="Export a report with a measured curve."
        )
    return PowerTuningResult(curves=tuple(_exported(report, arch, prices.get(arch)) for arch in architectures))


def _share_report(report: Report | ColdStartReport, options: ReportOptions) -> None:
    write_reports(report, options.files, include=options.include)
    tell_written(options.files)
    if options.charts is not None:
        tell_written(write_report_charts(report, options.charts, include=options.include))
    if options.export_power_tuning:
        print(power_tuning_url(report_as_power_tuning(_curve_report(report))))
    if options.publication is not None:
        publish(html_of(report, options.include), options.publication, name=f"{report.run_id}.html")
    if _wants_print(options):
        _print_report(report, options)


def _share_gate(report: GateReport, options: ReportOptions) -> None:
    from tuner.cli.gate_outputs import gate_charts, gate_text, print_gate, write_gate_reports
    from tuner.render.redact import redacted_gate

    if options.export_power_tuning:
        raise UsageError("A gate has no curve to export.", hint="Export a report of `tuner run`.")
    write_gate_reports(redacted_gate(report, options.include, samples=True), options.files, include=options.include)
    tell_written(options.files)
    if options.charts is not None:
        tell_written(write_charts(gate_charts(report, options.include), options.charts))
    if options.publication is not None:
        page = gate_text(report, ".html", include=options.include)
        publish(page, options.publication, name=f"{report.run_id}.html")
    if _wants_print(options):
        print_gate(report, options.output or "text", include=options.include)


def _print_report(report: Report | ColdStartReport, options: ReportOptions) -> None:
    if options.output == "json":
        from tuner.render.json import render_json
        from tuner.render.redact import redacted_with_samples

        print(render_json(redacted_with_samples(report, options.include)), end="")
    elif options.output == "markdown":
        print(markdown_of(report, options.include), end="")
    else:
        print(text_of(report, options.include), end="")


def _curve_report(report: Report | ColdStartReport) -> Report:
    if isinstance(report, Report):
        return report
    raise UsageError("A study of cold starts has no curve to export.", hint="Export a report of `tuner run`.")


def _share_imported(result: PowerTuningResult, options: ReportOptions) -> None:
    from tuner.render.imported import imported_document

    document = imported_document(result)
    if options.output == "json":
        raise UsageError("An imported result has no report.json.", hint="Use --output markdown, or measure it anew.")
    write_document(document, options.files)
    tell_written(options.files)
    if options.charts is not None:
        tell_written(write_charts(document.charts, options.charts))
    if options.export_power_tuning:
        print(power_tuning_url(result))
    if options.publication is not None:
        publish(_document_text(document, ".html"), options.publication, name="power-tuning.html")
    if _wants_print(options):
        print(_document_text(document, ".md"), end="")


def _wants_print(options: ReportOptions) -> bool:
    asked = options.files or options.charts or options.export_power_tuning or options.publication
    return options.output is not None or not asked


def _document_text(document: Document, suffix: str) -> str:
    if suffix == ".md":
        from tuner.render.markdown import render_document_markdown

        return render_document_markdown(document)
    from tuner.render.document import render_document_html

    return render_document_html(document)


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


def _read(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise UsageError(
            f"{source} cannot be read: {error.strerror}.",
            hint="Give a report.json, or a link to lambda-power-tuning.show in quotes.",
        ) from error


def _is_report(data: bytes) -> bool:
    """Told by a key that every report has and no other result."""
    return b'"schema_version"' in data
