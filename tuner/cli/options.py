"""The options that commands share, as their help texts say them. Importing this is quick."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.completion import complete_event, complete_function, complete_memory, complete_region
from tuner.limits import LARGEST_MB, LONGEST_TIMEOUT_S, SHORTEST_TIMEOUT_S, SMALLEST_MB
from tuner.model import SamplingKind, Strategy
from tuner.render.redact import Private


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
        help="A function's name or ARN; with --local, the folder or zip file of its code.",
        metavar="FUNCTION",
        autocompletion=complete_function,
    ),
]
Local = Annotated[
    bool, typer.Option("--local", help="Run it on the embedded Lambda on this machine. Needs no account.")
]
Memory = Annotated[
    str,
    typer.Option(
        help="Sizes in MB: 128..3008, 128..3008:64, 128,512,1769 or a mixture.",
        rich_help_panel="Measurement",
        autocompletion=complete_memory,
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
    SamplingKind | None,
    typer.Option(
        show_default=False,
        help="adaptive: search all sizes of the range, until one is known to be best. fixed: -n samples at each size "
        "that is named, of a range at its landmarks. [default: adaptive, with -n fixed]",
        rich_help_panel="Measurement",
    ),
]
Confidence = Annotated[
    str,
    typer.Option(help="Adaptive sampling stops when it is this sure of a size.", rich_help_panel="Measurement"),
]
Confirm = Annotated[
    bool,
    typer.Option(
        "--confirm",
        help="Measure winner, rival and current size again on fresh environments, and report those figures.",
        rich_help_panel="Measurement",
    ),
]
MaxDuration = Annotated[
    str | None,
    typer.Option(
        metavar="LIMIT",
        help="Sizes not shown to keep it are no candidates: 'p95<=250ms', also mean, p50, p99.",
        rich_help_panel="Measurement",
    ),
]
MaxCostPerMillion = Annotated[
    str | None,
    typer.Option(
        metavar="USD", help="The same for what a million calls cost: '$4.20'.", rich_help_panel="Measurement"
    ),
]
ColdShare = Annotated[
    str | None,
    typer.Option(
        "--cold-fraction",
        help="Share of your calls that meet a cold start, counted in cost and duration: 2%. [default: none]",
        rich_help_panel="Measurement",
        show_default=False,
    ),
]
PlanOut = Annotated[
    Path | None, typer.Option("--out", help="Write the plan to this file, as JSON.", rich_help_panel="Output")
]
Weight = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, help="Share of the cost with --strategy balanced.", rich_help_panel="Measurement"),
]
Samples = Annotated[
    int | None,
    typer.Option(
        "--samples",
        "-n",
        min=1,
        max=10_000,
        help="Warm samples a size of a fixed run. [default: 20]",
        rich_help_panel="Measurement",
        show_default=False,
    ),
]
ColdMemory = Annotated[
    str | None,
    typer.Option(
        "--memory",
        help="Sizes in MB, for example 512,1769. [default: the function's own]",
        rich_help_panel="Measurement",
        show_default=False,
    ),
]
ColdStarts = Annotated[
    int,
    typer.Option(
        "--starts",
        "-n",
        min=1,
        max=10_000,
        help="Cold starts at each size and architecture: 72 give p95 an interval, 368 p99.",
        rich_help_panel="Measurement",
    ),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        "--precision",
        metavar="p95±5%",
        help="Go on beyond -n until that percentile of the whole cold start is known so well, or the budget ends.",
        rich_help_panel="Measurement",
    ),
]
ColdFraction = Annotated[
    str | None,
    typer.Option(
        help="Share of your calls that are cold, for what that costs: 2%. [default: 1%, or what the log says]",
        rich_help_panel="Measurement",
        show_default=False,
    ),
]
WarmCalls = Annotated[
    int,
    typer.Option(
        "--warm",
        min=0,
        max=100,
        help="Warm calls after each batch, to have warm durations beside cold ones.",
        rich_help_panel="Measurement",
    ),
]
FromLogs = Annotated[
    bool,
    typer.Option(
        "--from-logs",
        help="Invoke nothing: read the cold starts of production from CloudWatch Logs Insights.",
        rich_help_panel="Logs",
    ),
]
Since = Annotated[str, typer.Option(help="With --from-logs, how far back: 6h, 7d.", rich_help_panel="Logs")]
LogGroup = Annotated[
    str | None,
    typer.Option(
        help="With --from-logs, the log group. [default: as the function is configured]",
        rich_help_panel="Logs",
        show_default=False,
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
        help="An event of the catalogue (`tuner event list`), like sqs/batch; or shared:NAME, a console test event.",
        rich_help_panel="Measurement",
        autocompletion=complete_event,
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
    int | None,
    typer.Option(
        min=1,
        help="The run stops before it makes more calls. Above 60 an architecture an undecided search goes on.",
        rich_help_panel="Spend",
    ),
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
    str | None,
    typer.Option(
        help="AWS region; with --local, whose prices to use.",
        rich_help_panel="AWS",
        autocompletion=complete_region,
    ),
]
Profile = Annotated[str | None, typer.Option(help="AWS profile.", rich_help_panel="AWS")]


def _check_endpoint(text: str | None) -> str | None:
    from tuner.aws.endpoints import checked_endpoint

    return None if text is None else checked_endpoint(text)


EndpointUrl = Annotated[
    str | None,
    typer.Option(
        help="Another endpoint that speaks the Lambda API.", rich_help_panel="AWS", callback=_check_endpoint
    ),
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
    int,
    typer.Option(
        min=SHORTEST_TIMEOUT_S,
        max=LONGEST_TIMEOUT_S,
        help="Timeout of the function in seconds.",
        rich_help_panel="Local",
    ),
]
CurrentMemory = Annotated[
    int,
    typer.Option(
        min=SMALLEST_MB,
        max=LARGEST_MB,
        help="Memory the function has today, to compare with.",
        rich_help_panel="Local",
    ),
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
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="A line for each invocation, on standard error: what Lambda said of it. Never payloads.",
        rich_help_panel="Output",
    ),
]
Apply = Annotated[
    bool,
    typer.Option(
        "--apply",
        help="Then set the memory size on the function, if the run decided on one. Shows the change, and asks first.",
        rich_help_panel="AWS",
    ),
]


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
