"""``tuner run``: from the options to a report."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tuner.aws.control import LambdaControlPlane
from tuner.aws.logs import LogReader
from tuner.aws.objects import read_payload_object
from tuner.aws.session import AwsAccess, resolve_region
from tuner.aws.transport.choose import TransportMode, choose_transport
from tuner.cli.display import columns, wants_color
from tuner.cli.inputs import RunInputs, RunOptions, read_inputs, reproduce_command
from tuner.cli.interrupt import run_interruptibly
from tuner.cli.place import Place
from tuner.cli.progress import progress
from tuner.cli.reports import ReportFiles, report_files, write_report_charts, write_reports
from tuner.cli.state import new_run_id, runs_folder, writable_state_folder
from tuner.engine.dispatcher import Sending
from tuner.engine.hooks import InvocationHooks
from tuner.engine.journal import unfinished_journals
from tuner.engine.orchestrator import Connection, RunPorts, RunResult, execute
from tuner.engine.ports import Invoker
from tuner.engine.preflight import preflight
from tuner.engine.resume import resumed
from tuner.engine.store import RunStore
from tuner.errors import ExitCode, InvalidMeasurementError, TargetError, TunerError
from tuner.inputs.events import event_notices
from tuner.inputs.identifiers import parse_function
from tuner.inputs.payload_set import PayloadSet, WeightedPayload
from tuner.model import (
    Architecture,
    EngineKind,
    FunctionSnapshot,
    Notice,
    Plan,
    Price,
    Report,
    RunRequest,
    Sample,
    SamplingKind,
    Severity,
)
from tuner.planning.plan import architectures_of, make_plan
from tuner.pricing import price_for
from tuner.render.terminal import render_plan, render_report
from tuner.reporting import RunFacts, build_report
from tuner.units import format_usd

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

AWS_POLL_INTERVAL_S = 1.0


def run_command(options: RunOptions) -> int:
    """Run and report; returns the exit code."""
    inputs = read_inputs(options)
    writable_state_folder()
    with _place(options, inputs) as place:
        run = _Run(options, inputs, place)
        return run_interruptibly(run.main())


@contextmanager
def _place(options: RunOptions, inputs: RunInputs) -> Iterator[Place]:
    if options.local:
        from tuner.cli.local import local_place

        with local_place(options, inputs) as place:
            yield place
        return
    target = parse_function(options.function)
    region = resolve_region(target, region=options.region, profile=options.profile)
    yield Place(
        engine=EngineKind.AWS,
        access=AwsAccess(region=region, profile=options.profile, endpoint_url=options.endpoint_url),
        target=target,
        memory_mb=inputs.memory_mb,
        poll_interval_s=AWS_POLL_INTERVAL_S,
    )


class _Run:
    """One run of the command, step by step."""

    def __init__(self, options: RunOptions, inputs: RunInputs, place: Place) -> None:
        self._options = options
        self._inputs = inputs
        self._place = place
        self._run_id = options.resume or new_run_id()
        self._payloads = _read_payloads(inputs, place.access)

    async def main(self) -> int:
        access = self._place.access
        logs = access.logs_client()
        control = LambdaControlPlane(access.control_client(), logs=logs, profile=access.profile)
        try:
            plan, earlier = await self._plan(control)
            files = self._report_files(plan)
            _agree(plan, self._options)
            result = await self._execute(plan, earlier, control, logs)
        finally:
            control.close()
        return self._finish(plan, result, files)

    async def _plan(self, control: LambdaControlPlane) -> tuple[Plan, tuple[Sample, ...]]:
        """The plan and the samples there are already: none, except for a resumed run."""
        function = await control.describe(self._place.target)
        _refuse_unfinished(function)
        if self._options.resume is not None:
            return resumed(RunStore.open(runs_folder(), self._options.resume), function, self._payloads.sha256)
        request = self._request(function)
        prices = {arch: self._price(function, arch) for arch in architectures_of(request, function)}
        plan = make_plan(
            request,
            function,
            await control.limits(),
            prices,
            run_id=self._run_id,
            notices=(*self._place.notices, *self._event_notices()),
        )
        notices = () if request.engine is EngineKind.LOCAL else await preflight(control, plan)
        return replace(plan, notices=(*plan.notices, *notices)), ()

    def _event_notices(self) -> tuple[Notice, ...]:
        return event_notices(self._options.event) if self._options.event else ()

    def _request(self, function: FunctionSnapshot) -> RunRequest:
        return RunRequest(
            function=function.name,
            engine=self._place.engine,
            memory_mb=self._place.memory_mb,
            strategy=self._options.strategy,
            tolerance=self._inputs.tolerance,
            samples_per_size=self._options.samples,
            wave_size=self._options.wave,
            max_cost_usd=self._inputs.max_cost_usd,
            max_invocations=self._options.max_invocations,
            max_time_s=self._inputs.max_time_s,
            architectures=self._inputs.architectures,
            clone=self._options.clone,
            payload_sha256=self._payloads.sha256,
            expected_errors=self._options.expected_errors,
            seed=self._options.seed,
            sampling=self._options.sampling,
            confidence=self._inputs.confidence,
            weight=self._options.weight,
        )

    def _price(self, function: FunctionSnapshot, architecture: Architecture) -> Price:
        return price_for(
            function.region,
            architecture,
            usd_per_gb_s=self._inputs.price_per_gb_s,
            usd_per_request=self._inputs.price_per_request,
        )

    def _report_files(self, plan: Plan) -> ReportFiles:
        return report_files(
            self._options.report_files,
            name=f"{plan.function.name}-{plan.run_id}",
            fallback_folder=runs_folder() / plan.run_id,
        )

    async def _execute(
        self,
        plan: Plan,
        earlier: tuple[Sample, ...],
        control: LambdaControlPlane,
        logs: CloudWatchLogsClient | None,
    ) -> RunResult:
        access = self._place.access
        timeout_s = plan.function.timeout_s * _queue_factor(plan)
        connections = min(plan.max_in_flight, plan.wave_size * len(plan.cells))
        transport = choose_transport(
            access, mode=TransportMode(self._options.transport), timeout_s=timeout_s, connections=connections
        )
        invoker = transport.invoker
        reader = None if logs is None else LogReader(logs)
        try:
            await invoker.open(connections)
            with progress(plan, quiet=self._options.quiet) as observer:
                return await execute(
                    plan,
                    sending=self._sending(plan, invoker, reader),
                    store=RunStore.create(runs_folder(), plan.run_id),
                    ports=RunPorts(
                        control=control,
                        invoker=invoker,
                        observer=observer,
                        poll_interval_s=self._place.poll_interval_s,
                    ),
                    connection=Connection(profile=access.profile, endpoint_url=access.endpoint_url, pid=os.getpid()),
                    earlier=earlier,
                )
        finally:
            invoker.close()
            if reader is not None:
                reader.close()

    def _sending(self, plan: Plan, invoker: Invoker, reader: LogReader | None) -> Sending:
        first, then = self._options.before, self._options.after
        return Sending(
            payloads=self._payloads,
            seed=plan.request.seed,
            expected_errors=frozenset(plan.request.expected_errors),
            hooks=InvocationHooks(first=first, then=then, invoker=invoker) if first or then else None,
            log_lookup=reader,
        )

    def _finish(self, plan: Plan, result: RunResult, files: ReportFiles) -> int:
        report = self._report(plan, result, files)
        write_reports(report, files.paths)
        if self._options.charts is not None:
            write_report_charts(report, self._options.charts)
        self._print(report)
        if not self._options.quiet:
            print(f"Report: {', '.join(str(path) for path in files.paths)}", file=sys.stderr)
        if result.failure is not None:
            raise result.failure
        if result.interrupted:
            print("Interrupted: the function is as it was. The report holds what was measured.", file=sys.stderr)
            return ExitCode.INTERRUPTED
        if report.recommendation is None:
            raise _nothing_measured(report)
        return ExitCode.OK

    def _report(self, plan: Plan, result: RunResult, files: ReportFiles) -> Report:
        interrupted = (_interrupted_notice(plan),) if result.interrupted else ()
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
        if self._options.json_output:
            from tuner.render.json import render_json

            print(render_json(report), end="")
        else:
            print(render_report(report, width=columns(), color=wants_color()), end="")


def _sampling_words(request: RunRequest) -> str:
    if request.sampling is SamplingKind.ADAPTIVE:
        return f"adaptive, until a size is best with {request.confidence:.0%} confidence"
    return f"fixed, {request.samples_per_size} warm samples a size"


def _read_payloads(inputs: RunInputs, access: AwsAccess) -> PayloadSet:
    payloads = []
    for source in inputs.payloads:
        data = source.data
        if data is None:
            data = read_payload_object(access.s3_client(), source.s3_uri or "")
        payloads.append(WeightedPayload(data, source.weight))
    return PayloadSet(tuple(payloads))


def _agree(plan: Plan, options: RunOptions) -> None:
    """Say what the run will do and cost; above --max-cost ask, or stop when nobody can be asked."""
    if not options.quiet:
        print(render_plan(plan, width=columns(), color=wants_color(sys.stderr)), end="", file=sys.stderr)
    allowed_usd = plan.request.max_cost_usd
    if plan.request.engine is EngineKind.LOCAL or options.yes or plan.expected_spend.high_usd <= allowed_usd:
        return
    question = (
        f"If every call runs into the timeout of {plan.function.timeout_s} s this costs up to "
        f"{format_usd(plan.expected_spend.high_usd)}; it stops at --max-cost {format_usd(allowed_usd)}."
    )
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise TargetError(question, hint="Add --yes to run under that limit, or raise --max-cost.")
    print(f"{question} Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise TargetError("Nothing was run.", hint="Use fewer sizes or samples, or a larger --max-cost.")


def _refuse_unfinished(function: FunctionSnapshot) -> None:
    """A second run would take the first one's traces for the user's own configuration."""
    for record in unfinished_journals(runs_folder()):
        if record.opened.arn == function.arn and record.opened.engine is EngineKind.AWS:
            raise TargetError(
                f"A run on {function.name} that began at {record.opened.started_at} has not cleaned up: it is "
                "still going on, or it was killed.",
                hint="Wait for it, or type `tuner recover` and then run this again.",
            )


def _queue_factor(plan: Plan) -> int:
    """On the embedded Lambda a wave may wait for cores one call after the other."""
    return plan.wave_size if plan.request.engine is EngineKind.LOCAL else 1


def _interrupted_notice(plan: Plan) -> Notice:
    return Notice(
        code="interrupted",
        severity=Severity.WARNING,
        message=f"The run was interrupted. Up to {plan.max_in_flight} invocations in flight at that moment are not "
        "in these numbers, though they may be billed.",
        remedy="Run it again for a full measurement.",
    )


def _nothing_measured(report: Report) -> TunerError:
    failed = [sample for sample in report.samples if sample.error_message or sample.error_type]
    if not report.samples:
        return InvalidMeasurementError("No invocation was made.", hint="Raise --max-cost or -n.")
    if not failed:
        return InvalidMeasurementError(
            "No invocation came back with a REPORT line, so nothing is known about its duration.",
            hint="Does the endpoint return log tails (LogType=Tail)? Lambda itself does.",
        )
    first = failed[0]
    return InvalidMeasurementError(
        f"Every invocation failed; the first with {first.error_type or first.outcome.value}: "
        f"{first.error_message or 'no message'}",
        hint="Make it succeed first: is it the right --payload?",
    )
