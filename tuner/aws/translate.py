"""botocore's exceptions as tuner's: what happened and what to do next."""

from __future__ import annotations

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

from tuner.engine.ports import Throttled
from tuner.errors import AccessError, FunctionNotFoundError, InvocationLostError, TargetError

TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_INVALID = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
}
_SSO = (SSOTokenLoadError, UnauthorizedSSOTokenError, TokenRetrievalError)


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", "")) or error_code(error)


def says_expired(error: ClientError) -> bool:
    """AWS refused the credentials because of their age: what was asked was not done."""
    return error_code(error) in _EXPIRED


def lost_invocation(function: str, cause: str) -> InvocationLostError:
    """``cause`` says why, in half a sentence."""
    why = cause.rstrip(".")
    return InvocationLostError(
        f"An invocation of {function} was sent, but no answer can be used: {why}. It may have run and be billed.",
        hint="Run this again; if it stays, look at the network between here and Lambda, and try --transport boto3.",
    )


def refused_invocation(error: ClientError, *, function: str, profile: str | None) -> Throttled | TargetError:
    """What an Invoke that Lambda refused becomes: Throttled for a 429, lost for a failure inside Lambda, which may
    come after the handler has run, else as ``translated``."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if status == TOO_MANY_REQUESTS:
        return _throttled(error)
    if isinstance(status, int) and status >= SERVER_ERROR:
        return lost_invocation(function, f"Lambda answered {status} {error_code(error)}: {error_message(error)}")
    return translated(error, function=function, profile=profile)


def translated(error: ClientError | BotoCoreError, *, function: str, profile: str | None) -> TargetError:
    """The TargetError that says the same as ``error``; raise it ``from error``."""
    if isinstance(error, ClientError):
        return _from_answer(error, function)
    login = f"Type `aws sso login{f' --profile {profile}' if profile else ''}`, then run this again."
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
    return TargetError(f"The call to Lambda failed: {error}", hint="Run this again; if it stays, add --verbose.")


def _from_answer(error: ClientError, function: str) -> TargetError:
    code, message = error_code(error), error_message(error)
    operation = error.operation_name
    if code == "ResourceNotFoundException":
        return FunctionNotFoundError(
            f"There is no function {function} here: {message}",
            hint="Check its name, --region and --profile; `aws lambda list-functions` shows what there is.",
        )
    if code in _DENIED:
        return AccessError(
            f"These credentials may not call lambda:{_iam_action(operation)} on {function}.",
            hint="Ask for that permission; the README lists what a run needs.",
        )
    if code in _EXPIRED:
        return AccessError(f"The AWS credentials have expired: {message}", hint="Log in again, then run this again.")
    if code in _INVALID:
        return AccessError(f"AWS does not accept these credentials: {message}", hint="Check --profile and --region.")
    return TargetError(
        f"{operation} failed with {code or 'an unknown error'}: {message}",
        hint="Look at the function in the console, then run this again.",
    )


def _throttled(error: ClientError) -> Throttled:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    retry_after = headers.get("retry-after", "").strip()  # seconds; the HTTP date that RFC 9110 allows is not used
    return Throttled(
        str(error.response.get("Reason") or error_message(error)),
        float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None,
    )


def _iam_action(operation: str) -> str:
    """IAM names the permission for Invoke differently from its operation."""
    return "InvokeFunction" if operation == "Invoke" else operation
