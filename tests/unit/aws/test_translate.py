"""What people read when AWS says no."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from tuner.aws.translate import translated
from tuner.errors import AccessError, FunctionNotFoundError, PermissionsMissingError, TargetError

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:thumbnail"


def refusal(code: str, message: str, operation: str = "Invoke") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def test_a_denied_action_is_named_as_iam_names_it() -> None:
    words = f"User: arn:aws:iam::1:user/a is not authorized to perform: iam:PassRole on resource: {ARN} because no"
    error = translated(refusal("AccessDeniedException", words, "CreateFunction"), function="f", profile=None)
    assert isinstance(error, PermissionsMissingError)
    assert error.message == f"These credentials may not call iam:PassRole on {ARN}."


def test_a_denial_without_iams_words_is_named_by_its_operation() -> None:
    error = translated(refusal("AccessDeniedException", "no"), function="thumbnail", profile=None)
    assert error.message == "These credentials may not call lambda:InvokeFunction on thumbnail."


@pytest.mark.parametrize(
    "error",
    [
        SSOTokenLoadError(error_msg="Token for work does not exist"),
        UnauthorizedSSOTokenError(),
        TokenRetrievalError(provider="sso", error_msg="Token has expired and refresh failed"),
    ],
)
@pytest.mark.parametrize(("profile", "command"), [("work", "aws sso login --profile work"), (None, "aws sso login")])
def test_an_sso_session_that_has_ended_says_how_to_log_in_again(
    error: BotoCoreError, profile: str | None, command: str
) -> None:
    told = translated(error, function="f", profile=profile)
    assert isinstance(told, AccessError)
    assert f"`{command}`" in told.hint
    assert "SSO session has ended" in told.message


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_expired_credentials_ask_for_another_login(code: str) -> None:
    told = translated(
        refusal(code, "The security token included in the request is expired"), function="f", profile=None
    )
    assert isinstance(told, AccessError)
    assert not isinstance(told, PermissionsMissingError)
    assert "have expired" in told.message
    assert "Log in again" in told.hint


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (NoCredentialsError(), AccessError, "No AWS credentials were found"),
        (EndpointConnectionError(endpoint_url="https://x"), TargetError, "cannot be reached"),
        (refusal("ResourceNotFoundException", "Function not found"), FunctionNotFoundError, "There is no function f"),
        (refusal("InvalidSignatureException", "differs"), AccessError, "does not accept these credentials"),
        (refusal("", ""), TargetError, "failed with an unknown error"),
    ],
)
def test_what_else_can_be_said_is_said(
    error: ClientError | BotoCoreError, kind: type[TargetError], said: str
) -> None:
    told = translated(error, function="f", profile=None)
    assert type(told) is kind
    assert said in told.message
