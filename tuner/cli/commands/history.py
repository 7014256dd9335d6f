"""``tuner history``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.options import Shown, ShownFormat


def history(
    function: Annotated[str | None, typer.Argument(help="Only this function.", show_default=False)] = None,
    add: Annotated[
        list[Path] | None,
        typer.Option(help="First put this report.json into the history; may be given several times."),
    ] = None,
    project: Annotated[Path, typer.Option(help="The folder whose .tuner/history.sqlite to use.")] = Path(),
    output: Shown = None,
) -> None:
    """Show what earlier gates found, and where it changed. Never fails a build.

    Examples:

      tuner history my-function

      tuner history --add reports/gate.json --output markdown
    """
    from tuner.cli.history import HistoryOptions, history_command

    shown = output or ShownFormat.TEXT
    raise typer.Exit(
        history_command(HistoryOptions(function=function, add=tuple(add or ()), project=project, output=shown.value))
    )
