"""``tuner local``."""

from __future__ import annotations

from typing import Annotated

import typer

from tuner.cli.options import Faults, Simulate


def local_service(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    faults: Faults = None,
    simulate: Simulate = None,
) -> None:
    """Serve the embedded Lambda until Ctrl-C, for the AWS CLI, boto3 or `tuner run --endpoint-url`.

    Example:

      tuner local --port 9001
    """
    from tuner.cli.local import local_command

    local_command(port=port, faults=faults, simulation=simulate)
