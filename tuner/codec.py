"""Model values to JSON and back, and the JSON Schema that describes them.

One source of truth: the frozen types of ``tuner.model``. Decoding is strict, so reading a file is validating it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tuner.errors import UsageError
from tuner.model import SCHEMA_VERSION, ColdStartReport, GateReport, Report

T = TypeVar("T")

_encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic")

SCHEMA_FOLDER = Path(__file__).parent / "data"
"""Holds the published schemas, ``<name>.schema.json``; a test keeps them equal to :func:`published_schemas`."""

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)
"""ValidationError is one of the first. The others: text that is not UTF-8, nesting, a number beyond its type."""

_CONTROLS = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_PARAGRAPHS = re.compile(r"\n\s*\n")


def encode(value: object) -> bytes:
    """One line of JSON. The same value gives the same bytes."""
    return _encoder.encode(value)


def encode_pretty(value: object) -> bytes:
    """Indented JSON with a final newline, for files that people open."""
    text = msgspec.json.format(_encoder.encode(value), indent=2).decode()
    return controls_escaped(text).encode() + b"\n"


def controls_escaped(document: str) -> str:
    """A JSON document of the same value, without characters that a terminal or an editor obeys.

    JSON escapes the first 32 controls only, and only in strings can the others stand.
    """
    return _CONTROLS.sub(lambda found: f"\\u{ord(found.group()):04x}", document)


def decode(data: bytes | str, type_: type[T]) -> T:
    """Read a value of ``type_``; UsageError names the first field that does not fit."""
    try:
        return msgspec.json.decode(data, type=type_)
    except UNDECODABLE as error:
        raise UsageError(
            f"This is not a {type_.__name__.removeprefix('_')} of schema version {SCHEMA_VERSION}: {error}.",
            hint="Was the file written by another version of tuner, or edited? Run the measurement again.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Kind:
    kind: str


def kind_of(data: bytes | str) -> str | None:
    """Which kind of report a file holds: run, cold-start, gate; None where it names none."""
    try:
        return msgspec.json.decode(data, type=_Kind).kind
    except UNDECODABLE:
        return None


def report_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of report.json, derived from the types."""
    return _schema_of(Report, "tuner report")


def gate_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the report of a gate."""
    return _schema_of(GateReport, "tuner gate report")


def cold_start_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the report of a cold-start study."""
    return _schema_of(ColdStartReport, "tuner cold-start report")


def published_schemas() -> dict[Path, dict[str, Any]]:
    """The schema of each kind of report by the file that ships it."""
    schemas = {"report": report_schema(), "gate": gate_schema(), "cold-start": cold_start_schema()}
    return {SCHEMA_FOLDER / f"{name}.schema.json": schema for name, schema in schemas.items()}


def write_schemas() -> None:
    """Renew the files that ship, after a change of the types."""
    for file, schema in published_schemas().items():
        file.write_bytes(encode_pretty(schema))


def _schema_of(type_: type, title: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **_normalized(msgspec.json.schema(type_)),
    }


def to_builtins(value: object) -> Any:
    """Plain dictionaries and lists, with exact money as Decimal."""
    return msgspec.to_builtins(value, builtin_types=(Decimal,))


def _normalized(node: Any) -> Any:
    """A schema as we publish it, whichever version of msgspec describes the types.

    Decimal is a number, as ``encode`` writes it; msgspec calls it a string. The white space of descriptions is ours,
    because msgspec's differs from version to version.
    """
    if isinstance(node, list):
        return [_normalized(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "decimal":
        return {**{key: value for key, value in node.items() if key != "format"}, "type": "number"}
    return {
        key: _unwrapped(value) if key == "description" and isinstance(value, str) else _normalized(value)
        for key, value in node.items()
    }


def _unwrapped(text: str) -> str:
    """Paragraphs without the line breaks and the indentation of the source."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in _PARAGRAPHS.split(text.strip()))
