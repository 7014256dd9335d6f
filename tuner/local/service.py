"""The server, put together: one object to start and stop."""

from __future__ import annotations

import asyncio
import platform
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuner import __version__
from tuner.local.admission import Admission
from tuner.local.api import LambdaApi
from tuner.local.code import CodeStore
from tuner.local.descriptors import raise_limit
from tuner.local.fault_plan import FaultPlan
from tuner.local.fleet import Fleet
from tuner.local.functions import FunctionStore
from tuner.local.host import Host
from tuner.local.http import LOOPBACK, Request, Response
from tuner.local.http_server import Bounds, HttpServer
from tuner.local.identifiers import Namespace
from tuner.local.policy import Policy
from tuner.local.processes import (
    SERVER_MARK,
    Reaper,
    ServerIdentity,
    become_subreaper,
    hide_own_environment,
    kill_quietly,
    own_children,
)
from tuner.local.runtimes import Runtimes
from tuner.local.sandbox import Workshop
from tuner.local.signature import AccessKey
from tuner.local.simulation import Nature, Simulation
from tuner.local.sweep import sweep
from tuner.local.throttle import choose_throttle
from tuner.local.throttle.calibration import Calibration, calibrate
from tuner.local.throttle.run_delay import DISTURBED_MS, DISTURBED_SHARE
from tuner.local.wakefulness import Wakefulness

SERVER_NAME = f"tuner-local/{__version__}"
"""The Server header of every answer, by which a client of an endpoint URL can tell that it is not AWS."""
MAX_BODY_BYTES = 72 * 1024 * 1024
"""A 50 MB package, base64-encoded inside JSON."""
MAX_HELD_BYTES = 512 * 1024 * 1024
MAX_CONNECTIONS = 4096
IDLE_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    state_root: Path
    """Everything on disk is below a folder of this server inside it."""
    port: int = 0
    region: str = "us-east-1"
    state_delay_s: float = 0.05
    throttle: str | None = None
    faults: FaultPlan = field(default_factory=FaultPlan)
    key: AccessKey | None = None
    """Who may call; None accepts every signature and none."""
    policy: Policy | None = None
    """What callers may do; None allows everything."""
    simulation: Simulation = field(default_factory=Simulation)
    credentials: Mapping[str, str] = field(default_factory=dict)
    """Variables with AWS credentials that handlers get; none unless the user passes them on."""
    calibrate: bool = False


class Service:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._identity = ServerIdentity.current()
        self._folder = options.state_root / self._identity.name
        self._host = Host.current()
        self._reaper = Reaper()
        self._throttle = choose_throttle(self._identity, options.throttle)
        self._admission = Admission(self._host.cores)
        self._wakefulness = Wakefulness()
        self._nature = Nature(options.simulation)
        self._runtimes = Runtimes(self._folder / "runtimes")
        self._calibration: Calibration | None = None
        self._fleet: Fleet | None = None
        self._http: HttpServer | None = None
        self._api: LambdaApi | None = None
        self.endpoint_url = ""

    async def start(self) -> None:
        sweep(self._options.state_root)
        become_subreaper()
        hide_own_environment()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._reaper.start()
        self._fleet = Fleet(
            throttle=self._throttle,
            admission=self._admission,
            wakefulness=self._wakefulness,
            workshop=Workshop(
                reaper=self._reaper,
                runtimes=self._runtimes,
                mark=(SERVER_MARK, self._identity.name),
                credentials=self._options.credentials,
            ),
            folder=self._folder / "environments",
            cores=self._host.cores,
            nature=self._nature,
        )
        if self._options.calibrate:
            self._calibration = await calibrate(self._throttle, self._reaper, self._folder)
        self._fleet.start()
        self._http = HttpServer(self._handle, _bounds(raise_limit()), name=SERVER_NAME)
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
        pretended = {"x86_64", "arm64"} if self._options.simulation.arm64_speed is not None else set()
        return LambdaApi(
            store,
            code,
            fleet,
            architectures=frozenset({self._host.architecture} | pretended),
            about=self.about,
            base_url=self.endpoint_url,
            plan=self._options.faults,
            key=self._options.key,
            policy=self._options.policy,
            most_memory_mb=self._options.simulation.memory_quota_mb,
        )

    async def _handle(self, request: Request) -> Response:
        if self._api is None:
            return Response(status=503)
        delay_s = self._nature.network_s()
        if delay_s:
            await asyncio.sleep(delay_s)
        return await self._api.handle(request)

    def about(self) -> dict[str, Any]:
        """What a report must say about the place where it was measured."""
        return {
            "version": __version__,
            "endpoint_url": self.endpoint_url,
            "pid": self._identity.pid,
            "mechanism": self._throttle.mechanism,
            "cores_kept_awake": self._wakefulness.possible,
            "cores": self._host.cores,
            "max_measurable_memory_mb": self._host.max_measurable_memory_mb,
            "concurrent_executions": self._admission.concurrency,
            "cpu_model": self._host.cpu_model,
            "architecture": self._host.architecture,
            "python_version": platform.python_version(),
            "runtimes": list(self._runtimes.supported),
            "region": self._options.region,
            "calibration": None if self._calibration is None else self._calibration.as_json(),
            "disturbed_beyond": {"share": DISTURBED_SHARE, "ms": DISTURBED_MS},
            "simulated": list(self._options.simulation.labels()),
            "signatures": "checked" if self._options.key else "not checked",
            "permissions": "everything" if self._options.policy is None else "as a policy says",
            "faults": list(self._options.faults.labels()),
        }

    async def stop(self) -> None:
        """End every environment, then remove control groups and files. Nothing is left afterwards."""
        if self._http is not None:
            await self._http.close()
        if self._fleet is not None:
            await self._fleet.close()
        await self._throttle.close()
        await asyncio.sleep(0)
        for pid in own_children():  # who escaped from everything else was adopted
            kill_quietly(pid)
        self._reaper.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def _bounds(descriptors: int) -> Bounds:
    """Connections may use half of the file descriptors there are: the other half is for environments."""
    return Bounds(
        max_body_bytes=MAX_BODY_BYTES,
        max_held_bytes=MAX_HELD_BYTES,
        max_connections=min(MAX_CONNECTIONS, descriptors // 2),
        idle_s=IDLE_LIMIT_S,
    )
