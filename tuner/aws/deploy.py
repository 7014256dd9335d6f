"""Creating a function: what ``--local`` does with a folder, over the same API as everything else."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tuner.aws.translate import translated
from tuner.model import Architecture

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.literals import RuntimeType

ROLE = "arn:aws:iam::123456789012:role/tuner-local"
"""The embedded Lambda has no IAM, but CreateFunction requires a role."""

ACTIVE_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFunction:
    name: str
    runtime: RuntimeType
    handler: str
    architecture: Architecture
    memory_mb: int
    timeout_s: int
    zip_bytes: bytes
    environment: dict[str, str]


def create_function(client: LambdaClient, function: NewFunction) -> None:
    """Create ``function`` and wait until it is active. Raises TargetError."""
    try:
        client.create_function(
            FunctionName=function.name,
            Runtime=function.runtime,
            Handler=function.handler,
            Role=ROLE,
            Code={"ZipFile": function.zip_bytes},
            Architectures=[function.architecture.value],
            MemorySize=function.memory_mb,
            Timeout=function.timeout_s,
            Environment={"Variables": function.environment},
        )
        _wait_until_active(client, function.name)
    except (ClientError, BotoCoreError) as error:
        raise translated(error, function=function.name, profile=None) from error


def _wait_until_active(client: LambdaClient, name: str) -> None:
    """botocore's waiter looks once a second, which is long beside a function that is active at once."""
    deadline_s = time.monotonic() + ACTIVE_WITHIN_S
    while client.get_function_configuration(FunctionName=name).get("State") == "Pending":
        if time.monotonic() > deadline_s:
            client.get_waiter("function_active_v2").wait(FunctionName=name)
            return
        time.sleep(0.02)
