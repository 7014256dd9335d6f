"""How the fields of an event hang together: what is encoded, what is free, what is an id, what follows from what.

Facts about each event of the catalogue, kept beside it in ``index.json``, so that no code knows any service by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import TypeVar

from tuner.errors import PayloadError

T = TypeVar("T")

FieldPath = tuple[str, ...]
"""Steps from the event to a field: names of members and positions in lists."""

EACH = "*"
"""A step to every member of a list or an object."""


class Encoding(StrEnum):
    """What a text field does to its content."""

    TEXT = "text"
    BASE64 = "base64"
    GZIP = "base64+gzip"
    URL = "url"


class Kind(StrEnum):
    """What may be added to an object whose members are the user's own."""

    TEXT = "text"
    """Members with a text, like headers."""
    JSON = "json"
    """Anything, to any depth."""


class How(StrEnum):
    """How a field follows from its source."""

    TEXT = "text"
    """The source within a template."""
    MD5 = "md5"
    QUERY = "query"
    """An object as the query of a URL."""
    LISTS = "lists"
    """An object with each value as a list of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A field that the service computes from another: it is kept true unless the user sets it."""

    path: str
    source: str
    how: How
    template: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Paths are patterns: ``*`` is any step."""

    encoded: Mapping[str, Encoding] = field(default_factory=dict)
    open: Mapping[str, Kind] = field(default_factory=dict)
    unique: tuple[str, ...] = ()
    """Fields that no two records have in common."""
    derived: tuple[Derived, ...] = ()

    def encoding(self, path: FieldPath) -> Encoding | None:
        return _first(self.encoded, path)

    def kind_of_new(self, path: FieldPath) -> Kind | None:
        """What a member that is not there yet would be; None where it cannot be added."""
        declared = _first(self.open, path)
        if declared is not None:
            return declared
        if _first(self.open, path[:-1]) is Kind.TEXT:
            return Kind.TEXT
        ancestors = (path[:length] for length in range(len(path)))
        return Kind.JSON if any(_first(self.open, ancestor) is Kind.JSON for ancestor in ancestors) else None

    def follows(self, path: FieldPath) -> bool:
        """Is this field, or the one it lies in, derived from another?"""
        patterns = (parse_path(derived.path) for derived in self.derived)
        return any(matches(pattern, path[: len(pattern)]) for pattern in patterns)


@cache
def parse_path(text: str) -> FieldPath:
    r"""The steps of a dotted path; ``\.`` is a dot within a name, and no text at all the whole event."""
    return tuple(step.replace(r"\.", ".") for step in re.split(r"(?<!\\)\.", text)) if text else ()


def given_path(text: str, option: str) -> FieldPath:
    """The path a user typed. PayloadError where it has an empty step."""
    path = parse_path(text)
    if not all(path):
        raise PayloadError(
            f"{option} {text}: the path has an empty step.",
            hint=r"Write it like Records.0.body, and a dot that belongs to a name as \. there.",
        )
    return path


def format_path(path: FieldPath) -> str:
    return ".".join(step.replace(".", r"\.") for step in path)


def matches(pattern: FieldPath, path: FieldPath) -> bool:
    """Upper and lower case are the same, as they are for what users type."""
    return len(pattern) == len(path) and all(
        expected == EACH or expected.casefold() == step.casefold()
        for expected, step in zip(pattern, path, strict=True)
    )


def _first(patterns: Mapping[str, T], path: FieldPath) -> T | None:
    found = (value for pattern, value in patterns.items() if matches(parse_path(pattern), path))
    return next(found, None)
