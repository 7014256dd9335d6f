"""Model values to JSON and back, and the JSON Schema that describes them.

One source of truth: the frozen types of ``tuner.model``. Decoding is strict, so reading a file is validating it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tuner.errors import UsageError
from tuner.model import SCHEMA_VERSION, ColdStartReport, GateReport, Report

T = TypeVar("T")

_encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic")

SCHEMA_FILE = Path(__file__).parent / "data" / "report.schema.json"
"""The published schema; a test keeps it equal to ``report_schema()``."""

GATE_SCHEMA_FILE = Path(__file__).parent / "data" / "gate.schema.json"
"""That of the kind gate; a test keeps it equal to ``gate_schema()``."""

COLD_START_SCHEMA_FILE = Path(__file__).parent / "data" / "cold-start.schema.json"
"""That of the kind cold-start; a test keeps it equal to ``cold_start_schema()``."""


def encode(value: object) -> bytes:
    """One line of JSON. The same value gives the same bytes."""
    return _encoder.encode(value)


def encode_pretty(value: object) -> bytes:
    """Indented JSON with a final newline, for files that people open."""
    return msgspec.json.format(_encoder.encode(value), indent=2) + b"\n"


def decode(data: bytes | str, type_: type[T]) -> T:
    """Read a value of ``type_``; UsageError names the first field that does not fit."""
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.DecodeError as error:  # ValidationError is a subclass
        raise UsageError(
            f"This is not a {type_.__name__} of schema version {SCHEMA_VERSION}: {error}.",
            hint="Was the file written by another version of tuner, or edited? Run the measurement again.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Kind:
    kind: str


def kind_of(data: bytes | str) -> str | None:
    """Which kind of report a file holds: run, cold-start, gate; None where it names none."""
    try:
        return msgspec.json.decode(data, type=_Kind).kind
    except msgspec.DecodeError:
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


def _schema_of(type_: type, title: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **_numbers_for_decimals(msgspec.json.schema(type_)),
    }


def to_builtins(value: object) -> Any:
    """Plain dictionaries and lists, with exact money as Decimal."""
    return msgspec.to_builtins(value, builtin_types=(Decimal,))


def _numbers_for_decimals(node: Any) -> Any:
    """msgspec describes Decimal as a string; ``encode`` writes it as a number."""
    if isinstance(node, dict):
        if node.get("format") == "decimal":
            return {**{k: v for k, v in node.items() if k != "format"}, "type": "number"}
        return {key: _numbers_for_decimals(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_numbers_for_decimals(item) for item in node]
    return node
