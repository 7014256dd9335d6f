"""The JSON of the Lambda API, as botocore's model of 2015-03-31 names its members."""

from __future__ import annotations

from typing import Any

from tuner.local.functions import Alias, Function, Logging, Revision
from tuner.local.identifiers import LATEST, Namespace

JsonObject = dict[str, Any]


def configuration(
    namespace: Namespace, function: Function, version: str, revision: Revision, now_s: float, *, qualified: bool
) -> JsonObject:
    """FunctionConfiguration. ``qualified`` says whether the caller named a version: the ARN then carries it."""
    settings = revision.settings
    active, settled = revision.active(now_s), revision.settled(now_s)
    shape: JsonObject = {
        "FunctionName": function.name,
        "FunctionArn": namespace.arn(function.name, version if qualified else None),
        "Runtime": settings.runtime,
        "Role": settings.role,
        "Handler": settings.handler,
        "CodeSize": revision.code.size_bytes,
        "Description": settings.description,
        "Timeout": settings.timeout_s,
        "MemorySize": settings.memory_mb,
        "LastModified": revision.modified_at,
        "CodeSha256": revision.code.sha256,
        "Version": version,
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": revision.revision_id(now_s),
        "State": "Active" if active else "Pending",
        "LastUpdateStatus": "Successful" if settled else "InProgress",
        "PackageType": "Zip",
        "Architectures": [settings.architecture],
        "EphemeralStorage": {"Size": settings.ephemeral_storage_mb},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": _logging(function.name, settings.logging),
    }
    if not active:
        shape |= {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
    elif not settled:
        shape |= {
            "LastUpdateStatusReason": "The function is being created.",
            "LastUpdateStatusReasonCode": "Creating",
        }
    if version != LATEST:
        shape["MasterArn"] = namespace.arn(function.name)
    if settings.environment:
        shape["Environment"] = {"Variables": dict(settings.environment)}
    return shape


def _logging(function_name: str, logging: Logging) -> JsonObject:
    shape = {"LogFormat": logging.format, "LogGroup": f"/aws/lambda/{function_name}"}
    if logging.format == "JSON":
        shape |= {"ApplicationLogLevel": logging.application_level, "SystemLogLevel": logging.system_level}
    return shape


def alias(namespace: Namespace, function: Function, value: Alias) -> JsonObject:
    return {
        "AliasArn": namespace.arn(function.name, value.name),
        "Name": value.name,
        "FunctionVersion": value.version,
        "Description": value.description,
        "RevisionId": value.revision_id,
    } | ({"RoutingConfig": {"AdditionalVersionWeights": dict(value.weights)}} if value.weights else {})
