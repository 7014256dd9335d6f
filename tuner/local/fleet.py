"""All execution environments: which one serves a request, how many there may be, and when they end."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuner.local import faults
from tuner.local.admission import Admission, cpu_share
from tuner.local.blueprint import Blueprint
from tuner.local.environment import Conditions, Ended, Environment
from tuner.local.host import architecture as host_architecture
from tuner.local.identifiers import LATEST
from tuner.local.log_tail import LogTail
from tuner.local.platform_log import JsonLog, PlatformLog, TextLog
from tuner.local.runtime_api import Event
from tuner.local.sandbox import HOST_FAILURES, Sandbox, Workshop
from tuner.local.simulation import Nature, Simulation
from tuner.local.throttle import Throttle
from tuner.local.wakefulness import Wakefulness

INIT_CORES = 1.0
"""Init runs unlimited, as on Lambda; a single-threaded init uses one core."""

IDLE_LIMIT_S = 300.0
MOST_ENVIRONMENTS = 256
_HOUSEKEEPING_S = 1.0
_EVENT_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An accepted Invoke. ``reserved`` is the function's own concurrency limit, if it has one."""

    request_id: str
    blueprint: Blueprint
    function_arn: str
    payload: bytes
    trace_id: str
    reserved: int | None = None
    client_context: str | None = None


class Fleet:
    def __init__(
        self,
        *,
        throttle: Throttle,
        admission: Admission,
        wakefulness: Wakefulness,
        workshop: Workshop,
        folder: Path,
        cores: float,
        nature: Nature | None = None,
    ) -> None:
        self._throttle = throttle
        self._admission = admission
        self._wakefulness = wakefulness
        self._workshop = workshop
        self._folder = folder
        self._cores = cores
        self._nature = nature or Nature(Simulation())
        self._idle: list[Environment] = []
        self._all: set[Environment] = set()
        self._in_flight: Counter[str] = Counter()
        self._retired: set[Blueprint] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._endings: set[asyncio.Task[None]] = set()

    @property
    def concurrency_limit(self) -> int:
        return self._admission.concurrency

    def start(self) -> None:
        self._spawn(self._keep_house())

    async def invoke(self, call: Call) -> Ended:
        """Run a call to its end. Every call in flight has an environment of its own from its arrival.

        Raises ApiError 429 above the account's or the function's concurrency, 500 where the machine fails.
        """
        self._check_concurrency(call)
        self._wakefulness.ask(time.monotonic())
        async with self._claimed(call.blueprint, call.blueprint.function_uid) as environment:
            if not environment.initialised:
                async with self._admission.share(INIT_CORES):
                    await environment.initialise()
            event = Event(
                request_id=call.request_id,
                payload=call.payload,
                function_arn=call.function_arn,
                deadline_ms=0,  # set when the event is handed over: waiting for a core is not the function's time
                trace_id=call.trace_id,
                client_context=call.client_context,
            )
            async with self._admission.share(min(cpu_share(call.blueprint.settings.memory_mb), self._cores)):
                return await environment.invoke(event)

    def invoke_later(self, call: Call) -> None:
        """InvocationType=Event: accepted now, run as soon as concurrency allows, the result is dropped."""
        self._spawn(self._invoke_patiently(call))

    def retire(self, blueprints: Iterable[Blueprint]) -> None:
        """Environments of these can never be used again: idle ones end now, busy ones after their call."""
        gone = set(blueprints)
        self._retired |= gone & {environment.blueprint for environment in self._all}
        for environment in [one for one in self._idle if one.blueprint in gone]:
            self._idle.remove(environment)
            self._discard(environment)

    def blueprints(self, function_uid: str, *, version: str | None = None) -> tuple[Blueprint, ...]:
        """What runs for a function right now."""
        found = {environment.blueprint for environment in self._all}
        return tuple(one for one in found if one.function_uid == function_uid and version in (None, one.version))

    async def close(self) -> None:
        for task in tuple(self._background):
            task.cancel()
        await asyncio.gather(*self._endings, return_exceptions=True)
        await asyncio.gather(*(environment.close() for environment in tuple(self._all)), return_exceptions=True)
        self._all.clear()
        self._wakefulness.give_up()

    def _check_concurrency(self, call: Call) -> None:
        used = self._in_flight[call.blueprint.function_uid]
        if call.reserved is not None and used >= call.reserved:
            raise faults.throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
        if self._in_flight.total() >= self.concurrency_limit:
            raise faults.throttled("ConcurrentInvocationLimitExceeded")

    @asynccontextmanager
    async def _claimed(self, blueprint: Blueprint, uid: str) -> AsyncIterator[Environment]:
        self._in_flight[uid] += 1
        try:
            environment = self._idle_one(blueprint) or self._new(blueprint)
            with self._given_back(environment):
                yield environment
        except HOST_FAILURES as error:
            raise faults.cannot_start(str(error)) from error
        finally:
            self._in_flight[uid] -= 1

    @contextmanager
    def _given_back(self, environment: Environment) -> Iterator[None]:
        broken = False
        try:
            yield
        except HOST_FAILURES:
            broken = True
            raise
        finally:
            self._give_back(environment, broken=broken)

    def _idle_one(self, blueprint: Blueprint) -> Environment | None:
        for environment in reversed(self._idle):
            if environment.blueprint == blueprint:
                self._idle.remove(environment)
                return environment
        return None

    def _new(self, blueprint: Blueprint) -> Environment:
        while len(self._all) >= MOST_ENVIRONMENTS and self._idle:
            self._discard(self._idle.pop(0))
        environment = self._build(uuid.uuid4().hex, blueprint)
        self._all.add(environment)
        return environment

    def _build(self, name: str, blueprint: Blueprint) -> Environment:
        settings = blueprint.settings
        cage, log = self._throttle.cage(name, settings.memory_mb), LogTail()
        sandbox = Sandbox(
            name=name,
            blueprint=blueprint,
            cage=cage,
            workshop=self._workshop,
            folder=self._folder / name,
            log=log,
        )
        return Environment(
            name=name,
            blueprint=blueprint,
            cage=cage,
            sandbox=sandbox,
            log=log,
            platform=_platform_log(blueprint),
            conditions=self._conditions(blueprint),
        )

    def _conditions(self, blueprint: Blueprint) -> Conditions:
        simulation, settings = self._nature.simulation, blueprint.settings
        host_speed = self._nature.host_speed()
        if settings.architecture != host_architecture():
            host_speed *= simulation.arm64_speed or 1.0
        return Conditions(
            cores=cpu_share(settings.memory_mb),
            speed=lambda: host_speed * self._nature.speed_now(time.monotonic()),
            restore_ms=simulation.restore_ms if blueprint.version != LATEST else None,
            initialised_ahead=blueprint.version != LATEST and self._nature.initialises_ahead(),
        )

    def _give_back(self, environment: Environment, *, broken: bool) -> None:
        if broken or environment.served == 0 or environment.blueprint in self._retired:
            self._discard(environment)
            return
        environment.idle_since_s = time.monotonic()
        self._idle.append(environment)

    def _discard(self, environment: Environment) -> None:
        ending = asyncio.ensure_future(self._end(environment))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def _end(self, environment: Environment) -> None:
        await environment.close()
        self._all.discard(environment)
        self._retired &= {other.blueprint for other in self._all}

    async def _invoke_patiently(self, call: Call) -> None:
        deadline_s = time.monotonic() + _EVENT_PATIENCE_S
        while time.monotonic() < deadline_s:
            try:
                await self.invoke(call)
            except faults.ApiError:
                await asyncio.sleep(0.1)
            else:
                return

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_HOUSEKEEPING_S)
            now_s = time.monotonic()
            if self._in_flight.total() > 0:
                self._wakefulness.ask(now_s)
            else:
                self._wakefulness.give_up_after_a_while(now_s)
            oldest_s = now_s - IDLE_LIMIT_S
            for environment in [one for one in self._idle if one.idle_since_s < oldest_s]:
                self._idle.remove(environment)
                self._discard(environment)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _platform_log(blueprint: Blueprint) -> PlatformLog:
    settings = blueprint.settings
    if settings.logging.format == "Text":
        return TextLog(settings.runtime)
    return JsonLog(runtime=settings.runtime, timestamp=_timestamp, level=settings.logging.system_level)


def _timestamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
