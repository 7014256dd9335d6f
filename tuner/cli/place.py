"""Where a run happens: on AWS or on the embedded Lambda, reached the same way."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.aws.session import AwsAccess
from tuner.model import EngineKind, FunctionTarget, Notice


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
