"""What every measuring command does: reach the function, agree on the spend, run the plan."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from tuner.aws.control import CALLS_PER_SECOND, UNPACED, LambdaControlPlane
from tuner.aws.logs import LogReader
from tuner.aws.objects import read_payload_object
from tuner.aws.session import AwsAccess, resolve_region
from tuner.aws.test_events import SharedTestEvents, schemas_client
from tuner.aws.transport.choose import TransportMode, choose_transport
from tuner.cli.display import columns, wants_color
from tuner.cli.inputs import Allowance, FunctionOptions, PayloadSource, SendingOptions
from tuner.cli.place import Place
from tuner.cli.prices_file import updated_prices
from tuner.cli.progress import progress
from tuner.cli.state import runs_folder
from tuner.engine.dispatcher import Sending
from tuner.engine.hooks import InvocationHooks
from tuner.engine.journal import unfinished_journals
from tuner.engine.orchestrator import Connection, RunPorts, RunResult, execute
from tuner.engine.ports import SamplingPolicy
from tuner.engine.preflight import preflight
from tuner.engine.store import RunStore
from tuner.errors import InvalidMeasurementError, TargetError, TunerError, UsageError
from tuner.inputs.identifiers import parse_function
from tuner.inputs.payload_set import PayloadSet, WeightedPayload
from tuner.model import Architecture, EngineKind, FunctionSnapshot, Notice, Plan, Price, Sample, Severity
from tuner.planning.plan import sampling_of
from tuner.pricing import price_for
from tuner.render.terminal import render_plan
from tuner.units import format_usd

AWS_POLL_INTERVAL_S = 1.0


@contextmanager
def place_of(options: FunctionOptions, memory_mb: tuple[int, ...]) -> Iterator[Place]:
    """Where the function is; with ``--local`` it is made there, and gone afterwards."""
    if options.local:
        from tuner.cli.local import local_place

        with local_place(options, memory_mb) as place:
            yield place
        return
    target = parse_function(options.function)
    region = resolve_region(target, region=options.region, profile=options.profile)
    yield Place(
        engine=EngineKind.AWS,
        access=AwsAccess(region=region, profile=options.profile, endpoint_url=options.endpoint_url),
        target=target,
        memory_mb=memory_mb,
        poll_interval_s=AWS_POLL_INTERVAL_S,
    )


def read_payloads(sources: Sequence[PayloadSource], access: AwsAccess, function: str) -> PayloadSet:
    """What is to be sent, read from where it is. ``function`` is the name of the one whose test events are meant."""
    return PayloadSet(tuple(WeightedPayload(_data(source, access, function), source.weight) for source in sources))


def _data(source: PayloadSource, access: AwsAccess, function: str) -> bytes:
    if source.data is not None:
        return source.data
    if source.shared_event is None:
        return read_payload_object(access.s3_client(), source.s3_uri or "")
    if access.endpoint_url is not None:
        raise UsageError(
            "Shared test events are kept by AWS, and this function is somewhere else.",
            hint="Save one with `tuner event new NAME --function FUNCTION`, and give the file with --payload.",
        )
    with closing(schemas_client(region=access.region, profile=access.profile)) as client:
        return SharedTestEvents(client, profile=access.profile).event(function, source.shared_event)


def prices_of(
    function: FunctionSnapshot, architectures: Sequence[Architecture], allowance: Allowance
) -> dict[Architecture, Price]:
    updated = updated_prices()
    return {
        architecture: price_for(
            function.region,
            architecture,
            usd_per_gb_s=allowance.usd_per_gb_s,
            usd_per_request=allowance.usd_per_request,
            updated=updated,
        )
        for architecture in architectures
    }


@asynccontextmanager
async def control_plane(
    access: AwsAccess, *, engine: EngineKind = EngineKind.AWS
) -> AsyncIterator[LambdaControlPlane]:
    """Nobody else uses the control plane of an embedded Lambda of our own: there is no pace to keep there."""
    control = LambdaControlPlane(
        access.control_client(),
        logs=access.logs_client(),
        profile=access.profile,
        calls_per_second=CALLS_PER_SECOND if engine is EngineKind.AWS else UNPACED,
    )
    try:
        yield control
    finally:
        control.close()


async def checked(plan: Plan, control: LambdaControlPlane) -> Plan:
    """``plan`` with what is to be known before its first change. Raises where IAM would refuse one of them."""
    if plan.request.engine is EngineKind.LOCAL:
        return plan
    known = plan.notices  # of a plan that is resumed
    found = await preflight(control, plan)
    return replace(plan, notices=(*known, *(notice for notice in found if notice not in known)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How a plan's invocations are made."""

    payloads: PayloadSet
    options: SendingOptions
    transport: str
    quiet: bool
    verbose: bool = False


async def measure(
    plan: Plan,
    place: Place,
    control: LambdaControlPlane,
    call: Call,
    *,
    policy_of: Callable[[Plan], SamplingPolicy] = sampling_of,
    earlier: tuple[Sample, ...] = (),
) -> RunResult:
    """Run ``plan`` and put everything back; see ``tuner.engine.orchestrator.execute``."""
    access = place.access
    connections = min(plan.max_in_flight, plan.wave_size * len(plan.cells))
    transport = choose_transport(
        access,
        mode=TransportMode(call.transport),
        timeout_s=plan.function.timeout_s * _queue_factor(plan),
        connections=connections,
    )
    invoker = transport.invoker
    logs = access.logs_client()
    reader = None if logs is None else LogReader(logs)
    first, then = call.options.before, call.options.after
    try:
        await invoker.open(connections)
        if call.verbose:
            print(transport.reason, file=sys.stderr)
        with progress(plan, quiet=call.quiet, verbose=call.verbose) as observer:
            return await execute(
                plan,
                sending=Sending(
                    payloads=call.payloads,
                    seed=plan.request.seed,
                    expected_errors=frozenset(plan.request.expected_errors),
                    hooks=InvocationHooks(first=first, then=then, invoker=invoker) if first or then else None,
                    log_lookup=reader,
                ),
                store=RunStore.create(runs_folder(), plan.run_id),
                ports=RunPorts(
                    control=control, invoker=invoker, observer=observer, poll_interval_s=place.poll_interval_s
                ),
                connection=Connection(profile=access.profile, endpoint_url=access.endpoint_url, pid=os.getpid()),
                policy_of=policy_of,
                earlier=earlier,
            )
    finally:
        invoker.close()
        if reader is not None:
            reader.close()


class PlanRenderer(Protocol):
    def __call__(self, plan: Plan, *, width: int, color: bool) -> str: ...


def agree(plan: Plan, *, yes: bool, quiet: bool, render: PlanRenderer = render_plan) -> None:
    """Say what the run will do and cost; above --max-cost ask, or stop when nobody can be asked."""
    if not quiet:
        print(render(plan, width=columns(), color=wants_color(sys.stderr)), end="", file=sys.stderr)
    allowed_usd = plan.request.max_cost_usd
    if plan.request.engine is EngineKind.LOCAL or yes or plan.expected_spend.high_usd <= allowed_usd:
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


def refuse_unfinished(function: FunctionSnapshot) -> None:
    """A second run would take the first one's traces for the user's own configuration."""
    for record in unfinished_journals(runs_folder()):
        if record.opened.arn == function.arn and record.opened.engine is EngineKind.AWS:
            raise TargetError(
                f"A run on {function.name} that began at {record.opened.started_at} has not cleaned up: it is "
                "still going on, or it was killed.",
                hint="Wait for it, or type `tuner recover` and then run this again.",
            )


def interrupted_notice(plan: Plan) -> Notice:
    return Notice(
        code="interrupted",
        severity=Severity.WARNING,
        message=f"The run was interrupted. Up to {plan.max_in_flight} invocations in flight at that moment are not "
        "in these numbers, though they may be billed.",
        remedy="Run it again for a full measurement.",
    )


def nothing_measured(samples: Sequence[Sample]) -> TunerError:
    """Why there is no result, by the first thing that went wrong."""
    failed = [sample for sample in samples if sample.error_message or sample.error_type]
    if not samples:
        return InvalidMeasurementError("No invocation was made.", hint="Raise --max-cost or -n.")
    if not failed:
        return InvalidMeasurementError(
            "No invocation came back with a REPORT line, so nothing is known about its duration.",
            hint="Does the endpoint return log tails (LogType=Tail)? Lambda itself does.",
        )
    first = failed[0]
    request = f", request {first.request_id}," if first.request_id else ""
    return InvalidMeasurementError(
        f"Every invocation failed; the first{request} with {first.error_type or first.outcome.value}: "
        f"{first.error_message or 'no message'}",
        hint="Make it succeed first: is it the right --payload? The function's log says more.",
    )


def _queue_factor(plan: Plan) -> int:
    """On the embedded Lambda a wave may wait for cores one call after the other."""
    return plan.wave_size if plan.request.engine is EngineKind.LOCAL else 1
