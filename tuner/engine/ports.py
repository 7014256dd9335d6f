"""The ports of the engine: what it needs from the outside, one small protocol each.

``tuner.aws`` implements them with boto3; the same adapters talk to the embedded Lambda, only the endpoint differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tuner.model import AccountLimits, Block, Copy, FunctionSnapshot, FunctionTarget, Notice, Sample, Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestConfiguration:
    """What ``$LATEST`` says right now: enough to know whether somebody else changed it."""

    arn: str
    """Without a qualifier. It says which account and region answered."""
    memory_mb: int
    revision_id: str | None
    code_sha256: str
    settled: bool
    """No update is in progress."""
    marks: frozenset[str] | None = frozenset()
    """Runs of tuner's whose mark the function carries; None where its tags may not be seen."""


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
    environment: str | None = None
    """The execution environment, where the service tells: Lambda does not, the embedded Lambda does."""
    disturbed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What may be reaching ``$LATEST`` of a function right now, and would feel a changed memory size."""

    sources: tuple[str, ...]
    """In words for people: ``an event source mapping (SQS orders)``."""
    unchecked: tuple[str, ...] = ()
    """What could not be looked for, so that nothing is known about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """An action that a run needs, on a resource, as IAM names both."""

    action: str
    resource: str
    purpose: str
    """What for, in a few words: ``deletes them again``."""
    granted: bool | None
    """None: it could not be found out without doing it."""


class Throttled(Exception):
    """The service refused the invocation (429, or not ready yet): it never ran and is no sample."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


class Conflicted(Exception):
    """The service refused a change because of another one: an update in progress, or a revision that is not the
    latest any more.

    ``repeated``: the client tried more than once, so that an attempt whose answer was lost may have made the change.
    """

    def __init__(self, reason: str, *, repeated: bool = False) -> None:
        super().__init__(reason)
        self.repeated = repeated


class ControlPlane(Protocol):
    """The calls that read or change a function. Each may raise a TargetError."""

    async def describe(self, target: FunctionTarget) -> FunctionSnapshot: ...

    async def limits(self) -> AccountLimits | None:
        """None where the service does not say, or may not tell us."""

    async def exposure(self, function: str) -> Exposure:
        """What sends traffic to ``$LATEST``."""

    async def permissions(self, function: str, *, revisions: bool, copy: bool = False) -> Sequence[Permission]:
        """What a run does to the function with this ARN, found out by questions that change nothing.

        ``revisions``: the service keeps revisions of it, so that a change with an impossible one is a question.
        ``copy``: it is a temporary copy that is still to be made.
        """

    async def provisioned_concurrency(self, function: str) -> int | None:
        """Environments kept provisioned for versions and aliases; None where the service does not say."""

    async def latest(self, function: str) -> LatestConfiguration: ...

    async def set_memory(self, function: str, memory_mb: int, *, revision_id: str | None) -> None:
        """Change the memory of ``$LATEST`` if its revision is still ``revision_id``, else Conflicted."""

    async def publish(self, function: str, *, revision_id: str | None, description: str) -> PublishedVersion:
        """Publish ``$LATEST`` if its revision is still ``revision_id``, else Conflicted.

        Where nothing has changed since the last version, the answer is that one, whoever published it: it is ours
        only if it has our description.
        """

    async def mark(self, arn: str, run_id: str, memory_mb: int) -> None:
        """Put the mark of a run on the function, with the memory size to go back to."""

    async def unmark(self, arn: str, run_id: str) -> None:
        """Take the mark of a run off the function. One that is gone already is a success."""

    async def version_ready(self, function: str, version: str) -> bool: ...

    async def list_versions(self, function: str) -> Sequence[PublishedVersion]: ...

    async def delete_version(self, function: str, version: str, *, description: str) -> None:
        """Delete one numbered version if it has this description; another one, or none, is left and is no error.

        Raises VersionInUseError where an alias points to it.
        """

    async def create_copy(self, source: FunctionSnapshot, copy: Copy, *, run_id: str) -> FunctionSnapshot:
        """A new function with the same code and configuration, no triggers, and tags that say whose it is.

        Raises NotPortableError when Lambda refuses the code or its layers for the copy's architecture.
        """

    async def is_copy(self, name: str, *, run_id: str) -> bool:
        """Whether the function of that name is tagged as a copy of that run."""

    async def copy_ready(self, name: str) -> FunctionSnapshot | None:
        """The copy when it can be invoked, None while it is being made."""

    async def delete_copy(self, name: str, *, run_id: str) -> tuple[Notice, ...]:
        """Delete a copy and its log group. One that is gone already is a success; one that is not tagged with this
        run is left."""


class Invoker(Protocol):
    async def invoke(self, function: str, version: str, payload: bytes) -> InvocationResult:
        """One invocation, never repeated on our own account. Raises Throttled, InvocationLostError or another
        TargetError."""


class LogLookup(Protocol):
    async def report_line(self, function: str, request_id: str, started_at: datetime) -> str | None:
        """The REPORT of an invocation from the function's log, None where it is not there or may not be read."""


class Hooks(Protocol):
    """What the user wants done around each invocation. Raises a TunerError when it fails."""

    async def before(self, payload: bytes) -> bytes:
        """The payload to send."""

    async def after(self, answer: bytes) -> None: ...


class SamplingPolicy(Protocol):
    """Which block comes next, as a pure function of what was measured: a recorded run replays to the same choices."""

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop: ...
