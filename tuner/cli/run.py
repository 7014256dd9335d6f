"""``tuner run``: from the options to a report."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tuner import codec
from tuner.aws.control import LambdaControlPlane
from tuner.cli.apply_result import apply_result, check_apply
from tuner.cli.display import columns, wants_color
from tuner.cli.inputs import (
    Allowance,
    FunctionOptions,
    OutputOptions,
    SendingOptions,
    SpendOptions,
    command_line,
    flags,
    read_architectures,
    read_confidence,
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
from tuner.cli.reports import ReportFiles, report_files, write_report_charts, write_reports
from tuner.cli.state import new_run_id, runs_folder, writable_state_folder
from tuner.engine.orchestrator import RunResult
from tuner.engine.resume import resumed
from tuner.engine.store import RunStore
from tuner.errors import ExitCode, UsageError
from tuner.inputs.limits import parse_cost_limit, parse_duration_limit
from tuner.inputs.memory import parse_memory
from tuner.inputs.payload_set import PayloadSet
from tuner.model import (
    Architecture,
    BudgetStatus,
    Cell,
    DurationLimit,
    FunctionSnapshot,
    Plan,
    Report,
    RunRequest,
    Sample,
    SamplingKind,
    Strategy,
)
from tuner.planning.candidates import candidate_sizes
from tuner.planning.plan import architectures_of, make_plan
from tuner.render.terminal import render_plan, render_report
from tuner.reporting.parts import RunFacts
from tuner.reporting.run import build_report
from tuner.units import parse_percent

DEFAULT_SAMPLES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """``tuner run`` as it was typed."""

    where: FunctionOptions
    send: SendingOptions
    spend: SpendOptions
    output: OutputOptions
    memory: str
    strategy: Strategy
    tolerance: str
    sampling: SamplingKind | None
    confidence: str
    confirm: bool
    max_duration: str | None
    max_cost_per_million: str | None
    cold_fraction: str | None
    weight: float
    samples: int | None
    wave: int | None
    architectures: str | None
    clone: bool
    resume: str | None
    seed: int
    apply: bool = False

    @property
    def sampling_kind(self) -> SamplingKind:
        """What was asked for: a number of samples a size asks for a fixed run."""
        if self.sampling is not None:
            return self.sampling
        return SamplingKind.ADAPTIVE if self.samples is None else SamplingKind.FIXED

    @property
    def adaptive(self) -> bool:
        return self.sampling_kind is SamplingKind.ADAPTIVE

    @property
    def samples_per_size(self) -> int:
        return DEFAULT_SAMPLES if self.samples is None else self.samples

    def check(self) -> None:
        """UsageError for options that contradict each other."""
        self.send.check()
        self.where.check()
        self.output.check()
        if self.apply:
            check_apply(local=self.where.local, yes=self.spend.yes)
        if self.adaptive and self.samples is not None:
            raise UsageError(
                "-n says how often to measure each size, but a search decides that itself.",
                hint="Leave -n out, or use --sampling fixed.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInputs:
    """What the options of the run itself mean."""

    memory_mb: tuple[int, ...]
    tolerance: float
    confidence: float
    max_duration: DurationLimit | None
    max_cost_usd_per_million: float | None
    cold_fraction: float | None
    architectures: tuple[Architecture, ...]
    allowance: Allowance


def run_command(options: RunOptions) -> int:
    """Run and report; returns the exit code."""
    options.check()
    inputs = read_inputs(options)
    sources = options.send.sources()
    writable_state_folder()
    with place_of(options.where, inputs.memory_mb) as place:
        run = _Run(options, inputs, place, read_payloads(sources, place.access, place.target.name))
        return run_interruptibly(run.main())


def plan_command(options: RunOptions, out: Path | None) -> int:
    """Say what ``run_command`` would do; returns the exit code."""
    options.check()
    inputs = read_inputs(options)
    sources = options.send.sources()
    with place_of(options.where, inputs.memory_mb) as place:
        run = _Run(options, inputs, place, read_payloads(sources, place.access, place.target.name))
        plan = asyncio.run(run.plan())
    if out is not None:
        out.write_bytes(codec.encode_pretty(plan))
    if options.output.json_output:
        print(codec.encode_pretty(plan).decode(), end="")
    else:
        print(render_plan(plan, width=columns(), color=wants_color()), end="")
    if out is not None and not options.output.quiet:
        print(f"Plan: {out}", file=sys.stderr)
    return ExitCode.OK


def read_inputs(options: RunOptions) -> RunInputs:
    """Raises a UsageError for the first option that cannot be used."""
    selection = parse_memory(options.memory)
    return RunInputs(
        memory_mb=candidate_sizes(selection.ranges) if options.adaptive else selection.sizes,
        tolerance=parse_percent(options.tolerance),
        confidence=read_confidence(options.confidence),
        max_duration=None if options.max_duration is None else parse_duration_limit(options.max_duration),
        max_cost_usd_per_million=None
        if options.max_cost_per_million is None
        else parse_cost_limit(options.max_cost_per_million),
        cold_fraction=None if options.cold_fraction is None else parse_percent(options.cold_fraction),
        architectures=read_architectures(options.architectures),
        allowance=options.spend.values(),
    )


def reproduce_command(options: RunOptions) -> str:
    """The command line that repeats the run. Payload texts and values of variables stay out of it."""
    words = ["--memory", options.memory, "--strategy", options.strategy.value, "--tolerance", options.tolerance]
    words += ["--sampling", options.sampling_kind.value, "--seed", str(options.seed)]
    words += ["--confidence", options.confidence] if options.adaptive else ["-n", str(options.samples_per_size)]
    words += ["--weight", str(options.weight)] if options.strategy is Strategy.BALANCED else []
    words += flags(
        {
            "--max-duration": options.max_duration,
            "--max-cost-per-million": options.max_cost_per_million,
            "--cold-fraction": options.cold_fraction,
            "--wave": options.wave,
            "--arch": options.architectures,
        }
    )
    words += ["--confirm"] if options.confirm else []
    words += ["--clone"] if options.clone else []
    return command_line(
        "tuner",
        "run",
        options.where.function,
        *words,
        *options.where.words(),
        *options.send.words(),
        *options.spend.words(),
    )


class _Run:
    """One run of the command, step by step."""

    def __init__(self, options: RunOptions, inputs: RunInputs, place: Place, payloads: PayloadSet) -> None:
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
            report = self._report(plan, result, files)
            code = self._finish(report, result, files)
            if options.apply:
                await apply_result(control, plan.request, report, code, yes=options.spend.yes)
        return code

    async def plan(self) -> Plan:
        """The plan alone: nothing is changed, nothing invoked."""
        async with control_plane(self._place.access, engine=self._place.engine) as control:
            plan, _ = await self._plan(control)
        return plan

    async def _plan(self, control: LambdaControlPlane) -> tuple[Plan, tuple[Sample, ...]]:
        """The plan and the samples there are already: none, except for a resumed run."""
        function = await control.describe(self._place.target)
        refuse_unfinished(function)
        if self._options.resume is not None:
            store = RunStore.open(runs_folder(), self._options.resume)
            plan, earlier = resumed(store, function, self._payloads.sha256, command="run")
            return await checked(plan, control), earlier
        request = self._request(function)
        plan = make_plan(
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
            memory_mb=self._place.memory_mb,
            strategy=options.strategy,
            tolerance=inputs.tolerance,
            samples_per_size=options.samples_per_size,
            wave_size=options.wave,
            max_cost_usd=inputs.allowance.max_cost_usd,
            max_invocations=inputs.allowance.max_invocations,
            max_time_s=inputs.allowance.max_time_s,
            architectures=inputs.architectures,
            clone=options.clone,
            payload_sha256=self._payloads.sha256,
            expected_errors=options.send.expected_errors,
            seed=options.seed,
            sampling=options.sampling_kind,
            confidence=inputs.confidence,
            confirm=options.confirm,
            weight=options.weight,
            max_duration=inputs.max_duration,
            max_cost_usd_per_million=inputs.max_cost_usd_per_million,
            cold_fraction=inputs.cold_fraction,
        )

    def _finish(self, report: Report, result: RunResult, files: ReportFiles) -> ExitCode:
        output = self._options.output
        write_reports(report, files.paths)
        if output.charts is not None:
            write_report_charts(report, output.charts)
        self._print(report)
        if not output.quiet:
            print(f"Report: {', '.join(str(path) for path in files.paths)}", file=sys.stderr)
        if result.failure is not None:
            raise result.failure
        if result.interrupted:
            print("Interrupted: the function is as it was. The report holds what was measured.", file=sys.stderr)
            return ExitCode.INTERRUPTED
        if report.recommendation is None and not report.limits:
            raise nothing_measured(report.samples)
        return limits_exit_code(report)

    def _report(self, plan: Plan, result: RunResult, files: ReportFiles) -> Report:
        interrupted = (interrupted_notice(plan),) if result.interrupted else ()
        return build_report(
            plan,
            result.samples,
            RunFacts(
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
                command=reproduce_command(self._options),
                sampling=_sampling_words(plan.request),
                payload_sha256=self._payloads.sha256,
                blocks=result.blocks,
                seconds=result.seconds,
                notices=(*files.notices, *result.notices, *interrupted),
                host=self._place.host,
                throttle=self._place.throttle,
            ),
        )

    def _print(self, report: Report) -> None:
        if self._options.output.json_output:
            from tuner.render.json import render_json

            print(render_json(report), end="")
        else:
            print(render_report(report, width=columns(), color=wants_color()), end="")


def limits_exit_code(report: Report) -> ExitCode:
    """5 where every measured size is beyond a limit, 4 where the proposed one is not shown to keep them."""
    found = report.recommendation
    if found is None:
        return ExitCode.BUDGET
    proposed = Cell(found.memory_mb, found.architecture)
    kept = all(check.status is BudgetStatus.MET for check in report.limits if check.cell == proposed)
    return ExitCode.OK if kept else ExitCode.INCONCLUSIVE


def _sampling_words(request: RunRequest) -> str:
    if request.sampling is SamplingKind.ADAPTIVE:
        words = f"adaptive, until a size is best with {request.confidence:.0%} confidence"
    else:
        words = f"fixed, {request.samples_per_size} warm samples a size"
    return f"{words}; then confirmed on fresh environments" if request.confirm else words
