"""``tuner cold-start --from-logs``: the cold starts that production met. Invokes and changes nothing."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from tuner.aws.insights import LogInsights, LogRead
from tuner.aws.log_source import describe_logged
from tuner.aws.session import AwsAccess
from tuner.cli.ask import agreed, askable
from tuner.cli.cold_start import StudyInputs, StudyOptions, read_inputs
from tuner.cli.inputs import command_line, flags
from tuner.cli.prices_file import prices_of
from tuner.cli.reach import access_to
from tuner.cli.reports import ReportFiles, deliver, report_files
from tuner.cli.state import new_run_id
from tuner.errors import ExitCode, InvalidMeasurementError, TargetError, UsageError
from tuner.inputs.cold_logs import LogSource, samples_of
from tuner.inputs.identifiers import parse_function
from tuner.model import ColdStartReport, FunctionSnapshot, FunctionTarget, Notice, Severity
from tuner.reporting.cold_logs import USD_PER_GB_SCANNED, LogReading, build_log_report, scan_usd
from tuner.units import format_bytes, format_usd, parse_seconds

MOST_ROWS = 200_000
"""About 100 MB of rows and some minutes of queries; the newest count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """``tuner cold-start --from-logs`` as it was typed."""

    study: StudyOptions
    since: str
    log_group: str | None

    def check(self) -> None:
        """UsageError for options that belong to a study."""
        study = self.study
        given = {
            "--local": study.where.local,
            "--endpoint-url": study.where.endpoint_url,
            "--memory": study.memory,
            "--arch": study.architectures,
            "--precision": study.precision,
            "--payload": study.send.payloads,
            "--event": study.send.event,
            "--clone": study.clone,
            "--resume": study.resume,
        }
        wrong = [name for name, value in given.items() if value]
        if wrong:
            raise UsageError(
                f"--from-logs reads what production met: {', '.join(wrong)} cannot choose it.",
                hint="Leave that out, or leave --from-logs out to force cold starts.",
            )


def log_command(options: LogOptions) -> int:
    """Read and report; returns the exit code."""
    options.check()
    inputs, period_s = read_inputs(options.study), parse_seconds(options.since)
    if period_s < 60:
        raise UsageError(f"--since {options.since} is less than a minute.", hint="Write it like --since 7d.")
    target = parse_function(options.study.where.function)
    access = access_to(target, region=options.study.where.region, profile=options.study.where.profile)
    return _Reading(options, inputs, access, target, period_s=period_s).run()


class _Reading:
    """One reading of a log, step by step."""

    def __init__(
        self,
        options: LogOptions,
        inputs: StudyInputs,
        access: AwsAccess,
        target: FunctionTarget,
        *,
        period_s: float,
    ) -> None:
        self._options = options
        self._inputs = inputs
        self._access = access
        self._target = target
        self._until_s = int(time.time())
        self._since_s = int(self._until_s - period_s)
        self._run_id = new_run_id()
        self._interrupted = False

    def run(self) -> int:
        function, source = describe_logged(self._access, self._target, log_group=self._options.log_group)
        files = report_files(
            self._options.study.output.report_files,
            name=function.name,
            run_id=self._run_id,
        )
        client = self._access.logs_client()
        if client is None:
            raise AssertionError("an endpoint of another kind was refused before")
        try:
            insights = LogInsights(client, source, profile=self._access.profile)
            estimate = insights.estimated_bytes(self._since_s, self._until_s)
            self._agree(source, estimate)
            started_s = time.monotonic()
            read = self._read(insights)
            seconds = time.monotonic() - started_s
        finally:
            client.close()
        return self._finish(self._report(function, source, read, estimate, seconds, files), files)

    def _agree(self, source: LogSource, estimate: int | None) -> None:
        """Say what will be scanned and what that costs; above --max-cost ask, or stop when nobody can be asked."""
        allowed_usd = self._inputs.allowance.max_cost_usd
        at = f"at {format_usd(USD_PER_GB_SCANNED)} per GB, the price of us-east-1"
        if estimate is None:
            size = f"{source.group}: how much there is to scan is not known; {at}; it stops at --max-cost"
            high = False
        else:
            usd = scan_usd(estimate)
            size = f"{source.group}: about {format_bytes(estimate)} to scan, {format_usd(usd)} {at}"
            high = usd > allowed_usd
        self._tell(f"{size}. Nothing is invoked.")
        if self._options.study.spend.yes or not high:
            return
        question = f"{size}; it stops at --max-cost {format_usd(allowed_usd)}."
        if not askable():
            raise TargetError(
                question, hint="Add --yes to read the newest part, give a shorter --since, or raise --max-cost."
            )
        if not agreed(f"{question} Go on?"):
            raise TargetError("Nothing was scanned.", hint="Give a shorter --since.")

    def _read(self, insights: LogInsights) -> LogRead:
        """Ctrl-C ends the reading: what was read is the newest part of the period, and complete."""
        read = LogRead(since_s=self._until_s)
        try:
            for read in insights.read(
                self._since_s, self._until_s, most_rows=MOST_ROWS, most_bytes=self._most_bytes()
            ):
                self._tell(f"back to {_time(read.since_s)}: {len(read.rows):,} invocations")
        except KeyboardInterrupt:
            if not read.rows:
                raise
            self._interrupted = True
        return read

    def _most_bytes(self) -> float:
        """``--max-cost`` as an amount of data: it holds with --yes too."""
        return float(self._inputs.allowance.max_cost_usd / scan_usd(1))

    def _report(
        self,
        function: FunctionSnapshot,
        source: LogSource,
        read: LogRead,
        estimate: int | None,
        seconds: float,
        files: ReportFiles,
    ) -> ColdStartReport:
        found = samples_of(read.rows, function.architecture)
        if not found.samples:
            raise _nothing_found(source, self._options.since)
        return build_log_report(
            LogReading(
                function=function,
                log_group=source.group,
                samples=found.samples,
                since=_time(read.since_s),
                until=_time(self._until_s),
                rows_dropped=found.dropped + read.dropped,
                bytes_scanned=read.bytes_scanned,
                estimated_bytes=estimate,
                seconds=seconds,
                prices=tuple(prices_of(function, [function.architecture], self._inputs.allowance).values()),
                command=self._command(),
                run_id=self._run_id,
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
                cold_fraction=self._inputs.cold_fraction,
                notices=(*files.notices, *reading_notices(read, since_s=self._since_s)),
            )
        )

    def _finish(self, report: ColdStartReport, files: ReportFiles) -> int:
        deliver(report, files, self._options.study.output)
        if self._interrupted:
            print("Interrupted: the report holds what was read.", file=sys.stderr)
            return ExitCode.INTERRUPTED
        return ExitCode.OK

    def _command(self) -> str:
        study = self._options.study
        words = ["--from-logs", "--since", self._options.since]
        words += flags(
            {
                "--log-group": self._options.log_group,
                "--cold-fraction": study.cold_fraction,
                "--region": study.where.region,
            }
        )
        return command_line("tuner", "cold-start", study.where.function, *words, *study.spend.words())

    def _tell(self, text: str) -> None:
        if not self._options.study.output.quiet:
            print(text, file=sys.stderr)


def reading_notices(read: LogRead, *, since_s: int) -> tuple[Notice, ...]:
    """What of the period could not be read."""
    notices = []
    if read.since_s > since_s:
        notices.append(
            Notice(
                code="period-shortened",
                severity=Severity.WARNING,
                message=f"Only the time from {_time(read.since_s)} on was read, not all of the period asked for: "
                f"{len(read.rows):,} invocations, the newest.",
                remedy="Ask for a shorter --since, or allow more with --max-cost.",
            )
        )
    if read.skipped_s:
        notices.append(
            Notice(
                code="rows-not-read",
                severity=Severity.WARNING,
                message=f"In {read.skipped_s} seconds there were more invocations than a query returns; the rest of "
                "those seconds is missing.",
            )
        )
    return tuple(notices)


def _nothing_found(source: LogSource, since: str) -> InvalidMeasurementError:
    return InvalidMeasurementError(
        f"{source.group} holds no REPORT line of {source.function} in the last {since}.",
        hint="Was it invoked in that time? A SystemLogLevel of WARN hides these lines in JSON logs: set it to INFO.",
    )


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
