"""Calls that go wrong on purpose, seen through an unmodified boto3 that does not repeat them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tuner.errors import EmbeddedLambdaError, UsageError
from tuner.local.launcher import EmbeddedLambda

Serve = Callable[..., tuple[EmbeddedLambda, Any]]
"""See the fixture ``serve``: a server under fault rules, holding one function ``f`` that answers 42."""


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call()
    response: Any = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"fault": "throttle"}, (429, "TooManyRequestsException")),
        ({"fault": "error"}, (500, "ServiceException")),
        ({"fault": "error", "status": 503}, (503, "ServiceException")),
        ({"fault": "conflict"}, (409, "ResourceConflictException")),
        ({"fault": "conflict", "status": 412}, (412, "PreconditionFailedException")),
        ({"fault": "expired-credentials"}, (403, "ExpiredTokenException")),
    ],
)
def test_a_refusal_hits_the_call_it_is_meant_for_and_no_other(
    serve: Serve, rule: dict[str, Any], expected: tuple[int, str]
) -> None:
    server, client = serve({**rule, "operation": "PublishVersion", "calls": [1]})
    assert refusal(lambda: client.publish_version(FunctionName="f")) == expected
    assert len(client.list_versions_by_function(FunctionName="f")["Versions"]) == 1
    assert client.publish_version(FunctionName="f")["Version"] == "1"
    applied = {"operation": "PublishVersion", "call": 1, "fault": rule["fault"]}
    assert server.faults_met()["applied"] == [applied]


def test_a_throttle_carries_its_reason_and_its_patience(serve: Serve) -> None:
    rule = {"fault": "throttle", "operation": "Invoke", "reason": "CallerRateLimitExceeded", "retry_after_s": 7}
    _, client = serve(rule)
    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName="f")
    response: Any = caught.value.response
    assert response["Reason"] == "CallerRateLimitExceeded"
    assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"


@pytest.mark.parametrize(("when", "versions"), [("before", ["$LATEST"]), ("after", ["$LATEST", "1"])])
def test_a_connection_is_dropped_before_or_after_the_execution(serve: Serve, when: str, versions: list[str]) -> None:
    _, client = serve({"fault": "drop", "operation": "PublishVersion", "when": when})
    with pytest.raises(ConnectionClosedError):
        client.publish_version(FunctionName="f")
    listed = client.list_versions_by_function(FunctionName="f")["Versions"]
    assert [version["Version"] for version in listed] == versions


def test_an_error_after_the_execution_leaves_its_effect(serve: Serve) -> None:
    _, client = serve({"fault": "error", "operation": "PublishVersion", "when": "after"})
    assert refusal(lambda: client.publish_version(FunctionName="f"))[0] == 500
    assert len(client.list_versions_by_function(FunctionName="f")["Versions"]) == 2


def test_latency_delays_and_changes_nothing(serve: Serve) -> None:
    _, client = serve({"fault": "latency", "operation": "GetFunctionConfiguration", "ms": 200})
    started_s = time.monotonic()
    assert client.get_function_configuration(FunctionName="f")["FunctionName"] == "f"
    assert time.monotonic() - started_s >= 0.2


def test_a_tail_is_cut_or_missing(serve: Serve) -> None:
    _, client = serve(
        {"fault": "truncated-tail", "operation": "Invoke", "calls": [1], "keep_bytes": 30},
        {"fault": "missing-tail", "operation": "Invoke", "calls": [2]},
    )
    lengths = []
    for _ in range(3):
        answer = client.invoke(FunctionName="f", LogType="Tail")
        lengths.append(len(answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-log-result", "")))
        assert answer["Payload"].read() == b"42"
    assert (lengths[0], lengths[1]) == (40, 0)
    assert lengths[2] > 200


def test_a_slow_publish_is_pending_for_longer_than_others(serve: Serve) -> None:
    _, client = serve({"fault": "slow-settle", "operation": "PublishVersion", "calls": [1], "ms": 400})
    slow = client.publish_version(FunctionName="f")["Version"]
    assert client.get_function_configuration(FunctionName="f", Qualifier=slow)["State"] == "Pending"
    client.get_waiter("function_active_v2").wait(
        FunctionName="f", Qualifier=slow, WaiterConfig={"Delay": 0.05, "MaxAttempts": 100}
    )
    client.update_function_configuration(FunctionName="f", MemorySize=256)
    assert client.publish_version(FunctionName="f")["State"] == "Active"


@pytest.mark.parametrize("change", ["memory", "code"])
def test_a_foreign_deployment_makes_the_callers_revision_stale(serve: Serve, change: str) -> None:
    _, client = serve({"fault": "foreign-deployment", "operation": "PublishVersion", "change": change})
    before = client.get_function_configuration(FunctionName="f")
    publish = {"FunctionName": "f", "RevisionId": before["RevisionId"]}
    assert refusal(lambda: client.publish_version(**publish)) == (412, "PreconditionFailedException")
    after = client.get_function_configuration(FunctionName="f")
    changed = {key for key in ("MemorySize", "CodeSha256") if before[key] != after[key]}
    assert changed == {"MemorySize" if change == "memory" else "CodeSha256"}
    assert client.invoke(FunctionName="f")["Payload"].read() == b"42"


def test_somebody_else_may_publish_or_delete(serve: Serve) -> None:
    _, client = serve(
        {"fault": "foreign-deployment", "operation": "GetFunction", "calls": [1], "change": "publish"},
        {"fault": "foreign-deployment", "operation": "GetFunction", "calls": [2], "change": "delete"},
    )
    client.get_function(FunctionName="f")
    assert len(client.list_versions_by_function(FunctionName="f")["Versions"]) == 2
    assert refusal(lambda: client.get_function(FunctionName="f")) == (404, "ResourceNotFoundException")


def test_a_served_plan_is_named_in_about_and_none_is_the_default(serve: Serve, embedded: EmbeddedLambda) -> None:
    server, _ = serve({"fault": "latency", "operation": "Invoke"})
    assert server.about["faults"] == ["latency on Invoke"]
    assert embedded.about["faults"] == []


def test_a_wrong_plan_is_refused_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text('{"faults": [{"fault": "throttel"}]}')
    with pytest.raises(UsageError, match="rule 1: fault must be one of throttle"):
        EmbeddedLambda(tmp_path / "state", fault_plan=file)


def test_a_plan_for_an_operation_that_does_not_exist_is_not_served(serve: Serve) -> None:
    with pytest.raises(EmbeddedLambdaError, match="there is no operation Invok here"):
        serve({"fault": "throttle", "operation": "Invok"})
