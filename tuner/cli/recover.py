"""``tuner recover``: undo what interrupted runs left, and remove what dead embedded Lambdas left behind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from shlex import quote

from tuner.aws.control import LambdaControlPlane
from tuner.aws.session import AwsAccess
from tuner.cli.display import print_error
from tuner.cli.interrupt import run_interruptibly
from tuner.cli.reach import access_to, reach
from tuner.cli.state import local_folder, runs_folder
from tuner.engine.journal import Journal
from tuner.engine.recovery import Recovered, recover
from tuner.engine.undo import delete_marked_versions, remove_copy, undo
from tuner.errors import CleanUpIncompleteError, ExitCode, TunerError
from tuner.inputs.identifiers import parse_function
from tuner.local.sweep import Swept, sweep
from tuner.model import EngineKind, FunctionTarget, Notice

POLL_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverOptions:
    function: str | None = None
    copies: bool = False
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None


def recover_command(options: RecoverOptions) -> int:
    """Returns 0 when nothing is left to undo, 7 when something could not be undone."""
    _say_swept(sweep(local_folder()))
    recovered = run_interruptibly(recover(runs_folder(), partial(_undo, profile=options.profile)))
    done = [_say(one) for one in recovered]
    if options.function is not None or options.copies:
        _recover_elsewhere(options)
    elif not recovered:
        print("No run is left to recover.")
    return ExitCode.OK if all(done) else ExitCode.CLEAN_UP_INCOMPLETE


def _recover_elsewhere(options: RecoverOptions) -> None:
    """Remove what runs on other machines left: versions of one function, copies of all."""
    target = parse_function(options.function) if options.function else None
    access = access_to(target, region=options.region, profile=options.profile, endpoint_url=options.endpoint_url)
    run_interruptibly(_remove_elsewhere(access, target, copies=options.copies))


async def _remove_elsewhere(access: AwsAccess, target: FunctionTarget | None, *, copies: bool) -> None:
    async with reach(access) as reached:
        if target is not None:
            await _remove_from(reached.control, target)
        if copies:
            for name, run_id in await reached.control.left_over_copies():
                _print_notices(await remove_copy(reached.control, name, run_id=run_id))
                print(f"Deleted the copy {name} of run {run_id}.")


async def _remove_from(control: LambdaControlPlane, target: FunctionTarget) -> None:
    """Versions and marks of runs on other machines. Their journals are there: a memory size that they left cannot be
    told from the owner's here, so it is only said."""
    function = await control.describe(replace(target, qualifier=None))
    deleted = await delete_marked_versions(control, function.arn)
    print(f"{function.name}: deleted {len(deleted)} versions that tuner left.")
    for run_id, memory_mb in (await control.marks(function.arn)).items():
        await control.unmark(function.arn, run_id)
        if memory_mb is not None and memory_mb != function.memory_mb:
            print(
                f"  It has {function.memory_mb} MB; before the run {run_id} it had {memory_mb} MB. If nobody chose "
                "that: aws lambda update-function-configuration "
                f"--function-name {quote(function.arn)} --memory-size {memory_mb}"
            )


def _say(recovered: Recovered) -> bool:
    """Whether the run needs nothing more."""
    if recovered.living is not None:
        print(f"{recovered.living.message} {recovered.living.hint}")
        return True
    if recovered.error is not None or recovered.record is None:
        print_error(_incomplete(recovered))
        return False
    opened = recovered.record.opened
    print(f"{opened.function}: the run of {opened.started_at} is undone.")
    _print_notices(recovered.notices)
    return True


def _print_notices(notices: tuple[Notice, ...]) -> None:
    for notice in notices:
        print(f"  {notice.message} {notice.remedy or ''}".rstrip())


async def _undo(journal: Journal, profile: str | None) -> tuple[Notice, ...]:
    """A local function lived inside its server, and the sweep has ended that."""
    opened = journal.record.opened
    if opened.engine is EngineKind.LOCAL:
        return ()
    access = AwsAccess(region=opened.region, profile=profile or opened.profile, endpoint_url=opened.endpoint_url)
    async with reach(access) as reached:
        return await undo(reached.control, journal, poll_interval_s=POLL_INTERVAL_S)


def _incomplete(recovered: Recovered) -> TunerError:
    error = recovered.error
    if error is None:
        raise AssertionError("what is not undone has a reason")
    if recovered.record is None:
        return CleanUpIncompleteError(error.message, hint=error.hint)
    return CleanUpIncompleteError(
        f"{recovered.record.opened.function} could not be put back: {error.message}",
        hint=f"{error.hint} Then type `tuner recover` again.",
    )


def _say_swept(swept: Swept) -> None:
    if swept.nothing:
        return
    print(
        f"Removed what a dead embedded Lambda left: {swept.processes} processes, {swept.control_groups} control "
        f"groups, {swept.folders} folders."
    )
