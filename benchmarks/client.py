"""What the client costs: ``python -m benchmarks.client [--json] [--concurrency 50,200,1000] [--delay-ms 100]``.

A stub on loopback answers every Invoke after the delay. Four clients keep the same number of calls in flight:
tuner's engine (waves of its dispatcher, log tails read, rows written, the account kept), tuner's asynchronous
transport alone, boto3 on threads, and a raw load generator that writes the same bytes again and again and only counts
what comes back, which is as fast as one Python process can go here. They take turns in short rounds, so that a slow
moment of the machine hits all of them; quote the ratios. Client and stub share the machine's cores. The calls of a
wave wait for the last of them, so the engine keeps somewhat fewer in flight than the others do.

``ideal`` is what the delay alone allows (concurrency / delay). Inflation is client time beyond the delay.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.stub import answer, stub
from tuner.aws.session import AwsAccess, FixedCredentials
from tuner.aws.transport.choose import TransportMode, choose_transport
from tuner.engine.dispatcher import Dispatcher, Sending
from tuner.engine.ledger import Ledger
from tuner.engine.observer import Silent
from tuner.engine.store import RunStore
from tuner.inputs.payload_set import PayloadSet, WeightedPayload
from tuner.model import (
    Architecture,
    Cell,
    EngineKind,
    FunctionSnapshot,
    Plan,
    RunRequest,
    Sample,
    SpendRange,
    Wave,
)
from tuner.pricing import price_for

PAYLOAD = b'{"bucket":"photos","key":"2026/11/21/DSC_0042.jpg"}'
FUNCTION, VERSION = "thumbnail", "7"
RAW, ENGINE, ASYNC, BOTO3 = "raw generator", "tuner engine", "tuner async", "boto3 threads"
WARM_UP_S = 0.5
WAVE = 10
"""Calls of a wave; the engine runs as many waves side by side as fit."""


@dataclass(frozen=True, slots=True)
class Round:
    calls: int
    seconds: float
    cpu_s: float
    times_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One client at one concurrency. Rates are medians over the rounds, times are of all rounds together."""

    concurrency: int
    client: str
    per_second: float
    of_ideal: float
    of_raw: float
    of_boto3: float
    cpu_ms_per_call: float
    p50_inflation_ms: float
    p99_inflation_ms: float


Client = Callable[[int, int, float], Coroutine[Any, Any, Round]]
"""(port, concurrency, seconds) -> what was reached."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concurrency", default="50,200,1000")
    parser.add_argument("--delay-ms", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=2, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    counts = [int(text) for text in options.concurrency.split(",")]
    allow_connections(2 * max(counts) + 100)
    with stub(options.delay_ms) as port:
        rows = [
            row
            for count in counts
            for row in measure(port, count, options.delay_ms, seconds=options.seconds, rounds=options.rounds)
        ]
    if options.json:
        shown = {"delay_ms": options.delay_ms, "cores": os.cpu_count(), "rows": [asdict(row) for row in rows]}
        print(json.dumps(shown))
    else:
        print(table(rows, delay_ms=options.delay_ms))


def measure(port: int, concurrency: int, delay_ms: float, *, seconds: float, rounds: int) -> list[Row]:
    """All clients in alternating rounds."""
    clients: dict[str, Client] = {RAW: raw_client, ENGINE: engine_client, ASYNC: async_client, BOTO3: boto3_client}
    found: dict[str, list[Round]] = {name: [] for name in clients}
    for _ in range(rounds):
        for name, client in clients.items():
            gc.collect()
            found[name].append(asyncio.run(client(port, concurrency, seconds)))
    rate = {name: statistics.median(one.calls / one.seconds for one in of) for name, of in found.items()}
    return [
        Row(
            concurrency=concurrency,
            client=name,
            per_second=round(rate[name], 1),
            of_ideal=round(rate[name] * delay_ms / 1000 / concurrency, 3),
            of_raw=round(rate[name] / rate[RAW], 3),
            of_boto3=round(rate[name] / rate[BOTO3], 2),
            cpu_ms_per_call=round(sum(one.cpu_s for one in of) / sum(one.calls for one in of) * 1000, 3),
            p50_inflation_ms=round(quantile(of, 0.50) - delay_ms, 1),
            p99_inflation_ms=round(quantile(of, 0.99) - delay_ms, 1),
        )
        for name, of in found.items()
    ]


def quantile(rounds: list[Round], share: float) -> float:
    times = sorted(time_ms for one in rounds for time_ms in one.times_ms)
    return times[min(len(times) - 1, int(share * len(times)))]


def table(rows: list[Row], *, delay_ms: float) -> str:
    head = (
        f"{'in flight':>9}  {'client':14}{'calls/s':>9}{'of ideal':>10}{'of raw':>8}{'x boto3':>9}{'CPU ms':>8}"
        f"{'p50 +ms':>9}{'p99 +ms':>9}"
    )
    lines = [
        f"{row.concurrency:9}  {row.client:14}{row.per_second:9.0f}{row.of_ideal:10.0%}{row.of_raw:8.0%}"
        f"{row.of_boto3:9.1f}{row.cpu_ms_per_call:8.3f}{row.p50_inflation_ms:9.1f}{row.p99_inflation_ms:9.1f}"
        for row in rows
    ]
    return "\n".join([head, *lines, f"delay {delay_ms:g} ms; client and stub share {os.cpu_count()} cores"])


async def async_client(port: int, concurrency: int, seconds: float) -> Round:
    return await _through_tuner(TransportMode.ASYNC, port, concurrency, seconds)


async def engine_client(port: int, concurrency: int, seconds: float) -> Round:
    invoker = choose_transport(access(port), mode=TransportMode.ASYNC, timeout_s=3, connections=concurrency).invoker
    cell, times_ms, clock = Cell(128, Architecture.X86_64), list[float](), _Clock(seconds)
    plan = engine_plan(cell, concurrency)
    ledger, samples, observer = Ledger(plan), list[Sample](), Silent()
    with tempfile.TemporaryDirectory() as folder, RunStore.create(Path(folder), plan.run_id).sample_rows() as rows:

        def on_sample(sample: Sample) -> None:
            rows.append(sample)
            ledger.add(sample)
            observer.sample(sample, ledger.spent_usd)
            samples.append(sample)
            if clock.counting():
                times_ms.append(sample.client_ms)

        sending = Sending(payloads=PayloadSet((WeightedPayload(PAYLOAD, 1.0),)), seed=1)
        dispatcher = Dispatcher(sending, invoker, observer, on_sample)

        async def waves(size: int) -> None:
            while not clock.over():
                await dispatcher.run_wave(Wave(cell=cell, size=size), FUNCTION, VERSION, block=1)

        try:
            await invoker.open(concurrency)
            clock.start()
            async with asyncio.TaskGroup() as group:
                for first in range(0, concurrency, WAVE):
                    group.create_task(waves(min(WAVE, concurrency - first)))
            return clock.round(times_ms)
        finally:
            invoker.close()


def engine_plan(cell: Cell, concurrency: int) -> Plan:
    """As much of a plan as keeping an account takes."""
    function = FunctionSnapshot(
        name=FUNCTION,
        arn=f"arn:aws:lambda:eu-central-1:000000000000:function:{FUNCTION}",
        region="eu-central-1",
        runtime="python3.13",
        package_type="Zip",
        architecture=cell.architecture,
        memory_mb=cell.memory_mb,
        timeout_s=3,
        code_sha256="",
        revision_id=None,
        state="Active",
        last_update_status="Successful",
        versions=(),
    )
    return Plan(
        run_id="benchmark",
        request=RunRequest(function=FUNCTION, engine=EngineKind.LOCAL, memory_mb=(cell.memory_mb,)),
        function=function,
        cells=(cell,),
        prices=(price_for("eu-central-1", cell.architecture),),
        wave_size=WAVE,
        max_in_flight=concurrency,
        expected_invocations=0,
        expected_spend=SpendRange(low_usd=Decimal(0), high_usd=Decimal(0)),
    )


async def boto3_client(port: int, concurrency: int, seconds: float) -> Round:
    return await _through_tuner(TransportMode.BOTO3, port, concurrency, seconds)


def access(port: int) -> AwsAccess:
    return AwsAccess(
        region="eu-central-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        credentials=FixedCredentials(access_key_id="AKIDEXAMPLE", secret_access_key="secret"),
    )


async def _through_tuner(mode: TransportMode, port: int, concurrency: int, seconds: float) -> Round:
    invoker = choose_transport(access(port), mode=mode, timeout_s=3, connections=concurrency).invoker
    times_ms: list[float] = []
    clock = _Clock(seconds)

    async def caller() -> None:
        while not clock.over():
            started_s = time.perf_counter()
            await invoker.invoke(FUNCTION, VERSION, PAYLOAD)
            if clock.counting():
                times_ms.append((time.perf_counter() - started_s) * 1000)

    try:
        await invoker.open(concurrency)
        clock.start()
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(caller())
        return clock.round(times_ms)
    finally:
        invoker.close()


class _Clock:
    """Nothing counts before the warm-up is over and after the round has ended."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def start(self) -> None:
        self._from_s = time.perf_counter() + WARM_UP_S
        self._until_s = self._from_s + self._seconds
        self._cpu_s = 0.0
        asyncio.get_running_loop().call_later(WARM_UP_S, self._note_cpu)
        asyncio.get_running_loop().call_later(WARM_UP_S + self._seconds, self._note_cpu)

    def _note_cpu(self) -> None:
        self._cpu_s = time.process_time() - self._cpu_s

    def over(self) -> bool:
        return time.perf_counter() >= self._until_s

    def counting(self) -> bool:
        return self._from_s <= time.perf_counter() < self._until_s

    def round(self, times_ms: list[float]) -> Round:
        return Round(len(times_ms), self._seconds, self._cpu_s, tuple(times_ms))


class _Raw(asyncio.Protocol):
    """Sends the same bytes as soon as as many bytes have come back as an answer has."""

    def __init__(self, request: bytes, size: int, clock: _Clock, times_ms: list[float]) -> None:
        self._request = request
        self._size = size
        self._clock = clock
        self._times_ms = times_ms
        self._received = 0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self) -> None:
        self._started_s = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received < self._size:
            return
        self._received -= self._size
        if self._clock.counting():
            self._times_ms.append((time.perf_counter() - self._started_s) * 1000)
        if self._clock.over():
            self._transport.abort()
            self.ended.set_result(None)
        else:
            self.send()


async def raw_client(port: int, concurrency: int, seconds: float) -> Round:
    request = (
        f"POST /2015-03-31/functions/{FUNCTION}/invocations?Qualifier={VERSION} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\nContent-Length: {len(PAYLOAD)}\r\n\r\n"
    ).encode() + PAYLOAD
    times_ms: list[float] = []
    clock = _Clock(seconds)
    loop = asyncio.get_running_loop()
    connections = []
    for _ in range(concurrency):
        _, connection = await loop.create_connection(
            lambda: _Raw(request, len(answer()), clock, times_ms), "127.0.0.1", port
        )
        connections.append(connection)
    clock.start()
    for connection in connections:
        connection.send()
    await asyncio.gather(*(connection.ended for connection in connections))
    return clock.round(times_ms)


def allow_connections(count: int) -> None:
    """Raise this process's limit of open files, as far as it may; the stub inherits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


if __name__ == "__main__":
    main()
