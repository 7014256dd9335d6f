"""Report files that are read again, told apart by the kind that each of them names."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from tuner import codec
from tuner.cli.rendering import AnyReport
from tuner.errors import UsageError
from tuner.inputs.files import UnreadableFileError, read_bounded
from tuner.inputs.plausible import check_plausible
from tuner.inputs.power_tuning import PowerTuningResult, looks_like_power_tuning, parse_power_tuning
from tuner.model import SCHEMA_VERSION, ColdStartReport, GateReport, Report

R = TypeVar("R", Report, ColdStartReport, GateReport)

LARGEST_REPORT_BYTES = 256 * 1024 * 1024
"""A report with 10,000 samples takes 5 MB."""
_GIVE = "Give a report.json, or a link to lambda-power-tuning.show in quotes."


def read_source(source: str) -> AnyReport | PowerTuningResult:
    """A report.json, ``-`` for standard input, a Power Tuning link, or a file with its JSON output."""
    if looks_like_power_tuning(source):
        return parse_power_tuning(source)
    data = _read_source(source)
    if not _is_report(data):
        return parse_power_tuning(data.decode("utf-8", "replace"))
    kind = codec.kind_of(data)
    if kind == "gate":
        return _decoded(data, GateReport)
    return _decoded(data, ColdStartReport) if kind == "cold-start" else _decoded(data, Report)


def read_report(source: str) -> Report:
    """The report of a run, which has a curve. UsageError for anything else."""
    data = _read_source(source)
    if not _is_report(data):
        raise UsageError(
            f"{source} is not a report.json of schema version {SCHEMA_VERSION}.",
            hint="Give the .json file that `tuner run` wrote.",
        )
    kind = codec.kind_of(data)
    if kind == "gate":
        raise UsageError(
            f"{source} is the report of a gate, which compares two sides itself and has no curve.",
            hint="Show it with `tuner report`; to measure against it type `tuner gate --baseline`.",
        )
    if kind == "cold-start":
        raise UsageError(
            f"{source} is a study of cold starts, and has no curve to be put beside another.",
            hint="It compares architectures and sizes itself: give `tuner cold-start` both, or show each with "
            "`tuner report`.",
        )
    return _decoded(data, Report)


def read_gate_or_run(path: Path, *, refused: str, hint: str) -> GateReport | Report:
    """The report of a gate or of a run. UsageError for any other file; a report of another kind is ``refused``."""
    data = _read(path, hint="Give the .json of a report.")
    try:
        kind = msgspec.json.decode(data, type=_Kind).kind  # codec.kind_of does not say why there is none
    except codec.UNDECODABLE as error:
        raise UsageError(f"{path} is no report: {error}.", hint="Give the .json of a report.") from error
    if kind not in ("gate", "run"):
        raise UsageError(f"A {kind} report {refused}.", hint=hint)
    return _decoded(data, GateReport) if kind == "gate" else _decoded(data, Report)


def _decoded(data: bytes, type_: type[R]) -> R:
    report = codec.decode(data, type_)
    check_plausible(report, "The report")
    return report


@dataclass(frozen=True, slots=True)
class _Kind:
    kind: str


def _read_source(source: str) -> bytes:
    if source == "-":
        data = sys.stdin.buffer.read(LARGEST_REPORT_BYTES + 1)
        if len(data) > LARGEST_REPORT_BYTES:
            raise UsageError("Standard input is larger than any report.", hint=_GIVE)
        return data
    return _read(source, hint=_GIVE)


def _read(path: str | Path, *, hint: str) -> bytes:
    try:
        return read_bounded(Path(path), limit_bytes=LARGEST_REPORT_BYTES, pipes=True)
    except UnreadableFileError as error:
        raise UsageError(f"{path} {error}.", hint=hint) from error


def _is_report(data: bytes) -> bool:
    """Told by a key that every report has and no other result."""
    return b'"schema_version"' in data
