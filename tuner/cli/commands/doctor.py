"""``tuner doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from tuner.cli.options import EndpointUrl, OutputFormat, Profile, Region


def doctor(
    function: Annotated[
        str | None, typer.Argument(help="Also check whether a run on this function is permitted.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask nothing of AWS.")] = False,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
    output: Annotated[OutputFormat, typer.Option(help="What standard output gets.")] = OutputFormat.TEXT,
) -> None:
    """Check this machine and the way to AWS: state folder, disk, CPU limits, credentials, clock, permissions.

    Changes nothing, in the account neither.

    Examples:

      tuner doctor --offline

      tuner doctor my-function --profile dev
    """
    from tuner.cli.doctor import DoctorOptions, doctor_command

    raise typer.Exit(
        doctor_command(
            DoctorOptions(
                function=function,
                offline=offline,
                region=region,
                profile=profile,
                endpoint_url=endpoint_url,
                json_output=output is OutputFormat.JSON,
            )
        )
    )
