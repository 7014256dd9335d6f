"""REPORT lines of production as samples: the query that finds them in CloudWatch Logs Insights, and its rows read.

Only lines that Lambda itself writes are asked for: nothing that the function logs leaves the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tuner.model import Architecture, Cell, InvocationReport, Outcome, Sample
from tuner.telemetry import classify, parse_log_tail

DEFAULT_GROUP_PREFIX = "/aws/lambda/"
MOST_ROWS_OF_A_QUERY = 10_000
"""What GetQueryResults returns of a query at once (botocore's model of CloudWatch Logs)."""

_STREAM_VERSION = re.compile(r"\[([^\]]+)\]")
"""Log streams are named ``YYYY/MM/DD/[version]environment``, with the function's name before the version in a log
group that was chosen for it (AWS Lambda developer guide, "Configuring CloudWatch log groups")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """The lines of one function, or of one version of it."""

    group: str
    function: str
    version: str | None = None

    def query(self) -> str:
        """The newest REPORT lines (text format) or ``platform.report`` events (JSON format), with their streams."""
        commands = [
            "fields @timestamp, @logStream, @message",
            'filter @message like /^REPORT RequestId: / or type = "platform.report"',
            *(f"filter @logStream like /{pattern}/" for pattern in self._streams()),
            "sort @timestamp desc",
            f"limit {MOST_ROWS_OF_A_QUERY}",
        ]
        return " | ".join(commands)

    def estimate_query(self) -> str:
        """Asks how many bytes the query would scan, without scanning them: free of charge."""
        return f"{self.query()} | estimate"

    def _streams(self) -> list[str]:
        version = rf"\[{re.escape(self.version)}\]" if self.version else r"\["
        if self.group != f"{DEFAULT_GROUP_PREFIX}{self.function}":  # other functions may write there too
            return [rf"\/{re.escape(self.function)}{version}"]
        return [version] if self.version else []


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row of a query's results. ``at`` is when the line was written: at the end of the invocation."""

    at: datetime
    stream: str
    message: str
    pointer: str = ""
    """What Logs Insights calls the row, the same in every query."""

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> LogRow | None:
        """A row as ``GetQueryResults`` gives it; None without a time or a message."""
        try:
            at = datetime.fromisoformat(fields["@timestamp"]).replace(tzinfo=UTC)
            return cls(at, fields.get("@logStream", ""), fields["@message"], fields.get("@ptr", ""))
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSamples:
    """The invocations of a log in the order in which they began."""

    samples: tuple[Sample, ...]
    dropped: int
    """Rows that no numbers could be read from."""


def samples_of(rows: Iterable[LogRow], architecture: Architecture) -> LogSamples:
    """``architecture`` is the function's today: lines do not say it. The memory size is that of each line."""
    read = [_sample(row, architecture) for row in rows]
    known = sorted((sample for sample in read if sample is not None), key=lambda sample: sample.started_at)
    return LogSamples(
        samples=tuple(_numbered(sample, number) for number, sample in enumerate(known, start=1)),
        dropped=len(read) - len(known),
    )


def _sample(row: LogRow, architecture: Architecture) -> Sample | None:
    report = parse_log_tail(row.message, None)
    if report is None or report.record != "REPORT" or report.duration_ms is None or report.memory_size_mb is None:
        return None
    outcome, error_type, _ = classify(report, None, b"")
    took_ms = report.duration_ms + _start_ms(report)
    return Sample(
        sequence=0,
        block=1,
        wave=0,
        cell=Cell(report.memory_size_mb, architecture),
        version=_version(row.stream),
        started_at=(row.at - timedelta(milliseconds=took_ms)).isoformat(timespec="milliseconds"),
        client_ms=round(took_ms, 3),  # nobody here waited for it: the least that its caller did
        outcome=Outcome(outcome),
        request_id=report.request_id,
        duration_ms=report.duration_ms,
        billed_ms=report.billed_duration_ms,
        init_ms=report.init_duration_ms,
        restore_ms=report.restore_duration_ms,
        max_memory_used_mb=report.max_memory_used_mb,
        environment=row.stream or None,
        error_type=error_type,
    )


def _start_ms(report: InvocationReport) -> float:
    return (report.init_duration_ms or 0.0) + (report.restore_duration_ms or 0.0)


def _version(stream: str) -> str:
    found = _STREAM_VERSION.search(stream)
    return found[1] if found else "$LATEST"


def _numbered(sample: Sample, number: int) -> Sample:
    """Each its own wave: what a log holds was not started together."""
    return replace(sample, sequence=number, wave=number)
