"""``tuner init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(help="The project.", exists=True, file_okay=False)] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite a tuner.toml that is there.")] = False,
    print_only: Annotated[bool, typer.Option("--print", help="Print it and write nothing.")] = False,
) -> None:
    """Write a tuner.toml for this project, with the functions its templates declare.

    Looks at SAM and CloudFormation templates, serverless.yml, Terraform, cdk.out and the output of
    `terraform show -json` in a terraform.json; where there are none, at folders with a handler. Asks nothing of AWS.

    Examples:

      tuner init

      tuner init --print
    """
    from tuner.cli.init import InitOptions, init_command

    raise typer.Exit(init_command(InitOptions(folder=folder, force=force, print_only=print_only)))
