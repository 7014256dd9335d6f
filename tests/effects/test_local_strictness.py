"""Versions, aliases and revisions as strict as Lambda's own.

Each expectation is taken from recorded answers of the real API (LocalStack's AWS-validated snapshots, Apache-2.0),
which the docstrings name.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.effects.conftest import ROLE, RUNTIME, Invoked, zip_of

Deploy = Callable[..., str]
WHICH = "def handler(event, context): return [context.function_version, context.invoked_function_arn]"


def refusal(call: Callable[[], object]) -> tuple[int, str, str]:
    """Status, code and message of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


@pytest.fixture
def name(deploy: Deploy, publish: Callable[..., str]) -> str:
    """A function with the versions 1 and 2."""
    function = deploy(WHICH)
    assert (publish(function), publish(function, 1024)) == ("1", "2")
    return function


@pytest.fixture
def create(client: Any, name: str) -> Callable[..., Any]:
    def alias(version: str = "1", weights: dict[str, float] | None = None, called: str = "live") -> Any:
        routing = {} if weights is None else {"RoutingConfig": {"AdditionalVersionWeights": weights}}
        return client.create_alias(FunctionName=name, Name=called, FunctionVersion=version, **routing)

    return alias


PARAMETER, VALIDATION, NOT_FOUND = (
    "InvalidParameterValueException",
    "ValidationException",
    "ResourceNotFoundException",
)


@pytest.mark.parametrize(
    ("version", "weights", "status", "code", "words"),
    [
        ("1", {"1": 0.5, "2": 0.5}, 400, PARAMETER, "AdditionalVersionWeights cannot be greater than 1"),
        ("1", {"2": 2.0}, 400, VALIDATION, "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights'"),
        ("1", {"1": 0.5}, 400, PARAMETER, "Function version 1 is already included in routing configuration."),
        ("1", {"$LATEST": 0.5}, 400, VALIDATION, "Member must satisfy regular expression pattern: [0-9]+"),
        ("$LATEST", {"1": 0.5}, 400, PARAMETER, "$LATEST is not supported for an alias pointing to more than 1"),
        ("10", None, 404, NOT_FOUND, ":10"),
        ("1", {"10": 0.5}, 404, NOT_FOUND, ":10"),
    ],
)
def test_an_alias_that_lambda_would_refuse_is_refused(
    create: Callable[..., Any], version: str, weights: dict[str, float] | None, status: int, code: str, words: str
) -> None:
    """TestLambdaAlias::test_notfound_and_invalid_routingconfigs"""
    found = refusal(lambda: create(version, weights))
    assert found[:2] == (status, code)
    assert words in found[2]


def test_an_alias_may_be_named_after_a_date_but_not_after_a_version(create: Callable[..., Any]) -> None:
    """TestLambdaAlias::test_alias_naming"""
    create(called="2024-01-02")
    status, code, message = refusal(lambda: create(called="2024"))
    assert (status, code) == (400, "ValidationException")
    assert message.endswith("pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")


def test_an_alias_is_found_or_missing_in_lambdas_words(client: Any, name: str, create: Callable[..., Any]) -> None:
    """TestLambdaAlias::test_notfound_and_invalid_routingconfigs, test_non_existent_alias_update and _deletion"""
    create()
    assert refusal(create)[:2] == (409, "ResourceConflictException")
    assert "Cannot find alias arn" in refusal(lambda: client.get_alias(FunctionName=name, Name="none"))[2]
    assert "Alias not found" in refusal(lambda: client.update_alias(FunctionName=name, Name="none"))[2]
    client.delete_alias(FunctionName=name, Name="none")
    nowhere = refusal(lambda: client.create_alias(FunctionName="nowhere", Name="live", FunctionVersion="1"))
    assert nowhere[2].endswith(":function:nowhere:1")


def test_an_alias_is_changed_only_at_its_latest_revision(client: Any, name: str, create: Callable[..., Any]) -> None:
    """TestLambdaRevisions::test_function_revisions_version_and_alias"""
    first = create()["RevisionId"]
    second = client.update_alias(FunctionName=name, Name="live", Description="new", RevisionId=first)["RevisionId"]
    assert second != first
    found = refusal(lambda: client.update_alias(FunctionName=name, Name="live", RevisionId=first))
    assert found[:2] == (412, "PreconditionFailedException")
    assert "The Revision Id provided does not match the latest Revision Id." in found[2]
    assert client.get_alias(FunctionName=name, Name="live")["RevisionId"] == second


def test_empty_weights_take_the_routing_away(client: Any, name: str, create: Callable[..., Any]) -> None:
    """TestLambdaAlias::test_alias_lifecycle"""
    create("1", {"2": 0.2})
    client.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in client.get_alias(FunctionName=name, Name="live")


def test_an_update_is_checked_together_with_what_it_leaves_as_it_was(
    client: Any, name: str, create: Callable[..., Any]
) -> None:
    create("1", {"2": 0.2})
    for version in ("2", "$LATEST"):
        change = partial(client.update_alias, FunctionName=name, Name="live", FunctionVersion=version)
        assert refusal(change)[:2] == (400, "InvalidParameterValueException")


def test_a_version_that_only_gets_a_share_of_an_alias_cannot_be_deleted(
    client: Any, name: str, create: Callable[..., Any]
) -> None:
    create("1", {"2": 0.2})
    found = refusal(lambda: client.delete_function(FunctionName=name, Qualifier="2"))
    assert found[:2] == (409, "ResourceConflictException")


def test_invocations_are_shared_by_weight_and_say_which_version_ran(
    name: str, create: Callable[..., Any], invoke: Callable[..., Invoked]
) -> None:
    """Half of 40 calls: fewer than 5 or more than 35 come once in ten million times."""
    create("1", {"2": 0.5})
    calls = [invoke(name, Qualifier="live") for _ in range(40)]
    assert all(call.payload[0] == call.version for call in calls)
    assert all(call.payload[1].endswith(":live") for call in calls)
    shares = Counter(call.version for call in calls)
    assert 5 <= shares["2"] <= 35


def test_all_but_invocations_see_the_version_that_an_alias_points_to(
    client: Any, name: str, create: Callable[..., Any]
) -> None:
    """TestLambdaAlias::test_alias_lifecycle"""
    create("1", {"2": 1.0})
    assert client.get_function(FunctionName=name, Qualifier="live")["Configuration"]["Version"] == "1"


def test_the_handler_learns_of_the_alias_in_the_name_it_was_called_by(
    name: str, create: Callable[..., Any], invoke: Callable[..., Invoked]
) -> None:
    """TestLambdaAliases::test_lambda_alias_moving"""
    arn = create()["AliasArn"]
    assert invoke(arn).payload == ["1", arn]


def test_a_new_version_changes_the_revision_of_latest_and_an_existing_one_does_not(client: Any, name: str) -> None:
    """TestLambdaRevisions::test_function_revisions_version_and_alias, TestLambdaVersions::test_version_lifecycle"""

    def revision() -> str:
        return str(client.get_function_configuration(FunctionName=name)["RevisionId"])

    before = revision()
    again = client.publish_version(FunctionName=name, Description="another description makes no other version")
    assert (again["Version"], again["Description"]) == ("2", "")
    assert revision() == before
    client.update_function_configuration(FunctionName=name, Description="changed")
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.03})
    before = revision()
    assert client.publish_version(FunctionName=name, RevisionId=before)["Version"] == "3"
    assert revision() != before
    assert refusal(lambda: client.publish_version(FunctionName=name, RevisionId=before))[0] == 412


def test_tags_change_the_revision_of_latest(client: Any, name: str) -> None:
    """TestLambdaTags::test_tag_lifecycle"""
    configuration = client.get_function_configuration(FunctionName=name)
    seen, arn = [configuration["RevisionId"]], configuration["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={"team": "a"})
    seen.append(client.get_function_configuration(FunctionName=name)["RevisionId"])
    client.untag_resource(Resource=arn, TagKeys=["team"])
    seen.append(client.get_function_configuration(FunctionName=name)["RevisionId"])
    assert len(set(seen)) == 3


def test_creating_and_updating_can_publish_at_once(client: Any) -> None:
    """TestLambdaVersions::test_publish_version_on_create and test_publish_with_update"""
    made = client.create_function(
        FunctionName="at-once",
        Runtime=RUNTIME,
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zip_of(app=WHICH)},
        Publish=True,
    )
    assert made["Version"] == "1"
    assert made["FunctionArn"].endswith(":function:at-once")
    client.get_waiter("published_version_active").wait(
        FunctionName="at-once", Qualifier="1", WaiterConfig={"Delay": 0.03}
    )
    assert client.publish_version(FunctionName="at-once")["Version"] == "1"
    updated = client.update_function_code(FunctionName="at-once", ZipFile=zip_of(app=WHICH + "\n"), Publish=True)
    assert (updated["Version"], updated["State"]) == ("2", "Pending")
    assert updated["FunctionArn"].endswith(":at-once:2")
    client.delete_function(FunctionName="at-once")


@pytest.mark.parametrize("qualifier", ["²", "0001", "9" * 100, "none"])
def test_a_qualifier_that_is_no_version_is_answered(client: Any, name: str, qualifier: str) -> None:
    status, _, _ = refusal(lambda: client.get_function(FunctionName=name, Qualifier=qualifier))
    assert status in (400, 404)


def test_qualifiers_are_refused_in_lambdas_words(client: Any, name: str) -> None:
    """TestLambdaFunction::test_ops_with_arn_qualifier_mismatch and test_function_name_and_qualifier_validation"""

    def get(function: str, qualifier: str) -> tuple[int, str, str]:
        return refusal(lambda: client.get_function(FunctionName=function, Qualifier=qualifier))

    assert get(f"{name}:1", "2")[2].endswith("from the function name does not match the specified qualifier.")
    assert get("nowhere", "$LATEST")[2].endswith(":function:nowhere:$LATEST")
    assert get(name, "a" * 129)[1] == "ValidationException"
    found = refusal(lambda: client.delete_function(FunctionName=name, Qualifier="live"))
    assert found == (400, "InvalidParameterValueException", "Deletion of aliases is not currently supported.")


def test_json_nested_beyond_reason_is_answered(client: Any, name: str) -> None:
    found = refusal(lambda: client.invoke(FunctionName=name, Payload=b"[" * 200_000))
    assert found[:2] == (400, "InvalidRequestContentException")


def test_a_client_context_may_be_folded_json(client: Any, deploy: Deploy, invoke: Callable[..., Invoked]) -> None:
    """The runtime gets it as a header, which line breaks would end."""
    function = deploy("def handler(event, context): return context.client_context.custom")
    context = base64.b64encode(b'{\r\n  "custom": {"a": 1}\n}').decode()
    assert invoke(function, ClientContext=context).payload == {"a": 1}
