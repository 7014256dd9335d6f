"""CloudWatch Logs Insights by recorded shapes: windows, pages, prices asked first, refusals with a next step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tuner.aws.insights import FIRST_WINDOW_S, LogInsights, LogRead
from tuner.errors import AccessError, TargetError
from tuner.inputs.cold_logs import MOST_ROWS_OF_A_QUERY, LogSource

SOURCE = LogSource(group="/aws/lambda/thumbnail", function="thumbnail")
UNTIL_S = 1_795_000_000
DAY_S = 86_400
LINE = "REPORT RequestId: 00000000-0000-4000-8000-000000000000\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t"  # noqa: E501


class Recorded:
    """A client that expects calls in order; nothing leaves the process."""

    def __init__(self) -> None:
        self.client = boto3.client(
            "logs", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.stub = Stubber(self.client)
        self.slept_s: list[float] = []
        self._queries = 0

    @property
    def insights(self) -> LogInsights:
        return LogInsights(self.client, SOURCE, sleep=self.slept_s.append)

    def query(self, rows: list[Any], *, start_s: int, end_s: int, scanned: float = 1000.0, text: str = "") -> None:
        """One query, whose answer is complete at once."""
        query_id = self.started(start_s=start_s, end_s=end_s, text=text)
        self.answer(query_id, rows, scanned=scanned)

    def started(self, *, start_s: int, end_s: int, text: str = "") -> str:
        self._queries += 1
        query_id = f"query-{self._queries}"
        expected = {
            "logGroupName": SOURCE.group,
            "startTime": start_s,
            "endTime": end_s,
            "queryString": text or SOURCE.query(),
        }
        self.stub.add_response("start_query", {"queryId": query_id}, expected)
        return query_id

    def answer(self, query_id: str, rows: list[Any], *, status: str = "Complete", scanned: float = 1000.0) -> None:
        statistics = {"bytesScanned": scanned, "recordsMatched": float(len(rows)), "recordsScanned": 2.0 * len(rows)}
        answer = {"results": rows, "status": status, "statistics": statistics}
        self.stub.add_response("get_query_results", answer, {"queryId": query_id})

    def refusal(self, operation: str, code: str, message: str = "no") -> None:
        self.stub.add_client_error(operation, service_error_code=code, service_message=message)


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    found = Recorded()
    with found.stub:
        yield found
    found.stub.assert_no_pending_responses()
    found.client.close()


def row(at_s: float, number: int = 0) -> list[dict[str, str]]:
    at = datetime.fromtimestamp(at_s, UTC)
    fields = {
        "@timestamp": f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}",
        "@logStream": "2026/11/20/[$LATEST]0123",
        "@message": LINE,
        "@ptr": f"{at_s}/{number}",
    }
    return [{"field": name, "value": value} for name, value in fields.items()]


def last(found: Iterator[LogRead]) -> LogRead:
    *_, read = found
    return read


def test_a_quiet_function_takes_a_handful_of_queries_and_scans_nothing_twice(recorded: Recorded) -> None:
    end_s, window_s = UNTIL_S, FIRST_WINDOW_S
    while end_s > UNTIL_S - 7 * DAY_S:
        start_s = max(UNTIL_S - 7 * DAY_S, end_s - window_s)
        recorded.query([row(start_s + 1)], start_s=start_s, end_s=end_s)
        end_s, window_s = start_s, (end_s - start_s) * 4
    read = last(recorded.insights.read(UNTIL_S - 7 * DAY_S, UNTIL_S, most_rows=10**6))
    assert read.since_s == UNTIL_S - 7 * DAY_S
    assert len(read.rows) == recorded._queries == 5
    assert read.bytes_scanned == 5000


def test_beyond_ten_thousand_rows_it_goes_on_from_the_oldest_without_counting_any_twice(recorded: Recorded) -> None:
    first = [row(UNTIL_S - 0.01 - number / 10, number) for number in range(MOST_ROWS_OF_A_QUERY)]
    oldest_s = int(UNTIL_S - 0.01 - (MOST_ROWS_OF_A_QUERY - 1) / 10)
    again = [found for found in first if float(dict_of(found)["@ptr"].partition("/")[0]) <= oldest_s + 1]
    start_s = max(UNTIL_S - 3600, oldest_s - (UNTIL_S - oldest_s))
    older = [row(start_s + number + 0.5, number) for number in range(20)]
    recorded.query(first, start_s=UNTIL_S - 3600, end_s=UNTIL_S)
    recorded.query([*again, *older], start_s=start_s, end_s=oldest_s)
    recorded.query([], start_s=UNTIL_S - 3600, end_s=start_s)
    read = last(recorded.insights.read(UNTIL_S - 3600, UNTIL_S, most_rows=10**6))
    assert again
    assert len(read.rows) == MOST_ROWS_OF_A_QUERY + 20
    assert read.skipped_s == 0


def test_a_second_with_more_rows_than_a_query_returns_is_said_to_be_incomplete(recorded: Recorded) -> None:
    crowd = [row(UNTIL_S + number / 10**5, number) for number in range(MOST_ROWS_OF_A_QUERY)]
    recorded.query(crowd, start_s=UNTIL_S - 2, end_s=UNTIL_S)
    recorded.query([row(UNTIL_S - 1.5)], start_s=UNTIL_S - 2, end_s=UNTIL_S - 1)
    read = last(recorded.insights.read(UNTIL_S - 2, UNTIL_S, most_rows=10**6))
    assert read.skipped_s == 1
    assert len(read.rows) == MOST_ROWS_OF_A_QUERY + 1


def test_it_stops_when_there_are_enough_rows_and_says_how_far_it_came(recorded: Recorded) -> None:
    recorded.query([row(UNTIL_S - 5, number) for number in range(30)], start_s=UNTIL_S - 3600, end_s=UNTIL_S)
    read = last(recorded.insights.read(UNTIL_S - 7 * DAY_S, UNTIL_S, most_rows=30))
    assert read.since_s == UNTIL_S - 3600


def test_no_window_is_begun_that_would_scan_more_than_is_allowed(recorded: Recorded) -> None:
    recorded.query([row(UNTIL_S - 5)], start_s=UNTIL_S - 3600, end_s=UNTIL_S, scanned=1000)
    recorded.query([row(UNTIL_S - 4000)], start_s=UNTIL_S - 5400, end_s=UNTIL_S - 3600, scanned=500)
    read = last(recorded.insights.read(UNTIL_S - 7 * DAY_S, UNTIL_S, most_rows=10**6, most_bytes=1500))
    assert read.bytes_scanned == 1500
    assert read.since_s == UNTIL_S - 5400


def test_the_estimate_is_read_whatever_its_field_is_called(recorded: Recorded) -> None:
    text = SOURCE.estimate_query()
    for name in ("estimatedBytes", "@bytesScanned"):
        recorded.query(
            [[{"field": name, "value": "123456789"}, {"field": "records", "value": "9999999999"}]],
            start_s=UNTIL_S - DAY_S,
            end_s=UNTIL_S,
            text=text,
        )
        assert recorded.insights.estimated_bytes(UNTIL_S - DAY_S, UNTIL_S) == 123456789


def test_an_estimate_that_is_not_to_be_had_is_unknown_and_not_zero(recorded: Recorded) -> None:
    recorded.refusal("start_query", "MalformedQueryException", "unexpected symbol found estimate")
    assert recorded.insights.estimated_bytes(UNTIL_S - DAY_S, UNTIL_S) is None
    recorded.query([], start_s=UNTIL_S - DAY_S, end_s=UNTIL_S, text=SOURCE.estimate_query())
    assert recorded.insights.estimated_bytes(UNTIL_S - DAY_S, UNTIL_S) is None


def test_a_query_is_waited_for(recorded: Recorded) -> None:
    query_id = recorded.started(start_s=UNTIL_S - 60, end_s=UNTIL_S)
    recorded.answer(query_id, [], status="Scheduled")
    recorded.answer(query_id, [row(UNTIL_S - 9)], status="Running")
    recorded.answer(query_id, [row(UNTIL_S - 9), row(UNTIL_S - 8)])
    read = last(recorded.insights.read(UNTIL_S - 60, UNTIL_S, most_rows=10))
    assert len(read.rows) == 2
    assert len(recorded.slept_s) == 2


def test_too_many_queries_of_others_are_waited_out(recorded: Recorded) -> None:
    recorded.refusal("start_query", "LimitExceededException")
    recorded.query([row(UNTIL_S - 9)], start_s=UNTIL_S - 60, end_s=UNTIL_S)
    assert len(last(recorded.insights.read(UNTIL_S - 60, UNTIL_S, most_rows=10)).rows) == 1
    assert recorded.slept_s == [2.0]


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout"])
def test_a_query_that_fails_gives_no_half_of_an_answer(recorded: Recorded, status: str) -> None:
    recorded.answer(recorded.started(start_s=UNTIL_S - 60, end_s=UNTIL_S), [row(UNTIL_S - 9)], status=status)
    with pytest.raises(TargetError, match=status) as refused:
        last(recorded.insights.read(UNTIL_S - 60, UNTIL_S, most_rows=10))
    assert "--since" in refused.value.hint


@pytest.mark.parametrize(
    ("code", "error", "hint"),
    [
        ("ResourceNotFoundException", TargetError, "--log-group"),
        ("AccessDeniedException", AccessError, "logs:StartQuery"),
        ("MalformedQueryException", TargetError, "--since"),
    ],
)
def test_a_refusal_ends_with_what_to_do(recorded: Recorded, code: str, error: type[TargetError], hint: str) -> None:
    recorded.refusal("start_query", code)
    with pytest.raises(error) as refused:
        last(recorded.insights.read(UNTIL_S - 60, UNTIL_S, most_rows=10))
    assert hint in refused.value.hint


def test_an_interrupted_query_is_stopped_so_that_it_scans_no_further(recorded: Recorded) -> None:
    query_id = recorded.started(start_s=UNTIL_S - 60, end_s=UNTIL_S)
    recorded.answer(query_id, [], status="Running")
    recorded.stub.add_response("stop_query", {"success": True}, {"queryId": query_id})

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        last(LogInsights(recorded.client, SOURCE, sleep=interrupted).read(UNTIL_S - 60, UNTIL_S, most_rows=10))


def dict_of(cells: list[dict[str, str]]) -> dict[str, str]:
    return {cell["field"]: cell["value"] for cell in cells}
