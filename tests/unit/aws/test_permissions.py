"""Questions to IAM that change nothing, and what their answers mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tuner.aws.control import LambdaControlPlane
from tuner.aws.permissions import IMPOSSIBLE_REVISION, IMPOSSIBLE_VERSION, OF_COPY, OF_FUNCTION, granted

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:thumbnail"
BY_ACTION = {probe.action: probe for probe in (*OF_FUNCTION, *OF_COPY)}
OPERATIONS = {
    "lambda:GetFunction": "get_function",
    "lambda:ListTags": "list_tags",
    "lambda:UpdateFunctionConfiguration": "update_function_configuration",
    "lambda:PublishVersion": "publish_version",
    "lambda:DeleteFunction": "delete_function",
    "lambda:InvokeFunction": "invoke",
}


@pytest.fixture
def stubber() -> Iterator[Any]:
    client = boto3.client(
        "lambda", region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize("action", BY_ACTION)
@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("AccessDeniedException", 403, False),
        ("ResourceNotFoundException", 404, True),
        ("PreconditionFailedException", 412, True),
        ("ResourceConflictException", 409, True),
        ("TooManyRequestsException", 429, None),
        ("ServiceException", 500, None),
    ],
)
def test_only_a_denial_means_that_it_is_not_allowed_and_trouble_means_nothing(
    stubber: Any, action: str, code: str, status: int, meaning: bool | None
) -> None:
    stubber.add_client_error(OPERATIONS[action], code, http_status_code=status)
    assert granted(stubber.client, BY_ACTION[action], ARN) is meaning


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException"])
def test_credentials_that_are_good_for_nothing_are_no_missing_permission(stubber: Any, code: str) -> None:
    stubber.add_client_error("delete_function", code, http_status_code=403)
    with pytest.raises(ClientError):
        granted(stubber.client, BY_ACTION["lambda:DeleteFunction"], ARN)


def test_every_question_is_about_something_that_cannot_be(stubber: Any) -> None:
    revision: dict[str, object] = {"FunctionName": ARN, "RevisionId": IMPOSSIBLE_REVISION}
    version: dict[str, object] = {"FunctionName": ARN, "Qualifier": IMPOSSIBLE_VERSION}
    expected: dict[str, dict[str, object]] = {
        "lambda:ListTags": {"Resource": ARN},
        "lambda:UpdateFunctionConfiguration": revision,
        "lambda:PublishVersion": {**revision, "Description": "tuner run asks whether it may publish"},
        "lambda:DeleteFunction": version,
        "lambda:InvokeFunction": {**version, "InvocationType": "DryRun"},
    }
    for probe in OF_FUNCTION:
        stubber.add_client_error(
            OPERATIONS[probe.action],
            "ResourceNotFoundException",
            http_status_code=404,
            expected_params=expected[probe.action],
        )
        granted(stubber.client, probe, ARN)


def test_what_an_emulator_publishes_in_spite_of_the_revision_is_deleted_again(stubber: Any) -> None:
    made = {"Version": "4", "Description": "tuner run asks whether it may publish"}
    stubber.add_response("publish_version", made)
    stubber.add_response("delete_function", {}, {"FunctionName": ARN, "Qualifier": "4"})
    assert granted(stubber.client, BY_ACTION["lambda:PublishVersion"], ARN) is True


def test_a_version_of_the_users_that_an_emulator_returns_is_left_alone(stubber: Any) -> None:
    stubber.add_response("publish_version", {"Version": "3", "Description": "release 3"})
    assert granted(stubber.client, BY_ACTION["lambda:PublishVersion"], ARN) is True


class WithoutRevisions:
    """A client of a service where nothing is found, and where an update would be made, whatever its revision."""

    def delete_function(self, **arguments: object) -> None:
        raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, str(arguments))

    invoke = list_tags = delete_function

    def close(self) -> None: ...


async def test_a_service_without_revisions_is_not_asked_by_them() -> None:
    client: Any = WithoutRevisions()
    control = LambdaControlPlane(client)
    answers = await control.permissions(ARN, revisions=False)
    assert {answer.action: answer.granted for answer in answers} == {
        "lambda:ListTags": True,
        "lambda:UpdateFunctionConfiguration": None,
        "lambda:PublishVersion": None,
        "lambda:DeleteFunction": True,
        "lambda:InvokeFunction": True,
    }
    control.close()


@pytest.mark.parametrize(
    ("configs", "expected"),
    [
        ([], 0),
        ([{"RequestedProvisionedConcurrentExecutions": 3}, {"RequestedProvisionedConcurrentExecutions": 2}], 5),
    ],
)
async def test_provisioned_concurrency_is_added_up(stubber: Any, configs: list[Any], expected: int) -> None:
    stubber.add_response("list_provisioned_concurrency_configs", {"ProvisionedConcurrencyConfigs": configs})
    control = LambdaControlPlane(stubber.client)
    assert await control.provisioned_concurrency(ARN) == expected
    control.close()


async def test_provisioned_concurrency_that_may_not_be_read_is_unknown(stubber: Any) -> None:
    stubber.add_client_error("list_provisioned_concurrency_configs", "AccessDeniedException", http_status_code=403)
    control = LambdaControlPlane(stubber.client)
    assert await control.provisioned_concurrency(ARN) is None
    control.close()
