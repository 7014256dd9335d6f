"""``tuner cold-start``: from the options to a report of cold starts that were forced."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from tuner.aws.control import LambdaControlPlane
from tuner.cli.inputs import (
    Allowance,
    FunctionOptions,
    OutputOptions,
    SendingOptions,
    SpendOptions,
    command_line,
    flags,
    read_architectures,
)
from tuner.cli.interrupt import run_interruptibly
from tuner.cli.measure import (
    Call,
    agree,
    checked,
    control_plane,
    interrupted_notice,
    measure,
    nothing_measured,
    place_of,
    prices_of,
    read_payloads,
    refuse_unfinished,
)
from tuner.cli.place import Place
from tuner.cli.reports import ReportFiles, report_files, text_of, write_report_charts, write_reports
from tuner.cli.state import new_run_id, runs_folder, writable_state_folder
from tuner.engine.orchestrator import RunResult
from tuner.engine.resume import resumed
from tuner.engine.store import RunStore
from tuner.errors import ExitCode, InvalidMeasurementError, TunerError, UsageError
from tuner.inputs.memory import parse_memory
from tuner.inputs.payload_set import PayloadSet
from tuner.model import (
    Architecture,
    ColdStartGoal,
    ColdStartReport,
    FunctionSnapshot,
    Outcome,
    Plan,
    Precision,
    RunRequest,
    Sample,
)
from tuner.planning.cold_start import goal_of, parse_precision, plan_cold_starts
from tuner.planning.plan import architectures_of
from tuner.render.cold_plan import sampling_words
from tuner.render.json import render_json
from tuner.reporting.cold_start import build_cold_start_report
from tuner.reporting.parts import RunFacts
from tuner.units import parse_percent

MOST_SIZES = 12
"""Each size is published as often as there are batches: a whole range is a search, and `tuner run` has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions:
    """``tuner cold-start`` as it was typed, without what only the log mode has."""

    where: FunctionOptions
    send: SendingOptions
    spend: SpendOptions
    output: OutputOptions
    memory: str | None
    architectures: str | None
    starts: int
    warm: int
    wave: int | None
    precision: str | None
    cold_fraction: str | None
    clone: bool
    resume: str | None
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyInputs:
    """What the options of the study itself mean. No sizes: the function's own."""

    memory_mb: tuple[int, ...]
    architectures: tuple[Architecture, ...]
    precision: Precision | None
    cold_fraction: float | None
    allowance: Allowance


def study_command(options: StudyOptions) -> int:
    """Force cold starts and report; returns the exit code."""
    options.send.check()
    options.where.check()
    options.output.check()
    inputs = read_inputs(options)
    sources = options.send.sources()
    writable_state_folder()
    own = (options.where.current_memory_mb,) if options.where.local else ()
    with place_of(options.where, inputs.memory_mb or own) as place:
        study = _Study(options, inputs, place, read_payloads(sources, place.access, place.target.name))
        return run_interruptibly(study.main())


def read_inputs(options: StudyOptions) -> StudyInputs:
    """Raises a UsageError for the first option that cannot be used."""
    sizes = parse_memory(options.memory).sizes if options.memory else ()
    if len(sizes) > MOST_SIZES:
        raise UsageError(
            f"--memory {options.memory} is {len(sizes)} sizes, each of which would be published over and over.",
            hint=f"Name up to {MOST_SIZES} of them, for example --memory 512,1769.",
        )
    return StudyInputs(
        memory_mb=sizes,
        architectures=read_architectures(options.architectures),
        precision=parse_precision(options.precision) if options.precision else None,
        cold_fraction=parse_percent(options.cold_fraction) if options.cold_fraction else None,
        allowance=options.spend.values(),
    )


def reproduce_command(options: StudyOptions) -> str:
    """The command line that repeats the study. Payload texts and values of variables stay out of it."""
    words = flags({"--memory": options.memory, "--arch": options.architectures})
    words += ["-n", str(options.starts), "--warm", str(options.warm), "--seed", str(options.seed)]
    words += flags(
        {"--wave": options.wave, "--precision": options.precision, "--cold-fraction": options.cold_fraction}
    )
    words += ["--clone"] if options.clone else []
    return command_line(
        "tuner",
        "cold-start",
        options.where.function,
        *words,
        *options.where.words(),
        *options.send.words(),
        *options.spend.words(),
    )


def no_cold_start(report: ColdStartReport) -> TunerError:
    """Why there is no cold start in a report: nothing was or could be invoked, nothing succeeded, or all was warm."""
    for notice in report.notices:
        if not report.samples and notice.code == "not-portable":
            return InvalidMeasurementError(notice.message, hint=notice.remedy or "Measure its own architecture.")
    if not any(sample.outcome is Outcome.OK for sample in report.samples):
        return nothing_measured(report.samples)
    return InvalidMeasurementError(
        f"None of {len(report.samples)} calls met a cold start: their environments were initialised ahead of time.",
        hint="Provisioned concurrency hides cold starts: measure a copy without it, with --clone.",
    )


class _Study:
    """One study, step by step."""

    def __init__(self, options: StudyOptions, inputs: StudyInputs, place: Place, payloads: PayloadSet) -> None:
        self._options = options
        self._inputs = inputs
        self._place = place
        self._payloads = payloads
        self._run_id = options.resume or new_run_id()

    async def main(self) -> int:
        options = self._options
        async with control_plane(self._place.access, engine=self._place.engine) as control:
            plan, earlier = await self._plan(control)
            files = report_files(
                options.output.report_files,
                name=f"{plan.function.name}-{plan.run_id}",
                fallback_folder=runs_folder() / plan.run_id,
            )
            agree(plan, yes=options.spend.yes, quiet=options.output.quiet)
            call = Call(
                payloads=self._payloads,
                options=options.send,
                transport=options.where.transport,
                quiet=options.output.quiet,
                verbose=options.output.verbose,
            )
            result = await measure(plan, self._place, control, call, earlier=earlier)
        return self._finish(plan, result, files)

    async def _plan(self, control: LambdaControlPlane) -> tuple[Plan, tuple[Sample, ...]]:
        """The plan and the samples there are already: none, except for a study that is resumed."""
        function = await control.describe(self._place.target)
        refuse_unfinished(function)
        if self._options.resume is not None:
            store = RunStore.open(runs_folder(), self._options.resume)
            plan, earlier = resumed(store, function, self._payloads.sha256, command="cold-start")
            return await checked(plan, control), earlier
        request = self._request(function)
        plan = plan_cold_starts(
            request,
            function,
            await control.limits(),
            prices_of(function, architectures_of(request, function), self._inputs.allowance),
            run_id=self._run_id,
            notices=(*self._place.notices, *self._options.send.notices()),
        )
        return await checked(plan, control), ()

    def _request(self, function: FunctionSnapshot) -> RunRequest:
        options, inputs = self._options, self._inputs
        return RunRequest(
            function=function.name,
            engine=self._place.engine,
            memory_mb=self._place.memory_mb or (function.memory_mb,),
            wave_size=options.wave,
            max_cost_usd=inputs.allowance.max_cost_usd,
            max_invocations=inputs.allowance.max_invocations,
            max_time_s=inputs.allowance.max_time_s,
            architectures=inputs.architectures,
            clone=options.clone,
            payload_sha256=self._payloads.sha256,
            expected_errors=options.send.expected_errors,
            seed=options.seed,
            cold_fraction=inputs.cold_fraction,
            cold_starts=ColdStartGoal(
                starts_per_cell=options.starts, warm_per_batch=options.warm, precision=inputs.precision
            ),
        )

    def _finish(self, plan: Plan, result: RunResult, files: ReportFiles) -> int:
        report, output = self._report(plan, result, files), self._options.output
        write_reports(report, files.paths)
        if output.charts is not None:
            write_report_charts(report, output.charts)
        print(render_json(report) if output.json_output else text_of(report), end="")
        if not output.quiet:
            print(f"Report: {', '.join(str(path) for path in files.paths)}", file=sys.stderr)
        if result.failure is not None:
            raise result.failure
        if result.interrupted:
            print("Interrupted: the function is as it was. The report holds what was measured.", file=sys.stderr)
            return ExitCode.INTERRUPTED
        if not any(cell.counts.cold for cell in report.cells):
            raise no_cold_start(report)
        return ExitCode.OK

    def _report(self, plan: Plan, result: RunResult, files: ReportFiles) -> ColdStartReport:
        interrupted = (interrupted_notice(plan),) if result.interrupted else ()
        return build_cold_start_report(
            plan,
            result.samples,
            RunFacts(
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
                command=reproduce_command(self._options),
                sampling=sampling_words(plan, goal_of(plan.request)),
                payload_sha256=self._payloads.sha256,
                blocks=result.blocks,
                seconds=result.seconds,
                notices=(*files.notices, *result.notices, *interrupted),
                host=self._place.host,
                throttle=self._place.throttle,
            ),
        )
