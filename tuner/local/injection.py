"""Letting calls go wrong on purpose, as a fault plan says (``fault_plan``), around the operations of the API."""

from __future__ import annotations

import asyncio
import base64
import io
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import Any

from tuner.local import fault_plan as plan
from tuner.local import faults
from tuner.local.code import CodeStore
from tuner.local.functions import FunctionStore
from tuner.local.http import ConnectionDropped, Response
from tuner.local.identifiers import parse_function_name

LOG_HEADER = "X-Amz-Log-Result"
Execute = Callable[[], Awaitable[Response]]


class Injector:
    """Wraps each call in the faults that the plan has for it."""

    def __init__(self, chooser: plan.Chooser, store: FunctionStore, code: CodeStore) -> None:
        self._chooser = chooser
        self._store = store
        self._code = code

    def seen(self) -> dict[str, Any]:
        """How often each operation was called, and which faults were met: what a test asserts on."""
        return {
            "calls": dict(self._chooser.calls),
            "applied": [asdict(applied) for applied in self._chooser.applied],
        }

    async def call(self, operation: str, function: str | None, execute: Execute) -> Response:
        """Execute a call of ``operation`` on ``function``, or what the plan makes of it."""
        chosen = self._chooser.next(operation)
        for fault in chosen:
            await self._before(fault, function)
        with ExitStack() as slowed:
            for fault in chosen:
                if isinstance(fault, plan.SlowSettle) and operation != "Invoke":
                    slowed.enter_context(self._store.slowed(fault.ms / 1000))
            response = await execute()
        return await _after(chosen, response)

    async def _before(self, fault: plan.Fault, function: str | None) -> None:
        """What happens instead of the execution (raised), or ahead of it."""
        match fault:
            case plan.Throttle():
                raise faults.throttled(fault.reason, retry_after_s=fault.retry_after_s)
            case plan.Error(when="before"):
                raise faults.service_error(fault.status)
            case plan.Latency(when="before"):
                await asyncio.sleep(fault.ms / 1000)
            case plan.Drop(when="before"):
                raise ConnectionDropped
            case plan.Conflict(status=412):
                raise faults.revision_mismatch()
            case plan.Conflict():
                raise faults.update_in_progress(self._store.namespace.arn(function or "unknown"))
            case plan.ExpiredCredentials():
                raise faults.expired_token()
            case plan.ForeignDeployment():
                self._deploy_something_else(fault, function)

    def _deploy_something_else(self, fault: plan.ForeignDeployment, function: str | None) -> None:
        """Nothing happens to a function that does not exist, as to a call that concerns none."""
        name = parse_function_name(function).name if function else None
        found = next((one for one in self._store.all() if one.name == name), None)
        if found is None:
            return
        latest = found.latest
        match fault.change:
            case "memory":
                self._store.impose(found.name, settings=replace(latest.settings, memory_mb=fault.memory_mb))
            case "code":
                self._store.impose(found.name, code=self._code.add(_altered(self._code.read(latest.code.key) or b"")))
            case "publish":
                self._store.impose(found.name)
                self._store.publish(found.name, description="somebody else", code_sha256=None, revision_id=None)
            case "delete":
                self._store.delete(found.name)


async def _after(chosen: Sequence[plan.Fault], response: Response) -> Response:
    for fault in chosen:
        match fault:
            case plan.Error(when="after"):
                raise faults.service_error(fault.status)
            case plan.Latency(when="after"):
                await asyncio.sleep(fault.ms / 1000)
            case plan.Drop(when="after"):
                raise ConnectionDropped
            case plan.TruncatedTail():
                response = _with_tail(response, fault.keep_bytes)
            case plan.MissingTail():
                response = _with_tail(response, 0)
    return response


def _with_tail(response: Response, keep_bytes: int) -> Response:
    headers = dict(response.headers)
    tail = base64.b64decode(headers.pop(LOG_HEADER, ""))
    if tail and keep_bytes:
        headers[LOG_HEADER] = base64.b64encode(tail[-keep_bytes:]).decode()
    return replace(response, headers=headers)


def _altered(package: bytes) -> bytes:
    """The same package with one more file: another CodeSha256, the same behaviour."""
    target = io.BytesIO(package)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(zipfile.ZipInfo(f"deployed-by-somebody-else-{len(package)}"), b"")
    return target.getvalue()
