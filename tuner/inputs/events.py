"""The event catalogue: what AWS services send to a function, with reserved values in place of real ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from tuner import codec
from tuner.errors import PayloadError
from tuner.inputs.event_edits import edited, parse_repetition, parse_setting
from tuner.inputs.event_fields import compact
from tuner.inputs.event_shape import Shape
from tuner.inputs.payloads import MAX_PAYLOAD_BYTES
from tuner.model import Notice, Severity

_PACKAGE = Path(__file__).parents[1]
_INSTALLED = _PACKAGE / "data" / "payloads"
FOLDER = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "payloads"
"""Inside the package where it was installed from a wheel, beside it in a checkout."""

_LISTED_NAMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A field that most users will want to set."""

    path: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEvent:
    """What ``index.json`` says about an event."""

    service: str
    type: str
    title: str
    documentation: str
    variables: tuple[Variable, ...]
    touches_resources: bool
    """Do functions for this event usually act on what it names, so that a run repeats that?"""
    reason: str | None
    """What they do then; None where the event touches nothing."""
    repeatable: tuple[str, ...]
    shape: Shape

    @property
    def name(self) -> str:
        return f"{self.service}/{self.type}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    events: tuple[CatalogueEvent, ...]


@cache
def catalogue() -> tuple[CatalogueEvent, ...]:
    """Every event, by name."""
    return codec.decode((FOLDER / "index.json").read_bytes(), _Index).events


def find_event(name: str) -> CatalogueEvent:
    """The event of that name, like ``sqs/batch``. PayloadError with the names that are near where there is none."""
    by_name = {event.name: event for event in catalogue()}
    try:
        return by_name[name]
    except KeyError:
        raise PayloadError(f"There is no event {name!r} in the catalogue.", hint=_unknown_hint(name)) from None


def read_event(name: str, settings: Sequence[str] = (), repeat: Sequence[str] = ()) -> bytes:
    """The event as a service would send it: compact JSON in UTF-8, with each ``--set`` and ``--repeat`` as typed.

    PayloadError where the name, a path or a value is wrong, or where the event outgrows Lambda's 6 MB.
    """
    event = find_event(name)
    document = json.loads((FOLDER / event.service / f"{event.type}.json").read_bytes())
    document = edited(document, list(map(parse_setting, settings)), list(map(parse_repetition, repeat)), event.shape)
    payload = compact(document).encode()
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise PayloadError(
            f"The event {name} is {len(payload) / 1024 / 1024:.1f} MB long: Lambda takes at most 6 MB.",
            hint="Give --repeat a smaller number, or --set a shorter value.",
        )
    return payload


def event_notices(name: str) -> tuple[Notice, ...]:
    """A warning where functions for this event act on what it names: every invocation of a run does it again."""
    event = find_event(name)
    if not event.touches_resources:
        return ()
    return (
        Notice(
            code="event-touches-resources",
            severity=Severity.WARNING,
            message=f"{event.name} is not harmless to replay: {event.reason}. Every invocation does so again.",
            remedy="Leave the reserved names in it, or --set those of resources made for tests.",
        ),
    )


def pretty(event: bytes) -> str:
    """An event for people: indented, with a final newline. The order of its fields stays."""
    return json.dumps(json.loads(event), indent=2, ensure_ascii=False) + "\n"


def _unknown_hint(name: str) -> str:
    near = _near(name)
    suggestion = f"Did you mean {' or '.join(near)}? " if near else ""
    return f"{suggestion}`tuner event list` shows all of them."


def _near(name: str) -> list[str]:
    names = [event.name for event in catalogue()]
    wanted = name.strip().lower().removesuffix(".json")
    containing = [known for known in names if wanted and wanted in known]
    return (containing or get_close_matches(wanted, names, n=3, cutoff=0.5))[:_LISTED_NAMES]
