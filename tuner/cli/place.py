"""Where a run happens: on AWS or on the embedded Lambda, reached the same way."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.aws.session import AwsAccess
from tuner.cli.inputs import FunctionOptions
from tuner.cli.reach import access_to
from tuner.model import EngineKind, FunctionTarget, Notice

AWS_POLL_INTERVAL_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    engine: EngineKind
    access: AwsAccess
    target: FunctionTarget
    memory_mb: tuple[int, ...]
    """The sizes asked for that can be measured here."""
    poll_interval_s: float
    notices: tuple[Notice, ...] = ()
    host: str | None = None
    throttle: str | None = None


def aws_place(target: FunctionTarget, options: FunctionOptions, memory_mb: tuple[int, ...]) -> Place:
    """``target`` where the options say that it is."""
    return Place(
        engine=EngineKind.AWS,
        access=access_to(target, region=options.region, profile=options.profile, endpoint_url=options.endpoint_url),
        target=target,
        memory_mb=memory_mb,
        poll_interval_s=AWS_POLL_INTERVAL_S,
    )
