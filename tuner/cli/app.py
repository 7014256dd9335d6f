"""The commands of tuner, put together. Importing this is quick: each command imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner import __version__
from tuner.cli.commands.apply import apply
from tuner.cli.commands.cold_start import cold_start
from tuner.cli.commands.completion import completion
from tuner.cli.commands.config import config_app
from tuner.cli.commands.doctor import doctor
from tuner.cli.commands.event import event_app
from tuner.cli.commands.gate import gate
from tuner.cli.commands.history import history
from tuner.cli.commands.iam_policy import iam_policy
from tuner.cli.commands.init import init
from tuner.cli.commands.local import local_service
from tuner.cli.commands.prices import prices_app
from tuner.cli.commands.recover import recover
from tuner.cli.commands.report import compare, report
from tuner.cli.commands.run import plan, run
from tuner.cli.commands.run_all import run_all
from tuner.cli.completion import complete_profile
from tuner.cli.configured import ConfiguredGroup

app = typer.Typer(
    name="tuner",
    cls=ConfiguredGroup,
    help="Find the memory size at which an AWS Lambda function should run, and how sure that is.",
    epilog="Try it without an AWS account: tuner run examples/password-hash --local",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # in its own markup, Rich takes [default: x] for a tag and drops it
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(init)
app.command()(run)
app.command()(plan)
app.command("cold-start")(cold_start)
app.command()(report)
app.command()(compare)
app.command()(apply)
app.command()(gate)
app.command()(history)
app.command()(recover)
app.command("run-all", hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(
    run_all
)
app.command("iam-policy")(iam_policy)
app.command()(doctor)
app.command()(completion)
app.command("local")(local_service)
app.add_typer(event_app)
app.add_typer(config_app)
app.add_typer(prices_app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"tuner {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Configuration to use. [default: the nearest tuner.toml]",
            show_default=False,
        ),
    ] = None,
    config_profile: Annotated[
        str | None,
        typer.Option(
            "--config-profile",
            metavar="NAME",
            help="Use [profiles.NAME] of the configuration.",
            autocompletion=complete_profile,
        ),
    ] = None,
) -> None:
    del version, config, config_profile  # read by ConfiguredGroup
