"""``tuner gate``: from the options to a verdict and its exit code."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tuner.cli.gate_baseline import Baseline, check_baseline, read_baseline
from tuner.cli.gate_outputs import GateOutputs, exit_code, print_gate, write_gate_reports, write_outputs
from tuner.cli.gate_policy import PolicyOptions, gate_tables, read_policy
from tuner.cli.gate_sides import Arena, SideOptions, arena, head_name
from tuner.cli.inputs import (
    Allowance,
    FunctionOptions,
    OutputOptions,
    SendingOptions,
    SpendOptions,
    command_line,
    flags,
)
from tuner.cli.interrupt import run_interruptibly
from tuner.cli.measure import (
    Call,
    agree,
    control_plane,
    interrupted_notice,
    measure,
    prices_of,
    read_payloads,
    refuse_unfinished,
)
from tuner.cli.reports import ReportFiles, report_files
from tuner.cli.state import new_run_id, runs_folder, writable_state_folder
from tuner.engine.orchestrator import RunResult
from tuner.errors import ExitCode
from tuner.inputs.memory import parse_memory
from tuner.inputs.payload_set import PayloadSet
from tuner.model import AccountLimits, EngineKind, GatePolicy, GateReport, Notice, Plan, RunRequest
from tuner.planning.gate_plan import (
    GatePolicyOf,
    asymmetry_notices,
    changed_arms,
    make_gate_plan,
    revised_notices,
)
from tuner.render.gate_plan import render_gate_plan
from tuner.reporting.gate import Gated, build_gate_report
from tuner.reporting.parts import RunFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions:
    """``tuner gate`` as it was typed."""

    sides: SideOptions
    where: FunctionOptions
    send: SendingOptions
    spend: SpendOptions
    output: OutputOptions
    outputs: GateOutputs
    policy: PolicyOptions
    memory: str | None
    clone: bool
    wave: int | None
    seed: int
    baseline_decides: bool
    self_test: bool
    history: bool
    config: Path | None

    @property
    def advisory(self) -> bool:
        """A comparison with a stored base only warns."""
        return not self.baseline_decides


def gate_command(options: GateOptions) -> int:
    """Measure, judge and report; returns the exit code."""
    options.send.check()
    options.where.check()
    options.output.check()
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
        gate = _Gate(options, found, policy, allowance, payloads, baseline)
        return run_interruptibly(gate.main())


def reproduce_command(options: GateOptions) -> str:
    """The command line that repeats the gate. Payload texts and values of variables stay out of it."""
    words = [*options.sides.words(), *options.policy.words(), "--seed", str(options.seed)]
    words += flags({"--memory": options.memory, "--wave": options.wave})
    words += ["--clone"] if options.clone else []
    words += ["--baseline-decides"] if options.baseline_decides else []
    return command_line(
        "tuner", "gate", *words, *options.where.words(), *options.send.words(), *options.spend.words()
    )


class _Gate:
    """One gate, step by step."""

    def __init__(
        self,
        options: GateOptions,
        found: Arena,
        policy: GatePolicy,
        allowance: Allowance,
        payloads: PayloadSet,
        baseline: Baseline | None,
    ) -> None:
        self._options = options
        self._arena = found
        self._policy = policy
        self._allowance = allowance
        self._payloads = payloads
        self._baseline = baseline

    async def main(self) -> int:
        options, place = self._options, self._arena.place
        async with control_plane(place.access, engine=place.engine) as control:
            plan = self._plan(await control.limits())
            files = report_files(
                options.output.report_files,
                name=f"gate-{plan.function.name}-{plan.run_id}",
                fallback_folder=runs_folder() / plan.run_id,
            )
            agree(plan, yes=options.spend.yes, quiet=options.output.quiet, render=render_gate_plan)
            call = Call(
                payloads=self._payloads,
                options=options.send,
                transport=options.where.transport,
                quiet=options.output.quiet,
                verbose=options.output.verbose,
            )
            result = await measure(plan, place, control, call, policy_of=GatePolicyOf(self._policy))
        return self._finish(plan, result, files)

    def _plan(self, limits: AccountLimits | None) -> Plan:
        sides, place = self._arena.sides, self._arena.place
        for arm in sides.arms:
            refuse_unfinished(arm.function)
        prices = prices_of(sides.head, (sides.head.architecture,), self._allowance)
        plan = make_gate_plan(
            self._request(),
            sides,
            limits,
            prices[sides.head.architecture],
            policy=self._policy,
            run_id=new_run_id(),
            notices=(*place.notices, *self._arena.notices, *self._options.send.notices()),
        )
        if self._baseline is not None:
            check_baseline(
                self._baseline,
                sides.head,
                engine=place.engine,
                payload_sha256=self._payloads.sha256,
                sizes=plan.request.memory_mb,
            )
        return plan

    def _request(self) -> RunRequest:
        options, allowance = self._options, self._allowance
        asked = options.memory is not None or options.where.local
        return RunRequest(
            function=self._arena.sides.head.name,
            engine=self._arena.place.engine,
            memory_mb=self._arena.place.memory_mb if asked else (),
            wave_size=options.wave,
            max_cost_usd=allowance.max_cost_usd,
            max_invocations=allowance.max_invocations,
            max_time_s=allowance.max_time_s,
            clone=options.clone,
            payload_sha256=self._payloads.sha256,
            expected_errors=options.send.expected_errors,
            seed=options.seed,
        )

    def _finish(self, plan: Plan, result: RunResult, files: ReportFiles) -> int:
        options = self._options
        report = self._report(plan, result, files)
        write_gate_reports(report, files.paths)
        write_outputs(report, options.outputs, advisory=options.advisory, report_file=_page(files.paths))
        print_gate(report, options.outputs.format)
        if options.history:
            self._remember(report)
        if not options.output.quiet:
            print(f"Report: {', '.join(str(path) for path in files.paths)}", file=sys.stderr)
        if result.failure is not None:
            raise result.failure
        if result.interrupted:
            print("Interrupted: nothing was left changed. The report holds what was measured.", file=sys.stderr)
            return ExitCode.INTERRUPTED
        return exit_code(report, advisory=options.advisory)

    def _report(self, plan: Plan, result: RunResult, files: ReportFiles) -> GateReport:
        mismatches, changes = self._changed(plan)
        interrupted = (interrupted_notice(plan),) if result.interrupted else ()
        gated = Gated(
            plan=plan,
            policy=self._policy,
            samples=result.samples,
            mismatches=mismatches,
            baseline=() if self._baseline is None else self._baseline.samples,
        )
        now = datetime.now(UTC)
        facts = RunFacts(
            created_at=now.isoformat(timespec="seconds"),
            command=reproduce_command(self._options),
            sampling=_sampling_words(plan),
            payload_sha256=self._payloads.sha256,
            blocks=result.blocks,
            seconds=result.seconds,
            notices=(
                *files.notices,
                *result.notices,
                *changes,
                *asymmetry_notices(result.samples, plan),
                *interrupted,
            ),
            host=self._arena.place.host,
            throttle=self._arena.place.throttle,
        )
        report = build_gate_report((gated,), facts, today=now.date().isoformat())
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
        from tuner.statistics.gate.selftest import self_test

        if not self._options.output.quiet:
            print("Repeating the gate on these numbers, for its error rates here ...", file=sys.stderr)
        sampling = gate_sampling(gated.plan, gated.policy)
        pair = sampling.pairs[0]
        trials = self_test(gated.samples, pair, sampling.terms(pair.head.architecture), seed=gated.plan.request.seed)
        return replace(report, self_test=trials)

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
