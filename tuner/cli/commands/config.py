"""``tuner config``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.options import OutputFormat

config_app = typer.Typer(
    name="config",
    help="What tuner.toml (or [tool.tuner] of pyproject.toml) says, and where each value comes from.",
    epilog="Example: tuner config show thumbnail",
    no_args_is_help=True,
)

File = Annotated[Path | None, typer.Option("--file", help="Another file. [default: the nearest]", show_default=False)]


@config_app.command("show")
def show(
    function: Annotated[
        str | None, typer.Argument(help="A function, by its name in the file or as a command takes it.")
    ] = None,
    command: Annotated[str, typer.Option(help="Whose options: run, gate, ...")] = "run",
    profile: Annotated[
        str | None, typer.Option("--config-profile", help="With this [profiles.NAME].", metavar="NAME")
    ] = None,
    file: File = None,
    output: Annotated[OutputFormat, typer.Option(help="What standard output gets.")] = OutputFormat.TEXT,
) -> None:
    """Print each option of a command, its value and where that comes from.

    A flag wins over a TUNER_ variable, that over the file, that over the default.

    Examples:

      tuner config show

      tuner config show thumbnail --command gate
    """
    from tuner.cli.config import ShowOptions, show_command

    raise typer.Exit(
        show_command(
            ShowOptions(
                command=command,
                function=function,
                profile=profile,
                file=file,
                json_output=output is OutputFormat.JSON,
            )
        )
    )


@config_app.command("check")
def check(file: File = None) -> None:
    """Say everything that is wrong with the file: unknown keys, values that cannot be used. Asks nothing of AWS.

    Example:

      tuner config check
    """
    from tuner.cli.config import check_command

    raise typer.Exit(check_command(file))
