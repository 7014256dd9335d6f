"""Where a function logs, by the one call that reading its log takes of the control plane."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tuner.aws.control import snapshot
from tuner.aws.session import AwsAccess
from tuner.aws.translate import translated
from tuner.inputs.cold_logs import DEFAULT_GROUP_PREFIX, LogSource
from tuner.model import FunctionSnapshot, FunctionTarget

_VERSION = re.compile(r"\d+")


def describe_logged(
    access: AwsAccess, target: FunctionTarget, *, log_group: str | None
) -> tuple[FunctionSnapshot, LogSource]:
    """What GetFunctionConfiguration says of a function, and the lines to look for.

    With a qualifier only those of that version, or of the one that an alias names today. ``log_group`` overrides the
    function's own. Raises a TargetError where the function cannot be read.
    """
    client = access.control_client()
    asked: dict[str, str] = {"Qualifier": target.qualifier} if target.qualifier else {}
    try:
        configuration: dict[str, Any] = dict(client.get_function_configuration(FunctionName=target.name, **asked))
    except (ClientError, BotoCoreError) as error:
        raise translated(error, function=target.name, profile=access.profile) from error
    finally:
        client.close()
    function = snapshot(configuration, ())
    own: str | None = configuration.get("LoggingConfig", {}).get("LogGroup")
    version = str(configuration.get("Version", "$LATEST"))
    return function, LogSource(
        group=log_group or own or f"{DEFAULT_GROUP_PREFIX}{function.name}",
        function=function.name,
        version=version if target.qualifier and _VERSION.fullmatch(version) else None,
    )
