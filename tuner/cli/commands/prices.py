"""``tuner prices``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.options import OutputFormat

prices_app = typer.Typer(
    name="prices",
    help="Prices of AWS Lambda: the table, its sources, and what a month costs.",
    epilog="Example: tuner prices show --region eu-central-1",
    no_args_is_help=True,
)

Output = Annotated[OutputFormat, typer.Option(help="What standard output gets.")]


@prices_app.command("show")
def show(
    region: Annotated[
        list[str] | None,
        typer.Option(help="A region; may be given several times. [default: all]", show_default=False),
    ] = None,
    output: Output = OutputFormat.TEXT,
) -> None:
    """Print the prices that runs count with, and where each comes from.

    Example:

      tuner prices show --region eu-central-1 --region us-east-1
    """
    from tuner.cli.prices import show_prices

    raise typer.Exit(show_prices(tuple(region or ()), json_output=output is OutputFormat.JSON))


@prices_app.command("update")
def update(
    region: Annotated[
        list[str] | None,
        typer.Option(help="A region; may be given several times. [default: the one in use]", show_default=False),
    ] = None,
    from_: Annotated[
        Path | None, typer.Option("--from", help="A price list that was downloaded, instead of the network.")
    ] = None,
) -> None:
    """Read AWS's public price list of a region (no credentials) and count with it from now on.

    Examples:

      tuner prices update --region eu-central-1

      tuner prices update --region eu-central-1 --from index.json
    """
    from tuner.cli.prices import update_prices

    raise typer.Exit(update_prices(tuple(region or ()), from_))


@prices_app.command("project")
def project(
    source: Annotated[str, typer.Argument(help="A report.json of `tuner run`.", metavar="REPORT")],
    calls_per_month: Annotated[str, typer.Option(help="Calls a month, like 1000000 or 10M.")] = "1M",
    cold_fraction: Annotated[str, typer.Option(help="Share of calls that meet a cold start, like 1%.")] = "0%",
    used_gb_s: Annotated[
        str,
        typer.Option("--used-gb-s", help="GB-seconds the account uses beside this function, for the volume prices."),
    ] = "0",
    output: Output = OutputFormat.TEXT,
) -> None:
    """Say what a month costs at each measured size, and when Fargate would be cheaper.

    Example:

      tuner prices project report.json --calls-per-month 10M --cold-fraction 1%
    """
    from tuner.cli.prices import ProjectOptions, project_command

    raise typer.Exit(
        project_command(
            ProjectOptions(
                source=source,
                calls_per_month=calls_per_month,
                cold_fraction=cold_fraction,
                used_gb_s=used_gb_s,
                json_output=output is OutputFormat.JSON,
            )
        )
    )
