"""The life of one execution environment: init, invocations one at a time, and an end that leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuner.local import memory, runtimes
from tuner.local.functions import Settings
from tuner.local.log_tail import (
    Failure,
    LogTail,
    Measured,
    end_line,
    init_report_line,
    report_line,
    start_line,
)
from tuner.local.processes import Child, Reaper
from tuner.local.runtime_api import Answer, Event, InitError, RuntimeApi
from tuner.local.throttle import Cage

INIT_LIMIT_S = 10.0
"""An init phase that takes longer is repeated inside the first invocation (lambda-runtime-environment)."""

_PIPE_CHUNK = 65536
_DRAIN_LIMIT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """Everything an environment is made of; equal blueprints give interchangeable environments."""

    function_uid: str
    function_name: str
    version: str
    settings: Settings
    task_root: Path
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an invocation ended. ``function_error`` is None for success; ``log`` is the last 4 KB."""

    payload: bytes
    function_error: str | None
    log: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phase:
    """The result of an init attempt or of a handler run. ``failure`` None means that it went well."""

    duration_ms: float
    payload: bytes = b""
    failure: Failure | None = None
    function_error: str | None = None


class Environment:
    """One sandbox. ``alive`` turns False when its process is gone; it is then only good for closing."""

    def __init__(
        self, *, name: str, blueprint: Blueprint, cage: Cage, reaper: Reaper, folder: Path, cores: float, mark: str
    ) -> None:
        self.name = name
        self.blueprint = blueprint
        self.idle_since_s = 0.0
        self.served = 0
        self._cage = cage
        self._reaper = reaper
        self._folder = folder
        self._cores = cores
        self._mark = mark
        self._loop = asyncio.get_running_loop()
        self._log = LogTail()
        self._api: RuntimeApi | None = None
        self._child: Child | None = None
        self._killed = False
        self._pipe: int | None = None
        self._init: _Phase | None = None
        self._peak_mb = 0

    @property
    def alive(self) -> bool:
        return self._child is not None and not self._killed and not self._child.exited.done()

    async def initialise(self) -> None:
        """The init phase: full CPU, at most ten seconds. A failure is kept for the first invocation to repeat."""
        self._log.write_line(f"INIT_START Runtime Version: {self.blueprint.settings.runtime} (embedded)")
        self._init = await self._attempt_init(INIT_LIMIT_S)
        if self._init.failure is not None:
            self._log.write_line(init_report_line(self._init.duration_ms, "init", self._init.failure))
        self._cage.limit_cpu(self._cores)

    async def invoke(self, event: Event) -> Ended:
        """Run one event to its end, within the function's timeout."""
        self.served += 1
        if self.served > 1:
            self._log.clear()
        self._log.write_line(start_line(event.request_id, self.blueprint.version))
        repeated = None
        timeout_s = float(self.blueprint.settings.timeout_s)
        if self.served == 1 and self._init is not None and self._init.failure is not None:
            repeated = await self._attempt_init(timeout_s)
            timeout_s -= repeated.duration_ms / 1000
        phase = repeated if repeated and repeated.failure else await self._run(event, max(timeout_s, 0.0))
        return self._finish(event, phase, repeated)

    def _finish(self, event: Event, phase: _Phase, repeated: _Phase | None) -> Ended:
        """Write END and REPORT. An init repeated inside the call is part of its duration, and no Init Duration."""
        self._drain()
        duration_ms = phase.duration_ms
        if repeated is not None and repeated is not phase:
            duration_ms += repeated.duration_ms
        first = self.served == 1 and self._init is not None and self._init.failure is None
        measured = Measured(
            request_id=event.request_id,
            duration_ms=duration_ms,
            memory_mb=self.blueprint.settings.memory_mb,
            max_memory_used_mb=self._max_memory_used_mb(phase.failure),
            init_ms=self._init.duration_ms if first and self._init else None,
            failure=phase.failure,
        )
        self._log.write_line(end_line(event.request_id))
        self._log.write_line(report_line(measured))
        if repeated is not None and repeated.failure is not None:
            self._log.write_line(init_report_line(repeated.duration_ms, "invoke", repeated.failure))
        return Ended(payload=phase.payload, function_error=phase.function_error, log=self._log.read())

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
        await self._stop_process()
        started_s = self._loop.time()
        child, api = await self._start_process()
        with self._working():
            await _first(api.ready, child.exited, timeout_s=limit_s)
        duration_ms = (self._loop.time() - started_s) * 1000
        self._drain()
        if api.ready.done():
            return self._init_outcome(api.ready.result(), duration_ms)
        if child.exited.done():
            return self._exit_phase("", child.exited.result(), duration_ms)
        self._kill(child)
        return _Phase(
            duration_ms=duration_ms,
            failure=Failure(status="timeout"),
            payload=_error("Sandbox.Timedout", f"Task timed out after {limit_s:.2f} seconds"),
            function_error="Unhandled",
        )

    def _init_outcome(self, error: InitError | None, duration_ms: float) -> _Phase:
        if error is None:
            self._sample_memory()
            return _Phase(duration_ms=duration_ms)
        return _Phase(
            duration_ms=duration_ms,
            payload=error.payload,
            failure=Failure(status="error", error_type=error.error_type),
            function_error="Unhandled",
        )

    async def _run(self, event: Event, timeout_s: float) -> _Phase:
        """The handler's part. The duration runs from handing over the event to receiving the answer."""
        child, api = self._child, self._api
        if child is None or api is None:
            raise RuntimeError("an environment is initialised before it is invoked")
        await _first(api.ready, child.exited, timeout_s=timeout_s)
        if child.exited.done():
            return self._exit_phase(event.request_id, child.exited.result(), 0.0)
        if not api.ready.done():  # the runtime never came back from the previous event
            return self._time_out(event.request_id, timeout_s, child)
        with self._working():
            event = replace(event, deadline_ms=int((time.time() + timeout_s) * 1000))
            started_s = api.deliver(event)
            await _first(api.answer, child.exited, timeout_s=timeout_s)
            now_s = self._loop.time()
        if api.answer.done():
            answer = api.answer.result()
            return _answered(answer, (answer.received_s - started_s) * 1000)
        if child.exited.done():
            return self._exit_phase(event.request_id, child.exited.result(), (now_s - started_s) * 1000)
        return self._time_out(event.request_id, timeout_s, child)

    def _time_out(self, request_id: str, timeout_s: float, child: Child) -> _Phase:
        self._sample_memory()
        self._kill(child)
        limit_s = self.blueprint.settings.timeout_s
        return _Phase(
            duration_ms=timeout_s * 1000,
            payload=_error(
                "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {limit_s:.2f} seconds"
            ),
            failure=Failure(status="timeout"),
            function_error="Unhandled",
        )

    def _exit_phase(self, request_id: str, exit_code: int, duration_ms: float) -> _Phase:
        out_of_memory = self._cage.out_of_memory()
        error_type = "Runtime.OutOfMemory" if out_of_memory else "Runtime.ExitError"
        subject = f"RequestId: {request_id} " if request_id else ""
        return _Phase(
            duration_ms=duration_ms,
            payload=_error(error_type, f"{subject}Error: {describe_exit(exit_code)}"),
            failure=Failure(status="error", error_type=error_type),
            function_error="Unhandled",
        )

    def _kill(self, child: Child) -> None:
        """From here on the environment is dead to callers, even before the news of the exit arrives."""
        self._killed = True
        child.kill_group()

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        self._cage.begin_work()
        try:
            yield
        finally:
            self._cage.end_work()

    async def _start_process(self) -> tuple[Child, RuntimeApi]:
        api = RuntimeApi()
        address = await api.start()
        settings = self.blueprint.settings
        command = runtimes.command(settings.runtime, settings.handler)
        if command is None:
            raise RuntimeError(f"{settings.runtime} was accepted but cannot run here")
        temporary = self._folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        try:
            child = self._reaper.spawn(
                command,
                cwd=self.blueprint.task_root,
                environment={
                    **self._variables(address, temporary),
                    self._mark.partition("=")[0]: self._mark.partition("=")[2],
                },
                output=write_end,
                procs_files=self._cage.procs_files,
            )
        finally:
            os.close(write_end)
        self._cage.watch(child.pid)
        self._pipe, self._child, self._api, self._killed = read_end, child, api, False
        self._loop.add_reader(read_end, self._read_output)
        return child, api

    def _variables(self, address: str, temporary: Path) -> Mapping[str, str]:
        """The function's environment. Nothing of the server's own environment is inherited: no credentials."""
        blueprint, settings = self.blueprint, self.blueprint.settings
        return {
            **dict(settings.environment),
            **runtimes.environment(settings.runtime),
            "AWS_DEFAULT_REGION": blueprint.region,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory_mb),
            "AWS_LAMBDA_FUNCTION_NAME": blueprint.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": blueprint.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{blueprint.function_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": time.strftime(f"%Y/%m/%d/[{blueprint.version}]{self.name}", time.gmtime()),
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_REGION": blueprint.region,
            "LAMBDA_TASK_ROOT": str(blueprint.task_root),
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
            "TMPDIR": str(temporary),
            "TZ": ":UTC",
            "_HANDLER": settings.handler,
        }

    def _read_output(self) -> None:
        if self._pipe is None:
            return
        try:
            data = os.read(self._pipe, _PIPE_CHUNK)
        except BlockingIOError:
            return
        if data:
            self._log.write(data)
        else:
            self._close_pipe()

    def _drain(self) -> None:
        """Take what was printed before the answer; bounded, because a thread of the handler may go on printing."""
        for _ in range(_DRAIN_LIMIT_BYTES // _PIPE_CHUNK):
            if self._pipe is None:
                return
            try:
                data = os.read(self._pipe, _PIPE_CHUNK)
            except BlockingIOError:
                return
            if not data:
                return
            self._log.write(data)

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            self._loop.remove_reader(self._pipe)
            os.close(self._pipe)
            self._pipe = None

    async def _stop_process(self) -> None:
        if self._child is not None:
            self._child.kill_group()
            await _first(self._child.exited)  # not awaited itself: cancelling this task must not cancel the news
        self._close_pipe()
        if self._api is not None:
            await self._api.close()
        self._child, self._api = None, None

    async def close(self) -> None:
        """End every process, remove the cage and the temporary files."""
        with contextlib.suppress(OSError):
            self._cage.limit_cpu(None)
        await self._stop_process()
        await self._cage.close()
        shutil.rmtree(self._folder, ignore_errors=True)


async def _first(*futures: asyncio.Future[Any], timeout_s: float | None = None) -> None:
    """Wait until one of them is done or the time is over."""
    await asyncio.wait(futures, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)


def _answered(answer: Answer, duration_ms: float) -> _Phase:
    """A handler's own exception is no platform failure: REPORT shows a status only for Runtime.* and Function.*."""
    if answer.error_type is None:
        return _Phase(duration_ms=duration_ms, payload=answer.payload)
    platform = answer.error_type.startswith(("Runtime.", "Function."))
    failure = Failure(status="error", error_type=answer.error_type) if platform else None
    return _Phase(duration_ms=duration_ms, payload=answer.payload, failure=failure, function_error="Unhandled")


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
