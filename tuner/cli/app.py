"""The commands and their options. Importing this is quick: each command imports what it needs when it runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tuner import __version__
from tuner.cli.event import event_app
from tuner.model import SamplingKind, Strategy
from tuner.render.redact import Private

if TYPE_CHECKING:
    from tuner.cli.report import Publication

app = typer.Typer(
    name="tuner",
    help="Find the memory size at which an AWS Lambda function should run, and how sure that is.",
    epilog="Try it without an AWS account: tuner run examples/password-hash --local",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _complete_event(incomplete: str) -> list[str]:
    from tuner.cli.event import complete_event

    return complete_event(incomplete)


class OutputFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class ShownFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class ExportFormat(StrEnum):
    POWER_TUNING_URL = "power-tuning-url"


Function = Annotated[
    str,
    typer.Argument(
        help="A function's name or ARN; with --local, the folder or zip file of its code.", metavar="FUNCTION"
    ),
]
Local = Annotated[
    bool, typer.Option("--local", help="Run it on the embedded Lambda on this machine. Needs no account.")
]
Memory = Annotated[
    str,
    typer.Option(
        help="Sizes in MB: 128..3008, 128..3008:64, 128,512,1769 or a mixture.", rich_help_panel="Measurement"
    ),
]
StrategyOption = Annotated[
    Strategy,
    typer.Option(
        help="cost: the fastest size whose cost is within the tolerance of the least. speed: the fastest. balanced: "
        "both, by --weight. knee: where more speed becomes dear.",
        rich_help_panel="Measurement",
    ),
]
Tolerance = Annotated[
    str, typer.Option(help="How much dearer than the cheapest size is still cheap.", rich_help_panel="Measurement")
]
SamplingOption = Annotated[
    SamplingKind,
    typer.Option(
        help="adaptive: search all sizes of the range, until one is known to be best. fixed: -n samples at each of a "
        "few sizes.",
        rich_help_panel="Measurement",
    ),
]
Confidence = Annotated[
    str,
    typer.Option(help="Adaptive sampling stops when it is this sure of a size.", rich_help_panel="Measurement"),
]
Weight = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, help="Share of the cost with --strategy balanced.", rich_help_panel="Measurement"),
]
Samples = Annotated[
    int,
    typer.Option(
        "--samples",
        "-n",
        min=1,
        max=10_000,
        help="Warm samples a size of a fixed run.",
        rich_help_panel="Measurement",
    ),
]
WaveOption = Annotated[
    int | None,
    typer.Option(
        "--wave",
        min=1,
        max=1000,
        help="Invocations in flight together on one size. [default: half of -n]",
        rich_help_panel="Measurement",
        show_default=False,
    ),
]
Payload = Annotated[
    list[str] | None,
    typer.Option(
        help="The event: a JSON file, JSON text, s3://bucket/key or - for standard input. Several, with weights: "
        "--payload a.json=3 --payload b.json=1. [default: {}]",
        rich_help_panel="Measurement",
        show_default=False,
    ),
]
Event = Annotated[
    str | None,
    typer.Option(
        help="An event of the catalogue, for example sqs/batch; `tuner event list` shows them.",
        rich_help_panel="Measurement",
        autocompletion=_complete_event,
    ),
]
EventSettings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Set a field of --event.", rich_help_panel="Measurement"),
]
EventRepeats = Annotated[
    list[str] | None,
    typer.Option("--repeat", metavar="LIST=N", help="Repeat records of --event.", rich_help_panel="Measurement"),
]
Architectures = Annotated[
    str | None,
    typer.Option(
        "--arch",
        help="x86_64, arm64 or both; another than the function's own is measured on a temporary copy. "
        "[default: the function's own]",
        rich_help_panel="Measurement",
        show_default=False,
    ),
]
Clone = Annotated[
    bool,
    typer.Option("--clone", help="Measure a temporary copy and never touch the function.", rich_help_panel="AWS"),
]
ExpectedErrors = Annotated[
    list[str] | None,
    typer.Option(
        "--expect-error", help="Error type that counts as success; may be repeated.", rich_help_panel="Measurement"
    ),
]
Before = Annotated[
    str | None,
    typer.Option(
        help="Run before each invocation: a command, or lambda:NAME. Gets the event, may print another one.",
        rich_help_panel="Measurement",
    ),
]
After = Annotated[
    str | None,
    typer.Option(
        help="Run after each invocation: a command, or lambda:NAME. Gets the answer.", rich_help_panel="Measurement"
    ),
]
MaxInvocations = Annotated[
    int | None, typer.Option(min=1, help="The run stops before it makes more calls.", rich_help_panel="Spend")
]
MaxTime = Annotated[
    str | None, typer.Option(help="The run starts nothing more after this: 90s, 5m, 1h.", rich_help_panel="Spend")
]
Resume = Annotated[
    str | None,
    typer.Option(
        metavar="RUN",
        help="Go on with an interrupted run of the same function and payload; its samples count.",
        rich_help_panel="Spend",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random choice.", rich_help_panel="Measurement")]
MaxCost = Annotated[str, typer.Option(help="The run stops before it spends more.", rich_help_panel="Spend")]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask; --max-cost holds all the same.", rich_help_panel="Spend")
]
PricePerGbS = Annotated[
    str | None,
    typer.Option(
        "--price-per-gb-s",
        help="Your price of a GB-second in USD, instead of the package's table.",
        rich_help_panel="Spend",
    ),
]
PricePerRequest = Annotated[str | None, typer.Option(help="Your price of a request in USD.", rich_help_panel="Spend")]
Region = Annotated[
    str | None, typer.Option(help="AWS region; with --local, whose prices to use.", rich_help_panel="AWS")
]
Profile = Annotated[str | None, typer.Option(help="AWS profile.", rich_help_panel="AWS")]
EndpointUrl = Annotated[
    str | None, typer.Option(help="Another endpoint that speaks the Lambda API.", rich_help_panel="AWS")
]


class Transport(StrEnum):
    AUTO = "auto"
    ASYNC = "async"
    BOTO3 = "boto3"


TransportOption = Annotated[
    Transport,
    typer.Option(
        "--transport",
        help="What carries invocations: auto takes boto3 only where the quicker one cannot go (proxies).",
        rich_help_panel="AWS",
    ),
]
Handler = Annotated[
    str | None, typer.Option(help="module.function, where it cannot be told from the code.", rich_help_panel="Local")
]
Runtime = Annotated[
    str | None,
    typer.Option(
        help="python3.13, nodejs22.x, provided.al2023, ... [default: from the code]",
        rich_help_panel="Local",
        show_default=False,
    ),
]
Simulate = Annotated[
    Path | None,
    typer.Option(
        "--simulate",
        help="Simulate what this machine is not (arm64, other hosts): a JSON file, see docs/local.md.",
        rich_help_panel="Local",
    ),
]
Faults = Annotated[
    Path | None,
    typer.Option("--faults", help="Go wrong on purpose, by a fault plan: a JSON file, see docs/local.md."),
]
Timeout = Annotated[
    int, typer.Option(min=1, max=900, help="Timeout of the function in seconds.", rich_help_panel="Local")
]
CurrentMemory = Annotated[
    int,
    typer.Option(min=128, max=10240, help="Memory the function has today, to compare with.", rich_help_panel="Local"),
]
Environment = Annotated[
    list[str] | None,
    typer.Option("--env", help="KEY=VALUE for the function; may be given several times.", rich_help_panel="Local"),
]
Output = Annotated[OutputFormat, typer.Option(help="What standard output gets.", rich_help_panel="Output")]
ReportFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--report",
        help="Write the report to this .json, .html or .md file; may be given several times. "
        "[default: .json and .html in reports/]",
        rich_help_panel="Output",
        show_default=False,
    ),
]
Charts = Annotated[
    Path | None,
    typer.Option(
        help="Write each figure to this folder: .svg, .png and its Vega-Lite specification.",
        rich_help_panel="Output",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.", rich_help_panel="Output")]


@app.command()
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
    from tuner.cli.inputs import RunOptions
    from tuner.cli.run import run_command

    raise typer.Exit(
        run_command(
            RunOptions(
                function=function,
                local=local,
                memory=memory,
                strategy=strategy,
                tolerance=tolerance,
                sampling=sampling,
                confidence=confidence,
                weight=weight,
                samples=samples,
                wave=wave,
                payloads=tuple(payload or ()),
                event=event,
                event_settings=tuple(set_ or ()),
                event_repeats=tuple(repeat or ()),
                architectures=arch,
                clone=clone,
                expected_errors=tuple(expect_error or ()),
                before=before,
                after=after,
                max_invocations=max_invocations,
                max_time=max_time,
                resume=resume,
                seed=seed,
                max_cost=max_cost,
                yes=yes,
                price_per_gb_s=price_per_gb_s,
                price_per_request=price_per_request,
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
                json_output=output is OutputFormat.JSON,
                report_files=tuple(report or ()),
                charts=charts,
                quiet=quiet,
            )
        )
    )


Source = Annotated[
    str,
    typer.Argument(
        help="A report.json, - for standard input, a link to lambda-power-tuning.show in quotes, or a file with the "
        "JSON output of AWS Lambda Power Tuning.",
        metavar="SOURCE",
    ),
]
Files = Annotated[
    list[Path] | None,
    typer.Option("--out", "-o", help="Write this .html, .md or .json file; may be given several times."),
]
Include = Annotated[
    list[Private] | None,
    typer.Option(help="Show what is left out of shared reports; may be given several times."),
]
Export = Annotated[ExportFormat | None, typer.Option(help="Print the curve as a link to lambda-power-tuning.show.")]
Publish = Annotated[
    str | None,
    typer.Option(
        metavar="S3-URL", help="Upload the page to s3://bucket/prefix and print a link.", show_default=False
    ),
]
Expires = Annotated[str, typer.Option(help="How long that link works: 12h, 7d.")]
Shown = Annotated[ShownFormat | None, typer.Option("--output", help="Print it in this format.", show_default=False)]


@app.command()
def report(
    source: Source,
    out: Files = None,
    charts: Charts = None,
    include: Include = None,
    output: Shown = None,
    export: Export = None,
    publish: Publish = None,
    expires: Expires = "7d",
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Turn a report into a page, Markdown, charts or a link; read results of AWS Lambda Power Tuning.

    Examples:

      tuner report reports/demo.json -o demo.html

      tuner report 'https://lambda-power-tuning.show/#...' -o again.html

      tuner report reports/demo.json --publish s3://my-bucket/reports --expires 12h
    """
    from tuner.cli.report import ReportOptions, report_command

    raise typer.Exit(
        report_command(
            ReportOptions(
                source=source,
                files=tuple(out or ()),
                charts=charts,
                include=frozenset(include or ()),
                output=output.value if output else None,
                export_power_tuning=export is not None,
                publication=_publication(publish, expires, region, profile, endpoint_url),
            )
        )
    )


@app.command()
def compare(
    sources: Annotated[list[str], typer.Argument(help="Two or more report.json; the first is the base.")],
    out: Files = None,
    charts: Charts = None,
    include: Include = None,
    publish: Publish = None,
    expires: Expires = "7d",
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Put reports beside each other: what differs, by how much, and what cannot be compared.

    Example:

      tuner compare before.json after.json -o compare.html
    """
    from tuner.cli.compare import CompareOptions, compare_command

    raise typer.Exit(
        compare_command(
            CompareOptions(
                sources=tuple(sources),
                files=tuple(out or ()),
                charts=charts,
                include=frozenset(include or ()),
                publication=_publication(publish, expires, region, profile, endpoint_url),
            )
        )
    )


def _publication(
    publish: str | None, expires: str, region: str | None, profile: str | None, endpoint_url: str | None
) -> Publication | None:
    if publish is None:
        return None
    from tuner.cli.report import Publication

    return Publication(
        destination=publish, expires=expires, region=region, profile=profile, endpoint_url=endpoint_url
    )


@app.command()
def recover(
    function: Annotated[
        str | None,
        typer.Argument(help="Also delete versions that runs on other machines left on this function."),
    ] = None,
    copies: Annotated[
        bool, typer.Option("--copies", help="Also delete temporary copies that runs on other machines left.")
    ] = False,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Put functions back that an interrupted run left changed, and remove what it left behind.

    Every run writes down each change with its undo before it makes it; this replays what was not undone. What other
    machines left is found by description and tag: be sure that no run is going on there.
    """
    from tuner.cli.recover import RecoverOptions, recover_command

    raise typer.Exit(
        recover_command(
            RecoverOptions(
                function=function, copies=copies, region=region, profile=profile, endpoint_url=endpoint_url
            )
        )
    )


@app.command("local")
def local_service(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    faults: Faults = None,
    simulate: Simulate = None,
) -> None:
    """Serve the embedded Lambda until Ctrl-C, for the AWS CLI, boto3 or `tuner run --endpoint-url`."""
    from tuner.cli.local import local_command

    local_command(port=port, faults=faults, simulation=simulate)


app.add_typer(event_app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"tuner {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version
