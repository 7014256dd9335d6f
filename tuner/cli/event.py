"""``tuner event``: look at the events of the catalogue and at the console's shared test events, and save them."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.codec import controls_escaped, to_builtins
from tuner.errors import UsageError
from tuner.inputs.events import catalogue, event_notices, pretty, read_event
from tuner.inputs.identifiers import parse_function
from tuner.model import Notice
from tuner.render.text import Styled, plain

if TYPE_CHECKING:
    from rich.table import Table

    from tuner.aws.test_events import SharedTestEvents

LIST_SCHEMA_VERSION = 1

_WIDTH_OF_A_FILE = 120
"""Columns of a table that no terminal shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedOptions:
    """Whose shared test events are meant, as it was typed; without a function, those of the catalogue."""

    function: str | None
    region: str | None
    profile: str | None

    def check(self) -> None:
        """UsageError for options that say where nothing is."""
        if self.function is None and (self.region or self.profile):
            raise UsageError(
                "--region and --profile say where the shared test events of a function are.",
                hint="Add --function, or leave them out: the catalogue is in the package.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOptions:
    """Which event, and what is changed in it, as it was typed."""

    event: str
    settings: tuple[str, ...]
    repeats: tuple[str, ...]
    owner: SharedOptions


def list_command(owner: SharedOptions, *, json_output: bool) -> None:
    """Print the names of the events there are."""
    owner.check()
    if owner.function is None:
        print(_catalogue_json() if json_output else _catalogue_table())
        return
    with _shared(owner.function, owner) as (events, name):
        found = events.names(name)
    if json_output:
        print(_json({"function": name, "events": [{"name": event} for event in found]}))
    elif found:
        print("\n".join(plain(event) for event in found))  # from outside: they must not move the cursor
    else:
        _say(f"{name} has no shared test events here. `tuner event list` shows the catalogue.")


def show_command(options: EventOptions) -> None:
    """Print an event."""
    payload, notices = _read(options)
    print(pretty(payload), end="")
    _warn(notices)


def new_command(options: EventOptions, file: Path | None, *, force: bool) -> None:
    """Write an event to ``file``, or to one of its name."""
    payload, notices = _read(options)
    path = file or _default_file(options.event)
    _write(path, pretty(payload).encode(), force=force)
    print(f"Wrote {path}. Use it with: tuner run FUNCTION --payload {shlex.quote(str(path))}")
    _warn(notices)


def _read(options: EventOptions) -> tuple[bytes, tuple[Notice, ...]]:
    """The event from the catalogue or, with a function, from the shared ones."""
    options.owner.check()
    function, event = options.owner.function, options.event
    if function is None:
        return read_event(event, options.settings, options.repeats), event_notices(event)
    if options.settings or options.repeats:
        raise UsageError(
            "--set and --repeat change events of the catalogue, not shared test events.",
            hint="Save the test event with `tuner event new`, and edit the file.",
        )
    with _shared(function, options.owner) as (events, name):
        return events.event(name, event), ()


@contextmanager
def _shared(function: str, owner: SharedOptions) -> Iterator[tuple[SharedTestEvents, str]]:
    """The shared test events where the function is, and its name. Nothing else here waits for boto3."""
    from tuner.aws.session import resolve_region
    from tuner.aws.test_events import SharedTestEvents, schemas_client

    target = parse_function(function)
    region = resolve_region(target, region=owner.region, profile=owner.profile)
    with closing(schemas_client(region=region, profile=owner.profile)) as client:
        yield SharedTestEvents(client, profile=owner.profile), target.name


def _default_file(event: str) -> Path:
    return Path(re.sub(r"[^A-Za-z0-9._-]+", "-", event).strip(".-") or "event").with_suffix(".json")


def _write(path: Path, content: bytes, *, force: bool) -> None:
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
    entries = [{"name": event.name, **to_builtins(event)} for event in catalogue()]
    for entry in entries:
        del entry["shape"]  # how the package keeps the fields consistent: nothing that scripts can rely on
    return _json({"events": entries})


def _catalogue_table() -> str:
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
    return Styled("\n".join(line.rstrip() for line in output.getvalue().splitlines()))


def _table() -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Event", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("From")
    for event in catalogue():
        table.add_row(event.name, "!" if event.touches_resources else "", event.title)
    return table


def _json(content: dict[str, object]) -> str:
    text = json.dumps({"schema_version": LIST_SCHEMA_VERSION, **content}, indent=2, ensure_ascii=False)
    return controls_escaped(text)


def _warn(notices: tuple[Notice, ...]) -> None:
    for notice in notices:
        _say(f"Warning: {notice.message} {notice.remedy or ''}".rstrip())


def _say(text: str) -> None:
    print(text, file=sys.stderr)
