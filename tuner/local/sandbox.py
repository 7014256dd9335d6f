"""The processes of one execution environment: started, listened to, frozen, ended."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.local.blueprint import Blueprint
from tuner.local.log_tail import LogTail
from tuner.local.processes import Child, Reaper, kill_quietly
from tuner.local.runtime_api import RuntimeApi
from tuner.local.runtimes import Runtimes
from tuner.local.throttle.cage import Cage, freeze, thaw

_PIPE_CHUNK = 65536
_DRAIN_LIMIT_BYTES = 1024 * 1024
_EXHAUSTED = frozenset({errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC})
"""The machine has no more of something; the runtime is not to blame."""
HOST_FAILURES = (OSError, subprocess.SubprocessError)
"""What the start of an environment raises where this machine cannot carry it."""

CREDENTIALS = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
"""Variables that handlers get from the user only when the user says so."""


class CannotStart(Exception):
    """The runtime could not be executed at all: a bootstrap that is missing, not executable, or for another CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What all sandboxes of a server share."""

    reaper: Reaper
    runtimes: Runtimes
    mark: tuple[str, str]
    """Variable and value by which processes of this server are recognised."""
    credentials: Mapping[str, str]
    """The user's AWS credentials, as variables for the handlers; empty unless the user passes them on."""


class Sandbox:
    """One generation of processes at a time; a crash or a reset starts the next in the same cage and folder."""

    def __init__(
        self, *, name: str, blueprint: Blueprint, cage: Cage, workshop: Workshop, folder: Path, log: LogTail
    ) -> None:
        self._name = name
        self._blueprint = blueprint
        self._cage = cage
        self._workshop = workshop
        self._folder = folder
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._pipe: int | None = None
        self._child: Child | None = None
        self._api: RuntimeApi | None = None
        self._working = False
        self._frozen = False

    @property
    def running(self) -> bool:
        return self._child is not None and not self._child.exited.done()

    @property
    def child(self) -> Child:
        if self._child is None:
            raise RuntimeError("the sandbox has not been started")
        return self._child

    @property
    def api(self) -> RuntimeApi:
        if self._api is None:
            raise RuntimeError("the sandbox has not been started")
        return self._api

    async def start(self) -> None:
        """Start the runtime afresh, ending what ran before.

        Raises CannotStart where it cannot be executed, one of HOST_FAILURES where this machine has no room for it.
        """
        await self.stop()
        self._api = RuntimeApi()
        address = await self._api.start()
        settings = self._blueprint.settings
        launch = self._workshop.runtimes.launch(settings.runtime, settings.handler, self._blueprint.task_root)
        if launch is None:
            raise RuntimeError(f"{settings.runtime} was accepted but cannot run here")
        temporary = self._folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        mark = f"AWS_LAMBDA_RUNTIME_API={address}"
        variables = {
            **self._blueprint.variables(self._name),
            **launch.variables,
            **self._workshop.credentials,
            "AWS_LAMBDA_RUNTIME_API": address,
            "TMPDIR": str(temporary),
            self._workshop.mark[0]: self._workshop.mark[1],
        }
        self._child = self._spawn(launch.command, variables)
        self._cage.watch(self._child.pid, mark.encode())

    def _spawn(self, command: tuple[str, ...], variables: Mapping[str, str]) -> Child:
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        self._pipe = read_end  # from here on ``stop`` closes it, whatever happens
        self._loop.add_reader(read_end, self._read_output)
        try:
            return self._workshop.reaper.spawn(
                command,
                cwd=self._blueprint.task_root,
                environment=variables,
                output=write_end,
                procs_files=self._cage.procs_files,
            )
        except OSError as error:
            if error.errno in _EXHAUSTED:
                raise
            raise CannotStart(f"{Path(command[0]).name}: {error.strerror}") from error
        finally:
            os.close(write_end)

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Inside the block the processes run; afterwards they are frozen as soon as they wait for an event."""
        self._working = True
        try:
            await self._cage.begin_work()
            if self._frozen:
                self._frozen = False
                thaw(self._cage)
            yield
        finally:
            self._cage.end_work()
            self._working = False
            if self._api is not None:
                self._api.ready.add_done_callback(self._rest(self._api))

    def _rest(self, api: RuntimeApi) -> Callable[[asyncio.Future[Any]], None]:
        def freeze_if_still_idle(_ready: asyncio.Future[Any]) -> None:
            if not self._working and not self._frozen and self._api is api and self.running:
                self._frozen = True
                freeze(self._cage)

        return freeze_if_still_idle

    def kill(self) -> None:
        """End all processes now, daemons included; the news of the exit arrives later."""
        self.child.kill_group()
        for pid in self._cage.members():
            kill_quietly(pid)

    def drain(self) -> None:
        """Take what was printed before the answer; bounded, because a thread of the handler may go on printing."""
        for _ in range(_DRAIN_LIMIT_BYTES // _PIPE_CHUNK):
            if not self._take_output():
                return

    def _read_output(self) -> None:
        self._take_output()

    def _take_output(self) -> bool:
        """Whether there may be more to take."""
        if self._pipe is None:
            return False
        try:
            data = os.read(self._pipe, _PIPE_CHUNK)
        except BlockingIOError:
            return False
        self._log.write(data)
        if not data:
            self._close_pipe()
        return bool(data)

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            self._loop.remove_reader(self._pipe)
            os.close(self._pipe)
            self._pipe = None

    async def stop(self) -> None:
        """End this generation and wait for it."""
        if self._child is not None:
            self.kill()
            await asyncio.wait([self._child.exited])  # not awaited itself: cancelling must not cancel the news
        self._close_pipe()
        if self._api is not None:
            await self._api.close()
        self._child, self._api, self._frozen = None, None, False

    async def close(self) -> None:
        """End every process, remove the cage and the temporary files."""
        with contextlib.suppress(OSError):
            self._cage.limit_cpu(None)
        await self.stop()
        await self._cage.close()
        shutil.rmtree(self._folder, ignore_errors=True)
