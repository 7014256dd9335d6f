"""Where a function logs: what its configuration says, else Lambda's own name for the group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tuner.aws.log_source import describe_logged
from tuner.aws.session import AwsAccess
from tuner.errors import FunctionNotFoundError
from tuner.inputs.cold_logs import LogSource
from tuner.inputs.identifiers import parse_function

ACCESS = AwsAccess(region="eu-central-1")
CONFIGURATION: dict[str, Any] = {
    "FunctionName": "thumbnail",
    "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:thumbnail",
    "Runtime": "python3.13",
    "MemorySize": 512,
    "Timeout": 3,
    "CodeSha256": "m7tOs8tPpT0AeDcVJrtGkXc0mZ8n1J0vQy9c4W2sK1E=",
    "Version": "$LATEST",
}


@pytest.fixture
def lambda_stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client = boto3.client("lambda", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    monkeypatch.setattr(AwsAccess, "control_client", lambda access: client)
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def source(stub: Stubber, name: str, *, log_group: str | None = None, **changes: Any) -> LogSource:
    stub.add_response("get_function_configuration", {**CONFIGURATION, **changes})
    return describe_logged(ACCESS, parse_function(name), log_group=log_group)[1]


def test_a_function_without_logging_configuration_has_the_usual_group(lambda_stub: Stubber) -> None:
    assert source(lambda_stub, "thumbnail") == LogSource(group="/aws/lambda/thumbnail", function="thumbnail")


def test_a_configured_group_is_taken_and_a_given_one_goes_before_it(lambda_stub: Stubber) -> None:
    configured = {"LogFormat": "JSON", "LogGroup": "/teams/images"}
    assert source(lambda_stub, "thumbnail", LoggingConfig=configured).group == "/teams/images"
    assert source(lambda_stub, "thumbnail", LoggingConfig=configured, log_group="/mine").group == "/mine"


def test_an_alias_stands_for_the_version_that_it_names_today(lambda_stub: Stubber) -> None:
    assert source(lambda_stub, "thumbnail:prod", Version="7").version == "7"
    assert source(lambda_stub, "thumbnail", Version="$LATEST").version is None


def test_a_function_that_is_not_there_is_said_with_a_next_step(lambda_stub: Stubber) -> None:
    lambda_stub.add_client_error("get_function_configuration", service_error_code="ResourceNotFoundException")
    with pytest.raises(FunctionNotFoundError) as refused:
        describe_logged(ACCESS, parse_function("thumbnail"), log_group=None)
    assert "--region" in refused.value.hint
