"""The options that only the gate and its history have, as their help texts say them. Importing this is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

GateFunction = Annotated[
    str | None,
    typer.Argument(
        help="A function's name or ARN, whose versions or aliases --base and --head name; with --local, the folder "
        "of head.",
        metavar="FUNCTION",
        show_default=False,
    ),
]
Base = Annotated[
    str | None,
    typer.Option(
        help="What to compare with: a version or alias of FUNCTION, or another function; with --local, a folder or a "
        "git reference (main).",
        rich_help_panel="Comparison",
        show_default=False,
    ),
]
Head = Annotated[
    str | None,
    typer.Option(
        help="What is judged: a version, an alias, a function or, with --local, a folder. "
        "[default: $LATEST of FUNCTION, or the folder FUNCTION]",
        rich_help_panel="Comparison",
        show_default=False,
    ),
]
MaxRegression = Annotated[str, typer.Option(help="By how much head may be slower.", rich_help_panel="Comparison")]
GateMemory = Annotated[
    str | None,
    typer.Option(
        help="Sizes in MB, each judged by itself; needs --clone or --local. [default: the memory that both have]",
        rich_help_panel="Comparison",
        show_default=False,
    ),
]
BaselineFile = Annotated[
    Path | None,
    typer.Option(
        help="Take base from this report.json of an earlier gate or run: uncontrolled, so it only warns.",
        rich_help_panel="Comparison",
        show_default=False,
    ),
]
BaselineDecides = Annotated[
    bool,
    typer.Option("--baseline-decides", help="Let a stored --baseline fail the gate.", rich_help_panel="Comparison"),
]
AnyRuntime = Annotated[
    bool,
    typer.Option("--any-runtime", help="Base and head may have different runtimes.", rich_help_panel="Comparison"),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="NAME=LEVEL|MARGIN",
        help="How a metric is judged: init=error, p95=10%, cost=off; may be given several times. Metrics: duration, "
        "billed_duration, cost, p50, p95, init, max_memory, errors.",
        rich_help_panel="Comparison",
    ),
]
Budgets = Annotated[
    list[str] | None,
    typer.Option(
        "--budget",
        metavar="NAME<=LIMIT",
        help="An absolute limit of head: 'p95<=250ms', 'cost_per_million<=$4.20', 'max_memory_used<=200MB', "
        "'errors<=0.1%'; may be given several times.",
        rich_help_panel="Comparison",
    ),
]
ErrorRate = Annotated[
    str,
    typer.Option(
        help="How often the gate may be red, and how often green, where head is exactly at the margin.",
        rich_help_panel="Comparison",
    ),
]
MaxCalls = Annotated[
    int, typer.Option(min=20, max=100_000, help="Calls on each side at most.", rich_help_panel="Spend")
]
SelfTest = Annotated[
    bool,
    typer.Option(
        "--self-test",
        help="Afterwards repeat the gate on resampled environments: how often it is red and green here.",
        rich_help_panel="Output",
    ),
]
GateClone = Annotated[
    bool,
    typer.Option(
        "--clone",
        help="Measure temporary copies of both sides, on fresh environments; deleted at the end.",
        rich_help_panel="AWS",
    ),
]
JUnit = Annotated[
    Path | None, typer.Option("--junit", help="Write JUnit XML to this file.", rich_help_panel="Output")
]
Comment = Annotated[
    Path | None,
    typer.Option(help="Write the text of a pull-request comment (Markdown).", rich_help_panel="Output"),
]
Summary = Annotated[
    Path | None, typer.Option(help="Write a summary in Markdown, at most 1 MiB.", rich_help_panel="Output")
]
BenchmarkData = Annotated[
    Path | None,
    typer.Option(
        "--benchmark-json",
        help="Write head's numbers for github-action-benchmark (customSmallerIsBetter).",
        rich_help_panel="Output",
    ),
]
GitHub = Annotated[
    bool,
    typer.Option(
        "--github",
        help="On GitHub: annotations, step summary and the outputs verdict, memory-mb and report.",
        rich_help_panel="Output",
    ),
]
NoHistory = Annotated[
    bool,
    typer.Option(
        "--no-history",
        help="Keep nothing in .tuner/history.sqlite; TUNER_NO_HISTORY=1 does the same.",
        envvar="TUNER_NO_HISTORY",
        rich_help_panel="Output",
    ),
]
