"""Request members to settings, refused in the words of the service where they do not fit."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import replace
from typing import Any

from tuner.local import faults, runtimes
from tuner.local.functions import Settings

_RESERVED_KEYS = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}  # fmt: skip
"""Keys that a function may not set (lambda/latest/dg/configuration-envvars)."""

_BOUNDS = {"MemorySize": (128, 10_240), "Timeout": (1, 900)}
_ENVIRONMENT_BYTES = 4096


def json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise faults.ApiError(400, "SerializationException", "The request body is not a JSON object.")
    return value


def json_value(body: bytes) -> None:
    """Invoke takes any JSON value, or nothing; InvalidRequestContentException otherwise."""
    try:
        json.loads(body or b"{}")
    except ValueError as error:
        raise faults.ApiError(
            400, "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        ) from None


def created_settings(members: dict[str, Any]) -> Settings:
    """Settings of CreateFunction; the defaults are the service's own: 128 MB and 3 s."""
    for name in ("Runtime", "Handler", "Role"):
        if not isinstance(members.get(name), str):
            raise faults.invalid_parameter(f"{name} is mandatory for functions created with deployment packages.")
    base = Settings(runtime=members["Runtime"], handler=members["Handler"], role=members["Role"])
    architectures = members.get("Architectures") or [base.architecture]
    return changed_settings(replace(base, architecture=str(architectures[0])), members)


def changed_settings(settings: Settings, members: dict[str, Any]) -> Settings:
    """``settings`` with the members that were given, each checked."""
    changed = replace(
        settings,
        runtime=_text(members, "Runtime", settings.runtime),
        handler=_text(members, "Handler", settings.handler),
        role=_text(members, "Role", settings.role),
        description=_text(members, "Description", settings.description),
        memory_mb=_bounded(members, "MemorySize", settings.memory_mb),
        timeout_s=_bounded(members, "Timeout", settings.timeout_s),
        environment=_environment(members, settings.environment),
    )
    if runtimes.command(changed.runtime, changed.handler) is None:
        known = ", ".join(runtimes.supported())
        raise faults.invalid_parameter(f"The runtime {changed.runtime} cannot run here; this machine runs: {known}.")
    return changed


def package(members: dict[str, Any]) -> bytes:
    """The decoded ``ZipFile``."""
    encoded = members.get("ZipFile")
    if not isinstance(encoded, str):
        raise faults.invalid_parameter("Please provide a source for function code: ZipFile.")
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise faults.invalid_parameter("Could not unzip uploaded file: it is not base64.") from None


def optional_text(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise faults.validation(value, _member(name), "Member must be a string")
    return value


def _text(members: dict[str, Any], name: str, default: str) -> str:
    value = optional_text(members, name)
    return default if value is None else value


def _bounded(members: dict[str, Any], name: str, default: int) -> int:
    value = members.get(name)
    if value is None:
        return default
    low, high = _BOUNDS[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise faults.validation(value, _member(name), "Member must be an integer")
    if value < low:
        raise faults.validation(value, _member(name), f"Member must have value greater than or equal to {low}")
    if value > high:
        raise faults.validation(value, _member(name), f"Member must have value less than or equal to {high}")
    return value


def _environment(members: dict[str, Any], default: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    if members.get("Environment") is None:
        return default
    variables = members["Environment"].get("Variables") or {}
    reserved = sorted(_RESERVED_KEYS & set(variables))
    if reserved:
        raise faults.invalid_parameter(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    if sum(len(key.encode()) + len(value.encode()) for key, value in variables.items()) > _ENVIRONMENT_BYTES:
        raise faults.invalid_parameter(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the {_ENVIRONMENT_BYTES // 1024}KB limit."
        )
    return tuple(sorted((str(key), str(value)) for key, value in variables.items()))


def _member(name: str) -> str:
    return name[0].lower() + name[1:]
