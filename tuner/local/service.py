"""The server, put together: one object to start and stop."""

from __future__ import annotations

import asyncio
import platform
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuner import __version__
from tuner.local import runtimes
from tuner.local.admission import Admission
from tuner.local.api import LambdaApi
from tuner.local.code import CodeStore
from tuner.local.fleet import Fleet
from tuner.local.functions import FunctionStore
from tuner.local.host import Host
from tuner.local.http import LOOPBACK, HttpServer, Request, Response
from tuner.local.identifiers import Namespace
from tuner.local.processes import SERVER_MARK, Reaper, ServerIdentity, become_subreaper
from tuner.local.sweep import sweep
from tuner.local.throttle import choose_throttle

MAX_BODY_BYTES = 72 * 1024 * 1024
"""A 50 MB package, base64-encoded inside JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    state_root: Path
    """Everything on disk is below a folder of this server inside it."""
    port: int = 0
    region: str = "us-east-1"
    state_delay_s: float = 0.05
    throttle: str | None = None


class Service:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._identity = ServerIdentity.current()
        self._folder = options.state_root / self._identity.name
        self._host = Host.current()
        self._reaper = Reaper()
        self._throttle = choose_throttle(self._identity, options.throttle)
        self._admission = Admission(self._host.cores)
        self._fleet: Fleet | None = None
        self._http: HttpServer | None = None
        self._api: LambdaApi | None = None
        self.endpoint_url = ""

    async def start(self) -> None:
        sweep(self._options.state_root)
        become_subreaper()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._reaper.start()
        self._fleet = Fleet(
            throttle=self._throttle,
            admission=self._admission,
            reaper=self._reaper,
            folder=self._folder / "environments",
            cores=self._host.cores,
            mark=f"{SERVER_MARK}={self._identity.name}",
        )
        self._fleet.start()
        self._http = HttpServer(self._handle, max_body_bytes=MAX_BODY_BYTES)
        port = await self._http.start(self._options.port)
        self.endpoint_url = f"http://{LOOPBACK}:{port}"
        self._api = self._build_api(self._fleet)

    def _build_api(self, fleet: Fleet) -> LambdaApi:
        store = FunctionStore(
            Namespace(region=self._options.region),
            clock=time.monotonic,
            timestamp=lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
            delay_s=self._options.state_delay_s,
        )
        code = CodeStore(self._folder / "code")
        return LambdaApi(store, code, fleet, about=self.about, base_url=self.endpoint_url)

    async def _handle(self, request: Request) -> Response:
        if self._api is None:
            return Response(status=503)
        return await self._api.handle(request)

    def about(self) -> dict[str, Any]:
        """What a report must say about the place where it was measured."""
        return {
            "version": __version__,
            "endpoint_url": self.endpoint_url,
            "pid": self._identity.pid,
            "mechanism": self._throttle.mechanism,
            "cores": self._host.cores,
            "max_measurable_memory_mb": self._host.max_measurable_memory_mb,
            "concurrent_executions": self._admission.concurrency,
            "cpu_model": self._host.cpu_model,
            "architecture": self._host.architecture,
            "python_version": platform.python_version(),
            "runtimes": list(runtimes.supported()),
            "region": self._options.region,
        }

    async def stop(self) -> None:
        """End every environment, then remove control groups and files. Nothing is left afterwards."""
        if self._http is not None:
            await self._http.close()
        if self._fleet is not None:
            await self._fleet.close()
        await self._throttle.close()
        await asyncio.sleep(0)
        self._reaper.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
