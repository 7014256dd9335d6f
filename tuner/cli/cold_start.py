"""``tuner cold-start``: from the options to a report of cold starts that were forced."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuner.cli.bench import Bench, Measured, bench
from tuner.cli.inputs import Allowance, MeasuringOptions, flags, read_architectures
from tuner.cli.interrupt import run_interruptibly
from tuner.cli.no_result import nothing_measured
from tuner.cli.reports import deliver
from tuner.errors import ExitCode, InvalidMeasurementError, TunerError, UsageError
from tuner.inputs.memory import parse_memory
from tuner.model import (
    Architecture,
    ColdStartGoal,
    ColdStartReport,
    FunctionSnapshot,
    Outcome,
    Precision,
    RunRequest,
)
from tuner.planning.cold_start import goal_of, parse_precision, plan_cold_starts
from tuner.render.cold_plan import sampling_words
from tuner.reporting.cold_start import build_cold_start_report
from tuner.units import parse_percent

MOST_SIZES = 12
"""Each size is published as often as there are batches: a whole range is a search, and `tuner run` has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions(MeasuringOptions):
    """``tuner cold-start`` as it was typed, without what only the log mode has."""

    memory: str | None
    architectures: str | None
    starts: int
    warm: int
    precision: str | None
    cold_fraction: str | None
    resume: str | None


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
    options.check_groups()
    inputs = read_inputs(options)
    own = (options.where.current_memory_mb,) if options.where.local else ()
    with bench(options, inputs.allowance, inputs.memory_mb or own) as on_bench:
        return run_interruptibly(_Study(options, inputs, on_bench).main())


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
    """The command line that repeats the study."""
    words = flags({"--memory": options.memory, "--arch": options.architectures})
    words += ["-n", str(options.starts), "--warm", str(options.warm), "--seed", str(options.seed)]
    words += flags(
        {"--wave": options.wave, "--precision": options.precision, "--cold-fraction": options.cold_fraction}
    )
    words += ["--clone"] if options.clone else []
    return options.reproduced("cold-start", options.where.function, *words)


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

    def __init__(self, options: StudyOptions, inputs: StudyInputs, bench: Bench) -> None:
        self._options = options
        self._inputs = inputs
        self._bench = bench

    async def main(self) -> int:
        resume = self._options.resume
        async with self._bench.reach() as reached:
            plan, earlier = await self._bench.plan(
                reached.control, plan_cold_starts, self._request, command="cold-start", resume=resume
            )
            measured = await self._bench.measure(plan, reached, earlier=earlier)
        return self._finish(self._report(measured), measured)

    def _request(self, function: FunctionSnapshot) -> RunRequest:
        options, inputs = self._options, self._inputs
        return replace(
            self._bench.request(function.name, self._bench.place.memory_mb or (function.memory_mb,)),
            architectures=inputs.architectures,
            cold_fraction=inputs.cold_fraction,
            cold_starts=ColdStartGoal(
                starts_per_cell=options.starts, warm_per_batch=options.warm, precision=inputs.precision
            ),
        )

    def _report(self, measured: Measured) -> ColdStartReport:
        plan = measured.plan
        command, sampling = reproduce_command(self._options), sampling_words(plan, goal_of(plan.request))
        facts = self._bench.facts(measured, command=command, sampling=sampling)
        return build_cold_start_report(plan, measured.result.samples, facts)

    def _finish(self, report: ColdStartReport, measured: Measured) -> int:
        deliver(report, measured.files, self._options.output)
        if measured.ended_early("the function is as it was"):
            return ExitCode.INTERRUPTED
        if not any(cell.counts.cold for cell in report.cells):
            raise no_cold_start(report)
        return ExitCode.OK
