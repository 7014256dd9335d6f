"""CloudWatch Logs Insights: what a query would scan, and all its rows, window by window from the newest back."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tuner.aws.translate import error_code, error_message, is_denied, translated
from tuner.errors import AccessError, TargetError
from tuner.inputs.cold_logs import MOST_ROWS_OF_A_QUERY, LogRow, LogSource

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import GetQueryResultsResponseTypeDef

FIRST_WINDOW_S = 3600
LARGER = 4
"""Windows grow by this factor while they hold few rows: a quiet function takes a handful of queries."""
FEW_ROWS = MOST_ROWS_OF_A_QUERY // 8
POLL_INTERVAL_S = 0.5
LONGEST_WAIT_S = 900.0
"""AWS ends a query after 60 minutes; a window that takes a quarter of an hour will not be quick either."""
BUSY_WAITS_S = (2.0, 5.0, 10.0, 20.0)
"""An account runs 30 queries at once: others end soon."""
_RUNNING = frozenset({"Scheduled", "Running", "Unknown"})


@dataclass(slots=True)
class LogRead:
    """What has been read so far: from ``since_s`` (seconds since 1970) to the end of the period."""

    rows: list[LogRow] = field(default_factory=list)
    since_s: int = 0
    bytes_scanned: int = 0
    dropped: int = 0
    """Rows without a time or a message."""
    skipped_s: int = 0
    """Seconds with more rows than a query returns: the rest of theirs could not be had."""


@dataclass(frozen=True, slots=True)
class _Answer:
    rows: tuple[LogRow, ...]
    dropped: int
    bytes_scanned: int

    @property
    def full(self) -> bool:
        return len(self.rows) + self.dropped >= MOST_ROWS_OF_A_QUERY


class LogInsights:
    """Queries over the lines of one function. ``sleep`` waits for them, in seconds."""

    def __init__(
        self,
        client: CloudWatchLogsClient,
        source: LogSource,
        *,
        profile: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._source = source
        self._profile = profile
        self._sleep = sleep

    def estimated_bytes(self, since_s: int, until_s: int) -> int | None:
        """What the whole period would scan, free to ask; None where the service does not say."""
        try:
            answer = self._run(self._source.estimate_query(), since_s, until_s)
        except _Refused:  # a region that does not know the command yet
            return None
        numbers = [
            int(float(value)) for row in _fields(answer) for name, value in row.items() if _says_bytes(name, value)
        ]
        return max(numbers) if numbers else None

    def read(self, since_s: int, until_s: int, *, most_rows: int, most_bytes: float = math.inf) -> Iterator[LogRead]:
        """The lines of the period, newest first; yields what there is after each window, the same object each time.

        Ends at ``since_s``, or when ``most_rows`` are there, or when ``most_bytes`` are scanned: by the pace so far
        no window is begun that would go beyond them. Windows that return all rows a query can are gone on with from
        their oldest row.
        """
        read, seen = LogRead(since_s=until_s), set[object]()
        end_s, window_s = until_s, FIRST_WINDOW_S
        while end_s > since_s and len(read.rows) < most_rows:
            affordable_s = _affordable_s(read, until_s - end_s, most_bytes)
            if affordable_s < 1:
                return
            start_s = max(since_s, end_s - min(window_s, affordable_s))
            answer = self._query(start_s, end_s)
            read.bytes_scanned += answer.bytes_scanned
            read.dropped += answer.dropped
            for row in answer.rows:
                key = row.pointer or row
                if key not in seen:
                    seen.add(key)
                    read.rows.append(row)
            end_s, window_s = self._next(answer, start_s, end_s, read)
            read.since_s = end_s
            yield read

    def _next(self, answer: _Answer, start_s: int, end_s: int, read: LogRead) -> tuple[int, int]:
        """Where the next window ends, and how long it is."""
        if not answer.full or not answer.rows:
            return start_s, (end_s - start_s) * (LARGER if len(answer.rows) < FEW_ROWS else 1)
        oldest_s = int(min(row.at for row in answer.rows).timestamp())
        if oldest_s >= end_s:  # more rows within one second than a query returns
            read.skipped_s += 1
            return end_s - 1, 1
        return oldest_s, max(end_s - oldest_s, 1)

    def _query(self, start_s: int, end_s: int) -> _Answer:
        try:
            answer = self._run(self._source.query(), start_s, end_s)
        except _Refused as refusal:
            raise TargetError(
                f"CloudWatch Logs refused the query: {refusal}",
                hint="Run this again with a shorter --since; `aws logs start-query` shows whether queries work.",
            ) from refusal
        fields = list(_fields(answer))
        rows = tuple(row for found in fields if (row := LogRow.read(found)) is not None)
        scanned = int(answer.get("statistics", {}).get("bytesScanned", 0))
        return _Answer(rows, len(fields) - len(rows), scanned)

    def _run(self, query: str, start_s: int, end_s: int) -> GetQueryResultsResponseTypeDef:
        query_id = self._start(query, start_s, end_s)
        waited_s = 0.0
        try:
            while True:
                answer = self._client.get_query_results(queryId=query_id)
                status = answer["status"]
                if status == "Complete":
                    return answer
                if status not in _RUNNING or waited_s >= LONGEST_WAIT_S:
                    break
                self._sleep(POLL_INTERVAL_S)
                waited_s += POLL_INTERVAL_S
        except KeyboardInterrupt:
            self._client.stop_query(queryId=query_id)
            raise
        except (ClientError, BotoCoreError) as error:
            raise self._translated(error) from error
        raise TargetError(
            f"A query over {self._source.group} ended as {status}, without all of its rows.",
            hint="Run this again with a shorter --since.",
        )

    def _start(self, query: str, start_s: int, end_s: int) -> str:
        for wait_s in (*BUSY_WAITS_S, None):
            try:
                answer = self._client.start_query(
                    logGroupName=self._source.group, startTime=start_s, endTime=end_s, queryString=query
                )
                return answer["queryId"]
            except ClientError as error:
                if error_code(error) == "MalformedQueryException":
                    raise _Refused(error_message(error)) from error
                if error_code(error) != "LimitExceededException" or wait_s is None:
                    raise self._translated(error) from error
                self._sleep(wait_s)
            except BotoCoreError as error:
                raise self._translated(error) from error
        raise AssertionError("the last attempt returns or raises")

    def _translated(self, error: ClientError | BotoCoreError) -> TargetError:
        group = self._source.group
        if isinstance(error, ClientError) and error_code(error) == "ResourceNotFoundException":
            return TargetError(
                f"There is no log group {group}.",
                hint="A function that was never invoked has none. If it logs elsewhere, name that with --log-group.",
            )
        if isinstance(error, ClientError) and is_denied(error):
            return AccessError(
                f"The logs may not be read: {error_message(error)}",
                hint=f"Allow logs:StartQuery, logs:GetQueryResults and logs:StopQuery on {group}.",
            )
        return translated(error, function=self._source.function, profile=self._profile)


class _Refused(Exception):
    """The service cannot read the query."""


def _affordable_s(read: LogRead, covered_s: int, most_bytes: float) -> int:
    """How long the next window may be, if a second goes on to hold as many bytes as so far."""
    if not read.bytes_scanned or math.isinf(most_bytes):
        return sys.maxsize
    return int((most_bytes - read.bytes_scanned) / read.bytes_scanned * max(covered_s, 1))


def _fields(answer: GetQueryResultsResponseTypeDef) -> Iterator[Mapping[str, str]]:
    for row in answer["results"]:
        yield {cell["field"]: cell["value"] for cell in row if "field" in cell and "value" in cell}


def _says_bytes(name: str, value: str) -> bool:
    return "byte" in name.lower() and value.replace(".0", "").isdecimal()
