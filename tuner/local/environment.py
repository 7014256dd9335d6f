"""The life of one execution environment: init, invocations one at a time, resets, and an end that leaves nothing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tuner.local import memory
from tuner.local.blueprint import Blueprint
from tuner.local.log_tail import Failure, LogTail, Measured
from tuner.local.platform_log import PlatformLog
from tuner.local.runtime_api import Answer, Event, InitError
from tuner.local.sandbox import CannotStart, Sandbox
from tuner.local.throttle.cage import Cage
from tuner.local.throttle.run_delay import Disturbance, RunDelayMeter, Waited

INIT_LIMIT_S = 10.0
"""An init phase that takes longer is repeated inside the first invocation (lambda-runtime-environment)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an invocation ended. ``function_error`` is None for success; ``log`` is the last 4 KB.

    ``disturbance`` is what the machine did to it, None where that is not known.
    """

    payload: bytes
    function_error: str | None
    log: bytes
    environment: str
    disturbance: Disturbance | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phase:
    """The result of an init attempt or of a handler run. ``failure`` None means that the platform saw none."""

    duration_ms: float
    payload: bytes = b""
    failure: Failure | None = None
    handler_failure: Failure | None = None
    waited: Waited | None = None

    @property
    def function_error(self) -> str | None:
        return "Unhandled" if self.failure or self.handler_failure else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Under what an environment runs: cores at full speed, how fast its host is now, and what is simulated of its
    start: that it is a restore, or that it came before the first call."""

    cores: float
    speed: Callable[[], float]
    restore_ms: float | None = None
    initialised_ahead: bool = False


class Environment:
    """One sandbox, from init to its end.

    After a crash or a timeout it is reset, not replaced: the next invocation starts the runtime again inside its
    own duration, throttled and within the function's timeout. Lambda calls that a suppressed init.
    """

    def __init__(
        self,
        *,
        name: str,
        blueprint: Blueprint,
        cage: Cage,
        sandbox: Sandbox,
        log: LogTail,
        platform: PlatformLog,
        conditions: Conditions,
    ) -> None:
        self.name = name
        self.blueprint = blueprint
        self.idle_since_s = 0.0
        self.served = 0
        self._cage = cage
        self._sandbox = sandbox
        self._log = log
        self._platform = platform
        self._conditions = conditions
        self._loop = asyncio.get_running_loop()
        self._init: _Phase | None = None
        self._needs_init = True
        self._cores = conditions.cores
        self._kills_seen = 0
        self._peak_mb = 0

    @property
    def initialised(self) -> bool:
        """Init has been attempted, with whatever result."""
        return self._init is not None

    async def initialise(self) -> None:
        """The init phase: full CPU, at most ten seconds. A failure is kept for the first invocation to repeat."""
        self._write(self._platform.init_start())
        self._init = await self._attempt_init(INIT_LIMIT_S)
        self._write(self._platform.init_report(self._init.duration_ms, "init", self._init.failure))
        self._limit_cpu()

    async def invoke(self, event: Event) -> Ended:
        """Run one event to its end, within the function's timeout."""
        self.served += 1
        if self.served > 1:
            self._log.clear()
        self._limit_cpu()
        self._write(self._platform.start(event.request_id, self.blueprint.version))
        repeated = None
        timeout_s = float(self.blueprint.settings.timeout_s)
        if self._needs_init or not self._sandbox.running:
            repeated = await self._attempt_init(timeout_s)
            timeout_s -= repeated.duration_ms / 1000
        phase = repeated if repeated and repeated.failure else await self._run(event, max(timeout_s, 0.0))
        self._needs_init = phase is repeated or (phase.failure is not None and not self._survived(phase.failure))
        return self._finish(event, phase, repeated)

    async def close(self) -> None:
        await self._sandbox.close()

    def _survived(self, failure: Failure) -> bool:
        """A response that was too large, or could not be marshalled, leaves the runtime alive."""
        return self._sandbox.running and failure.error_type not in (None, "Runtime.ExitError", "Runtime.OutOfMemory")

    def _limit_cpu(self) -> None:
        self._cores = self._conditions.cores * self._conditions.speed()
        self._cage.limit_cpu(self._cores)

    def _disturbance(self, phase: _Phase) -> Disturbance | None:
        if phase.waited is None:
            return None
        return Disturbance(
            run_delay_ms=phase.waited.run_delay_ms,
            cpu_ms=phase.waited.cpu_ms,
            unseen_ms=phase.waited.unseen_ms,
            duration_ms=phase.duration_ms,
            cores=self._cores,
        )

    def _write(self, lines: tuple[str, ...]) -> None:
        for line in lines:
            self._log.write_line(line)

    def _finish(self, event: Event, phase: _Phase, repeated: _Phase | None) -> Ended:
        """Write END and REPORT. An init repeated inside the call is part of its duration, and no Init Duration."""
        self._sandbox.drain()
        duration_ms = phase.duration_ms
        if repeated is not None and repeated is not phase:
            duration_ms += repeated.duration_ms
        measured = Measured(
            request_id=event.request_id,
            duration_ms=duration_ms,
            memory_mb=self.blueprint.settings.memory_mb,
            max_memory_used_mb=self._max_memory_used_mb(phase.failure),
            failure=phase.failure,
            handler_failure=phase.handler_failure,
        )
        self._write(self._platform.report(self._with_cold_start(measured)))
        if repeated is not None and repeated.failure is not None:
            self._write(self._platform.init_report(repeated.duration_ms, "invoke", repeated.failure))
        return Ended(
            payload=phase.payload,
            function_error=phase.function_error,
            log=self._log.read(),
            environment=self.name,
            disturbance=self._disturbance(phase),
        )

    def _with_cold_start(self, measured: Measured) -> Measured:
        if self.served > 1 or self._init is None or self._init.failure is not None:
            return measured
        if self._conditions.initialised_ahead:
            return measured
        if self._conditions.restore_ms is not None:
            return replace(measured, restore_ms=self._conditions.restore_ms)
        return replace(measured, init_ms=self._init.duration_ms)

    def _max_memory_used_mb(self, failure: Failure | None) -> int:
        size_mb = self.blueprint.settings.memory_mb
        if failure is not None and failure.error_type == "Runtime.OutOfMemory":
            return size_mb
        self._sample_memory()
        return min(max(self._peak_mb, 1), size_mb)

    def _sample_memory(self) -> None:
        seen_mb = memory.peak_mb(self._cage.members()) or self._cage.peak_mb() or 0
        self._peak_mb = max(self._peak_mb, seen_mb)

    async def _attempt_init(self, limit_s: float) -> _Phase:
        started_s = self._loop.time()
        try:
            await self._sandbox.start()
        except CannotStart as error:
            return _failed(self._elapsed_ms(started_s), "Runtime.InvalidEntrypoint", f"Error: {error}")
        api, child = self._sandbox.api, self._sandbox.child
        async with self._sandbox.working():
            await _first(api.ready, child.exited, timeout_s=limit_s)
        duration_ms = self._elapsed_ms(started_s)
        self._sandbox.drain()
        if api.ready.done():
            return self._init_outcome(api.ready.result(), duration_ms)
        if child.exited.done():
            return self._exit_phase("", child.exited.result(), duration_ms)
        self._sandbox.kill()
        return _timed_out(duration_ms, f"Task timed out after {limit_s:.2f} seconds")

    def _init_outcome(self, error: InitError | None, duration_ms: float) -> _Phase:
        if error is None:
            self._needs_init = False
            self._sample_memory()
            return _Phase(duration_ms=duration_ms)
        return _Phase(
            duration_ms=duration_ms,
            payload=error.payload,
            failure=Failure(status="error", error_type=error.error_type),
        )

    async def _run(self, event: Event, timeout_s: float) -> _Phase:
        """The handler's part. The duration runs from handing over the event to receiving the answer."""
        child, api = self._sandbox.child, self._sandbox.api
        async with self._sandbox.working():
            await _first(api.ready, child.exited, timeout_s=timeout_s)
            if child.exited.done():
                return self._exit_phase(event.request_id, child.exited.result(), 0.0)
            if not api.ready.done():  # the runtime never came back from the previous event
                return self._time_out(event.request_id, timeout_s)
            delays = RunDelayMeter(self._cage)
            event = replace(event, deadline_ms=int((time.time() + timeout_s) * 1000))
            started_s = api.deliver(event)
            with delays.looking():
                await _first(api.answer, child.exited, timeout_s=timeout_s)
            now_s = self._loop.time()
            waited = delays.read()
        if api.answer.done():
            answer = api.answer.result()
            return _answered(answer, (answer.received_s - started_s) * 1000, waited)
        if child.exited.done():
            return self._exit_phase(event.request_id, child.exited.result(), (now_s - started_s) * 1000)
        return self._time_out(event.request_id, timeout_s)

    def _time_out(self, request_id: str, timeout_s: float) -> _Phase:
        self._sample_memory()
        self._sandbox.kill()
        limit_s = self.blueprint.settings.timeout_s
        return _timed_out(
            timeout_s * 1000, f"RequestId: {request_id} Error: Task timed out after {limit_s:.2f} seconds"
        )

    def _exit_phase(self, request_id: str, exit_code: int, duration_ms: float) -> _Phase:
        kills = self._cage.out_of_memory_kills()
        out_of_memory, self._kills_seen = kills > self._kills_seen, kills
        error_type = "Runtime.OutOfMemory" if out_of_memory else "Runtime.ExitError"
        subject = f"RequestId: {request_id} " if request_id else ""
        return _failed(duration_ms, error_type, f"{subject}Error: {describe_exit(exit_code)}")

    def _elapsed_ms(self, started_s: float) -> float:
        return (self._loop.time() - started_s) * 1000


async def _first(*futures: asyncio.Future[Any], timeout_s: float | None = None) -> None:
    """Wait until one of them is done or the time is over."""
    await asyncio.wait(futures, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)


def _answered(answer: Answer, duration_ms: float, waited: Waited | None) -> _Phase:
    """A handler's own exception is no platform failure: REPORT shows a status only for Runtime.* and Function.*."""
    phase = _Phase(duration_ms=duration_ms, payload=answer.payload, waited=waited)
    if answer.error_type is None:
        return phase
    failure = Failure(status="error", error_type=answer.error_type)
    if answer.error_type.startswith(("Runtime.", "Function.")):
        return replace(phase, failure=failure)
    return replace(phase, handler_failure=failure)


def _failed(duration_ms: float, error_type: str, message: str) -> _Phase:
    return _Phase(
        duration_ms=duration_ms,
        payload=_error(error_type, message),
        failure=Failure(status="error", error_type=error_type),
    )


def _timed_out(duration_ms: float, message: str) -> _Phase:
    return _Phase(
        duration_ms=duration_ms, payload=_error("Sandbox.Timedout", message), failure=Failure(status="timeout")
    )


def describe_exit(exit_code: int) -> str:
    """In Lambda's words; a negative code is the signal that ended the process."""
    if exit_code == 0:
        return "Runtime exited without providing a reason"
    if exit_code > 0:
        return f"Runtime exited with error: exit status {exit_code}"
    return f"Runtime exited with error: signal: {_SIGNAL_WORDS.get(-exit_code, f'signal {-exit_code}')}"


_SIGNAL_WORDS = {6: "aborted", 9: "killed", 11: "segmentation fault", 15: "terminated"}


def _error(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()
