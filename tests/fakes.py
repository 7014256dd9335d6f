"""One fake Lambda for tests of the engine: a function in memory behind the engine's ports.

``calls`` records every call in order. ``fail_at`` raises an error in place of the n-th call (from 1), as a lost
network would; ``die_at`` raises Killed there and at every later call: no code of tuner reaches Lambda again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tuner.engine.ownership import run_of_version
from tuner.engine.ports import (
    Conflicted,
    Exposure,
    InvocationResult,
    LatestConfiguration,
    Permission,
    PublishedVersion,
    Throttled,
)
from tuner.errors import InvocationLostError, TargetError, VersionInUseError
from tuner.model import (
    AccountLimits,
    Architecture,
    Cell,
    Copy,
    EngineKind,
    FunctionSnapshot,
    FunctionTarget,
    Notice,
    Outcome,
    Plan,
    Price,
    RunRequest,
    Sample,
    SpendRange,
)

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:thumbnail"


class Killed(BaseException):
    """kill -9: nothing after this line runs."""


def snapshot(**changes: object) -> FunctionSnapshot:
    base = FunctionSnapshot(
        name="thumbnail",
        arn=ARN,
        region="eu-central-1",
        runtime="python3.13",
        package_type="Zip",
        architecture=Architecture.X86_64,
        memory_mb=512,
        timeout_s=3,
        code_sha256="code",
        revision_id="r0",
        state="Active",
        last_update_status="Successful",
        versions=("1", "2"),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def price(architecture: Architecture = Architecture.X86_64) -> Price:
    return Price(
        region="eu-central-1",
        architecture=architecture,
        usd_per_gb_s=Decimal("0.0000166667"),
        usd_per_request=Decimal("0.0000002"),
        as_of="2026-11-21",
        source="test",
    )


def limits(concurrency: int = 100) -> AccountLimits:
    return AccountLimits(concurrent_executions=concurrency, unreserved_concurrent_executions=concurrency)


def plan(sizes: Sequence[int] = (128, 1024), *, samples: int = 4, wave: int = 2, **request: object) -> Plan:
    function = snapshot()
    asked = RunRequest(
        function=function.name,
        engine=EngineKind.AWS,
        memory_mb=tuple(sizes),
        samples_per_size=samples,
        wave_size=wave,
        **request,  # type: ignore[arg-type]
    )
    return Plan(
        run_id="20261121T000000-abc",
        request=asked,
        function=function,
        cells=tuple(Cell(memory_mb, Architecture.X86_64) for memory_mb in sizes),
        prices=(price(),),
        wave_size=wave,
        max_in_flight=2 * wave,
        expected_invocations=len(sizes) * (samples + wave),
        expected_spend=SpendRange(low_usd=Decimal(0), high_usd=Decimal(1)),
    )


def sample(memory_mb: int = 128, **fields: object) -> Sample:
    base = Sample(
        sequence=1,
        block=1,
        wave=1,
        cell=Cell(memory_mb, Architecture.X86_64),
        version="3",
        started_at="2026-11-21T00:00:00.000+00:00",
        client_ms=20.0,
        outcome=Outcome.OK,
        duration_ms=10.0,
        billed_ms=10.0,
    )
    return replace(base, **fields)  # type: ignore[arg-type]


class FakeFunction:
    """The state of one function: what a user would notice, and what invocations have met."""

    def __init__(self, snapshot: FunctionSnapshot) -> None:
        self.snapshot = snapshot
        self.memory_mb = snapshot.memory_mb
        self.code_sha256 = snapshot.code_sha256
        self.revision_id = snapshot.revision_id
        self.marks: dict[str, int] = {}
        self.aliases: dict[str, str] = {}
        self.invoked: Counter[str] = Counter()
        self.versions: dict[str, PublishedVersion] = {
            number: PublishedVersion(version=number, memory_mb=self.memory_mb, description="release")
            for number in snapshot.versions
        }


@dataclass
class FakeLambda:
    """ControlPlane and Invoker over a function, and the copies that are made of it."""

    function: FunctionSnapshot = field(default_factory=snapshot)
    fail_at: int | None = None
    die_at: int | None = None
    throttle_first: int = 0
    cold_calls: int = 2
    """How many invocations of a fresh version are cold."""
    exposed: Exposure = field(default_factory=lambda: Exposure(sources=()))
    denied: frozenset[str] = frozenset()
    """Actions, as IAM names them."""
    provisioned: int | None = 0
    foreign_copies: frozenset[str] = frozenset()
    """Names that functions of somebody else have already."""
    conflicts: int = 0
    """How many changes of the memory are refused first."""
    lose: frozenset[int] = frozenset()
    """Invocations, counted from 1, whose answer never arrives though they ran."""
    import_error_on: Architecture | None = None
    log_tail: str | None = (
        "REPORT RequestId: {id}\tDuration: 9.50 ms\tBilled Duration: 10 ms\tMemory Size: {mb} MB\t"
        "Max Memory Used: 40 MB\t{init}\n"
    )
    calls: list[str] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    """Payloads in the order in which they arrived."""

    def __post_init__(self) -> None:
        self.dead = False
        self.revisions = itertools.count(1)
        self.mine = FakeFunction(self.function)
        self.copies: dict[str, FakeFunction] = {}

    @property
    def invocations(self) -> int:
        return len(self.sent)

    def fingerprint(self) -> tuple[object, ...]:
        """Everything a user would notice."""
        mine = self.mine
        return mine.memory_mb, mine.code_sha256, tuple(sorted(mine.versions)), tuple(mine.marks), tuple(self.copies)

    def deploy(self, *, memory_mb: int | None = None, code_sha256: str | None = None) -> None:
        """Somebody else changes the function."""
        self.mine.memory_mb = memory_mb or self.mine.memory_mb
        self.mine.code_sha256 = code_sha256 or self.mine.code_sha256
        self.mine.revision_id = f"foreign-{next(self.revisions)}"

    def release(self, description: str) -> str:
        """Somebody else publishes ``$LATEST`` as it is; returns the number."""
        number = str(max(map(int, self.mine.versions), default=0) + 1)
        made = PublishedVersion(version=number, memory_mb=self.mine.memory_mb, description=description)
        self.mine.versions[number] = made
        self.mine.revision_id = f"foreign-{next(self.revisions)}"
        return number

    def recreate(self, *, memory_mb: int, releases: int) -> None:
        """Somebody else deletes the function and makes it again under its name, with the same code."""
        numbers = tuple(str(number) for number in range(1, releases + 1))
        self.mine = FakeFunction(replace(self.function, memory_mb=memory_mb, versions=numbers))

    async def describe(self, target: FunctionTarget) -> FunctionSnapshot:
        self._called(f"describe {target.name}")
        mine = self.mine
        runs = {run_of_version(version.description) for version in mine.versions.values()} | set(mine.marks)
        return replace(
            self.function,
            memory_mb=mine.memory_mb,
            code_sha256=mine.code_sha256,
            revision_id=mine.revision_id,
            versions=tuple(mine.versions),
            tuner_runs=tuple(sorted(run for run in runs if run is not None)),
        )

    async def limits(self) -> AccountLimits:
        self._called("limits")
        return limits()

    async def exposure(self, function: str) -> Exposure:
        self._called("exposure")
        return self.exposed

    async def permissions(self, function: str, *, revisions: bool, copy: bool = False) -> Sequence[Permission]:
        self._called("permissions")
        return [
            Permission(action=action, resource=function, purpose="does it", granted=action not in self.denied)
            for action in ("lambda:PublishVersion", "lambda:DeleteFunction")
        ]

    async def provisioned_concurrency(self, function: str) -> int | None:
        self._called("provisioned_concurrency")
        return self.provisioned

    async def create_copy(self, source: FunctionSnapshot, copy: Copy, *, run_id: str) -> FunctionSnapshot:
        call = self._called(f"create_copy {copy.name}", mutates=True)
        if copy.name in self.foreign_copies:
            raise Conflicted("Function already exist")
        made = replace(source, name=copy.name, arn=f"{ARN}-{copy.name}", architecture=copy.architecture, versions=())
        self.copies[copy.name] = FakeFunction(made)
        self._reach(call, before=False, mutates=True)
        return made

    async def is_copy(self, name: str, *, run_id: str) -> bool:
        self._called(f"is_copy {name}")
        return name in self.copies and name not in self.foreign_copies

    async def copy_ready(self, name: str) -> FunctionSnapshot | None:
        self._called(f"copy_ready {name}")
        return self.copies[name].snapshot

    async def delete_copy(self, name: str, *, run_id: str) -> tuple[Notice, ...]:
        del run_id
        call = self._called(f"delete_copy {name}", mutates=True)
        self.copies.pop(name, None)
        self._reach(call, before=False, mutates=True)
        return ()

    async def latest(self, function: str) -> LatestConfiguration:
        self._called("latest")
        found = self._named(function)
        return LatestConfiguration(
            arn=found.snapshot.arn,
            marks=frozenset(found.marks),
            memory_mb=found.memory_mb,
            revision_id=found.revision_id,
            code_sha256=found.code_sha256,
            settled=True,
        )

    async def set_memory(self, function: str, memory_mb: int, *, revision_id: str | None) -> None:
        call = self._called(f"set_memory {memory_mb}", mutates=True)
        for _ in range(9):  # an update takes longer than an invocation
            await asyncio.sleep(0)
        found = self._named(function)
        if revision_id != found.revision_id:
            raise Conflicted("412")
        if self.conflicts > 0:
            self.conflicts -= 1
            raise Conflicted("409")
        found.memory_mb = memory_mb
        found.revision_id = f"r{next(self.revisions)}"
        self._reach(call, before=False, mutates=True)

    async def publish(self, function: str, *, revision_id: str | None, description: str) -> PublishedVersion:
        call = self._called("publish", mutates=True)
        found = self._named(function)
        if revision_id != found.revision_id:
            raise Conflicted("412")
        last = str(max(map(int, found.versions), default=0))
        version = found.versions.get(last)
        if version is None or version.memory_mb != found.memory_mb:  # else nothing has changed since the last one
            number = str(int(last) + 1)
            version = PublishedVersion(version=number, memory_mb=found.memory_mb, description=description)
            found.versions[number] = version
            found.revision_id = f"r{next(self.revisions)}"
        self._reach(call, before=False, mutates=True)
        return version

    async def version_ready(self, function: str, version: str) -> bool:
        self._called(f"version_ready {version}")
        return True

    async def list_versions(self, function: str) -> Sequence[PublishedVersion]:
        self._called("list_versions")
        return tuple(self._named(function).versions.values())

    async def mark(self, arn: str, run_id: str, memory_mb: int) -> None:
        call = self._called("mark", mutates=True)
        found = self._named(arn)
        found.marks[run_id] = memory_mb
        found.revision_id = f"r{next(self.revisions)}"
        self._reach(call, before=False, mutates=True)

    async def unmark(self, arn: str, run_id: str) -> None:
        call = self._called("unmark", mutates=True)
        found = self._named(arn)
        found.marks.pop(run_id, None)
        found.revision_id = f"r{next(self.revisions)}"
        self._reach(call, before=False, mutates=True)

    async def delete_version(self, function: str, version: str, *, description: str) -> None:
        call = self._called(f"delete_version {version}", mutates=True)
        found = self._named(function)
        versions = found.versions
        if version in found.aliases.values():
            raise VersionInUseError(f"version {version} is in use: an alias references it", hint="Move the alias.")
        if version in versions and versions[version].description == description:
            del versions[version]
        self._reach(call, before=False, mutates=True)

    async def invoke(self, function: str, version: str, payload: bytes) -> InvocationResult:
        self._called(f"invoke {version}")
        await asyncio.sleep(0)  # let the other calls of the wave start, and a cancellation arrive
        if self.throttle_first > 0:
            self.throttle_first -= 1
            raise Throttled("ConcurrentInvocationLimitExceeded", 0.001)
        self.sent.append(payload)
        if self.invocations in self.lose:
            raise InvocationLostError("the connection ended", hint="again")
        found, request_id = self._named(function), f"id-{self.invocations}"
        if found.snapshot.architecture is self.import_error_on:
            return _import_error(request_id)
        found.invoked[version] += 1
        init = "Init Duration: 100.00 ms\t" if found.invoked[version] <= self.cold_calls else ""
        memory_mb = found.versions[version].memory_mb if version in found.versions else found.memory_mb
        tail = self.log_tail and self.log_tail.format(id=request_id, mb=memory_mb, init=init)
        return InvocationResult(
            request_id=request_id, function_error=None, log_tail=tail, payload=b"null", client_ms=12.0
        )

    def _named(self, function: str) -> FakeFunction:
        return self.copies.get(function, self.mine)

    def _called(self, name: str, *, mutates: bool = False) -> int:
        self.calls.append(name)
        number = len(self.calls)
        self._reach(number, before=True, mutates=mutates)
        return number

    def _reach(self, number: int, *, before: bool, mutates: bool) -> None:
        """Errors and deaths happen before a call takes effect, except every other mutation's: those happen after,
        like a lost answer."""
        if self.dead:
            raise Killed
        after = mutates and number % 2 == 0
        if before is after:
            return
        if number == self.die_at:
            self.dead = True
            raise Killed
        if number == self.fail_at:
            self.fail_at = None
            raise TargetError("the network went away", hint="again")


def _import_error(request_id: str) -> InvocationResult:
    return InvocationResult(
        request_id=request_id,
        function_error="Unhandled",
        log_tail=(
            "INIT_REPORT Init Duration: 83.58 ms\tPhase: init\tStatus: error\tError Type: "
            f"Runtime.ImportModuleError\nREPORT RequestId: {request_id}\tDuration: 95.78 ms\tBilled Duration: 96 ms\t"
            "Memory Size: 512 MB\tMax Memory Used: 39 MB\tStatus: error\tError Type: Runtime.ImportModuleError\n"
        ),
        payload=b'{"errorType":"Runtime.ImportModuleError","errorMessage":"No module named \'_native\'"}',
        client_ms=100.0,
    )
