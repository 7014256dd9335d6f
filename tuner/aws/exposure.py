"""What sends traffic to ``$LATEST`` of a function. While tuner publishes versions, that traffic meets other memory
sizes; a version or alias behind the trigger would not.

Each check returns what it found in words for people, and is named after what it looks for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tuner.aws.translate import error_code

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def event_source_mappings(client: LambdaClient, function: str) -> list[str]:
    """Queues and streams that invoke the function without a qualifier."""
    pages = client.get_paginator("list_event_source_mappings").paginate(FunctionName=function)
    return [
        f"an event source mapping ({mapping.get('EventSourceArn', 'self-managed').rpartition(':')[2]})"
        for page in pages
        for mapping in page["EventSourceMappings"]
        if mapping.get("State") not in ("Disabled", "Deleting")
    ]


def function_url(client: LambdaClient, function: str) -> list[str]:
    def read() -> list[str]:
        client.get_function_url_config(FunctionName=function)
        return ["a function URL"]

    return _unless_absent(read)


def resource_policy(client: LambdaClient, function: str) -> list[str]:
    """Services that were allowed to invoke the function without a qualifier."""

    def read() -> list[str]:
        policy = json.loads(client.get_policy(FunctionName=function)["Policy"])
        return [f"{_principal(statement)} (resource policy)" for statement in policy.get("Statement", [])]

    return _unless_absent(read)


def aliases(client: LambdaClient, function: str) -> list[str]:
    """Aliases that point to ``$LATEST``."""
    found = client.list_aliases(FunctionName=function, FunctionVersion="$LATEST")["Aliases"]
    return [f"the alias {alias['Name']}" for alias in found]


CHECKS: tuple[Callable[[LambdaClient, str], list[str]], ...] = (
    event_source_mappings,
    function_url,
    resource_policy,
    aliases,
)


def _unless_absent(read: Callable[[], list[str]]) -> list[str]:
    try:
        return read()
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":
            return []
        raise


def _principal(statement: dict[str, object]) -> str:
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        return str(next(iter(principal.values()), "somebody"))
    return str(principal or "somebody")
