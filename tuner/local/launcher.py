"""Starting and stopping the embedded Lambda as a process of its own, from the CLI or a test."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Set
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tuner.errors import EmbeddedLambdaError
from tuner.local.fault_plan import read_fault_plan
from tuner.local.policy import read_policy
from tuner.local.processes import hide_own_environment
from tuner.local.sandbox import CREDENTIALS
from tuner.local.signature import AccessKey
from tuner.local.simulation import read_simulation
from tuner.local.throttle import user_scope

START_LIMIT_S = 20.0
STOP_LIMIT_S = 15.0
_SHOWN_OUTPUT = 2000
_INHERITED = {
    *("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR"),
    *("PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE", "PYENV_ROOT", "NVM_DIR"),
    *user_scope.VARIABLES,
}


class EmbeddedLambda:
    """A running embedded Lambda, as a plain or an asynchronous context manager.

    ``state_root`` holds its files while it runs; nothing is left there afterwards. The server lives in a session of
    its own, so that Ctrl-C reaches only the caller, which may still need the server to put things right; it ends
    when the caller does, because the caller holds its standard input.

    ``calibrate`` takes about a second and tells how true the CPU limit is; ``simulation`` is a file in the format of
    ``tuner.local.simulation``; ``pass_credentials`` gives handlers the AWS credentials of this process's environment.
    Requests must be signed with ``key``; None accepts any caller of this machine.
    ``fault_plan`` is a file in the format of ``tuner.local.fault_plan``; UsageError where it is none. ``policy`` is
    an IAM policy document (``tuner.local.policy``): what it does not allow is denied; None allows everything.
    """

    def __init__(
        self,
        state_root: Path,
        *,
        region: str = "us-east-1",
        throttle: str | None = None,
        state_delay_ms: float = 50.0,
        fault_plan: Path | None = None,
        policy: Path | None = None,
        key: AccessKey | None = None,
        simulation: Path | None = None,
        pass_credentials: bool = False,
        calibrate: bool = False,
    ) -> None:
        if simulation is not None:
            read_simulation(simulation)
        if fault_plan is not None:
            read_fault_plan(fault_plan)  # a mistake in it is the user's, and is reported before anything starts
        if policy is not None:
            read_policy(policy)
        self._state_root = state_root.resolve()
        self._command = [
            # -P: the folder from which tuner is started must not shadow the standard library here.
            *(sys.executable, "-P", "-m", "tuner.local", "--with-parent"),
            *("--state-root", str(self._state_root)),
            *("--region", region),
            *("--state-delay-ms", str(state_delay_ms)),
            *(("--throttle", throttle) if throttle else ()),
            *(("--key-from-stdin",) if key else ()),
            *(("--calibrate",) if calibrate else ()),
            *(("--pass-credentials",) if pass_credentials else ()),
            *(("--simulate", str(simulation.resolve())) if simulation else ()),
            *(("--faults", str(fault_plan.resolve())) if fault_plan else ()),
            *(("--policy", str(policy.resolve())) if policy else ()),
        ]
        self._key = key
        self._pass_credentials = pass_credentials
        self._throttle = throttle
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self.about: dict[str, Any] = {}
        """What ``GET /tuner/about`` says: mechanism, cores, max_measurable_memory_mb, cpu_model and more."""

    @property
    def endpoint_url(self) -> str:
        return str(self.about["endpoint_url"])

    @property
    def pid(self) -> int:
        return int(self.about["pid"])

    def faults_met(self) -> dict[str, Any]:
        """``calls`` by operation so far, and the injected faults ``applied`` to them, in their order."""
        connection = http.client.HTTPConnection(self.endpoint_url.removeprefix("http://"), timeout=STOP_LIMIT_S)
        with contextlib.closing(connection):
            connection.request("GET", "/tuner/faults")
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer

    def start(self) -> None:
        """Start the server and wait until it listens; EmbeddedLambdaError with its last words if it does not."""
        self._state_root.mkdir(parents=True, exist_ok=True)
        hide_own_environment()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the server
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [*self._scope(), *self._command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            env=_inherited(os.environ, _INHERITED | (CREDENTIALS if self._pass_credentials else set())),
        )
        try:
            self._hand_over_key(self._process)
            self.about = self._ready_line(self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and wait until it has cleaned up. Stopping twice is fine."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def _scope(self) -> tuple[str, ...]:
        if self._throttle not in (None, "systemd-scope") or not user_scope.available():
            return ()
        return user_scope.PREFIX

    def _hand_over_key(self, process: subprocess.Popen[bytes]) -> None:
        if self._key is not None and process.stdin is not None:
            process.stdin.write(f"{self._key.access_key_id} {self._key.secret_access_key}\n".encode())
            process.stdin.flush()

    def _ready_line(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        line = _read_line(process.stdout, START_LIMIT_S) if process.stdout is not None else b""
        with contextlib.suppress(ValueError):
            about = json.loads(line)
            if isinstance(about, dict):
                return about
        raise EmbeddedLambdaError(
            f"The embedded Lambda did not start. Its last words: {self._last_words(process) or 'none'}",
            hint="Try `tuner recover` to remove what an earlier one may have left, then run the command again.",
        )

    def _last_words(self, process: subprocess.Popen[bytes]) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
        if self._errors is None:
            return ""
        self._errors.seek(0)
        return self._errors.read()[-_SHOWN_OUTPUT:].decode(errors="replace").strip()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


def _inherited(environment: Mapping[str, str], names: Set[str]) -> dict[str, str]:
    """What the server needs to run. A handler may find its parent's environment in /proc: no secret is in it."""
    return {name: value for name, value in environment.items() if name in names}


def _read_line(stream: IO[bytes], limit_s: float) -> bytes:
    """The first line, or what there is of it when the stream ends or the time is over."""
    collected = b""
    deadline_s = time.monotonic() + limit_s
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not collected.endswith(b"\n") and selector.select(max(deadline_s - time.monotonic(), 0)):
            chunk = stream.read1(65536)  # type: ignore[attr-defined]  # a BufferedReader, which IO cannot say
            if not chunk:
                break
            collected += chunk
    return collected
