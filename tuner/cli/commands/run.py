"""``tuner run``."""

from __future__ import annotations

import typer

from tuner.cli.options import (
    After,
    Architectures,
    Before,
    Charts,
    Clone,
    Confidence,
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
    MaxInvocations,
    MaxTime,
    Memory,
    Output,
    OutputFormat,
    Payload,
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
    WaveOption,
    Weight,
    Yes,
)
from tuner.model import SamplingKind, Strategy


def run(
    function: Function,
    local: Local = False,
    memory: Memory = "128..3008",
    strategy: StrategyOption = Strategy.COST,
    tolerance: Tolerance = "5%",
    sampling: SamplingOption = SamplingKind.FIXED,
    confidence: Confidence = "90%",
    weight: Weight = 0.5,
    samples: Samples = 20,
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
) -> None:
    """Measure a function at several memory sizes and recommend one.

    Publishes a version a size, invokes them in randomised blocks, deletes them again. The function itself is left
    as it was, also after Ctrl-C; after a crash `tuner recover` puts it back.

    Examples:

      tuner run my-function --memory 128..3008

      tuner run examples/password-hash --local --memory 128..1769 -n 20

      tuner run my-function --memory 512,1024,1769 --payload event.json --output json
    """
    from tuner.cli.inputs import FunctionOptions, OutputOptions, SendingOptions, SpendOptions
    from tuner.cli.run import RunOptions, run_command

    options = RunOptions(
        where=FunctionOptions(
            function=function,
            local=local,
            region=region,
            profile=profile,
            endpoint_url=endpoint_url,
            transport=transport.value,
            handler=handler,
            runtime=runtime,
            simulation=simulate,
            timeout_s=timeout,
            current_memory_mb=current_memory,
            environment=tuple(env or ()),
        ),
        send=SendingOptions(
            payloads=tuple(payload or ()),
            event=event,
            event_settings=tuple(set_ or ()),
            event_repeats=tuple(repeat or ()),
            expected_errors=tuple(expect_error or ()),
            before=before,
            after=after,
        ),
        spend=SpendOptions(
            max_cost=max_cost,
            max_invocations=max_invocations,
            max_time=max_time,
            yes=yes,
            price_per_gb_s=price_per_gb_s,
            price_per_request=price_per_request,
        ),
        output=OutputOptions(
            json_output=output is OutputFormat.JSON,
            report_files=tuple(report or ()),
            charts=charts,
            quiet=quiet,
        ),
        memory=memory,
        strategy=strategy,
        tolerance=tolerance,
        sampling=sampling,
        confidence=confidence,
        weight=weight,
        samples=samples,
        wave=wave,
        architectures=arch,
        clone=clone,
        resume=resume,
        seed=seed,
    )
    raise typer.Exit(run_command(options))
