"""How Lambda is reached: the account and region that were meant, and clients that are closed again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.aws.control import CALLS_PER_SECOND, UNPACED, LambdaControlPlane
from tuner.aws.logs import LogReader
from tuner.aws.session import AwsAccess, resolve_region
from tuner.model import EngineKind, FunctionTarget

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


@dataclass(frozen=True, slots=True)
class Reached:
    """Lambda's control plane, and the logs beside it; None where an endpoint has none."""

    control: LambdaControlPlane
    logs: LogReader | None


def access_to(
    target: FunctionTarget | None, *, region: str | None, profile: str | None, endpoint_url: str | None = None
) -> AwsAccess:
    """Where ``target`` is, or whatever is meant without one. Raises what ``resolve_region`` raises."""
    found = resolve_region(target, region=region, profile=profile)
    return AwsAccess(region=found, profile=profile, endpoint_url=endpoint_url)


@asynccontextmanager
async def control_plane(
    access: AwsAccess, *, engine: EngineKind = EngineKind.AWS, logs: CloudWatchLogsClient | None = None
) -> AsyncIterator[LambdaControlPlane]:
    """``logs`` are for where temporary copies are deleted: those leave a log group behind.

    Nobody else uses the control plane of an embedded Lambda of our own: there is no pace to keep there.
    """
    control = LambdaControlPlane(
        access.control_client(),
        logs=logs,
        profile=access.profile,
        calls_per_second=CALLS_PER_SECOND if engine is EngineKind.AWS else UNPACED,
    )
    try:
        yield control
    finally:
        control.close()


@asynccontextmanager
async def reach(access: AwsAccess, *, engine: EngineKind = EngineKind.AWS) -> AsyncIterator[Reached]:
    """Both, over one client each."""
    client = access.logs_client()
    logs = None if client is None else LogReader(client)
    try:
        async with control_plane(access, engine=engine, logs=client) as control:
            yield Reached(control, logs)
    finally:
        if logs is not None:
            logs.close()
