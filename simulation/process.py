"""A process of tuner's in the simulation: the engine's ports over the model, with latency, faults and death."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from simulation.disk import ModelDisk
from simulation.service import ModelFunction, ModelLambda
from tuner.engine.disk import AppendOnly
from tuner.engine.ownership import mark, run_of_mark, run_of_version
from tuner.engine.ports import (
    Conflicted,
    Exposure,
    InvocationResult,
    LatestConfiguration,
    Permission,
    PublishedVersion,
    Throttled,
)
from tuner.errors import FunctionNotFoundError, InvocationLostError, TargetError
from tuner.model import AccountLimits, Architecture, Copy, FunctionSnapshot, FunctionTarget, Notice

T = TypeVar("T")

REGION, ACCOUNT = "eu-central-1", "123456789012"
RUN_TAG = "tuner:run"
LATENCY_S = (0.05, 0.4)


class Killed(BaseException):
    """kill -9, or the machine lost its power: no line of this process runs after it."""


@dataclass
class Faults:
    """What goes wrong for one process."""

    lost_before: float = 0.0
    """Chance that a call never reaches the service."""
    lost_after: float = 0.0
    """Chance that a call's answer never comes back, although it took effect."""
    throttled: float = 0.0
    dies_at: int | None = None
    """The step (a call, or half of one) at which the process is killed."""
    whole_machine: bool = False


@dataclass
class Process:
    """Implements ``ControlPlane`` and ``Invoker``; everything it does is a step that others can come between."""

    name: str
    service: ModelLambda
    disk: ModelDisk
    rng: random.Random
    trace: list[str]
    faults: Faults = field(default_factory=Faults)
    measures: str = ""
    """The function whose versions it publishes."""
    dies: Callable[[], None] = lambda: None
    """Ends this process, or all of its machine."""
    dead: bool = False
    ended: bool = False
    gave_up: bool = False
    """It ended before it had cleaned up, and said so."""
    steps: int = 0

    @property
    def own_disk(self) -> ProcessDisk:
        """The disk as this process has it: only while it lives, and each write is a moment to die in."""
        return ProcessDisk(self)

    async def describe(self, target: FunctionTarget) -> FunctionSnapshot:
        return await self._read("GetFunction", lambda: self._snapshot(target.name))

    async def limits(self) -> AccountLimits | None:
        return AccountLimits(concurrent_executions=100, unreserved_concurrent_executions=100)

    async def exposure(self, function: str) -> Exposure:
        del function
        return Exposure(sources=())

    async def permissions(self, function: str, *, revisions: bool, copy: bool = False) -> Sequence[Permission]:
        del function, revisions, copy
        return ()

    async def provisioned_concurrency(self, function: str) -> int | None:
        del function
        return 0

    async def latest(self, function: str) -> LatestConfiguration:
        def effect() -> LatestConfiguration:
            found = self.service.function(_name(function))
            return LatestConfiguration(
                arn=_arn(found.name),
                marks=_marks(found),
                memory_mb=found.memory_mb,
                revision_id=str(found.revision),
                code_sha256=found.code_sha256,
                settled=self.service.settled(found.name),
            )

        return await self._read("GetFunction", effect)

    async def set_memory(self, function: str, memory_mb: int, *, revision_id: str | None) -> None:
        name, revision = _name(function), None if revision_id is None else int(revision_id)
        await self._change(
            f"UpdateFunctionConfiguration {memory_mb} MB",
            lambda: self.service.set_memory(name, memory_mb, revision=revision, owner=self.name),
        )

    async def publish(self, function: str, *, revision_id: str | None, description: str) -> PublishedVersion:
        name, revision = _name(function), None if revision_id is None else int(revision_id)
        made = await self._change(
            "PublishVersion",
            lambda: self.service.publish(name, description=description, revision=revision, owner=self.name),
        )
        return PublishedVersion(version=str(made.number), memory_mb=made.memory_mb, description=made.description)

    async def version_ready(self, function: str, version: str) -> bool:
        def effect() -> bool:
            if int(version) not in self.service.function(_name(function)).versions:
                raise FunctionNotFoundError(f"There is no version {version}.", hint="Run this again.")
            return True

        return await self._read(f"GetFunction {version}", effect)

    async def list_versions(self, function: str) -> Sequence[PublishedVersion]:
        return await self._read("ListVersionsByFunction", lambda: _published(self.service.function(_name(function))))

    async def mark(self, arn: str, run_id: str, memory_mb: int) -> None:
        name, tags = _name(arn), {mark(run_id): str(memory_mb)}
        await self._change("TagResource", lambda: self.service.tag(name, tags))

    async def unmark(self, arn: str, run_id: str) -> None:
        name, tag = _name(arn), mark(run_id)
        await self._change("UntagResource", lambda: self.service.untag(name, tag))

    async def delete_version(self, function: str, version: str, *, description: str) -> None:
        def effect() -> None:
            found = self.service.function(_name(function)).versions.get(int(version))
            if found is not None and found.description == description:
                self.service.delete_version(_name(function), int(version), owner=self.name)

        await self._change(f"DeleteFunction {version}", effect)

    async def create_copy(self, source: FunctionSnapshot, copy: Copy, *, run_id: str) -> FunctionSnapshot:
        def effect() -> FunctionSnapshot:
            found = self.service.function(source.name)
            self.service.create(
                copy.name,
                owner=self.name,
                memory_mb=found.memory_mb,
                code_sha256=found.code_sha256,
                tags={RUN_TAG: run_id},
            )
            return self._snapshot(copy.name)

        return await self._change(f"CreateFunction {copy.name}", effect)

    async def is_copy(self, name: str, *, run_id: str) -> bool:
        return await self._read(f"ListTags {name}", lambda: self.service.function(name).tags.get(RUN_TAG) == run_id)

    async def copy_ready(self, name: str) -> FunctionSnapshot | None:
        return await self._read(
            f"GetFunction {name}", lambda: self._snapshot(name) if self.service.settled(name) else None
        )

    async def delete_copy(self, name: str, *, run_id: str) -> tuple[Notice, ...]:
        def effect() -> tuple[Notice, ...]:
            found = self.service.functions.get(name)
            if found is not None and found.tags.get(RUN_TAG) == run_id:
                self.service.delete(name, owner=self.name)
            return ()

        return await self._change(f"DeleteFunction {name}", effect)

    async def invoke(self, function: str, version: str, payload: bytes) -> InvocationResult:
        del payload
        await self._step(f"Invoke {version}")
        if self.rng.random() < self.faults.throttled:
            raise Throttled("TooManyRequestsException", 0.1)
        memory_mb = self.service.invoke(_name(function), version)
        request_id = f"{self.service.invocations:08x}-0000-4000-8000-000000000000"
        await self._step(f"Invoke {version} ends")
        if self.rng.random() < self.faults.lost_after:
            raise InvocationLostError("the connection ended", hint="Run this again.")
        tail = (
            f"REPORT RequestId: {request_id}\tDuration: 9.50 ms\tBilled Duration: 10 ms\t"
            f"Memory Size: {memory_mb} MB\tMax Memory Used: 40 MB\t\n"
        )
        return InvocationResult(
            request_id=request_id, function_error=None, log_tail=tail, payload=b"null", client_ms=12.0
        )

    def announce(self, data: bytes) -> None:
        """A size that a journal announces counts as ours from there on, and no more once it was refused."""
        found = self.service.functions.get(self.measures)
        entry = json.loads(data)
        if found is None or "entry" not in entry:
            return
        if entry["entry"] == "memory_change" and entry["set_to_mb"] != entry["original_mb"]:
            found.ours_mb = (*found.ours_mb[-1:], entry["set_to_mb"])
        elif entry["entry"] == "memory_refused":
            found.ours_mb = found.ours_mb[:-1]

    def kill(self) -> None:
        """Nothing of this process runs any more; its locks end with it."""
        self.trace.append(f"{self.service.now_s:9.3f} {self.name}: killed")
        self.dead = True
        self.disk.process_ended(self.name)

    async def _read(self, what: str, effect: Callable[[], T]) -> T:
        await self._step(what)
        if self.rng.random() < self.faults.lost_before:
            raise _network(what)
        return effect()

    async def _change(self, what: str, effect: Callable[[], T]) -> T:
        await self._step(what)
        if self.rng.random() < self.faults.lost_before:
            raise _network(what)
        result = effect()
        self.trace.append(f"{self.service.now_s:9.3f} {self.name}: {what} took effect")
        await self._step(f"{what} ends")
        if self.rng.random() < self.faults.lost_after:
            if self.rng.random() < 0.5:  # botocore tries again, and meets what it has done itself
                raise Conflicted("the answer of the first attempt was lost", repeated=True)
            raise _network(what)
        return result

    def may_die(self) -> None:
        """A moment in which this process may die. Raises Killed where it does, or did."""
        self._check_alive()
        self.steps += 1
        if self.steps == self.faults.dies_at:
            self.dies()
            raise Killed

    async def _step(self, what: str) -> None:
        """A moment in which everybody else may act, too."""
        self.may_die()
        await asyncio.sleep(self.rng.uniform(*LATENCY_S))
        self.service.now_s = asyncio.get_running_loop().time()
        self._check_alive()
        self.trace.append(f"{self.service.now_s:9.3f} {self.name}: {what}")

    def _check_alive(self) -> None:
        if self.dead:
            raise Killed

    def _snapshot(self, name: str) -> FunctionSnapshot:
        found = self.service.function(name)
        runs = {run_of_version(version.description) for version in found.versions.values()} | _marks(found)
        return FunctionSnapshot(
            name=name,
            arn=_arn(name),
            region=REGION,
            runtime="python3.13",
            package_type="Zip",
            architecture=Architecture.X86_64,
            memory_mb=found.memory_mb,
            timeout_s=3,
            code_sha256=found.code_sha256,
            revision_id=str(found.revision),
            state="Active",
            last_update_status="Successful" if self.service.settled(name) else "InProgress",
            versions=tuple(str(number) for number in found.versions),
            tuner_runs=tuple(sorted(run for run in runs if run is not None)),
        )


class ProcessDisk:
    """Implements ``tuner.engine.disk.Disk``."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._disk = process.disk

    def make_folder(self, path: Path) -> None:
        self._process.may_die()
        self._disk.make_folder(path)

    def write(self, path: Path, data: bytes) -> None:
        self._process.may_die()
        self._disk.write(path, data)

    def read(self, path: Path) -> bytes:
        self._process.may_die()
        return self._disk.read(path)

    def find(self, folder: Path, pattern: str) -> Sequence[Path]:
        self._process.may_die()
        return self._disk.find(folder, pattern)

    def create_locked(self, path: Path) -> AppendOnly:
        self._process.may_die()
        return _ProcessFile(self._process, self._disk.create_locked(path, self._process.name))

    def open_locked(self, path: Path) -> AppendOnly:
        self._process.may_die()
        return _ProcessFile(self._process, self._disk.open_locked(path, self._process.name))

    def open(self, path: Path) -> AppendOnly:
        self._process.may_die()
        return _ProcessFile(self._process, self._disk.open(path))


class _ProcessFile:
    def __init__(self, process: Process, file: AppendOnly) -> None:
        self._process = process
        self._file = file

    def append(self, data: bytes, *, sync: bool) -> None:
        self._process.may_die()
        self._process.announce(data)
        self._file.append(data, sync=sync)
        self._process.may_die()

    def truncate(self, size: int) -> None:
        self._process.may_die()
        self._file.truncate(size)

    def close(self) -> None:
        if not self._process.dead:  # else its death has ended the lock, and another process may hold one by now
            self._file.close()


def _published(function: ModelFunction) -> tuple[PublishedVersion, ...]:
    return tuple(
        PublishedVersion(version=str(v.number), memory_mb=v.memory_mb, description=v.description)
        for v in function.versions.values()
    )


def _marks(function: ModelFunction) -> frozenset[str]:
    return frozenset(run for run in map(run_of_mark, function.tags) if run is not None)


def _arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def _name(function: str) -> str:
    """A name, or the last part of an ARN."""
    return function.rsplit(":", 1)[-1]


def _network(what: str) -> TargetError:
    return TargetError(f"The network went away during {what}.", hint="Run this again.")
