"""``tuner run --all``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run_all(
    context: typer.Context,
    report: Annotated[
        list[Path] | None, typer.Option("--report", help="Write the table and each answer to this .html or .md file.")
    ] = None,
) -> None:
    """Run over every function of tuner.toml, with one table and one report.

    All other options are those of `tuner run`, and hold for each.

    Example:

      tuner run --all --report functions.html
    """
    from tuner.cli.run_all import RunAllOptions, run_all_command

    root = context.find_root().params
    options = RunAllOptions(
        words=tuple(context.args),
        files=tuple(report or ()),
        config=root.get("config"),
        profile=root.get("config_profile"),
    )
    raise typer.Exit(run_all_command(options))
