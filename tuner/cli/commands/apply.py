"""``tuner apply``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.options import EndpointUrl, Profile, Region


def apply(
    source: Annotated[str, typer.Argument(help="A report.json of `tuner run`.", metavar="REPORT")],
    function: Annotated[
        str | None,
        typer.Option(help="Another function than the one that was measured; needed for a report of a local run."),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="TEMPLATE",
            help="Change this template instead of the function: SAM or CloudFormation, serverless.yml, Terraform. "
            "Of CDK programs it says where.",
        ),
    ] = None,
    resource: Annotated[
        str | None, typer.Option(help="Which function of the template, where that cannot be told.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Set the memory size that a report recommends: on the function, or in its template.

    Memory is all that is changed. The function is left alone if its code, memory or architecture is another than was
    measured; in a template exactly the one value is replaced.

    Examples:

      tuner apply report.json

      tuner apply report.json --write template.yaml --resource Thumbnail

      tuner apply report.json --dry-run
    """
    from tuner.cli.apply import ApplyOptions, apply_command

    raise typer.Exit(
        apply_command(
            ApplyOptions(
                source=source,
                function=function,
                template=write,
                resource=resource,
                dry_run=dry_run,
                yes=yes,
                region=region,
                profile=profile,
                endpoint_url=endpoint_url,
            )
        )
    )
