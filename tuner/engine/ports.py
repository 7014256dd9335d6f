"""The ports of the engine: what it needs from the outside, one small protocol each.

``tuner.aws`` implements them with boto3; the same adapters talk to the embedded Lambda, only the endpoint differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tuner.model import AccountLimits, Block, FunctionSnapshot, FunctionTarget, Sample, Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestConfiguration:
    """What ``$LATEST`` says right now: enough to know whether somebody else changed it."""

    memory_mb: int
    revision_id: str
    code_sha256: str
    settled: bool
    """No update is in progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedVersion:
    version: str
    memory_mb: int
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationResult:
    """One answer of Invoke. ``log_tail`` is the decoded last 4 KB of the log, None where none came."""

    request_id: str | None
    function_error: str | None
    log_tail: str | None
    payload: bytes
    client_ms: float


class Throttled(Exception):
    """The service refused the invocation (429): it never ran and is no sample."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


class ControlPlane(Protocol):
    """The calls that read or change a function. Each may raise a TargetError."""

    async def describe(self, target: FunctionTarget) -> FunctionSnapshot: ...

    async def limits(self, function: str) -> AccountLimits: ...

    async def latest(self, function: str) -> LatestConfiguration: ...

    async def set_memory(self, function: str, memory_mb: int, *, revision_id: str) -> None:
        """Change the memory of ``$LATEST`` if its revision is still ``revision_id``, else ForeignChangeError."""

    async def publish(self, function: str, *, revision_id: str, description: str) -> PublishedVersion: ...

    async def version_ready(self, function: str, version: str) -> bool: ...

    async def list_versions(self, function: str) -> Sequence[PublishedVersion]: ...

    async def delete_version(self, function: str, version: str) -> None:
        """Delete one numbered version. Deleting a version that is gone already is a success."""


class Invoker(Protocol):
    async def invoke(self, function: str, version: str, payload: bytes) -> InvocationResult:
        """One invocation, never repeated on our own account. Raises Throttled or a TargetError."""


class SamplingPolicy(Protocol):
    """Which block comes next, as a pure function of what was measured: a recorded run replays to the same choices."""

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop: ...
