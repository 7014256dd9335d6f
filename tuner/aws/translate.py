"""botocore's exceptions as tuner's: what happened and what to do next."""

from __future__ import annotations

import re
import shlex

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from tuner.errors import AccessError, FunctionNotFoundError, PermissionsMissingError, TargetError

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_INVALID = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
}
_NOT_AUTHORIZED = re.compile(r"not authorized to perform: (?P<action>[\w-]+:\w+) on resource: (?P<resource>\S+)")
_EVERY_RESOURCE = "*"
_SSO = (SSOTokenLoadError, UnauthorizedSSOTokenError, TokenRetrievalError)


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", "")) or error_code(error)


def says_expired(error: ClientError) -> bool:
    """AWS refused the credentials because of their age: what was asked was not done."""
    return error_code(error) in _EXPIRED


def says_invalid(error: ClientError) -> bool:
    """AWS does not know the credentials, or their signature is wrong."""
    return error_code(error) in _INVALID


def is_denied(error: ClientError) -> bool:
    """The credentials are good, but IAM does not allow this."""
    return error_code(error) in _DENIED


def translated(error: ClientError | BotoCoreError, *, function: str, profile: str | None) -> TargetError:
    """The TargetError that says the same as ``error``; raise it ``from error``."""
    if isinstance(error, ClientError):
        return _from_answer(error, function)
    login = f"Type `aws sso login{f' --profile {shlex.quote(profile)}' if profile else ''}`, then run this again."
    if isinstance(error, _SSO):
        return AccessError(f"The SSO session has ended: {error}.", hint=login)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return AccessError(
            "No AWS credentials were found.",
            hint="Log in (for example `aws sso login`) or choose a --profile; without an AWS account add --local "
            "and give a folder.",
        )
    if isinstance(error, CredentialRetrievalError):
        return AccessError(
            f"The AWS credentials could not be had: {error}",
            hint="Log in again, then run this again; `aws sts get-caller-identity` shows whether it worked.",
        )
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError)):
        return TargetError(
            f"Lambda cannot be reached: {error}", hint="Check --region, --endpoint-url and the network."
        )
    return TargetError(
        f"The call to Lambda failed: {error}",
        hint="Run this again; if it stays, `tuner doctor` looks at credentials, region and network.",
    )


def _from_answer(error: ClientError, function: str) -> TargetError:
    code, message = error_code(error), error_message(error)
    operation = error.operation_name
    if code == "ResourceNotFoundException":
        return FunctionNotFoundError(
            f"There is no function {function} here: {message}",
            hint="Check its name, --region and --profile; `aws lambda list-functions` shows what there is.",
        )
    if is_denied(error):
        action, resource = _denied(error, function)
        return PermissionsMissingError(
            f"These credentials may not call {action} on {resource}.",
            hint="Ask for that permission; `tuner iam-policy` prints what a command needs.",
        )
    if says_expired(error):
        return AccessError(f"The AWS credentials have expired: {message}", hint="Log in again, then run this again.")
    if says_invalid(error):
        return AccessError(f"AWS does not accept these credentials: {message}", hint="Check --profile and --region.")
    return TargetError(
        f"{operation} failed with {code or 'an unknown error'}: {message}",
        hint="Look at the function in the console, then run this again.",
    )


def _denied(error: ClientError, function: str) -> tuple[str, str]:
    """The action and the resource. IAM's words name them better than the operation: creating a function may be
    denied for iam:PassRole on its role."""
    said = _NOT_AUTHORIZED.search(error_message(error))
    if said is None:
        return f"lambda:{_iam_action(error.operation_name)}", function
    resource = said["resource"]
    return said["action"], function if resource == _EVERY_RESOURCE else resource


def _iam_action(operation: str) -> str:
    """IAM names the permission for Invoke differently from its operation."""
    return "InvokeFunction" if operation == "Invoke" else operation
