"""Model values to JSON and back, and the JSON Schema that describes them.

One source of truth: the frozen types of ``tuner.model``. Decoding is strict, so reading a file is validating it.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tuner.errors import UsageError
from tuner.model import SCHEMA_VERSION, Report

T = TypeVar("T")

_encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic")

SCHEMA_FILE = Path(__file__).parent / "data" / "report.schema.json"
"""The published schema; a test keeps it equal to ``report_schema()``."""


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


def report_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of report.json, derived from the types."""
    schema = msgspec.json.schema(Report)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tuner report",
        **_numbers_for_decimals(schema),
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
