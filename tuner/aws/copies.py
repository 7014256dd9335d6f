"""Temporary copies of a function: same code and configuration, no triggers, tags that say whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from tuner.aws.translate import error_code, error_message
from tuner.errors import CannotTuneError, NotPortableError, TargetError
from tuner.model import Copy, FunctionSnapshot
from tuner.planning.plan import COPY_PREFIX

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import CreateFunctionRequestTypeDef, FunctionCodeTypeDef

RUN_TAG = "tuner:run"
SOURCE_TAG = "tuner:source"

LARGEST_UPLOAD_BYTES = 50 * 1024 * 1024
"""The zip file of a package that CreateFunction takes directly."""

KEPT = (
    "Runtime",
    "Role",
    "Handler",
    "Timeout",
    "MemorySize",
    "PackageType",
    "KMSKeyArn",
    "FileSystemConfigs",
)
"""Members of a configuration that CreateFunction takes as GetFunction gives them."""


def create(client: LambdaClient, source: FunctionSnapshot, copy: Copy, *, run_id: str) -> dict[str, Any]:
    """Create ``copy`` from ``source``. Environment variables go from one answer to the next request and nowhere
    else. Raises NotPortableError when Lambda refuses the code or layers for the architecture."""
    asked = {"Qualifier": source.qualifier} if source.qualifier else {}
    found = client.get_function(FunctionName=source.name, **asked)
    request = copy_request(dict(found["Configuration"]), _code(dict(found["Code"]), source), copy)
    request["Tags"] = {RUN_TAG: run_id, SOURCE_TAG: source.arn}
    try:
        return dict(client.create_function(**request))
    except ClientError as error:
        if error_code(error) == "InvalidParameterValueException" and copy.architecture is not source.architecture:
            raise NotPortableError(
                f"Lambda does not take the function for {copy.architecture}: {error_message(error)}",
                hint="Use layers and a runtime that exist for that architecture.",
            ) from error
        raise


def copy_request(
    configuration: dict[str, Any], code: FunctionCodeTypeDef, copy: Copy
) -> CreateFunctionRequestTypeDef:
    """CreateFunction of the copy: whatever changes how code runs is kept; triggers, dead letter queues, aliases,
    reserved concurrency, SnapStart and the log group are not."""
    request: dict[str, Any] = {name: configuration[name] for name in KEPT if configuration.get(name)}
    request |= {
        "FunctionName": copy.name,
        "Architectures": [copy.architecture.value],
        "Code": code,
        "Description": "Temporary copy made by tuner; safe to delete.",
        "Layers": [layer["Arn"] for layer in configuration.get("Layers", [])],
    }
    if variables := configuration.get("Environment", {}).get("Variables"):
        request["Environment"] = {"Variables": variables}
    if (vpc := configuration.get("VpcConfig", {})).get("SubnetIds"):
        kept = ("SubnetIds", "SecurityGroupIds", "Ipv6AllowedForDualStack")
        request["VpcConfig"] = {name: vpc[name] for name in kept if name in vpc}
    if storage := configuration.get("EphemeralStorage"):
        request["EphemeralStorage"] = storage
    if tracing := configuration.get("TracingConfig", {}).get("Mode"):
        request["TracingConfig"] = {"Mode": tracing}
    if image := configuration.get("ImageConfigResponse", {}).get("ImageConfig"):
        request["ImageConfig"] = image
    if logging := configuration.get("LoggingConfig"):
        request["LoggingConfig"] = {name: value for name, value in logging.items() if name != "LogGroup"}
    return cast("CreateFunctionRequestTypeDef", request)


def is_copy(client: LambdaClient, name: str, *, run_id: str) -> bool:
    """Whether the function ``name`` carries the tag of that run."""
    arn = client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    return client.list_tags(Resource=arn)["Tags"].get(RUN_TAG) == run_id


def delete(client: LambdaClient, name: str, *, run_id: str) -> bool:
    """Delete the copy ``name`` of that run; whether there was one. A function without its tag is never deleted."""
    if not name.startswith(COPY_PREFIX):
        raise AssertionError(f"refusing to delete {name}")
    try:
        if not is_copy(client, name, run_id=run_id):
            return False
        client.delete_function(FunctionName=name)
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":
            return False
        raise
    return True


def left_over(client: LambdaClient) -> list[tuple[str, str]]:
    """Names and runs of all copies in this account and region, whichever machine made them."""
    found = []
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function["FunctionName"].startswith(COPY_PREFIX):
                tags = client.list_tags(Resource=function["FunctionArn"])["Tags"]
                if RUN_TAG in tags:
                    found.append((function["FunctionName"], tags[RUN_TAG]))
    return found


def _code(code: dict[str, Any], source: FunctionSnapshot) -> FunctionCodeTypeDef:
    if source.package_type == "Image":
        return {"ImageUri": code["ResolvedImageUri"]}
    package = _download(code["Location"])
    if len(package) > LARGEST_UPLOAD_BYTES:
        raise CannotTuneError(
            f"The package of {source.name} has {len(package) / 2**20:.0f} MB; a copy can be made of at most 50 MB.",
            hint="Run this without --clone, on the architecture it has.",
        )
    return {"ZipFile": package}


def _download(location: str) -> bytes:
    """The package behind the presigned link of GetFunction, which is valid for ten minutes."""
    answer = URLLib3Session().send(AWSRequest(method="GET", url=location).prepare())
    if answer.status_code != 200:
        raise TargetError(
            f"The function's package could not be downloaded (HTTP {answer.status_code}).",
            hint="Run this again; if it stays, run it without --clone.",
        )
    return bytes(answer.content)
