from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber

from tuner.aws.test_events import REGISTRY, SchemasClient, SharedTestEvents, schemas_client
from tuner.errors import AccessError, TargetError

ASKED = {"RegistryName": "lambda-testevent-schemas", "SchemaName": "_my-function-schema"}
EXAMPLES = {
    "upload": {"value": {"key": "ü.jpg", "size": 1}, "x-metadata": {"invocationType": "RequestResponse"}},
    "empty": {"value": {}},
    "nothing": {"value": None},
}


def document(examples: Any) -> str:
    return json.dumps({"openapi": "3.0.0", "paths": {}, "components": {"schemas": {}, "examples": examples}})


@pytest.fixture
def stub() -> Iterator[Stubber]:
    client: Any = boto3.client(
        "schemas", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
    client.close()


def shared(stub: Stubber, content: str) -> SharedTestEvents:
    stub.add_response("describe_schema", {"Content": content, "Type": "OpenApi3"}, ASKED)
    return SharedTestEvents(cast("SchemasClient", stub.client))


def refusing(stub: Stubber, code: str) -> SharedTestEvents:
    stub.add_client_error("describe_schema", code, "said so", expected_params=ASKED)
    return SharedTestEvents(cast("SchemasClient", stub.client))


def test_the_names_are_those_of_the_examples_in_the_functions_schema(stub: Stubber) -> None:
    assert shared(stub, document(EXAMPLES)).names("my-function") == ("empty", "nothing", "upload")


def test_an_event_is_the_value_of_its_example_as_compact_json(stub: Stubber) -> None:
    events = shared(stub, document(EXAMPLES))
    assert events.event("my-function", "upload") == '{"key":"ü.jpg","size":1}'.encode()


def test_null_is_an_event_too(stub: Stubber) -> None:
    assert shared(stub, document(EXAMPLES)).event("my-function", "nothing") == b"null"


def test_a_function_that_never_shared_one_has_no_events(stub: Stubber) -> None:
    assert refusing(stub, "NotFoundException").names("my-function") == ()


def test_a_schema_without_examples_has_no_events(stub: Stubber) -> None:
    assert shared(stub, '{"components": {"schemas": {}}}').names("my-function") == ()


def test_an_event_of_a_function_without_any_is_refused_with_how_to_share_one(stub: Stubber) -> None:
    with pytest.raises(TargetError) as caught:
        refusing(stub, "NotFoundException").event("my-function", "upload")
    assert "shareable" in caught.value.hint
    assert "--region" in caught.value.hint


def test_an_unknown_event_is_refused_with_the_names_there_are(stub: Stubber) -> None:
    with pytest.raises(TargetError) as caught:
        shared(stub, document(EXAMPLES)).event("my-function", "uplaod")
    assert caught.value.hint == "It has empty, nothing, upload."


@pytest.mark.parametrize(
    "content", ["", "no JSON", "[]", "null", "{}", '{"components": []}', document([]), document({"upload": 7})]
)
def test_a_schema_that_the_console_did_not_write_is_an_error_and_no_traceback(stub: Stubber, content: str) -> None:
    with pytest.raises(TargetError) as caught:
        shared(stub, content).event("my-function", "upload")
    assert "console" in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("code", ["ForbiddenException", "AccessDeniedException"])
def test_a_missing_permission_is_named(stub: Stubber, code: str) -> None:
    with pytest.raises(AccessError, match=r"schemas:DescribeSchema") as caught:
        refusing(stub, code).names("my-function")
    assert REGISTRY in caught.value.hint


def test_expired_credentials_are_said_to_be_expired(stub: Stubber) -> None:
    with pytest.raises(AccessError, match="expired"):
        refusing(stub, "ExpiredTokenException").names("my-function")


class Unreachable:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def describe_schema(self, **names: str) -> dict[str, Any]:
        raise self._error

    def close(self) -> None: ...


def test_a_region_without_a_registry_is_said_to_be_unreachable() -> None:
    events = SharedTestEvents(Unreachable(EndpointConnectionError(endpoint_url="https://schemas.example.com")))
    with pytest.raises(TargetError, match="schema registry cannot be reached") as caught:
        events.names("my-function")
    assert "--region" in caught.value.hint


def test_missing_credentials_are_said_to_be_missing() -> None:
    with pytest.raises(AccessError, match="No AWS credentials"):
        SharedTestEvents(Unreachable(NoCredentialsError())).names("my-function")


def test_an_unknown_profile_is_refused_with_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with pytest.raises(AccessError) as caught:
        schemas_client(region="us-east-1", profile="no-such-profile-here")
    assert "list-profiles" in caught.value.hint
