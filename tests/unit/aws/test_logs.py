"""CloudWatch Logs as botocore's model has it: a REPORT looked up by its request, and log groups of copies removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from tuner.aws import logs
from tuner.aws.control import LambdaControlPlane
from tuner.aws.copies import RUN_TAG
from tuner.aws.logs import CLOCK_SKEW_MS, LogReader, delete_log_group

ID = "8f5cc2a1-6a54-4a53-9d2f-0d5c7a0c1d3e"
REPORT = f"REPORT RequestId: {ID}\tDuration: 5.00 ms\tBilled Duration: 5 ms\t\n"
JSON_REPORT = f'{{"time":"t","type":"platform.report","record":{{"requestId":"{ID}"}}}}'
STARTED = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
RUN_ID = "20261121T000000-abc"
COPY = "tuner-thumbnail-1"
GROUP = f"/aws/lambda/{COPY}"


def client(service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    with Stubber(client("logs")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LOOKUP_INTERVAL_S", 0.0)


def found(stubber: Any, *messages: str) -> None:
    """The next look at the log finds these."""
    stubber.add_response(
        "filter_log_events",
        {"events": [{"message": message} for message in messages]},
        {
            "logGroupName": "/aws/lambda/thumbnail",
            "startTime": int(STARTED.timestamp() * 1000) - CLOCK_SKEW_MS,
            "filterPattern": f'"{ID}"',
        },
    )


async def look_up(stubber: Any) -> str | None:
    return await LogReader(stubber.client).report_line("thumbnail", ID, STARTED)


@pytest.mark.parametrize("report", [REPORT, JSON_REPORT])
async def test_the_report_is_found_among_the_other_lines_of_the_request(cloudwatch: Any, report: str) -> None:
    found(cloudwatch, f"START RequestId: {ID} Version: 7\n", f"my own words on {ID}", report)
    assert await look_up(cloudwatch) == report


@pytest.mark.usefixtures("no_waiting")
async def test_a_report_that_comes_later_is_waited_for(cloudwatch: Any) -> None:
    found(cloudwatch)
    found(cloudwatch, f"START RequestId: {ID} Version: 7\n")
    found(cloudwatch, REPORT)
    assert await look_up(cloudwatch) == REPORT


async def test_of_two_attempts_under_one_id_the_last_report_counts(cloudwatch: Any) -> None:
    later = REPORT.replace("5.00", "9.00")
    found(cloudwatch, REPORT, later)
    assert await look_up(cloudwatch) == later


async def test_a_report_that_never_comes_is_absent_after_a_while(
    cloudwatch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, 2.0, 99.0])
    monkeypatch.setattr(logs, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: None))
    found(cloudwatch)
    found(cloudwatch)
    assert await look_up(cloudwatch) is None


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
async def test_after_a_refusal_nobody_asks_again(cloudwatch: Any, code: str) -> None:
    cloudwatch.add_client_error("filter_log_events", code)
    reader = LogReader(cloudwatch.client)
    assert await reader.report_line("thumbnail", ID, STARTED) is None
    assert await reader.report_line("thumbnail", ID, STARTED) is None
    reader.close()


def test_the_log_group_of_a_copy_is_removed(cloudwatch: Any) -> None:
    cloudwatch.add_response("delete_log_group", {}, {"logGroupName": GROUP})
    assert delete_log_group(cloudwatch.client, COPY) == ()


def test_a_copy_that_never_wrote_has_no_log_group_to_remove(cloudwatch: Any) -> None:
    cloudwatch.add_client_error("delete_log_group", "ResourceNotFoundException")
    assert delete_log_group(cloudwatch.client, COPY) == ()


def test_a_log_group_that_may_not_be_removed_is_said_with_the_command_that_removes_it(cloudwatch: Any) -> None:
    cloudwatch.add_client_error("delete_log_group", "AccessDeniedException", "no")
    (notice,) = delete_log_group(cloudwatch.client, COPY)
    assert (notice.code, notice.remedy) == ("log-group-left", f"aws logs delete-log-group --log-group-name {GROUP}")


@pytest.fixture
def functions() -> Iterator[Any]:
    with Stubber(client("lambda")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def has_copy(functions: Any, tags: dict[str, str]) -> None:
    arn = f"arn:aws:lambda:eu-central-1:123456789012:function:{COPY}"
    functions.add_response("get_function", {"Configuration": {"FunctionArn": arn}}, {"FunctionName": COPY})
    functions.add_response("list_tags", {"Tags": tags}, {"Resource": arn})


async def test_a_copy_is_deleted_with_its_log_group(functions: Any, cloudwatch: Any) -> None:
    has_copy(functions, {RUN_TAG: RUN_ID})
    functions.add_response("delete_function", {}, {"FunctionName": COPY})
    cloudwatch.add_response("delete_log_group", {}, {"logGroupName": GROUP})
    control = LambdaControlPlane(functions.client, logs=cloudwatch.client)
    assert await control.delete_copy(COPY, run_id=RUN_ID) == ()
    control.close()


async def test_a_function_of_that_name_without_the_tag_keeps_itself_and_its_log_group(
    functions: Any, cloudwatch: Any
) -> None:
    has_copy(functions, {"team": "images"})
    control = LambdaControlPlane(functions.client, logs=cloudwatch.client)
    assert await control.delete_copy(COPY, run_id=RUN_ID) == ()
    control.close()


async def test_the_log_group_of_a_copy_that_is_gone_already_is_left_to_whoever_removed_it(
    functions: Any, cloudwatch: Any
) -> None:
    functions.add_client_error("get_function", "ResourceNotFoundException", expected_params={"FunctionName": ANY})
    control = LambdaControlPlane(functions.client, logs=cloudwatch.client)
    assert await control.delete_copy(COPY, run_id=RUN_ID) == ()
    control.close()
