"""``tuner event``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli.completion import complete_event
from tuner.cli.options import OutputFormat

event_app = typer.Typer(
    name="event",
    help="Sample events: what AWS services send to a function, and the console's shared test events.",
    no_args_is_help=True,
)

Event = Annotated[
    str,
    typer.Argument(
        help="An event's name, like sqs/batch; with --function, that of a shared test event.",
        metavar="EVENT",
        autocompletion=complete_event,
    ),
]
File = Annotated[
    Path | None,
    typer.Argument(
        help="Where to write it. [default: the name of the event, like sqs-batch.json]",
        metavar="[FILE]",
        show_default=False,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="A field, like Records.0.body=text, or with := any JSON; may be given several times.",
        metavar="PATH=VALUE",
        show_default=False,
    ),
]
Repeat = Annotated[
    list[str] | None,
    typer.Option(
        help="So many records, each with ids of its own, like Records=100; may be given several times.",
        metavar="PATH=COUNT",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]
Function = Annotated[
    str | None,
    typer.Option(
        help="Use the shared test events of this function, by name or ARN.", metavar="FUNCTION", show_default=False
    ),
]
Region = Annotated[str | None, typer.Option(help="AWS region of --function.", show_default=False)]
Profile = Annotated[str | None, typer.Option(help="AWS profile for --function.", show_default=False)]
Output = Annotated[OutputFormat, typer.Option(help="What standard output gets.")]


@event_app.command("list")
def list_events(
    function: Function = None,
    region: Region = None,
    profile: Profile = None,
    output: Output = OutputFormat.TEXT,
) -> None:
    """List the events of the catalogue, or the shared test events of a function.

    Examples:

      tuner event list

      tuner event list --function my-function
    """
    from tuner.cli.event import SharedOptions, list_command

    owner = SharedOptions(function=function, region=region, profile=profile)
    list_command(owner, json_output=output is OutputFormat.JSON)


@event_app.command("show")
def show_event(
    event: Event,
    settings: Settings = None,
    repeat: Repeat = None,
    function: Function = None,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Print an event as JSON.

    Examples:

      tuner event show apigateway/http-api

      tuner event show kinesis/stream --set Records.0.kinesis.data.orderId=7 --repeat Records=100

      tuner event show my-test --function my-function
    """
    from tuner.cli.event import EventOptions, SharedOptions, show_command

    owner = SharedOptions(function=function, region=region, profile=profile)
    show_command(EventOptions(event=event, settings=tuple(settings or ()), repeats=tuple(repeat or ()), owner=owner))


@event_app.command("new")
def new_event(
    event: Event,
    file: File = None,
    settings: Settings = None,
    repeat: Repeat = None,
    force: Force = False,
    function: Function = None,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Write an event to a file, to be edited and given to `tuner run --payload`.

    Examples:

      tuner event new sqs/batch

      tuner event new s3/put upload.json --set Records.0.s3.bucket.name=my-bucket
    """
    from tuner.cli.event import EventOptions, SharedOptions, new_command

    owner = SharedOptions(function=function, region=region, profile=profile)
    options = EventOptions(event=event, settings=tuple(settings or ()), repeats=tuple(repeat or ()), owner=owner)
    new_command(options, file, force=force)
