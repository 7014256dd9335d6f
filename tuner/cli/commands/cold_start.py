"""``tuner cold-start``."""

from __future__ import annotations

import typer

from tuner.cli.options import (
    After,
    Architectures,
    Before,
    Charts,
    Clone,
    ColdFraction,
    ColdMemory,
    ColdStarts,
    CurrentMemory,
    EndpointUrl,
    Environment,
    Event,
    EventRepeats,
    EventSettings,
    ExpectedErrors,
    FromLogs,
    Function,
    Handler,
    Local,
    LogGroup,
    MaxCost,
    MaxInvocations,
    MaxTime,
    Output,
    OutputFormat,
    Payload,
    PrecisionOption,
    PricePerGbS,
    PricePerRequest,
    Profile,
    Quiet,
    Region,
    ReportFiles,
    Resume,
    Runtime,
    Seed,
    Simulate,
    Since,
    Timeout,
    Transport,
    TransportOption,
    Verbose,
    WarmCalls,
    WaveOption,
    Yes,
)


def cold_start(
    function: Function,
    local: Local = False,
    memory: ColdMemory = None,
    arch: Architectures = None,
    starts: ColdStarts = 200,
    precision: PrecisionOption = None,
    cold_fraction: ColdFraction = None,
    warm: WarmCalls = 4,
    wave: WaveOption = None,
    from_logs: FromLogs = False,
    since: Since = "7d",
    log_group: LogGroup = None,
    payload: Payload = None,
    event: Event = None,
    set_: EventSettings = None,
    repeat: EventRepeats = None,
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
    verbose: Verbose = False,
) -> None:
    """Force cold starts, and say how long they take, what they cost and what helps.

    Publishes a version for each batch of first calls, and deletes it again. With --from-logs it invokes nothing and
    reads what production met.

    Examples:

      tuner cold-start my-function --memory 512,1769 --arch x86_64,arm64 -n 200

      tuner cold-start my-function --precision 'p95±5%' --max-cost 0.50

      tuner cold-start my-function --from-logs --since 7d

      tuner cold-start examples/password-hash --local -n 50
    """
    given = dict(locals())
    from tuner.cli.cold_start import StudyOptions, study_command
    from tuner.cli.commands import given as groups

    options = StudyOptions(
        where=groups.where(given),
        send=groups.send(given),
        spend=groups.spend(given),
        output=groups.output(given),
        memory=memory,
        architectures=arch,
        starts=starts,
        warm=warm,
        wave=wave,
        precision=precision,
        cold_fraction=cold_fraction,
        clone=clone,
        resume=resume,
        seed=seed,
    )
    if from_logs:
        from tuner.cli.cold_logs import LogOptions, log_command

        raise typer.Exit(log_command(LogOptions(study=options, since=since, log_group=log_group)))
    raise typer.Exit(study_command(options))
