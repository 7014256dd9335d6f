"""``tuner recover``."""

from __future__ import annotations

from typing import Annotated

import typer

from tuner.cli.options import EndpointUrl, Profile, Region


def recover(
    function: Annotated[
        str | None,
        typer.Argument(help="Also delete versions that runs on other machines left on this function."),
    ] = None,
    copies: Annotated[
        bool, typer.Option("--copies", help="Also delete temporary copies that runs on other machines left.")
    ] = False,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Put functions back that an interrupted run left changed, and remove what it left behind.

    Every run writes down each change with its undo before it makes it; this replays what was not undone. What other
    machines left is found by description and tag: be sure that no run is going on there.

    Examples:

      tuner recover

      tuner recover my-function --copies
    """
    from tuner.cli.recover import RecoverOptions, recover_command

    raise typer.Exit(
        recover_command(
            RecoverOptions(
                function=function, copies=copies, region=region, profile=profile, endpoint_url=endpoint_url
            )
        )
    )
