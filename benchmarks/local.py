"""How true the embedded Lambda is, and what it costs: ``python -m benchmarks.local [--json] [--environments 1000]``.

Everything goes through an unmodified boto3. Durations that the machine disturbed (it says so itself, see
``tuner.local.throttle.run_delay``) are counted and left out. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tuner.local.launcher import EmbeddedLambda
from tuner.local.processes import SERVER_MARK, ServerIdentity, marks_of_all
from tuner.local.sweep import control_groups_of
from tuner.model import FULL_VCPU_MB
from tuner.telemetry import parse_log_tail

SIZES_MB = (128, 256, 512, 1024, 1769)
CPU_MS = 100.0
REST_S = 0.1
BURN = """
import time
def handler(event, context):
    end = time.thread_time() + event.get("cpu_ms", 100.0) / 1000
    while time.thread_time() < end: pass
"""
NOTHING = "def handler(event, context): return None"
NODE_NOTHING = "export const handler = async () => null;"
SHELL = """#!/bin/sh
api="http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation"
while true; do
  curl -sS -o /dev/null -D "$TMPDIR/head" "$api/next"
  id="$(sed -n 's/^Lambda-Runtime-Aws-Request-Id: *\\([0-9a-f-]*\\).*/\\1/p' "$TMPDIR/head")"
  curl -sS -o /dev/null -d null "$api/$id/response"
done
"""


@dataclass(frozen=True)
class Timed:
    client_ms: float
    duration_ms: float
    init_ms: float | None
    disturbed: bool


class Bench:
    """A server and a client, in the words of the measurements below."""

    def __init__(self, server: EmbeddedLambda) -> None:
        self.server = server
        self.client = boto3.client(
            "lambda",
            endpoint_url=server.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=64, read_timeout=120),
        )

    def create(self, name: str, source: str, *, runtime: str | None = None, memory_mb: int = 1769) -> None:
        """Deploy one file as a function that can be invoked at once."""
        runtime = runtime or self.python
        file = {"n": "index.mjs", "p": "index.py"}[runtime[0]]
        self.client.create_function(
            FunctionName=name,
            Runtime=runtime,  # type: ignore[arg-type]
            Role="arn:aws:iam::000000000000:role/any",
            Handler="index.handler",
            Code={"ZipFile": _zip("bootstrap" if runtime.startswith("provided") else file, source)},
            MemorySize=memory_mb,
            Timeout=60,
        )

    @property
    def python(self) -> str:
        own = ".".join(self.server.about["python_version"].split(".")[:2])
        return f"python{own}"

    def invoke(self, name: str, event: Mapping[str, Any] | None = None, *, version: str = "$LATEST") -> Timed:
        started_s = time.perf_counter()
        answer = self.client.invoke(
            FunctionName=name, Qualifier=version, Payload=json.dumps(event or {}), LogType="Tail"
        )
        answer["Payload"].read()
        client_ms = (time.perf_counter() - started_s) * 1000
        report = parse_log_tail(base64.b64decode(answer["LogResult"]).decode(errors="replace"))
        if report is None or report.duration_ms is None or answer.get("FunctionError"):
            raise RuntimeError(f"{name} failed: {answer}")
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        return Timed(
            client_ms=client_ms,
            duration_ms=report.duration_ms,
            init_ms=report.init_duration_ms,
            disturbed=headers.get("x-tuner-disturbed") == "true",
        )

    def calm(self, call: Callable[[], Timed], count: int) -> tuple[list[Timed], int]:
        """``count`` undisturbed calls, or what four times as many tries gave; and how many were disturbed."""
        kept: list[Timed] = []
        disturbed = 0
        for _ in range(4 * count):
            timed = call()
            disturbed += timed.disturbed
            kept += [] if timed.disturbed else [timed]
            if len(kept) == count:
                break
        return kept, disturbed


@contextmanager
def bench(throttle: str | None = None) -> Iterator[Bench]:
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedLambda(Path(folder), throttle=throttle, state_delay_ms=0, calibrate=True) as server,
    ):
        yield Bench(server)


def cpu_error(tools: Bench, calls: int, *, rest_s: float = 0.0) -> list[dict[str, Any]]:
    """By how much a handler of known CPU time is off c * 1769 / m, in percent of the median.

    ``rest_s`` before each call: a quota and its periods behave differently after a rest.
    """
    name = f"burn-{rest_s * 1000:.0f}"
    tools.create(name, BURN)

    def burn() -> Timed:
        time.sleep(rest_s)
        return tools.invoke(name, {"cpu_ms": CPU_MS})

    rows = []
    for memory_mb in SIZES_MB:
        tools.client.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
        tools.invoke(name)
        timed, disturbed = tools.calm(burn, calls)
        expected_ms = CPU_MS * FULL_VCPU_MB / memory_mb
        median_ms = _median([one.duration_ms for one in timed])
        error = None if median_ms is None else round(100 * (median_ms / expected_ms - 1), 1)
        rows.append({"memory_mb": memory_mb, "error_percent": error, "n": len(timed), "disturbed": disturbed})
    return rows


def warm_overhead(tools: Bench, calls: int) -> dict[str, Any]:
    """A handler that does nothing: what boto3 sees, and what of it the handler's duration does not explain."""
    tools.create("nothing", NOTHING)
    tools.invoke("nothing")
    timed = [tools.invoke("nothing") for _ in range(calls)]
    around = sorted(one.client_ms - one.duration_ms for one in timed)
    return {
        "client_p50_ms": round(statistics.median(one.client_ms for one in timed), 2),
        "duration_p50_ms": round(statistics.median(one.duration_ms for one in timed), 2),
        "overhead_p50_ms": round(statistics.median(around), 2),
        "overhead_p95_ms": round(around[int(0.95 * len(around))], 2),
        "n": calls,
    }


def cold_overhead(tools: Bench, calls: int) -> dict[str, float | None]:
    """Median init of a handler that does nothing, by runtime, in ms."""
    found = {}
    for number, runtime in enumerate(tools.server.about["runtimes"]):
        source = {"n": NODE_NOTHING, "p": SHELL if runtime.startswith("provided") else NOTHING}[runtime[0]]
        name = f"cold-{number}"
        tools.create(name, source, runtime=runtime)
        inits = []
        for attempt in range(calls):
            tools.client.update_function_configuration(FunctionName=name, Description=str(attempt))
            inits.append(tools.invoke(name).init_ms)
        found[runtime] = _median([init for init in inits if init is not None])
    return found


def throughput(tools: Bench, seconds: float, callers: int) -> float:
    """Calls per second of a handler that does nothing at 128 MB, from boto3 on threads beside the server."""
    tools.create("many", NOTHING, memory_mb=128)
    until_s = time.perf_counter() + seconds

    def call_until() -> int:
        count = 0
        while time.perf_counter() < until_s:
            tools.invoke("many")
            count += 1
        return count

    with ThreadPoolExecutor(callers) as threads:
        return round(sum(threads.map(lambda _: call_until(), range(callers))) / seconds, 1)


def isolation(tools: Bench, calls: int) -> dict[str, Any]:
    """A handler alone, and the same beside neighbours that compute all the time: the ratio of the medians."""
    tools.create("alone", BURN, memory_mb=512)
    tools.create("neighbour", BURN, memory_mb=256)
    tools.invoke("alone")
    alone, _ = tools.calm(lambda: tools.invoke("alone", {"cpu_ms": 50}), calls)
    with ThreadPoolExecutor(3) as threads:
        noise = [threads.submit(tools.invoke, "neighbour", {"cpu_ms": 60 * calls}) for _ in range(3)]
        time.sleep(0.5)
        beside, disturbed = tools.calm(lambda: tools.invoke("alone", {"cpu_ms": 50}), calls)
        for one in noise:
            one.result()
    before, after = (_median([one.duration_ms for one in timed]) for timed in (alone, beside))
    ratio = round(after / before, 3) if before and after else None
    return {"alone_ms": before, "beside_neighbours_ms": after, "ratio": ratio, "disturbed": disturbed}


def environments_leave_nothing(count: int, callers: int = 8) -> dict[str, Any]:
    """Create and end many environments; what is left of them while the server runs, and after it has stopped."""
    with tempfile.TemporaryDirectory() as folder:
        with EmbeddedLambda(Path(folder), state_delay_ms=0) as server:
            tools = Bench(server)
            identity = ServerIdentity.of(server.pid)
            for number in range(callers):
                tools.create(f"f{number}", NOTHING, memory_mb=128)

            def cycle(number: int) -> None:
                for round_number in range(count // callers):
                    tools.client.update_function_configuration(
                        FunctionName=f"f{number}", Description=str(round_number)
                    )
                    tools.invoke(f"f{number}")

            started_s = time.perf_counter()
            with ThreadPoolExecutor(callers) as threads:
                list(threads.map(cycle, range(callers)))
            seconds = time.perf_counter() - started_s
            for number in range(callers):
                tools.client.delete_function(FunctionName=f"f{number}")
            time.sleep(1)
            running = _traces(identity, Path(folder) / identity.name / "environments")
        stopped = _traces(identity, Path(folder))
    return {
        "environments": callers * (count // callers),
        "seconds": round(seconds, 1),
        "left_while_running": running,
        "left_after_stop": stopped,
    }


def _traces(identity: ServerIdentity, folder: Path) -> dict[str, int]:
    return {
        "processes": sum(mark == identity.name for mark in marks_of_all(SERVER_MARK).values()),
        "control_groups": len(control_groups_of(identity)),
        "files": len(list(folder.rglob("*"))) if folder.exists() else 0,
    }


def _median(values: list[float]) -> float | None:
    return round(statistics.median(values), 2) if values else None


def _zip(name: str, source: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, source)
    return target.getvalue()


def measure(calls: int, environments: int, mechanisms: tuple[str | None, ...]) -> dict[str, Any]:
    """Everything, the mechanisms one after the other: side by side they would disturb each other."""
    found: dict[str, Any] = {"cpu_error": {}, "calibration": {}}
    for mechanism in mechanisms:
        with bench(mechanism) as tools:
            words = str(tools.server.about["mechanism"])
            found["calibration"][words] = tools.server.about["calibration"]
            found["cpu_error"][words] = cpu_error(tools, calls)
            found["cpu_error"][f"{words}, after {REST_S * 1000:.0f} ms of rest"] = cpu_error(
                tools, calls, rest_s=REST_S
            )
    with bench() as tools:
        found["warm_overhead"] = warm_overhead(tools, 300)
        found["cold_init_ms"] = cold_overhead(tools, calls)
        found["invocations_per_s"] = throughput(tools, 3.0, 8)
        found["isolation"] = isolation(tools, calls)
    if environments:
        found["leaks"] = environments_leave_nothing(environments)
    return found


def show(found: Mapping[str, Any]) -> None:
    for mechanism, rows in found["cpu_error"].items():
        print(mechanism)
        for row in rows:
            error = "too busy" if row["error_percent"] is None else f"{row['error_percent']:+.1f} %"
            print(f"  {row['memory_mb']:5} MB {error:>9}   n={row['n']}, {row['disturbed']} disturbed")
    for mechanism, calibration in found["calibration"].items():
        print(f"calibration at start, {mechanism}: {json.dumps(calibration)}")
    for key in ("warm_overhead", "cold_init_ms", "invocations_per_s", "isolation", "leaks"):
        if key in found:
            print(f"{key:18} {json.dumps(found[key])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=7, help="undisturbed calls for each figure")
    parser.add_argument("--environments", type=int, default=0, help="create and end so many, and look what is left")
    parser.add_argument("--mechanism", action="append", help="throttle by name; the best one and signals by default")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    mechanisms = tuple(options.mechanism) if options.mechanism else (None, "signals")
    found = measure(options.calls, options.environments, mechanisms)
    print(json.dumps(found)) if options.json else show(found)


if __name__ == "__main__":
    main()
