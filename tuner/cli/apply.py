"""``tuner apply``: from a report to the function, or to the template that declares it."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from tuner.aws.control import LambdaControlPlane
from tuner.aws.session import AwsAccess
from tuner.cli.ask import confirm
from tuner.cli.guards import refuse_unfinished
from tuner.cli.interrupt import run_interruptibly
from tuner.cli.place import AWS_POLL_INTERVAL_S
from tuner.cli.reach import access_to, control_plane
from tuner.cli.report_file import read_report
from tuner.engine.apply import apply_memory
from tuner.engine.settle import settled_latest
from tuner.errors import CannotTuneError, ExitCode, ForeignChangeError, TargetError, UsageError
from tuner.inputs.files import UnreadableFileError, read_bounded
from tuner.inputs.identifiers import parse_function
from tuner.inputs.templates.cdk import construct_path, memory_lines
from tuner.inputs.templates.found import (
    LARGEST_TEMPLATE_BYTES,
    Place,
    TemplateError,
    TemplateFunction,
    TemplateKind,
    choose,
)
from tuner.inputs.templates.read import edited_alone, template_functions, template_kind
from tuner.limits import LARGEST_MB, SMALLEST_MB
from tuner.model import EngineKind, FunctionSnapshot, FunctionTarget, Recommendation, Report
from tuner.render.change import render_memory_change, render_text_change
from tuner.render.text import join_or


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """``tuner apply`` as it was typed."""

    source: str
    function: str | None
    template: Path | None
    resource: str | None
    dry_run: bool
    yes: bool
    region: str | None
    profile: str | None
    endpoint_url: str | None


def apply_command(options: ApplyOptions) -> int:
    """Change one memory size; returns the exit code."""
    _check(options)
    report = read_report(options.source)
    recommendation = recommended(report)
    if options.template is not None:
        return _write(report, recommendation, options.template, options)
    _refuse_other_architecture(report, recommendation)
    target = _target(report, options)
    region = options.region or _region(report, target)
    access = access_to(target, region=region, profile=options.profile, endpoint_url=options.endpoint_url)
    return run_interruptibly(_set(report, recommendation, target, access, options))


def _check(options: ApplyOptions) -> None:
    if options.template is None and options.resource:
        raise UsageError("--resource names a function of a template.", hint="Add --write with the template's file.")
    if options.template is not None and (options.profile or options.endpoint_url or options.region):
        raise UsageError(
            "--write changes a file and asks nothing of AWS: --region, --profile and --endpoint-url mean nothing.",
            hint="Leave them out.",
        )


def recommended(report: Report) -> Recommendation:
    """What the report recommends; UsageError where that is nothing, or no size that Lambda has."""
    if report.recommendation is None:
        raise UsageError("This report recommends no size.", hint="Its notices say why: `tuner report` shows them.")
    memory_mb = report.recommendation.memory_mb
    if not SMALLEST_MB <= memory_mb <= LARGEST_MB:
        raise UsageError(
            f"This report recommends {memory_mb} MB; Lambda allows {SMALLEST_MB} to {LARGEST_MB:,} MB.",
            hint="It was not written by `tuner run`, or was edited. Measure again: tuner run FUNCTION",
        )
    return report.recommendation


def _refuse_other_architecture(report: Report, recommendation: Recommendation) -> None:
    """A size chosen for one architecture is no advice for the other, and only a deployment can change it."""
    now = report.target.current.architecture
    if recommendation.architecture is not now:
        raise CannotTuneError(
            f"The report recommends {recommendation.memory_mb} MB on {recommendation.architecture}; the function is "
            f"{now}, and changing that needs a deployment of its code.",
            hint=f"Set both in the template that deploys it, or measure sizes for {now} alone: tuner run "
            f"{shlex.quote(report.target.function)} --arch {now}",
        )


def _target(report: Report, options: ApplyOptions) -> FunctionTarget:
    if options.function is not None:
        return parse_function(options.function)
    if report.target.engine is EngineKind.LOCAL:
        raise UsageError(
            "This report was measured on the embedded Lambda: it does not say which function on AWS is meant.",
            hint="Name it with --function, or change its template with --write.",
        )
    return parse_function(report.target.function)


def _region(report: Report, target: FunctionTarget) -> str | None:
    """Where the function was measured, unless its ARN or a local run says nothing of it."""
    return None if report.target.engine is EngineKind.LOCAL or target.region else report.target.region


async def _set(
    report: Report,
    recommendation: Recommendation,
    target: FunctionTarget,
    access: AwsAccess,
    options: ApplyOptions,
) -> int:
    async with control_plane(access) as control:
        await set_recommended(
            control,
            target,
            report,
            recommendation,
            endpoint_url=access.named_endpoint_url,
            yes=options.yes,
            dry_run=options.dry_run,
            out=sys.stdout,
        )
    return ExitCode.OK


async def set_recommended(
    control: LambdaControlPlane,
    target: FunctionTarget,
    report: Report,
    recommendation: Recommendation,
    *,
    endpoint_url: str | None,
    yes: bool,
    dry_run: bool = False,
    out: TextIO,
) -> None:
    """Show the change on ``out``, ask, and make it.

    ForeignChangeError where the function is not what was measured, TargetError where the answer is no.
    """
    function = await control.describe(replace(target, qualifier=None))
    refuse_unfinished(function, endpoint_url)
    memory_mb = recommendation.memory_mb
    if function.memory_mb == memory_mb:
        print(f"{function.name} has {memory_mb} MB already: nothing to change.", file=out)
        return
    _refuse_other_function(report, function)
    shown = render_memory_change(function.name, function.region, function.memory_mb, memory_mb, report)
    print(shown, end="", file=out)
    _warn(report, recommendation, function)
    if dry_run:
        return
    confirm(f"Change {function.name}?", yes=yes, refused="Nothing was changed.")
    await _change(control, function, memory_mb)
    print(f"{function.name} has {memory_mb} MB now; it had {function.memory_mb} MB.", file=out)


async def _change(control: LambdaControlPlane, function: FunctionSnapshot, memory_mb: int) -> None:
    found = await settled_latest(control, function.name, poll_interval_s=AWS_POLL_INTERVAL_S)
    if found.code_sha256 != function.code_sha256 or found.memory_mb != function.memory_mb:
        raise ForeignChangeError(
            f"{function.name} was changed while the question was open.", hint="Type the same command again."
        )
    await apply_memory(control, function.name, found, memory_mb, poll_interval_s=AWS_POLL_INTERVAL_S)


def _refuse_other_function(report: Report, function: FunctionSnapshot) -> None:
    """ForeignChangeError where the function is not what was measured: then the figures are of something else."""
    measured = report.target
    differences = []
    if function.architecture is not measured.current.architecture:
        differences.append(f"its architecture is {function.architecture}, not {measured.current.architecture}")
    if measured.engine is EngineKind.AWS:
        if function.memory_mb != measured.current.memory_mb:
            differences.append(f"its memory is {function.memory_mb} MB, not {measured.current.memory_mb} MB")
        if measured.code_sha256 is not None and function.code_sha256 != measured.code_sha256:
            differences.append("its code is another")
    if differences:
        raise ForeignChangeError(
            f"{function.name} is not as it was measured: {'; '.join(differences)}.",
            hint=f"Measure it again with `tuner run {shlex.quote(function.name)}`, and apply that report.",
        )


def _warn(report: Report, recommendation: Recommendation, function: FunctionSnapshot) -> None:
    if report.target.engine is EngineKind.LOCAL:
        _say("Measured on the embedded Lambda, not on AWS: nothing shows that it is this function's code.")
    elif report.target.code_sha256 is None:
        _say("The report is of an older tuner: it does not say which code was measured.")
    if not recommendation.decided:
        rivals = join_or(f"{cell.memory_mb} MB" for cell in recommendation.tied) if recommendation.tied else "others"
        _say(f"The report is undecided: {rivals} may be as good.")
    if function.versions:
        _say("Published versions and the aliases on them keep their memory; only $LATEST changes.")
    _say("The next deployment sets what its template says: change that too: `tuner apply REPORT --write TEMPLATE`.")


def _write(report: Report, recommendation: Recommendation, path: Path, options: ApplyOptions) -> int:
    text = _read(path)
    kind = template_kind(path.as_posix(), text)
    memory_mb = recommendation.memory_mb
    if kind is TemplateKind.CDK:
        raise _cannot_edit_cdk(path, text, memory_mb, report, options)
    name = options.function or report.target.function
    function = choose(template_functions(kind, text), name, options.resource)
    if function.memory_mb == memory_mb:
        print(f"{path}: {function.resource} has {memory_mb} MB already: nothing to change.")
    else:
        changed = edited_alone(kind, text, function, memory_mb)
        print(render_text_change(str(path), text, changed), end="")
        _remark(function, report)
        if not options.dry_run:
            confirm(f"Write {path}?", yes=options.yes, refused="Nothing was written.")
            _refuse_changed(path, text)
            _replace(path, changed)
            print(f"{path}: {function.resource} has {memory_mb} MB.")
    if recommendation.architecture is not report.target.current.architecture:
        _say(
            f"The size is for {recommendation.architecture}, the function is {report.target.current.architecture}: "
            "change its architecture in the same deployment, by hand."
        )
    return ExitCode.OK


def _remark(function: TemplateFunction, report: Report) -> None:
    if isinstance(function.place, Place) and function.place.remark:
        _say(function.place.remark)
    measured_mb = report.target.current.memory_mb
    if function.memory_mb not in (None, measured_mb) and report.target.engine is EngineKind.AWS:
        _say(f"The template says {function.memory_mb} MB; the function that was measured had {measured_mb} MB.")


def _cannot_edit_cdk(
    path: Path, text: str, memory_mb: int, report: Report, options: ApplyOptions
) -> TemplateError | TargetError:
    """CDK is a program: what to change and where is all that can be said."""
    if path.suffix in (".json", ".template", ".yaml", ".yml"):
        name = options.function or report.target.function
        function = choose(template_functions(TemplateKind.CLOUDFORMATION, text), name, options.resource)
        made_at = construct_path(text, function.resource) or function.resource
        return TemplateError(
            f"{path} was written by CDK: the next synthesis overwrites it.",
            hint=f"Set memorySize: {memory_mb} where your program makes {made_at.removesuffix('/Resource')}.",
        )
    lines = memory_lines(text)
    if not lines:
        return TemplateError(
            f"{path} is a program and mentions no memory size.",
            hint=f"Give its function memorySize: {memory_mb} by hand.",
        )
    places = "\n".join(f"  {path}:{line.line}: {line.text}" for line in lines)
    return TemplateError(
        f"{path} is a program, and programs are not edited. It mentions a memory size here:\n{places}",
        hint=f"Set it to {memory_mb} by hand.",
    )


def _read(path: Path) -> str:
    try:
        return read_bounded(path, limit_bytes=LARGEST_TEMPLATE_BYTES).decode("utf-8")
    except UnreadableFileError as error:
        raise UsageError(f"{path} {error}.", hint="Give --write the file of a template.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text.", hint="Give --write a template.") from error


def _refuse_changed(path: Path, text: str) -> None:
    """An editor may have saved the file while the question was open."""
    if _read(path) != text:
        raise UsageError(f"{path} was changed meanwhile, and was left as it is.", hint="Type the same command again.")


def _replace(path: Path, text: str) -> None:
    """Write the whole file beside the old one and put it in its place: nobody sees half of it."""
    target = path.resolve()
    try:
        descriptor, made = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode("utf-8"))
            shutil.copymode(target, made)
            Path(made).replace(target)
        finally:
            Path(made).unlink(missing_ok=True)  # on a full disk half a file would stay behind
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}. It was left as it is.",
            hint="Check the free space, and that you may write in its folder.",
        ) from error


def _say(text: str) -> None:
    print(f"Note: {text}", file=sys.stderr)
