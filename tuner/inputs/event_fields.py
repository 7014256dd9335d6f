"""Reading and changing one field of an event, also one inside JSON that another field carries encoded.

An event is never changed in place: a change returns a copy that shares what stayed the same.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import string
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tuner.inputs import strict_json
from tuner.inputs.event_shape import EACH, Encoding, FieldPath, Shape

Json = Any
Change = Callable[[Json, FieldPath], Json]
"""From the value of a field and its path to the new value; the value of a field that is not there yet is None."""

_LONGEST_POSITION = 9
_GZIP_HEADER = bytes.fromhex("1f8b0800 00000000 02ff")
"""RFC 1952: deflate, no time, best compression, unknown operating system."""
_UNRESERVED = string.ascii_letters + string.digits + "-._~"


class NoSuchFieldError(LookupError):
    """``step`` leads nowhere from ``at``; ``there`` says what does."""

    def __init__(self, at: FieldPath, step: str, there: tuple[str, ...], *, why: str | None = None) -> None:
        super().__init__(step)
        self.at = at
        self.step = step
        self.there = there
        self.why = why


@dataclass(frozen=True, slots=True)
class Editor:
    """Applies ``change`` to the fields at a path."""

    change: Change
    shape: Shape
    create: bool = False
    """May members be added to objects that are open for it?"""

    def edit(self, node: Json, steps: FieldPath, at: FieldPath = ()) -> Json:
        """``node``, which lies at ``at``, with the fields at ``steps`` below it changed. Raises NoSuchFieldError."""
        if not steps:
            return self.change(node, at)
        encoding = self.shape.encoding(at)
        if isinstance(node, str) and encoding is not None:
            content = self._edit_inside(_document(node, encoding, steps, at), steps, at)
            return encode(compact(content), encoding)
        return self._edit_inside(node, steps, at)

    def _edit_inside(self, node: Json, steps: FieldPath, at: FieldPath) -> Json:
        if node is None and self.create and self.shape.kind_of_new((*at, steps[0])) is not None:
            node = {}
        if isinstance(node, dict):
            return self._edit_object(node, steps, at)
        if isinstance(node, list):
            return self._edit_list(node, steps, at)
        raise NoSuchFieldError(at, steps[0], (), why=f"is {kind_of(node)}, and nothing lies below it")

    def _edit_object(self, node: dict[str, Json], steps: FieldPath, at: FieldPath) -> Json:
        if steps[0] == EACH and EACH not in node:
            return {name: self.edit(value, steps[1:], (*at, name)) for name, value in node.items()}
        name = _spelled(steps[0], node)
        if name is None:
            name = steps[0]
            if not self.create or self.shape.kind_of_new((*at, name)) is None:
                raise NoSuchFieldError(at, name, tuple(node))
        return {**node, name: self.edit(node.get(name), steps[1:], (*at, name))}

    def _edit_list(self, node: list[Json], steps: FieldPath, at: FieldPath) -> Json:
        if steps[0] == EACH:
            return [self.edit(item, steps[1:], (*at, str(number))) for number, item in enumerate(node)]
        number = _position(steps[0], node)
        if number is None:
            raise NoSuchFieldError(at, steps[0], tuple(map(str, range(len(node)))))
        changed = self.edit(node[number], steps[1:], (*at, str(number)))
        return [*node[:number], changed, *node[number + 1 :]]


def value_at(node: Json, path: FieldPath) -> Json:
    """The value at a path that is spelled as in the event and enters no encoding; None where there is none."""
    for step in path:
        if isinstance(node, dict):
            node = node.get(step)
        elif isinstance(node, list) and (number := _position(step, node)) is not None:
            node = node[number]
        else:
            return None
    return node


def encode(text: str, encoding: Encoding) -> str:
    """``text`` as the field holds it. The same text gives the same result."""
    match encoding:
        case Encoding.BASE64:
            return base64.b64encode(text.encode()).decode()
        case Encoding.GZIP:
            return base64.b64encode(_packed(text.encode())).decode()
        case Encoding.URL:
            return percent_encoded(text, safe="/")  # as S3 writes the keys of its objects
    return text


def decode(text: str, encoding: Encoding) -> str:
    """The text that a field holds. ValueError where it is not encoded that way."""
    match encoding:
        case Encoding.BASE64:
            return base64.b64decode(text, validate=True).decode()
        case Encoding.GZIP:
            return _unpacked(base64.b64decode(text, validate=True)).decode()
        case Encoding.URL:
            return _percent_decoded(text)
    return text


def percent_encoded(text: str, *, safe: str = "") -> str:
    """Text as part of a URL's query, with ``+`` for a space (WHATWG URL, application/x-www-form-urlencoded).

    urllib would do it, but the pure layers import nothing that could reach a network.
    """
    kept = (_UNRESERVED + safe).encode()
    encoded = (chr(byte) if byte in kept else f"%{byte:02X}" for byte in text.encode())
    return "".join(encoded).replace("%20", "+")


def parse_json(text: str) -> Json:
    """A JSON value that can be written again as JSON; ValueError where ``text`` is none."""
    try:
        value: Json = strict_json.parse_json(text)
        compact(value).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def compact(value: Json) -> str:
    """JSON as services send it: without spaces, in Unicode."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def kind_of(value: Json) -> str:
    """The kind of a JSON value, in words."""
    words = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        dict: "an object",
        list: "a list",
    }
    return words.get(type(value), "null")


def _document(text: str, encoding: Encoding, steps: FieldPath, at: FieldPath) -> Json:
    try:
        return parse_json(decode(text, encoding))
    except ValueError:
        raise NoSuchFieldError(
            at, steps[0], (), why="holds text that is not JSON: it can only be set whole"
        ) from None


def _percent_decoded(text: str) -> str:
    plain = text.replace("+", " ").encode()
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda code: bytes.fromhex(code[1].decode()), plain).decode()


def _packed(data: bytes) -> bytes:
    """gzip (RFC 1952) with a header of our own: Python's differs from version to version in the byte that names the
    operating system."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    trailer = struct.pack("<2I", zlib.crc32(data), len(data) & 0xFFFF_FFFF)
    return _GZIP_HEADER + deflate.compress(data) + deflate.flush() + trailer


def _unpacked(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError("not gzip") from error


def _spelled(step: str, node: dict[str, Json]) -> str | None:
    """The member that ``step`` means: the one spelled so, or else the only one that differs in case alone."""
    if step in node:
        return step
    alike = [name for name in node if name.casefold() == step.casefold()]
    return alike[0] if len(alike) == 1 else None


def _position(step: str, node: list[Json]) -> int | None:
    if not (step.isascii() and step.isdecimal() and len(step) <= _LONGEST_POSITION):
        return None
    return int(step) if int(step) < len(node) else None
