"""What run, cold-start and gate do alike: reach the function, plan, run the plan, and say how it was measured."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from tuner.aws.control import LambdaControlPlane
from tuner.cli.guards import PlanRenderer, agree, checked, refuse_unfinished
from tuner.cli.inputs import Allowance, FunctionOptions, MeasuringOptions
from tuner.cli.measure import Call, measure
from tuner.cli.payloads import read_payloads
from tuner.cli.place import Place, aws_place
from tuner.cli.prices_file import prices_of
from tuner.cli.reach import Reached, reach
from tuner.cli.reports import ReportFiles, report_files
from tuner.cli.state import new_run_id, runs_folder, writable_state_folder
from tuner.engine.orchestrator import RunResult
from tuner.engine.ports import SamplingPolicy
from tuner.engine.resume import Command, resumed
from tuner.engine.store import RunStore
from tuner.inputs.identifiers import parse_function
from tuner.inputs.payload_set import PayloadSet
from tuner.model import (
    AccountLimits,
    Architecture,
    FunctionSnapshot,
    Notice,
    Plan,
    Price,
    RunRequest,
    Sample,
    Severity,
)
from tuner.planning.plan import architectures_of, sampling_of
from tuner.render.terminal import render_plan
from tuner.reporting.parts import RunFacts


class Planner(Protocol):
    """``planning.plan.make_plan``, ``planning.cold_start.plan_cold_starts``."""

    def __call__(
        self,
        request: RunRequest,
        function: FunctionSnapshot,
        limits: AccountLimits | None,
        prices: Mapping[Architecture, Price],
        *,
        run_id: str,
        notices: tuple[Notice, ...],
    ) -> Plan: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A plan that was run, and the files that its report goes to."""

    plan: Plan
    """Without the candidates that Lambda did not take: nothing may be said to tie with what cannot be had."""
    result: RunResult
    files: ReportFiles

    def ended_early(self, left: str) -> bool:
        """Whether Ctrl-C ended it, which is said; anything else that did is raised. ``left``: what there is now."""
        if self.result.failure is not None:
            raise self.result.failure
        if self.result.interrupted:
            print(f"Interrupted: {left}. The report holds what was measured.", file=sys.stderr)
        return self.result.interrupted


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A function ready to be measured, and the steps that are the same whatever is measured."""

    options: MeasuringOptions
    allowance: Allowance
    place: Place
    payloads: PayloadSet

    def reach(self) -> AbstractAsyncContextManager[Reached]:
        return reach(self.place.access, engine=self.place.engine)

    def request(self, function: str, memory_mb: tuple[int, ...]) -> RunRequest:
        """What every measurement asks for; the rest has its defaults."""
        return RunRequest(
            function=function,
            engine=self.place.engine,
            memory_mb=memory_mb,
            wave_size=self.options.wave,
            max_cost_usd=self.allowance.max_cost_usd,
            max_invocations=self.allowance.max_invocations,
            max_time_s=self.allowance.max_time_s,
            clone=self.options.clone,
            payload_sha256=self.payloads.sha256,
            expected_errors=self.options.send.expected_errors,
            seed=self.options.seed,
        )

    async def plan(
        self,
        control: LambdaControlPlane,
        planner: Planner,
        request_of: Callable[[FunctionSnapshot], RunRequest],
        *,
        command: Command,
        resume: str | None,
    ) -> tuple[Plan, tuple[Sample, ...]]:
        """The plan and the samples there are already: none, except for a run that is resumed."""
        function = await control.describe(self.place.target)
        refuse_unfinished(function, self.place.access.named_endpoint_url)
        if resume is not None:
            store = RunStore.open(runs_folder(), resume)
            plan, earlier = resumed(store, function, self.payloads.sha256, command=command)
            return await checked(plan, control), earlier
        request = request_of(function)
        plan = planner(
            request,
            function,
            await control.limits(),
            prices_of(function, architectures_of(request, function), self.allowance),
            run_id=new_run_id(),
            notices=(*self.place.notices, *self.options.send.notices()),
        )
        return await checked(plan, control), ()

    async def measure(
        self,
        plan: Plan,
        reached: Reached,
        *,
        file_name: str | None = None,
        render: PlanRenderer = render_plan,
        policy_of: Callable[[Plan], SamplingPolicy] = sampling_of,
        earlier: tuple[Sample, ...] = (),
    ) -> Measured:
        """Agree on the spend, run ``plan`` and put everything back; see ``tuner.engine.orchestrator.execute``.

        ``file_name`` begins the names of the report's files, by default the function's.
        """
        output = self.options.output
        files = report_files(output.report_files, name=file_name or plan.function.name, run_id=plan.run_id)
        agree(plan, yes=self.options.spend.yes, quiet=output.quiet, render=render)
        call = Call(
            payloads=self.payloads,
            options=self.options.send,
            transport=self.options.where.transport,
            quiet=output.quiet,
            verbose=output.verbose,
        )
        result = await measure(
            plan, self.place, reached.control, call, logs=reached.logs, policy_of=policy_of, earlier=earlier
        )
        return Measured(plan=replace(plan, cells=result.cells), result=result, files=files)

    def facts(self, measured: Measured, *, command: str, sampling: str, notices: Sequence[Notice] = ()) -> RunFacts:
        """How it was measured, as of now. ``notices`` are those that only this command has."""
        plan, result = measured.plan, measured.result
        interrupted = (_interrupted_notice(plan),) if result.interrupted else ()
        return RunFacts(
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            command=command,
            sampling=sampling,
            payload_sha256=self.payloads.sha256,
            blocks=result.blocks,
            seconds=result.seconds,
            notices=(*measured.files.notices, *result.notices, *notices, *interrupted),
            host=self.place.host,
            throttle=self.place.throttle,
        )


@contextmanager
def bench(
    options: MeasuringOptions, allowance: Allowance, memory_mb: tuple[int, ...], *, runs: bool = True
) -> Iterator[Bench]:
    """Read what is sent, and reach the function. ``runs``: a journal will be kept, for which there must be room."""
    sources = options.send.sources()
    if runs:
        writable_state_folder()
    with _place_of(options.where, memory_mb) as place:
        payloads = read_payloads(sources, place.access, place.target.name)
        yield Bench(options=options, allowance=allowance, place=place, payloads=payloads)


@contextmanager
def _place_of(options: FunctionOptions, memory_mb: tuple[int, ...]) -> Iterator[Place]:
    """Where the function is; with ``--local`` it is made there, and gone afterwards."""
    if options.local:
        from tuner.cli.local import local_place

        with local_place(options, memory_mb) as place:
            yield place
    else:
        yield aws_place(parse_function(options.function), options, memory_mb)


def _interrupted_notice(plan: Plan) -> Notice:
    return Notice(
        code="interrupted",
        severity=Severity.WARNING,
        message=f"The run was interrupted. Up to {plan.max_in_flight} invocations in flight at that moment are not "
        "in these numbers, though they may be billed.",
        remedy="Run it again for a full measurement.",
    )
