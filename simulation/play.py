"""Plays a schedule over the real engine, and says which promises it broke."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from simulation.clock import WaitsForEverError, run_virtually
from simulation.disk import ModelDisk
from simulation.process import Faults, Process
from simulation.schedule import Act, Deed, Recovery, Run, Schedule, Study
from simulation.service import FOREIGN, ModelLambda
from tuner.engine.dispatcher import Sending
from tuner.engine.journal import Journal
from tuner.engine.observer import Silent
from tuner.engine.orchestrator import Connection, RunPorts, RunResult, execute
from tuner.engine.preflight import preflight
from tuner.engine.recovery import recover, refuse_unfinished
from tuner.engine.store import RunStore
from tuner.engine.undo import undo
from tuner.errors import CleanUpIncompleteError, TunerError
from tuner.inputs.payload_set import PayloadSet
from tuner.model import Architecture, EngineKind, FunctionTarget, Notice, Plan, Price, RunRequest
from tuner.planning.plan import make_plan

NAMES = NAME, OTHER_NAME = "thumbnail", "resize"
TAGS = {"team": "media"}
RUNS = Path("/state/runs")
POLL_INTERVAL_S = 0.5
MAX_COST_USD = Decimal("0.0001")
PRICE = Price(
    region="eu-central-1",
    architecture=Architecture.X86_64,
    usd_per_gb_s=Decimal("0.0000166667"),
    usd_per_request=Decimal("0.0000002"),
    as_of="2026-11-21",
    source="simulation",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How a schedule went."""

    seed: int
    broken: tuple[str, ...]
    counts: Counter[str]
    trace: tuple[str, ...]


def play(schedule: Schedule) -> Played:
    world = _World(schedule)
    try:
        run_virtually(world.play())
    except WaitsForEverError as error:
        world.broken.append(f"something waits for ever: {error}")
    return Played(seed=schedule.seed, broken=tuple(world.broken), counts=world.counts, trace=tuple(world.trace))


class _World:
    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.rng = random.Random(schedule.seed + 1)
        self.trace: list[str] = []
        self.broken: list[str] = []
        self.counts: Counter[str] = Counter()
        self.service = ModelLambda(settle_s=schedule.settle_s)
        self.disks = [
            ModelDisk(self.rng, full_at=faults.full_at, gone_at=faults.gone_at) for faults in schedule.disks
        ]
        self.processes: list[list[Process]] = [[] for _ in schedule.disks]

    async def play(self) -> None:
        self._found_functions()
        actors = [
            *(self._our_run(number, run) for number, run in enumerate(self.schedule.runs)),
            *(self._our_recovery(number, one) for number, one in enumerate(self.schedule.recoveries)),
            self._somebody_else(),
        ]
        await asyncio.gather(*actors)
        await asyncio.sleep(10.0)
        await self._last_recoveries()
        self.broken.extend(self._what_is_wrong())

    def _found_functions(self) -> None:
        for name in NAMES:
            self._found(name)
        if self.schedule.alias and self.schedule.versions:
            self.service.point_alias(NAME, "live", 1)

    def _found(self, name: str) -> None:
        schedule, service = self.schedule, self.service
        service.create(name, owner=FOREIGN, memory_mb=schedule.memory_mb, code_sha256="code-0", tags=TAGS)
        service.function(name).settles_at_s = 0.0
        for number in range(schedule.versions):
            service.function(name).code_sha256 = f"code-{number - schedule.versions + 1}"
            service.publish(name, description=f"release {number + 1}", revision=None, owner=FOREIGN)
        service.function(name).code_sha256 = "code-0"

    async def _our_run(self, number: int, run: Run) -> None:
        await asyncio.sleep(run.starts_at_s)
        process = self._process(f"run {number}", run.machine, run.faults)
        process.measures = NAMES[run.function]
        task = asyncio.ensure_future(self._measured(process, run, f"20261129T0000{number:02d}-{number:06x}"))
        loop = asyncio.get_running_loop()
        for at_s in run.interrupted_at_s:
            loop.call_later(at_s, task.cancel)
        result = await self._judged(process, task)
        if isinstance(result, RunResult):
            self._check_samples(result)

    async def _measured(self, process: Process, run: Run, run_id: str) -> RunResult:
        name = NAMES[run.function]
        function = await process.describe(FunctionTarget(name=name))
        refuse_unfinished(function, RUNS, disk=process.own_disk)
        request = RunRequest(
            function=name,
            engine=EngineKind.AWS,
            memory_mb=run.sizes_mb,
            samples_per_size=2,
            wave_size=2,
            max_cost_usd=MAX_COST_USD,
            clone=run.study is Study.CLONE,
            confirm=run.study is Study.CONFIRM,
        )
        prices = {Architecture.X86_64: PRICE}
        plan = make_plan(request, function, await process.limits(), prices, run_id=run_id)
        plan = replace(plan, notices=await preflight(process, plan))
        return await self._executed(process, plan)

    async def _executed(self, process: Process, plan: Plan) -> RunResult:
        return await execute(
            plan,
            sending=Sending(payloads=PayloadSet.single(b"{}"), seed=1),
            store=RunStore.create(RUNS, plan.run_id, process.own_disk),
            ports=RunPorts(control=process, invoker=process, observer=Silent(), poll_interval_s=POLL_INTERVAL_S),
            connection=Connection(profile=None, endpoint_url=None, pid=1),
        )

    async def _our_recovery(self, number: int, recovery: Recovery) -> None:
        await asyncio.sleep(recovery.starts_at_s)
        await self._recover(f"recover {number}", recovery.machine, recovery.faults)

    async def _recover(self, name: str, machine: int, faults: Faults) -> None:
        process = self._process(name, machine, faults)

        async def undo_here(journal: Journal) -> tuple[Notice, ...]:
            return await undo(process, journal, poll_interval_s=POLL_INTERVAL_S)

        await self._judged(process, asyncio.ensure_future(recover(RUNS, undo_here, process.own_disk)))

    async def _last_recoveries(self) -> None:
        """After everything: no faults any more, room on the disks, and ``tuner recover`` wherever a run has been."""
        for machine, disk in enumerate(self.disks):
            disk.full, disk.full_at, disk.gone_at = False, None, None
            for _ in range(2):
                await self._recover(f"last recover {machine}", machine, Faults())

    async def _judged(self, process: Process, task: asyncio.Task[object]) -> object:
        """The result of a process of ours, if it came to one. What ends it must be an error that says what to do."""
        try:
            result = await task
            process.ended = True
        except (TunerError, asyncio.CancelledError) as error:
            process.ended = True
            process.gave_up = isinstance(error, CleanUpIncompleteError)
            self.counts[f"{process.name.rstrip(' 0123456789')}: {getattr(error, 'slug', 'interrupted')}"] += 1
            self.trace.append(f"{self.service.now_s:9.3f} {process.name}: ended: {error}")
            return None
        except BaseException as error:  # noqa: BLE001 - a schedule judges every way out
            if process.dead:
                self.counts["killed"] += 1
                return None
            self.broken.append(f"{process.name} ended with {error!r}")
            return None
        self.counts[f"{process.name.rstrip(' 0123456789')}: ended"] += 1
        return result

    async def _somebody_else(self) -> None:
        for act in self.schedule.acts:
            loop = asyncio.get_running_loop()
            await asyncio.sleep(max(0.0, act.at_s - loop.time()))
            await self._act(act)

    async def _act(self, act: Act) -> None:
        """One deed; where an update is in progress it waits, as deployments do."""
        for _ in range(50):
            self.service.now_s = asyncio.get_running_loop().time()
            if NAME not in self.service.functions and act.deed is not Deed.RECREATE:
                return
            if NAME not in self.service.functions or self.service.settled(NAME):
                break
            await asyncio.sleep(0.2)
        self.trace.append(f"{self.service.now_s:9.3f} somebody else {act.deed}, {act.memory_mb} MB")
        self.counts[f"somebody else {act.deed}"] += 1
        _DEEDS[act.deed](self.service, act)

    def _process(self, name: str, machine: int, faults: Faults) -> Process:
        process = Process(
            name=name,
            service=self.service,
            disk=self.disks[machine],
            rng=random.Random(self.rng.random()),
            trace=self.trace,
            faults=faults,
        )
        self.processes[machine].append(process)
        process.dies = lambda: self._dies(process, machine)
        return process

    def _dies(self, process: Process, machine: int) -> None:
        """The process is killed; with ``whole_machine`` so is every other one there, and the disk loses what was not
        synced."""
        for other in self.processes[machine] if process.faults.whole_machine else (process,):
            if not other.dead and not other.ended:
                other.kill()
        if process.faults.whole_machine:
            self.disks[machine].machine_crashed()

    def _check_samples(self, result: RunResult) -> None:
        ids = [sample.request_id for sample in result.samples if sample.request_id is not None]
        if len(ids) != len(set(ids)):
            self.broken.append("an invocation is in the samples twice")

    def _what_is_wrong(self) -> Iterator[str]:
        yield from self.service.foreign_deleted
        # What a process that died, or was told to give up, has left is known from its folder alone.
        lost = any(
            disk.gone and any(process.dead or process.gave_up for process in processes)
            for disk, processes in zip(self.disks, self.processes, strict=True)
        )
        for function in self.service.functions.values():
            if function.owner != FOREIGN:
                if not lost:
                    yield f"the copy {function.name} was left"
                continue
            if {key: value for key, value in function.tags.items() if not key.startswith("tuner:")} != TAGS:
                yield f"tags are {function.tags}"
            if lost:
                continue
            if function.memory_mb not in function.allowed_mb:
                yield f"memory is {function.memory_mb} MB, not one of {sorted(function.allowed_mb)}"
            pinned = set(function.aliases.values())
            ours = [v for v in function.versions.values() if v.owner != FOREIGN and v.number not in pinned]
            if ours:
                yield f"versions {[v.number for v in ours]} of {ours[0].owner} were left"
            adopted = [v for v in function.versions.values() if v.owner != FOREIGN]
            if left := [key for key in function.tags if key.startswith("tuner:") and not adopted]:
                yield f"tags {left} were left"


def _recreate(service: ModelLambda, act: Act) -> None:
    if NAME in service.functions:
        service.delete(NAME, owner=FOREIGN)
    # The same code as often as not: from a template, the same function is made again.
    code = "code-0" if act.memory_mb % 256 else "code-new"
    service.create(NAME, owner=FOREIGN, memory_mb=act.memory_mb, code_sha256=code, tags=TAGS)
    service.function(NAME).settles_at_s = 0.0
    for number in range(1, 4):
        service.function(NAME).code_sha256 = f"{code}-{number}"
        service.publish(NAME, description=f"release {number}", revision=None, owner=FOREIGN)
    service.function(NAME).code_sha256 = code


def _deploy(service: ModelLambda, act: Act) -> None:
    service.set_code(NAME, f"code at {act.at_s:.3f}")
    service.function(NAME).settles_at_s = 0.0
    service.set_memory(NAME, act.memory_mb, revision=None, owner=FOREIGN)


def _publish(service: ModelLambda, act: Act) -> None:
    service.publish(NAME, description=f"release at {act.at_s:.3f}", revision=None, owner=FOREIGN)


def _release(service: ModelLambda, act: Act) -> None:
    version = service.publish(NAME, description=f"release at {act.at_s:.3f}", revision=None, owner=FOREIGN)
    service.point_alias(NAME, "live", version.number)


_DEEDS: dict[Deed, Callable[[ModelLambda, Act], None]] = {
    Deed.CODE: lambda service, act: service.set_code(NAME, f"code at {act.at_s:.3f}"),
    Deed.MEMORY: lambda service, act: service.set_memory(NAME, act.memory_mb, revision=None, owner=FOREIGN),
    Deed.DEPLOY: _deploy,
    Deed.PUBLISH: _publish,
    Deed.RELEASE: _release,
    Deed.DELETE: lambda service, _act: service.delete(NAME, owner=FOREIGN),
    Deed.RECREATE: _recreate,
}
