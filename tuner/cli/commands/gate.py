"""``tuner gate``."""

from __future__ import annotations

import typer

from tuner.cli.gate_options import (
    AnyRuntime,
    Base,
    BaselineDecides,
    BaselineFile,
    BenchmarkData,
    Budgets,
    Comment,
    ErrorRate,
    GateClone,
    GateFunction,
    GateMemory,
    GitHub,
    Head,
    JUnit,
    MaxCalls,
    MaxRegression,
    Metrics,
    NoHistory,
    SelfTest,
    Summary,
)
from tuner.cli.options import (
    After,
    Before,
    CurrentMemory,
    EndpointUrl,
    Environment,
    Event,
    EventRepeats,
    EventSettings,
    ExpectedErrors,
    Handler,
    Local,
    MaxCost,
    MaxInvocations,
    MaxTime,
    Payload,
    PricePerGbS,
    PricePerRequest,
    Profile,
    Quiet,
    Region,
    ReportFiles,
    Runtime,
    Seed,
    ShownFormat,
    Simulate,
    Timeout,
    Transport,
    TransportOption,
    Verbose,
    WaveOption,
    Yes,
)
from tuner.cli.options import Shown as ShownOption


def gate(
    ctx: typer.Context,
    function: GateFunction = None,
    base: Base = None,
    head: Head = None,
    max_regression: MaxRegression = "5%",
    local: Local = False,
    memory: GateMemory = None,
    baseline: BaselineFile = None,
    baseline_decides: BaselineDecides = False,
    any_runtime: AnyRuntime = False,
    metric: Metrics = None,
    budget: Budgets = None,
    error_rate: ErrorRate = "5%",
    wave: WaveOption = None,
    payload: Payload = None,
    event: Event = None,
    set_: EventSettings = None,
    repeat: EventRepeats = None,
    clone: GateClone = False,
    expect_error: ExpectedErrors = None,
    before: Before = None,
    after: After = None,
    seed: Seed = 1,
    max_calls: MaxCalls = 400,
    max_cost: MaxCost = "$0.10",
    max_invocations: MaxInvocations = None,
    max_time: MaxTime = None,
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
    output: ShownOption = None,
    report: ReportFiles = None,
    junit: JUnit = None,
    comment: Comment = None,
    summary: Summary = None,
    benchmark_json: BenchmarkData = None,
    github: GitHub = False,
    self_test: SelfTest = False,
    no_history: NoHistory = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Fail a pull request on a performance regression, and only then.

    Measures base beside head, now, until one of them is shown: within the margin (exit code 0) or beyond it (3).
    Where neither is shown it says so (4); an exceeded budget is 5, a measurement that says nothing 6.

    Examples:

      tuner gate my-function --base prod --head '$LATEST' --max-regression 5%

      tuner gate --base my-function-main --head my-function-pr-17 --junit gate.xml

      tuner gate examples/password-hash --local --base main
    """
    given = {**locals(), "function": function or head or ""}
    from tuner.cli.commands import given as groups
    from tuner.cli.gate import GateOptions, gate_command
    from tuner.cli.gate_outputs import GateOutputs
    from tuner.cli.gate_policy import PolicyOptions
    from tuner.cli.gate_sides import SideOptions

    options = GateOptions(
        sides=SideOptions(function=function, base=base, head=head, baseline=baseline, any_runtime=any_runtime),
        where=groups.where(given),
        send=groups.send(given),
        spend=groups.spend(given),
        output=groups.output(given),
        outputs=GateOutputs(
            format=(output or ShownFormat.TEXT).value,
            junit=junit,
            comment=comment,
            summary=summary,
            benchmark=benchmark_json,
            github=github,
        ),
        policy=PolicyOptions(
            max_regression=max_regression,
            error_rate=error_rate,
            max_calls=max_calls,
            metrics=tuple(metric or ()),
            budgets=tuple(budget or ()),
        ),
        memory=memory,
        clone=clone,
        wave=wave,
        seed=seed,
        baseline_decides=baseline_decides,
        self_test=self_test,
        history=not no_history,
        config=ctx.find_root().params.get("config"),
    )
    raise typer.Exit(gate_command(options))
