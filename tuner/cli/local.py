"""The embedded Lambda behind ``--local``, and on its own as ``tuner local``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from tuner.aws.deploy import NewFunction, create_function
from tuner.aws.session import AwsAccess, FixedCredentials, environment_region
from tuner.cli.inputs import FunctionOptions
from tuner.cli.place import Place
from tuner.cli.state import local_folder, writable_state_folder
from tuner.errors import UsageError
from tuner.local.fault_plan import read_fault_plan
from tuner.local.launcher import EmbeddedLambda
from tuner.local.package import LocalFunction, read_function
from tuner.local.simulation import read_simulation
from tuner.model import EngineKind, FunctionTarget, Notice, Severity

if TYPE_CHECKING:
    from mypy_boto3_lambda.literals import RuntimeType

POLL_INTERVAL_S = 0.03
DEFAULT_REGION = "us-east-1"
MOST_NAMED_SIZES = 12
CREDENTIALS = FixedCredentials(access_key_id="local", secret_access_key="local")  # noqa: S106 - opens nothing


@contextmanager
def local_place(options: FunctionOptions, memory_mb: tuple[int, ...]) -> Iterator[Place]:
    """Start the embedded Lambda, create the function of the folder in it, and end it all afterwards."""
    with embedded_place(options, memory_mb, (read_local(options, Path(options.function)),)) as place:
        yield place


def read_local(options: FunctionOptions, path: Path) -> LocalFunction:
    """The function in a folder or zip file, set up as the options say."""
    return read_function(
        path,
        handler=options.handler,
        runtime=options.runtime,
        timeout_s=options.timeout_s,
        memory_mb=options.current_memory_mb,
    )


@contextmanager
def embedded_place(
    options: FunctionOptions, memory_mb: tuple[int, ...], functions: Sequence[LocalFunction]
) -> Iterator[Place]:
    """Start the embedded Lambda with ``functions`` in it, and end it all afterwards. The first one is the target."""
    region = options.region or environment_region() or DEFAULT_REGION
    with EmbeddedLambda(local_folder(), region=region, calibrate=True, simulation=options.simulation) as server:
        measurable_mb, notices = _measurable(memory_mb, int(server.about["max_measurable_memory_mb"]))
        access = AwsAccess(region=region, endpoint_url=server.endpoint_url, credentials=CREDENTIALS)
        for function in functions:
            _create(access, function, options.variables)
        yield Place(
            engine=EngineKind.LOCAL,
            access=access,
            target=FunctionTarget(name=functions[0].name),
            memory_mb=measurable_mb,
            poll_interval_s=POLL_INTERVAL_S,
            notices=(*notices, *_remarks(server.about)),
            host=_host(server.about),
            throttle=_throttle(server.about),
        )


def local_command(*, port: int, faults: Path | None, simulation: Path | None) -> NoReturn:
    """Serve until Ctrl-C: this process becomes the server."""
    if faults is not None:
        read_fault_plan(faults)
    if simulation is not None:
        read_simulation(simulation)
    writable_state_folder()
    command = [sys.executable, "-P", "-m", "tuner.local", "--state-root", str(local_folder()), "--port", str(port)]
    command += ["--faults", str(faults)] if faults else []
    command += ["--simulate", str(simulation)] if simulation else []
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(sys.executable, command)  # noqa: S606 - our own module


def _create(access: AwsAccess, function: LocalFunction, environment: dict[str, str]) -> None:
    client = access.control_client()
    try:
        create_function(
            client,
            NewFunction(
                name=function.name,
                runtime=cast("RuntimeType", function.runtime),
                handler=function.handler,
                architecture=function.architecture,
                memory_mb=function.memory_mb,
                timeout_s=function.timeout_s,
                zip_bytes=function.zip_bytes,
                environment=environment,
            ),
        )
    finally:
        client.close()


def _measurable(memory_mb: tuple[int, ...], most_mb: int) -> tuple[tuple[int, ...], tuple[Notice, ...]]:
    """Leave out sizes that would need more CPU than this machine has: their durations would be untrue."""
    kept = tuple(size for size in memory_mb if size <= most_mb)
    left_out = tuple(size for size in memory_mb if size > most_mb)
    if not kept:
        raise UsageError(
            f"This machine cannot measure {_named(left_out)} MB: it has the CPU of {most_mb} MB.",
            hint=f"Use --memory up to {most_mb}, or measure the deployed function on AWS.",
        )
    if not left_out:
        return kept, ()
    return kept, (
        Notice(
            code="not-measurable-here",
            severity=Severity.WARNING,
            message=f"{_named(left_out)} MB were left out: they have more CPU than this machine "
            f"({most_mb} MB worth).",
            remedy="Measure them on AWS.",
        ),
    )


def _named(sizes_mb: tuple[int, ...]) -> str:
    """Each of a few sizes, the ends of many."""
    if len(sizes_mb) <= MOST_NAMED_SIZES:
        return ", ".join(map(str, sizes_mb))
    return f"{sizes_mb[0]} to {sizes_mb[-1]}"


def _throttle(about: dict[str, Any]) -> str:
    """The mechanism, whether cores may sleep, and by how much CPU-bound work was off its due duration."""
    mechanism = f"{about['mechanism']}, cores kept awake" if about["cores_kept_awake"] else str(about["mechanism"])
    sizes = (about["calibration"] or {}).get("sizes", [])
    errors = ", ".join(f"{size['error_percent']:+.1f} % at {size['memory_mb']} MB" for size in sizes)
    return f"{mechanism} (calibration: {errors})" if errors else mechanism


def _remarks(about: dict[str, Any]) -> tuple[Notice, ...]:
    notices = []
    if not (about["calibration"] or {}).get("trustworthy", False):
        notices.append(
            Notice(
                code="calibration",
                severity=Severity.WARNING,
                message=f"This machine does not hold durations to their memory size now ({_throttle(about)}; at most "
                "10 % is trusted): it is busy, or its CPU cannot be limited.",
                remedy="Run this when the machine has nothing else to do, or measure on AWS.",
            )
        )
    if about["simulated"]:
        notices.append(
            Notice(
                code="simulated",
                severity=Severity.WARNING,
                message=f"Simulated, not measured: {', '.join(map(str, about['simulated']))}.",
            )
        )
    return tuple(notices)


def _host(about: dict[str, Any]) -> str:
    return f"{about['cpu_model']}, {about['cores']} cores, Python {about['python_version']}"
