"""``tuner run``: from the options to a report."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tuner import codec
from tuner.aws.control import LambdaControlPlane
from tuner.cli.apply_result import apply_result, check_apply
from tuner.cli.bench import Bench, Measured, bench
from tuner.cli.delivery import Delivery
from tuner.cli.display import columns, wants_color
from tuner.cli.inputs import Allowance, MeasuringOptions, flags, read_architectures, read_confidence
from tuner.cli.interrupt import run_interruptibly
from tuner.cli.no_result import nothing_measured
from tuner.cli.reports import deliver
from tuner.errors import ExitCode, UsageError
from tuner.inputs.limits import parse_cost_limit, parse_duration_limit
from tuner.inputs.memory import parse_memory
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
from tuner.planning.plan import make_plan
from tuner.render.redact import Private
from tuner.render.terminal import render_plan
from tuner.reporting.run import build_report
from tuner.units import parse_percent

DEFAULT_SAMPLES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions(MeasuringOptions):
    """``tuner run`` as it was typed."""

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
    architectures: str | None
    resume: str | None
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
        self.check_groups()
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
    with _prepared(options) as run:
        return run_interruptibly(run.main())


def plan_command(options: RunOptions, out: Path | None) -> int:
    """Say what ``run_command`` would do; returns the exit code."""
    with _prepared(options, runs=False) as run:
        plan = asyncio.run(run.plan())
    with Delivery() as delivery:
        if out is not None:
            delivery.write(out, codec.encode_pretty(plan))
        if options.output.json_output:
            print(codec.encode_pretty(plan).decode(), end="")
        else:
            print(render_plan(plan, width=columns(), color=wants_color()), end="")
        if delivery.written and not options.output.quiet:
            print(f"Plan: {out}", file=sys.stderr)
    return ExitCode.OK


@contextmanager
def _prepared(options: RunOptions, *, runs: bool = True) -> Iterator[_Run]:
    options.check()
    inputs = read_inputs(options)
    with bench(options, inputs.allowance, inputs.memory_mb, runs=runs) as on_bench:
        yield _Run(options, inputs, on_bench)


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
    """The command line that repeats the run."""
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
    return options.reproduced("run", options.where.function, *words)


class _Run:
    """One run of the command, step by step."""

    def __init__(self, options: RunOptions, inputs: RunInputs, bench: Bench) -> None:
        self._options = options
        self._inputs = inputs
        self._bench = bench

    async def main(self) -> int:
        async with self._bench.reach() as reached:
            plan, earlier = await self._plan(reached.control)
            measured = await self._bench.measure(plan, reached, earlier=earlier)
            report = self._report(measured)
            code = self._finish(report, measured)
            if self._options.apply:
                yes = self._options.spend.yes
                await apply_result(reached.control, self._bench.place, plan.request, report, code, yes=yes)
        return code

    async def plan(self) -> Plan:
        """The plan alone: nothing is changed, nothing invoked."""
        async with self._bench.reach() as reached:
            plan, _ = await self._plan(reached.control)
        return plan

    async def _plan(self, control: LambdaControlPlane) -> tuple[Plan, tuple[Sample, ...]]:
        return await self._bench.plan(control, make_plan, self._request, command="run", resume=self._options.resume)

    def _request(self, function: FunctionSnapshot) -> RunRequest:
        options, inputs = self._options, self._inputs
        return replace(
            self._bench.request(function.name, self._bench.place.memory_mb),
            strategy=options.strategy,
            tolerance=inputs.tolerance,
            samples_per_size=options.samples_per_size,
            architectures=inputs.architectures,
            sampling=options.sampling_kind,
            confidence=inputs.confidence,
            confirm=options.confirm,
            weight=options.weight,
            max_duration=inputs.max_duration,
            max_cost_usd_per_million=inputs.max_cost_usd_per_million,
            cold_fraction=inputs.cold_fraction,
        )

    def _report(self, measured: Measured) -> Report:
        command, sampling = reproduce_command(self._options), _sampling_words(measured.plan.request)
        facts = self._bench.facts(measured, command=command, sampling=sampling)
        return build_report(measured.plan, measured.result.samples, facts)

    def _finish(self, report: Report, measured: Measured) -> ExitCode:
        deliver(report, measured.files, self._options.output, shown=Private)
        if measured.ended_early("the function is as it was"):
            return ExitCode.INTERRUPTED
        if report.recommendation is None and not report.limits:
            raise nothing_measured(report.samples)
        return limits_exit_code(report)


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
