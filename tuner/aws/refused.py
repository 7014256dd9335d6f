"""What an Invoke that Lambda refused becomes: wait and try again, an error that stays, or a call that may have run.

The names are those of botocore's model of Invoke (2015-03-31). Lambda answers most of what goes wrong before the
handler starts with 502, as gateways do that lost an answer: only its name tells that nothing ran.
"""

from __future__ import annotations

from botocore.exceptions import ClientError

from tuner.aws.translate import error_code, error_message, translated
from tuner.engine.ports import Throttled
from tuner.errors import InvocationLostError, TargetError

TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500

PASSES = frozenset(
    {
        "CodeArtifactUserPendingException",
        "EC2ThrottledException",
        "EC2UnexpectedException",
        "ENINotReadyException",
        "ResourceConflictException",
        "ResourceNotReadyException",
        "SnapStartNotReadyException",
    }
)
"""Nothing ran, and it will later: the version is still being made ready, or its network is."""

FAILED_STATE = "state: Failed"
"""What ResourceConflictException says of a version that will never be ready."""

_KEY = "Look at the KMS key of its environment variables, and at what its role may do with it."
_NETWORK = "Look at its VPC configuration: subnets, security groups, free addresses, what its role may do in EC2."
_FILES = "Look at its file system: mount targets, security groups, access point, what its role may do with it."
_PACKAGE = "Deploy it anew with a runtime and a package that Lambda takes."
_SNAPSHOT = "Look at its SnapStart snapshot and runtime hooks, or publish without SnapStart."
STAYS = {
    "CodeArtifactUserDeletedException": _PACKAGE,
    "CodeArtifactUserFailedException": _PACKAGE,
    "EC2AccessDeniedException": _NETWORK,
    "EFSMountConnectivityException": _FILES,
    "EFSMountFailureException": _FILES,
    "EFSMountTimeoutException": _FILES,
    "ENILimitReachedException": _NETWORK,
    "InvalidRuntimeException": _PACKAGE,
    "InvalidSecurityGroupIDException": _NETWORK,
    "InvalidSubnetIDException": _NETWORK,
    "InvalidZipFileException": _PACKAGE,
    "KMSAccessDeniedException": _KEY,
    "KMSDisabledException": _KEY,
    "KMSInvalidStateException": _KEY,
    "KMSNotFoundException": _KEY,
    "RuntimeAliasDeletedException": _PACKAGE,
    "RuntimeVersionDeletedException": _PACKAGE,
    "S3FilesMountConnectivityException": _FILES,
    "S3FilesMountFailureException": _FILES,
    "S3FilesMountTimeoutException": _FILES,
    "SnapStartException": _SNAPSHOT,
    "SnapStartRegenerationFailureException": _SNAPSHOT,
    "SnapStartTimeoutException": _SNAPSHOT,
    "SubnetIPAddressLimitReachedException": _NETWORK,
}
"""The handler never ran, and will not until somebody has changed something: where to look, by error code."""


def refused_invocation(error: ClientError, *, function: str, profile: str | None) -> Throttled | TargetError:
    """Throttled where the same call can succeed later, InvocationLostError for a failure inside Lambda that may have
    come after the handler has run, else a TargetError."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code = error_code(error)
    if status == TOO_MANY_REQUESTS:
        return _throttled(error)
    if code in PASSES and FAILED_STATE not in error_message(error):
        return Throttled(f"{code}: {error_message(error)}")
    if code in STAYS:
        return TargetError(f"Lambda cannot start {function}: {code}: {error_message(error)}", hint=STAYS[code])
    if isinstance(status, int) and status >= SERVER_ERROR:
        return lost_invocation(function, f"Lambda answered {status} {code}: {error_message(error)}")
    return translated(error, function=function, profile=profile)


def lost_invocation(function: str, cause: str) -> InvocationLostError:
    """``cause`` says why, in half a sentence."""
    why = cause.rstrip(".")
    return InvocationLostError(
        f"An invocation of {function} was sent, but no answer can be used: {why}. It may have run and be billed.",
        hint="Run this again; if it stays, look at the network between here and Lambda, and try --transport boto3.",
    )


def _throttled(error: ClientError) -> Throttled:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    retry_after = headers.get("retry-after", "").strip()  # seconds; the HTTP date that RFC 9110 allows is not used
    return Throttled(
        str(error.response.get("Reason") or error_message(error)),
        float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None,
    )
