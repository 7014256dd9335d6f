"""Request members to settings, refused in the words of the service where they do not fit."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, replace
from typing import Any

from tuner.limits import LARGEST_MB, LONGEST_TIMEOUT_S, SHORTEST_TIMEOUT_S, SMALLEST_MB
from tuner.local import faults, runtimes
from tuner.local.functions import Logging, Settings
from tuner.local.platform_log import SYSTEM_LEVELS

_RESERVED_KEYS = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}  # fmt: skip
"""Keys that a function may not set (lambda/latest/dg/configuration-envvars)."""

_BOUNDS = {"MemorySize": (SMALLEST_MB, LARGEST_MB), "Timeout": (SHORTEST_TIMEOUT_S, LONGEST_TIMEOUT_S)}
_ENVIRONMENT_BYTES = 4096
_ALIAS_PATTERN = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)"
_ALIAS_NAME = re.compile("(?![0-9]+$)[a-zA-Z0-9_-]+")
_LONGEST_ALIAS_NAME = 128
_FUNCTION_VERSION = re.compile(r"(\$LATEST|[0-9]+)")
_WEIGHT_KEYS = (
    "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length "
    "greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]"
)
_WEIGHT_VALUES = (
    "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value "
    "greater than or equal to 0.0, Member must not be null]"
)
_APPLICATION_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What functions may be here: architectures this machine has or pretends to, and the account's memory quota."""

    architectures: frozenset[str]
    most_memory_mb: int | None = None


_NO_JSON = (ValueError, RecursionError)
"""The second for a body that is nested too deeply."""


def json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except _NO_JSON:
        value = None
    if not isinstance(value, dict):
        raise faults.ApiError(400, "SerializationException", "The request body is not a JSON object.")
    return value


def json_value(body: bytes) -> None:
    """Invoke takes any JSON value, or nothing; InvalidRequestContentException otherwise."""
    try:
        json.loads(body or b"{}")
    except _NO_JSON as error:
        raise faults.ApiError(
            400, "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        ) from None


def created_settings(members: dict[str, Any], limits: Limits) -> Settings:
    """Settings of CreateFunction; the defaults are the service's own: 128 MB and 3 s."""
    for name in ("Runtime", "Handler", "Role"):
        if optional_text(members, name) is None:
            raise faults.invalid_parameter(f"{name} is mandatory for functions created with deployment packages.")
    base = Settings(runtime=members["Runtime"], handler=members["Handler"], role=members["Role"])
    return changed_settings(for_architecture(base, members, limits), members, limits)


def for_architecture(settings: Settings, members: dict[str, Any], limits: Limits) -> Settings:
    """``settings`` for the architecture that was asked for, if this machine has it or may pretend to."""
    given, possible = members.get("Architectures"), limits.architectures
    if given is None:
        return settings
    if not isinstance(given, list) or len(given) != 1 or given[0] not in ("x86_64", "arm64"):
        raise faults.validation(given, "architectures", "Member must satisfy enum value set: [x86_64, arm64]")
    if given[0] not in possible:
        raise faults.invalid_parameter(
            f"The architecture {given[0]} cannot run here: this machine has {', '.join(sorted(possible))}. "
            "A simulation may declare how fast the other one is."
        )
    return replace(settings, architecture=given[0])


def changed_settings(settings: Settings, members: dict[str, Any], limits: Limits) -> Settings:
    """``settings`` with the members that were given, each checked."""
    changed = replace(
        settings,
        runtime=text(members, "Runtime", settings.runtime),
        handler=text(members, "Handler", settings.handler),
        role=text(members, "Role", settings.role),
        description=text(members, "Description", settings.description),
        memory_mb=_bounded(members, "MemorySize", settings.memory_mb, most=limits.most_memory_mb),
        timeout_s=_bounded(members, "Timeout", settings.timeout_s),
        environment=_environment(members, settings.environment),
        logging=_logging(members, settings.logging),
    )
    if changed.runtime not in runtimes.supported():
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
    except ValueError:  # not only binascii.Error, which is one: characters beyond ASCII
        raise faults.invalid_parameter("Could not unzip uploaded file: it is not base64.") from None


def optional_text(members: dict[str, Any], name: str) -> str | None:
    found: str | None = _typed(members, name, str, "a string")
    return found


def structure(members: dict[str, Any], name: str) -> dict[str, Any]:
    """A member that is an object; empty where it is not given."""
    found: dict[str, Any] | None = _typed(members, name, dict, "an object")
    return found or {}


def tags(members: dict[str, Any]) -> dict[str, str]:
    return _strings(structure(members, "Tags"), "Tags")


def flag(members: dict[str, Any], name: str) -> bool:
    return bool(_typed(members, name, bool, "true or false"))


def alias_name(members: dict[str, Any]) -> str:
    name = optional_text(members, "Name")
    if name is None:
        raise faults.validation(None, "name", "Member must not be null")
    if not _ALIAS_NAME.fullmatch(name):
        raise faults.validation(name, "name", f"Member must satisfy regular expression pattern: {_ALIAS_PATTERN}")
    if len(name) > _LONGEST_ALIAS_NAME:
        raise faults.validation(name, "name", f"Member must have length less than or equal to {_LONGEST_ALIAS_NAME}")
    return name


def alias_version(members: dict[str, Any], default: str | None) -> str:
    version = optional_text(members, "FunctionVersion")
    version = default if version is None else version
    if version is None:
        raise faults.validation(None, "functionVersion", "Member must not be null")
    if not _FUNCTION_VERSION.fullmatch(version):
        pattern = _FUNCTION_VERSION.pattern
        raise faults.validation(
            version, "functionVersion", f"Member must satisfy regular expression pattern: {pattern}"
        )
    return version


def weights(members: dict[str, Any], default: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """AdditionalVersionWeights of an alias's RoutingConfig."""
    if members.get("RoutingConfig") is None:
        return default
    given = structure(structure(members, "RoutingConfig"), "AdditionalVersionWeights")
    for weight in given.values():
        if not isinstance(weight, (int, float)) or isinstance(weight, bool):
            raise faults.ApiError(400, "SerializationException", f"A weight is a number, not {json.dumps(weight)}.")
    if not all(re.fullmatch("[0-9]{1,1024}", version) for version in given):
        raise _bad_weights(given, _WEIGHT_KEYS)
    if not all(0 <= weight <= 1 for weight in given.values()):
        raise _bad_weights(given, _WEIGHT_VALUES)
    return tuple((version, float(weight)) for version, weight in sorted(given.items()))


def _bad_weights(given: dict[str, Any], constraint: str) -> faults.ApiError:
    shown = ", ".join(f"{version}={_as_double(weight)}" for version, weight in given.items())
    return faults.validation(f"{{{shown}}}", "routingConfig.additionalVersionWeights", constraint)


def _as_double(weight: float) -> float | str:
    """As the service shows it; JSON knows larger whole numbers than a double holds."""
    try:
        return float(weight)
    except OverflowError:
        return "Infinity"


def _typed(members: dict[str, Any], name: str, kind: type, wanted: str) -> Any:
    """A member of the given type, or None. As the service answers: a wrong type is a request it cannot read."""
    value = members.get(name)
    if value is not None and not isinstance(value, kind):
        raise faults.ApiError(400, "SerializationException", f"{name} must be {wanted}, not {json.dumps(value)}.")
    return value


def _strings(given: dict[str, Any], name: str) -> dict[str, str]:
    for key in given:
        _typed(given, key, str, f"a map of strings in {name}")
    return dict(given)


def text(members: dict[str, Any], name: str, default: str) -> str:
    value = optional_text(members, name)
    return default if value is None else value


def _bounded(members: dict[str, Any], name: str, default: int, *, most: int | None = None) -> int:
    value = members.get(name)
    if value is None:
        return default
    low, high = _BOUNDS[name]
    high = high if most is None else min(high, most)
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
    variables = _strings(structure(structure(members, "Environment"), "Variables"), "Variables")
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
    return tuple(sorted(variables.items()))


def _logging(members: dict[str, Any], default: Logging) -> Logging:
    given = structure(members, "LoggingConfig")
    found = Logging(
        format=text(given, "LogFormat", default.format),
        application_level=text(given, "ApplicationLogLevel", default.application_level),
        system_level=text(given, "SystemLogLevel", default.system_level),
    )
    if found.format == "Text" and {"ApplicationLogLevel", "SystemLogLevel"} & given.keys():
        raise faults.invalid_parameter("Log levels can only be set when LogFormat is JSON.")
    allowed = {"format": ("Text", "JSON"), "application_level": _APPLICATION_LEVELS, "system_level": SYSTEM_LEVELS}
    for name, values in allowed.items():
        if getattr(found, name) not in values:
            raise faults.validation(
                getattr(found, name), "loggingConfig", f"Member must satisfy enum value set: [{', '.join(values)}]"
            )
    return found


def _member(name: str) -> str:
    return name[0].lower() + name[1:]
