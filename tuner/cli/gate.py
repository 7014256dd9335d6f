"""``tuner gate``: from the options to a verdict and its exit code."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.cli.bench import Bench, Measured
from tuner.cli.delivery import Delivery
from tuner.cli.gate_baseline import Baseline, check_baseline, read_baseline
from tuner.cli.gate_outputs import GateOutputs, exit_code, write_outputs
from tuner.cli.gate_policy import PolicyOptions, gate_tables, read_policy
from tuner.cli.gate_sides import Arena, SideOptions, arena, head_name
from tuner.cli.github import workflow_commands
from tuner.cli.guards import refuse_unfinished
from tuner.cli.inputs import MeasuringOptions, flags
from tuner.cli.interrupt import run_interruptibly
from tuner.cli.leftovers import remove_leftovers
from tuner.cli.payloads import read_payloads
from tuner.cli.prices_file import prices_of
from tuner.cli.rendering import shown_as
from tuner.cli.reports import say_kept, write_reports
from tuner.cli.state import new_run_id, writable_state_folder
from tuner.errors import ExitCode
from tuner.inputs.memory import parse_memory
from tuner.model import AccountLimits, EngineKind, GatePolicy, GateReport, Notice, Plan, RunRequest, Severity
from tuner.planning.gate_plan import (
    GatePolicyOf,
    asymmetry_notices,
    changed_arms,
    make_gate_plan,
    revised_notices,
)
from tuner.render.gate_plan import render_gate_plan
from tuner.reporting.gate import Gated, build_gate_report


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions(MeasuringOptions):
    """``tuner gate`` as it was typed."""

    sides: SideOptions
    outputs: GateOutputs
    policy: PolicyOptions
    memory: str | None
    baseline_decides: bool
    self_test: bool
    history: bool
    config: Path | None

    @property
    def result_files(self) -> tuple[Path, ...]:
        """Every file that the gate was asked to write."""
        return (*self.output.report_files, *self.outputs.files)

    @property
    def input_files(self) -> tuple[Path, ...]:
        """A stored base may be renewed in place: it is read first."""
        return () if self.sides.baseline is None else (self.sides.baseline,)

    @property
    def advisory(self) -> bool:
        """A comparison with a stored base only warns."""
        return not self.baseline_decides


def gate_command(options: GateOptions) -> int:
    """Measure, judge and report; returns the exit code."""
    if options.outputs.github:
        workflow_commands.stop()
    remove_leftovers(options.result_files, inputs=options.input_files)
    options.check_groups()
    options.sides.check(local=options.where.local)
    memory_mb = parse_memory(options.memory).sizes if options.memory else ()
    allowance = options.spend.values()
    name = head_name(options.sides, local=options.where.local)
    policy = read_policy(options.policy, gate_tables(options.config, options.sides.function, name))
    baseline = None if options.sides.baseline is None else read_baseline(options.sides.baseline)
    options.outputs.check()
    sources = options.send.sources()
    writable_state_folder()
    with arena(options.sides, options.where, memory_mb) as found:
        payloads = read_payloads(sources, found.place.access, found.place.target.name)
        bench = Bench(options=options, allowance=allowance, place=found.place, payloads=payloads)
        return run_interruptibly(_Gate(options, found, policy, bench, baseline).main())


def reproduce_command(options: GateOptions) -> str:
    """The command line that repeats the gate."""
    words = [*options.sides.words(), *options.policy.words(), "--seed", str(options.seed)]
    words += flags({"--memory": options.memory, "--wave": options.wave})
    words += ["--clone"] if options.clone else []
    words += ["--baseline-decides"] if options.baseline_decides else []
    return options.reproduced("gate", *words)


class _Gate:
    """One gate, step by step."""

    def __init__(
        self, options: GateOptions, found: Arena, policy: GatePolicy, bench: Bench, baseline: Baseline | None
    ) -> None:
        self._options = options
        self._arena = found
        self._policy = policy
        self._bench = bench
        self._baseline = baseline

    async def main(self) -> int:
        async with self._bench.reach() as reached:
            plan = self._plan(await reached.control.limits())
            measured = await self._bench.measure(
                plan,
                reached,
                file_name=f"gate-{plan.function.name}",
                render=render_gate_plan,
                policy_of=GatePolicyOf(self._policy),
            )
        return self._finish(self._report(measured), measured)

    def _plan(self, limits: AccountLimits | None) -> Plan:
        sides = self._arena.sides
        for arm in sides.arms:
            refuse_unfinished(arm.function, self._arena.place.access.named_endpoint_url)
        prices = prices_of(sides.head, (sides.head.architecture,), self._bench.allowance)
        plan = make_gate_plan(
            self._request(),
            sides,
            limits,
            prices[sides.head.architecture],
            policy=self._policy,
            run_id=new_run_id(),
            notices=(*self._arena.place.notices, *self._arena.notices, *self._options.send.notices()),
        )
        if self._baseline is not None:
            check_baseline(
                self._baseline,
                sides.head,
                engine=plan.request.engine,
                payload_sha256=plan.request.payload_sha256,
                sizes=plan.request.memory_mb,
            )
        return plan

    def _request(self) -> RunRequest:
        asked = self._options.memory is not None or self._options.where.local
        return self._bench.request(self._arena.sides.head.name, self._arena.place.memory_mb if asked else ())

    def _finish(self, report: GateReport, measured: Measured) -> int:
        options, paths = self._options, measured.files.paths
        with Delivery() as delivery:
            write_reports(report, paths, delivery)
            page = _page(delivery.has_written(paths))
            write_outputs(report, options.outputs, delivery, advisory=options.advisory, report_file=page)
            print(shown_as(report, options.outputs.format), end="")
            if options.history:
                self._remember(report)
            say_kept(delivery.has_written(paths), quiet=options.output.quiet)
        if measured.ended_early("nothing was left changed"):
            return ExitCode.INTERRUPTED
        return exit_code(report, advisory=options.advisory)

    def _report(self, measured: Measured) -> GateReport:
        plan, samples = measured.plan, measured.result.samples
        mismatches, changes = self._changed(plan)
        gated = Gated(
            plan=plan,
            policy=self._policy,
            samples=samples,
            mismatches=mismatches,
            baseline=() if self._baseline is None else self._baseline.samples,
        )
        facts = self._bench.facts(
            measured,
            command=reproduce_command(self._options),
            sampling=_sampling_words(plan),
            notices=(*changes, *asymmetry_notices(samples, plan)),
        )
        report = build_gate_report((gated,), facts, today=facts.created_at.partition("T")[0])
        return self._self_tested(report, gated) if self._options.self_test else report

    def _changed(self, plan: Plan) -> tuple[tuple[str, ...], tuple[Notice, ...]]:
        """What somebody deployed meanwhile: as mismatches, which make the gate invalid, and as notices."""
        if plan.request.engine is EngineKind.LOCAL or plan.copies:
            return (), ()
        now = {arm.variant: arm.function for arm in self._arena.now().arms}
        pairs = [(arm.function, now[arm.variant], arm.variant) for arm in plan.arms]
        mismatches = tuple(found for pair in pairs for found in changed_arms(*pair))
        return mismatches, () if mismatches else tuple(n for pair in pairs for n in revised_notices(*pair))

    def _self_tested(self, report: GateReport, gated: Gated) -> GateReport:
        from tuner.planning.gate import gate_sampling
        from tuner.statistics.gate.selftest import FEWEST_ENVIRONMENTS, self_test

        if not self._options.output.quiet:
            print("Repeating the gate on these numbers, for its error rates here ...", file=sys.stderr)
        sampling = gate_sampling(gated.plan, gated.policy)
        pair = sampling.pairs[0]
        trials = self_test(gated.samples, pair, sampling.terms(pair.head.architecture), seed=gated.plan.request.seed)
        if trials:
            return replace(report, self_test=trials)
        missed = Notice(
            code="no-self-test",
            severity=Severity.WARNING,
            message="The gate could not be repeated on these numbers: that takes durations from "
            f"{FEWEST_ENVIRONMENTS} execution environments of both sides together.",
            remedy="Measure more environments: raise --max-calls or --max-invocations.",
        )
        return replace(report, notices=(*report.notices, missed))

    def _remember(self, report: GateReport) -> None:
        from tuner.cli.history import remember

        remember(report, quiet=self._options.output.quiet)


def _sampling_words(plan: Plan) -> str:
    if len(plan.arms) < 2:
        return "head alone, beside a stored base"
    fresh = all(arm.disposable for arm in plan.arms) or len(plan.copies) == 2
    where = "fresh environments for every block" if fresh else "the environments that Lambda gives"
    return f"base and head in turn (ABBA), in random order, on {where}; until decided"


def _page(paths: tuple[Path, ...]) -> Path | None:
    return next((path for path in paths if path.suffix == ".html"), paths[0] if paths else None)
