"""A stored report as the base of a gate: accepted where its conditions are those of head, and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuner.cli.report_file import read_gate_or_run
from tuner.errors import InvalidMeasurementError, UsageError
from tuner.model import Architecture, EngineKind, FunctionSnapshot, GateReport, Report, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a stored report says of a function, and under which conditions."""

    path: Path
    function: str
    engine: EngineKind
    region: str
    runtime: str | None
    architectures: tuple[Architecture, ...]
    payload_sha256: str
    samples: tuple[Sample, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(sorted({sample.cell.memory_mb for sample in self.samples}))


def read_baseline(path: Path) -> Baseline:
    """UsageError for a file that is no report of a run or of a gate."""
    report = read_gate_or_run(
        path, refused="cannot be a baseline", hint="Give the .json of `tuner gate` or `tuner run`."
    )
    return _of_gate(path, report) if isinstance(report, GateReport) else _of_run(path, report)


def check_baseline(
    baseline: Baseline, head: FunctionSnapshot, *, engine: EngineKind, payload_sha256: str, sizes: tuple[int, ...]
) -> None:
    """InvalidMeasurementError where a stored base was measured under other conditions than head will be."""
    pairs: tuple[tuple[str, object, object], ...] = (
        ("function", baseline.function, head.name),
        ("engine", baseline.engine.value, engine.value),
        ("region", baseline.region, head.region),
        ("runtime", baseline.runtime, head.runtime),
        ("payload (SHA-256)", baseline.payload_sha256[:12], payload_sha256[:12]),
    )
    differing = [f"{name} ({then} then, {now} now)" for name, then, now in pairs if then != now]
    if head.architecture not in baseline.architectures:
        differing.append(f"architecture ({head.architecture} was not measured)")
    missing = [str(size) for size in sizes if size not in baseline.sizes]
    if missing:
        differing.append(f"memory ({', '.join(missing)} MB not measured, only {', '.join(map(str, baseline.sizes))})")
    if differing:
        raise InvalidMeasurementError(
            f"{baseline.path} does not fit: {'; '.join(differing)}.",
            hint="Measure both sides now with --base, or make a new baseline under these conditions.",
        )


def _of_run(path: Path, report: Report) -> Baseline:
    return Baseline(
        path=path,
        function=report.target.function,
        engine=report.target.engine,
        region=report.target.region,
        runtime=report.target.runtime,
        architectures=tuple({sample.cell.architecture for sample in report.samples}),
        payload_sha256=report.measurement.payload_sha256,
        samples=report.samples,
    )


def _of_gate(path: Path, report: GateReport) -> Baseline:
    if not report.comparisons:
        raise UsageError(f"{path} holds no comparison.", hint="Give the report of a gate that measured something.")
    first = report.comparisons[0]
    ours = [found for found in report.comparisons if found.function == first.function]
    return Baseline(
        path=path,
        function=first.function,
        engine=report.engine,
        region=report.region,
        runtime=first.head.runtime,
        architectures=tuple({found.architecture for found in ours}),
        payload_sha256=report.measurement.payload_sha256,
        samples=tuple(sample for found in ours for sample in found.samples if sample.cell.variant == "head"),
    )
