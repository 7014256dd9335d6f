"""``tuner doctor``: what works here, what does not, and what to do about it."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

from tuner import __version__
from tuner.aws.identity import identity, token_service
from tuner.aws.session import AwsAccess
from tuner.cli.configured import load
from tuner.cli.display import columns
from tuner.cli.interrupt import run_interruptibly
from tuner.cli.reach import access_to, control_plane
from tuner.cli.state import local_folder, runs_folder, writable_state_folder
from tuner.engine.journal import unfinished_journals
from tuner.engine.preflight import require
from tuner.errors import ExitCode, TunerError
from tuner.inputs.identifiers import parse_function
from tuner.local.launcher import EmbeddedLambda
from tuner.model import FunctionSnapshot, FunctionTarget
from tuner.render.table import render_columns

SCHEMA_VERSION = 1
LEAST_FREE_BYTES = 200 * 2**20
MOST_SKEW_S = 60.0


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    status: Status
    message: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorOptions:
    """``tuner doctor`` as it was typed."""

    function: str | None
    offline: bool
    region: str | None
    profile: str | None
    endpoint_url: str | None
    json_output: bool


def doctor_command(options: DoctorOptions) -> int:
    """Check, print; 8 where something stands in the way."""
    findings = tuple(_findings(options))
    if options.json_output:
        rows = [asdict(finding) for finding in findings]
        print(json.dumps({"schema_version": SCHEMA_VERSION, "checks": rows}, indent=2))
    else:
        print(render_columns(("check", "", "what was found"), _rows(findings), width=columns()), end="")
    failed = any(finding.status is Status.FAILED for finding in findings)
    return ExitCode.TARGET if failed else ExitCode.OK


def _rows(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [
        (finding.check, finding.status.value, " ".join(filter(None, (finding.message, finding.remedy))))
        for finding in findings
    ]


def _findings(options: DoctorOptions) -> Iterator[Finding]:
    python = f"tuner {__version__}, Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding("tuner", Status.OK, python)
    yield from _guarded("configuration", _configuration)
    yield from _guarded("state folder", _state)
    yield from _guarded("unfinished runs", _unfinished)
    yield from _guarded("embedded Lambda", _embedded)
    if options.offline:
        yield Finding("AWS", Status.SKIPPED, "Not asked, because of --offline.")
        return
    yield from _aws(options)


def _guarded(check: str, look: Callable[[], Finding]) -> Iterator[Finding]:
    """An error of ours is a finding here."""
    try:
        yield look()
    except TunerError as error:
        yield Finding(check, Status.FAILED, error.message, error.hint)


def _configuration() -> Finding:
    found = load()
    message = f"{found.path}" if found else "No tuner.toml here or above: defaults hold."
    return Finding("configuration", Status.OK, message)


def _state() -> Finding:
    folder = writable_state_folder()
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        message = f"{folder} has {free / 2**20:.0f} MB of disk left."
        return Finding("state folder", Status.WARNING, message, "A run writes journals and samples there: make room.")
    return Finding("state folder", Status.OK, f"{folder}, {free / 2**30:.1f} GB free")


def _unfinished() -> Finding:
    records = unfinished_journals(runs_folder())
    if not records:
        return Finding("unfinished runs", Status.OK, "None.")
    names = ", ".join(sorted({record.opened.function for record in records}))
    message = f"{len(records)} on {names}: still going on, or killed."
    return Finding("unfinished runs", Status.WARNING, message, "If none is going on, type `tuner recover`.")


def _embedded() -> Finding:
    if sys.platform != "linux":
        return Finding("embedded Lambda", Status.WARNING, "It needs Linux: --local cannot be used here.")
    with EmbeddedLambda(local_folder(), calibrate=True) as server:
        about = server.about
    calibration = about["calibration"] or {}
    words = f"{about['mechanism']}, {about['cores']} cores, sizes up to {about['max_measurable_memory_mb']} MB"
    if calibration.get("trustworthy"):
        return Finding("embedded Lambda", Status.OK, f"{words}; durations hold to the memory size.")
    remedy = "The machine is busy, or CPU cannot be limited: control groups need root or a delegated group."
    return Finding("embedded Lambda", Status.WARNING, f"{words}; durations are off by more than 10 % now.", remedy)


def _aws(options: DoctorOptions) -> Iterator[Finding]:
    try:
        target = parse_function(options.function) if options.function else None
        access = access_to(target, region=options.region, profile=options.profile, endpoint_url=options.endpoint_url)
    except TunerError as error:
        yield Finding("region", _weight(options), error.message, error.hint)
        return
    yield Finding("region", Status.OK, access.region)
    if options.endpoint_url is None:
        identified = list(_credentials(access.region, options))
        yield from identified
        if any(finding.status in (Status.FAILED, Status.SKIPPED) for finding in identified):
            return
    if target is None:
        yield Finding("permissions", Status.SKIPPED, "Name a function to have its permissions checked.")
        return
    yield from _guarded("function", lambda: _function(access, target))


def _weight(options: DoctorOptions) -> Status:
    """Without an account tuner still works with --local: only who named a function misses something."""
    return Status.FAILED if options.function else Status.SKIPPED


def _credentials(region: str, options: DoctorOptions) -> Iterator[Finding]:
    try:
        client = token_service(region=region, profile=options.profile)
        found = identity(client, now=datetime.now(UTC), profile=options.profile)
    except TunerError as error:
        yield Finding("credentials", _weight(options), error.message, error.hint)
        return
    yield Finding("credentials", Status.OK, f"{found.name} in account {found.account}")
    ahead_s = found.clock_ahead_s
    if ahead_s is None:
        yield Finding("clock", Status.WARNING, "AWS's answer had no date to compare with.")
    elif abs(ahead_s) > MOST_SKEW_S:
        message = f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} AWS's."
        yield Finding("clock", Status.WARNING, message, "From 300 s on AWS refuses signatures: set the clock.")
    else:
        yield Finding("clock", Status.OK, f"{abs(ahead_s):.0f} s from AWS's")


def _function(access: AwsAccess, target: FunctionTarget) -> Finding:
    function = run_interruptibly(_allowed(access, target))
    words = f"{function.name}: {function.memory_mb} MB, {function.architecture}; a run is permitted."
    return Finding("function", Status.OK, words)


async def _allowed(access: AwsAccess, target: FunctionTarget) -> FunctionSnapshot:
    """The function, where everything that a run needs is allowed; nothing of it is changed."""
    async with control_plane(access) as control:
        function = await control.describe(target)
        require(await control.permissions(function.arn, revisions=function.revision_id is not None))
    return function
