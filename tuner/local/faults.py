"""The refusals of the Lambda API, in the shapes and words that botocore and people know."""

from __future__ import annotations

from collections.abc import Mapping

from tuner.local.http import Response, json_response


class ApiError(Exception):
    """An answer of the API other than success: HTTP status, error code, message, further members and headers."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        members: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.members = members or {}
        self.headers = headers or {}

    def response(self) -> Response:
        body = {"Type": "User", "Message": self.message, "message": self.message, **self.members}
        return json_response(body, status=self.status, headers={"x-amzn-ErrorType": self.code, **self.headers})


def validation(value: object, member: str, constraint: str) -> ApiError:
    """The message of the service's own model check, before any function is looked at."""
    shown = "null" if value is None else f"'{value}'"
    return ApiError(
        400,
        "ValidationException",
        f"1 validation error detected: Value {shown} at '{member}' failed to satisfy constraint: {constraint}",
    )


def invalid_parameter(message: str) -> ApiError:
    return ApiError(400, "InvalidParameterValueException", message)


def not_found(arn: str, what: str = "Function") -> ApiError:
    return ApiError(404, "ResourceNotFoundException", f"{what} not found: {arn}")


def conflict(message: str) -> ApiError:
    return ApiError(409, "ResourceConflictException", message)


def update_in_progress(arn: str) -> ApiError:
    return conflict(f"The operation cannot be performed at this time. An update is in progress for resource: {arn}")


def not_active(state: str) -> ApiError:
    return conflict(
        f"The operation cannot be performed at this time. The function is currently in the following state: {state}"
    )


def revision_mismatch() -> ApiError:
    return ApiError(
        412,
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    )


def too_large(limit: int) -> ApiError:
    return ApiError(
        413,
        "RequestTooLargeException",
        f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
    )


def throttled(reason: str, *, retry_after_s: int | None = 1) -> ApiError:
    return ApiError(
        429,
        "TooManyRequestsException",
        "Rate Exceeded.",
        members={"Reason": reason},
        headers={} if retry_after_s is None else {"Retry-After": str(retry_after_s)},
    )


def service_error(status: int) -> ApiError:
    return ApiError(status, "ServiceException", "An error occurred and the request cannot be processed.")


def cannot_start(reason: str) -> ApiError:
    """Lambda blames itself where the host of an environment fails, not the function."""
    return ApiError(500, "ServiceException", f"Lambda could not start an execution environment: {reason}.")


def forbidden(code: str, message: str) -> ApiError:
    return ApiError(403, code, message)


def expired_token() -> ApiError:
    return forbidden("ExpiredTokenException", "The security token included in the request is expired")


def invalid_signature(message: str) -> ApiError:
    return forbidden("InvalidSignatureException", message)
