"""``tuner event``: look at the events of the catalogue and at the console's shared test events, and save them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from tuner.aws.test_events import SharedTestEvents
    from tuner.model import Notice

LIST_SCHEMA_VERSION = 1

_WIDTH_OF_A_FILE = 120
"""Columns of a table that no terminal shows."""


class ListFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


def complete_event(incomplete: str) -> list[str]:
    """Names for the shell's completion: of the catalogue only, never from AWS."""
    from tuner.inputs.events import catalogue

    return [event.name for event in catalogue() if event.name.startswith(incomplete)]


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
Output = Annotated[ListFormat, typer.Option(help="What standard output gets.")]


@event_app.command("list")
def list_events(
    function: Function = None,
    region: Region = None,
    profile: Profile = None,
    output: Output = ListFormat.TEXT,
) -> None:
    """List the events of the catalogue, or the shared test events of a function.

    Examples:

      tuner event list

      tuner event list --function my-function
    """
    if function is None:
        _only_with_function(region, profile)
        print(_catalogue_json() if output is ListFormat.JSON else _catalogue_table())
        return
    with _shared(function, region, profile) as (events, name):
        found = events.names(name)
    if output is ListFormat.JSON:
        print(_json({"function": name, "events": [{"name": event} for event in found]}))
    elif found:
        print("\n".join(_harmless(found)))
    else:
        _say(f"{name} has no shared test events here. `tuner event list` shows the catalogue.")


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
    from tuner.inputs.events import pretty

    payload, notices = _read(event, settings, repeat, function, region, profile)
    print(pretty(payload), end="")
    _warn(notices)


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
    import shlex

    from tuner.inputs.events import pretty

    payload, notices = _read(event, settings, repeat, function, region, profile)
    path = file or _default_file(event)
    _write(path, pretty(payload).encode(), force=force)
    print(f"Wrote {path}. Use it with: tuner run FUNCTION --payload {shlex.quote(str(path))}")
    _warn(notices)


def _read(
    event: str,
    settings: list[str] | None,
    repeat: list[str] | None,
    function: str | None,
    region: str | None,
    profile: str | None,
) -> tuple[bytes, tuple[Notice, ...]]:
    """The event from the catalogue or, with a function, from the shared ones."""
    from tuner.errors import UsageError
    from tuner.inputs.events import event_notices, read_event

    if function is None:
        _only_with_function(region, profile)
        return read_event(event, settings or (), repeat or ()), event_notices(event)
    if settings or repeat:
        raise UsageError(
            "--set and --repeat change events of the catalogue, not shared test events.",
            hint="Save the test event with `tuner event new`, and edit the file.",
        )
    with _shared(function, region, profile) as (events, name):
        return events.event(name, event), ()


@contextmanager
def _shared(function: str, region: str | None, profile: str | None) -> Iterator[tuple[SharedTestEvents, str]]:
    """The shared test events where the function is, and its name."""
    from tuner.aws.session import resolve_region
    from tuner.aws.test_events import SharedTestEvents, schemas_client
    from tuner.inputs.identifiers import parse_function

    target = parse_function(function)
    region = resolve_region(target, region=region, profile=profile)
    with closing(schemas_client(region=region, profile=profile)) as client:
        yield SharedTestEvents(client, profile=profile), target.name


def _only_with_function(region: str | None, profile: str | None) -> None:
    from tuner.errors import UsageError

    if region or profile:
        raise UsageError(
            "--region and --profile say where the shared test events of a function are.",
            hint="Add --function, or leave them out: the catalogue is in the package.",
        )


def _default_file(event: str) -> Path:
    import re

    return Path(re.sub(r"[^A-Za-z0-9._-]+", "-", event).strip(".-") or "event").with_suffix(".json")


def _write(path: Path, content: bytes, *, force: bool) -> None:
    from tuner.errors import UsageError

    try:
        _make_folder(path.parent)
        with path.open("wb" if force else "xb") as file:
            file.write(content)
    except FileExistsError:
        raise UsageError(
            f"{path} is there already, and was left as it is.", hint="Give another file, or --force to overwrite it."
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", hint="Give another file.") from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:  # would read as if the file itself were there
        raise NotADirectoryError(error.errno, "there is a file in the place of its folder") from None


def _catalogue_json() -> str:
    from tuner.codec import to_builtins
    from tuner.inputs.events import catalogue

    entries = [{"name": event.name, **to_builtins(event)} for event in catalogue()]
    for entry in entries:
        del entry["shape"]  # how the package keeps the fields consistent: nothing that scripts can rely on
    return _json({"events": entries})


def _catalogue_table() -> str:
    import io

    from rich.console import Console
    from rich.markup import escape

    terminal = Console()
    output = io.StringIO()
    console = Console(
        file=output,
        width=terminal.width if terminal.is_terminal else _WIDTH_OF_A_FILE,
        force_terminal=terminal.is_terminal,
        no_color=terminal.no_color,
        highlight=False,
    )
    console.print(_table())
    console.print(escape("! is not harmless to replay: the function acts on what the event names."))
    console.print(escape("Next: tuner event show EVENT"))
    return "\n".join(line.rstrip() for line in output.getvalue().splitlines())


def _table() -> Table:
    from rich.table import Table

    from tuner.inputs.events import catalogue

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Event", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("From")
    for event in catalogue():
        table.add_row(event.name, "!" if event.touches_resources else "", event.title)
    return table


def _json(content: dict[str, object]) -> str:
    import json

    return json.dumps({"schema_version": LIST_SCHEMA_VERSION, **content}, indent=2, ensure_ascii=False)


def _harmless(names: Iterable[str]) -> list[str]:
    """Names from outside must not be able to move the cursor."""
    from tuner.render.text import plain

    return [plain(name) for name in names]


def _warn(notices: tuple[Notice, ...]) -> None:
    for notice in notices:
        _say(f"Warning: {notice.message} {notice.remedy or ''}".rstrip())


def _say(text: str) -> None:
    import sys

    print(text, file=sys.stderr)
