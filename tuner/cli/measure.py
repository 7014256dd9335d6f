"""A plan run from the command line: over the transport that was asked for, with progress in front of us."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tuner.aws.control import LambdaControlPlane
from tuner.aws.transport.choose import TransportMode, choose_transport
from tuner.cli.inputs import SendingOptions
from tuner.cli.place import Place
from tuner.cli.progress import progress
from tuner.cli.state import runs_folder
from tuner.engine.dispatcher import Sending
from tuner.engine.hooks import InvocationHooks
from tuner.engine.orchestrator import Connection, RunPorts, RunResult, execute
from tuner.engine.ports import Invoker, LogLookup, SamplingPolicy
from tuner.engine.store import RunStore
from tuner.inputs.payload_set import PayloadSet
from tuner.model import EngineKind, Plan, Sample
from tuner.planning.plan import sampling_of


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
    logs: LogLookup | None = None,
    policy_of: Callable[[Plan], SamplingPolicy] = sampling_of,
    earlier: tuple[Sample, ...] = (),
) -> RunResult:
    """Run ``plan`` and put everything back; see ``tuner.engine.orchestrator.execute``."""
    access = place.access
    async with _invoker(plan, place, call) as invoker:
        with progress(plan, quiet=call.quiet, verbose=call.verbose) as observer:
            return await execute(
                plan,
                sending=_sending(plan, call, invoker, logs),
                store=RunStore.create(runs_folder(), plan.run_id),
                ports=RunPorts(
                    control=control, invoker=invoker, observer=observer, poll_interval_s=place.poll_interval_s
                ),
                connection=Connection(
                    profile=access.profile, endpoint_url=access.named_endpoint_url, pid=os.getpid()
                ),
                policy_of=policy_of,
                earlier=earlier,
            )


@asynccontextmanager
async def _invoker(plan: Plan, place: Place, call: Call) -> AsyncIterator[Invoker]:
    connections = min(plan.max_in_flight, plan.wave_size * len(plan.cells))
    transport = choose_transport(
        place.access,
        mode=TransportMode(call.transport),
        timeout_s=plan.function.timeout_s * _queue_factor(plan),
        connections=connections,
    )
    try:
        await transport.invoker.open(connections)
        if call.verbose:
            print(transport.reason, file=sys.stderr)
        yield transport.invoker
    finally:
        transport.invoker.close()


def _sending(plan: Plan, call: Call, invoker: Invoker, logs: LogLookup | None) -> Sending:
    first, then = call.options.before, call.options.after
    return Sending(
        payloads=call.payloads,
        seed=plan.request.seed,
        expected_errors=frozenset(plan.request.expected_errors),
        hooks=InvocationHooks(first=first, then=then, invoker=invoker) if first or then else None,
        log_lookup=logs,
    )


def _queue_factor(plan: Plan) -> int:
    """On the embedded Lambda a wave may wait for cores one call after the other."""
    return plan.wave_size if plan.request.engine is EngineKind.LOCAL else 1
