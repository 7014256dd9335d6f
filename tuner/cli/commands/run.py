"""``tuner run`` and ``tuner plan``, which take the same options."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from tuner.cli.options import (
    After,
    Apply,
    Architectures,
    Before,
    Charts,
    Clone,
    ColdShare,
    Confidence,
    Confirm,
    CurrentMemory,
    EndpointUrl,
    Environment,
    Event,
    EventRepeats,
    EventSettings,
    ExpectedErrors,
    Function,
    Handler,
    Local,
    MaxCost,
    MaxCostPerMillion,
    MaxDuration,
    MaxInvocations,
    MaxTime,
    Memory,
    Output,
    OutputFormat,
    Payload,
    PlanOut,
    PricePerGbS,
    PricePerRequest,
    Profile,
    Quiet,
    Region,
    ReportFiles,
    Resume,
    Runtime,
    Samples,
    SamplingOption,
    Seed,
    Simulate,
    StrategyOption,
    Timeout,
    Tolerance,
    Transport,
    TransportOption,
    Verbose,
    WaveOption,
    Weight,
    Yes,
)
from tuner.model import Strategy

if TYPE_CHECKING:
    from tuner.cli.run import RunOptions


def run(
    function: Function,
    local: Local = False,
    memory: Memory = "128..3008",
    strategy: StrategyOption = Strategy.COST,
    tolerance: Tolerance = "5%",
    sampling: SamplingOption = None,
    confidence: Confidence = "90%",
    confirm: Confirm = False,
    max_duration: MaxDuration = None,
    max_cost_per_million: MaxCostPerMillion = None,
    cold_fraction: ColdShare = None,
    weight: Weight = 0.5,
    samples: Samples = None,
    wave: WaveOption = None,
    payload: Payload = None,
    event: Event = None,
    set_: EventSettings = None,
    repeat: EventRepeats = None,
    arch: Architectures = None,
    clone: Clone = False,
    expect_error: ExpectedErrors = None,
    before: Before = None,
    after: After = None,
    seed: Seed = 1,
    max_cost: MaxCost = "$0.10",
    max_invocations: MaxInvocations = None,
    max_time: MaxTime = None,
    resume: Resume = None,
    apply: Apply = False,
    yes: Yes = False,
    price_per_gb_s: PricePerGbS = None,
    price_per_request: PricePerRequest = None,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
    transport: TransportOption = Transport.AUTO,
    handler: Handler = None,
    runtime: Runtime = None,
    simulate: Simulate = None,
    timeout: Timeout = 60,
    current_memory: CurrentMemory = 512,
    env: Environment = None,
    output: Output = OutputFormat.TEXT,
    report: ReportFiles = None,
    charts: Charts = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Search for the memory size at which a function should run, and recommend it.

    Publishes a version of each size it measures, invokes them in randomised blocks, deletes them again. The function
    itself is left as it was, also after Ctrl-C; after a crash `tuner recover` puts it back. With --all instead of
    FUNCTION it measures every function of tuner.toml, and ends in one table.

    Examples:

      tuner run my-function --memory 128..3008

      tuner run --all --report functions.html

      tuner run examples/password-hash --local --memory 128..1769

      tuner run my-function --max-duration 'p95<=250ms' --confirm --apply

      tuner run my-function --sampling fixed -n 50 --memory 512,1024,1769 --payload event.json --output json
    """
    given = dict(locals())
    from tuner.cli.run import run_command

    raise typer.Exit(run_command(_options(given)))


def plan(out: PlanOut = None, **given: Any) -> None:
    """Say what `tuner run` would do with the same options, and what that may cost. Changes nothing, invokes nothing.

    Examples:

      tuner plan my-function --memory 128..3008

      tuner plan my-function --arch x86_64,arm64 --confirm --out plan.json
    """
    from tuner.cli.run import plan_command

    raise typer.Exit(plan_command(_options(given), out))


_LEFT_OUT_OF_A_PLAN = ("resume", "report", "charts", "yes", "apply", "verbose")
_of_run = inspect.signature(run, eval_str=True).parameters
plan.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # typer asks a function for its signature
    [
        *(parameter for name, parameter in _of_run.items() if name not in _LEFT_OUT_OF_A_PLAN),
        inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=PlanOut),
    ]
)


def _options(given: Mapping[str, Any]) -> RunOptions:
    """The options as they were typed; those that ``plan`` does not have as if they had not been."""
    from tuner.cli.commands import given as groups
    from tuner.cli.run import RunOptions

    return RunOptions(
        where=groups.where(given),
        send=groups.send(given),
        spend=groups.spend(given),
        output=groups.output(given),
        memory=given["memory"],
        strategy=given["strategy"],
        tolerance=given["tolerance"],
        sampling=given["sampling"],
        confidence=given["confidence"],
        confirm=given["confirm"],
        max_duration=given["max_duration"],
        max_cost_per_million=given["max_cost_per_million"],
        cold_fraction=given["cold_fraction"],
        weight=given["weight"],
        samples=given["samples"],
        wave=given["wave"],
        architectures=given["arch"],
        clone=given["clone"],
        resume=given.get("resume"),
        apply=given.get("apply", False),
        seed=given["seed"],
    )
