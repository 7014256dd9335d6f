"""One side of a comparison, read with the least that IAM has to allow: GetFunctionConfiguration."""

from __future__ import annotations

from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from tuner.aws.control import snapshot
from tuner.aws.session import AwsAccess
from tuner.aws.translate import translated
from tuner.model import FunctionSnapshot, FunctionTarget


def read_arm(access: AwsAccess, target: FunctionTarget) -> FunctionSnapshot:
    """The function, version or alias as it is now. Raises a TargetError.

    What only other calls tell is left open: its versions, and what concurrency is reserved for it.
    """
    client = access.control_client()
    try:
        answer = (
            client.get_function_configuration(FunctionName=target.name, Qualifier=target.qualifier)
            if target.qualifier
            else client.get_function_configuration(FunctionName=target.name)
        )
    except (ClientError, BotoCoreError) as error:
        raise translated(error, function=target.name, profile=access.profile) from error
    finally:
        client.close()
    return replace(snapshot(dict(answer), ()), arn=_unqualified(answer["FunctionArn"]), qualifier=target.qualifier)


def _unqualified(arn: str) -> str:
    """Asked for a version, Lambda answers with the ARN of that version."""
    return ":".join(arn.split(":")[:7])
