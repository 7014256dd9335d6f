"""The commands of tuner, put together. Importing this is quick: each command imports what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from tuner import __version__
from tuner.cli.commands.local import local_service
from tuner.cli.commands.recover import recover
from tuner.cli.commands.report import compare, report
from tuner.cli.commands.run import run
from tuner.cli.event import event_app

app = typer.Typer(
    name="tuner",
    help="Find the memory size at which an AWS Lambda function should run, and how sure that is.",
    epilog="Try it without an AWS account: tuner run examples/password-hash --local",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(run)
app.command()(report)
app.command()(compare)
app.command()(recover)
app.command("local")(local_service)
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
