"""HTTP/1.1 answers out of a stream of bytes, however it is cut: RFC 9112, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

MAX_HEAD_BYTES = 64 * 1024
"""A log tail of 4 KB is 5.5 KB of header; the rest is margin."""
MAX_BODY_BYTES = 7 * 1024 * 1024
"""A synchronous answer has at most 6 MB (Lambda quotas); the rest is margin."""
MAX_CHUNK_LINE_BYTES = 1024
_HEAD_END = b"\r\n\r\n"


class MalformedAnswerError(Exception):
    """The bytes are no answer that can be trusted; the connection is of no further use."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in lower case; repeated ones joined with a comma."""
    body: bytes
    keep_alive: bool
    """The connection may carry another request."""


@dataclass(frozen=True, slots=True)
class _Head:
    version: str
    status: int
    headers: dict[str, str]

    @property
    def keep_alive(self) -> bool:
        options = self.headers.get("connection", "").lower()
        return "close" not in options and (self.version == "HTTP/1.1" or "keep-alive" in options)


class _Body(Protocol):
    def take(self, buffer: bytearray) -> bytes | None:
        """Consume what belongs to the body; returns it once it is complete."""


class AnswerReader:
    """Reads one answer. ``feed`` returns it with its last byte, None before; raises MalformedAnswerError."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._body: _Body | None = None

    def feed(self, data: bytes) -> Answer | None:
        self._buffer += data
        if self._head is None:
            self._head = self._take_head()
        if self._head is None:
            return None
        if self._body is None:
            self._body = _framing(self._head)
        body = self._body.take(self._buffer)
        if body is None:
            return None
        # Bytes after the end answer nothing that was asked: what follows on this connection cannot be trusted.
        keep_alive = self._head.keep_alive and not self._buffer
        return Answer(self._head.status, self._head.headers, body, keep_alive)

    def _take_head(self) -> _Head | None:
        """The head of the final answer; interim answers (1xx) before it are skipped."""
        while (end := self._buffer.find(_HEAD_END, 0, MAX_HEAD_BYTES)) >= 0:
            head = _parse_head(bytes(self._buffer[:end]))
            del self._buffer[: end + len(_HEAD_END)]
            if head.status >= 200:
                return head
        if len(self._buffer) >= MAX_HEAD_BYTES:
            raise MalformedAnswerError(f"its headers are larger than {MAX_HEAD_BYTES} bytes")
        return None


def _parse_head(raw: bytes) -> _Head:
    lines = raw.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    status = rest[:3]
    if version not in ("HTTP/1.1", "HTTP/1.0") or not _is_number(status) or len(status) != 3 or rest[3:4].strip():
        raise MalformedAnswerError("it does not begin with an HTTP/1.1 status line")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise MalformedAnswerError("one of its headers has no name")
        key, text = name.lower(), value.strip(" \t")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return _Head(version, int(status), headers)


def _framing(head: _Head) -> _Body:
    """How the body ends (RFC 9112, 6.3). An answer that says it in two ways, or ends with the connection, is
    refused: a cut could not be told from its end."""
    encoding, length = head.headers.get("transfer-encoding"), head.headers.get("content-length")
    if encoding is not None:
        if encoding.lower() != "chunked" or length is not None:
            raise MalformedAnswerError("the length of its body is ambiguous")
        return _Chunks()
    if length is None:
        if head.status == 204:
            return _Sized(0)
        raise MalformedAnswerError("it does not say how long its body is")
    if not _is_number(length):
        raise MalformedAnswerError("its Content-Length is not a number")
    _check_size(int(length))
    return _Sized(int(length))


class _Sized:
    def __init__(self, length: int) -> None:
        self._length = length

    def take(self, buffer: bytearray) -> bytes | None:
        if len(buffer) < self._length:
            return None
        body = bytes(memoryview(buffer)[: self._length])
        del buffer[: self._length]
        return body


class _Chunks:
    """RFC 9112, 7.1: size line, data, line end, until a chunk of size 0 and the trailer."""

    def __init__(self) -> None:
        self._body = bytearray()
        self._left = 0
        """Bytes that the current chunk still lacks, with its line end."""
        self._in_trailer = False

    def take(self, buffer: bytearray) -> bytes | None:
        while not self._in_trailer:
            if self._left == 0 and not self._begin_chunk(buffer):
                return None
            if self._left and not self._take_data(buffer):
                return None
        return self._take_trailer(buffer)

    def _begin_chunk(self, buffer: bytearray) -> bool:
        line = _take_line(buffer)
        if line is None:
            return False
        digits = line.partition(b";")[0].strip(b" \t").decode("latin-1")
        if not digits or not set(digits) <= set("0123456789abcdefABCDEF"):
            raise MalformedAnswerError("one of its chunks has no size")
        size = int(digits, 16)
        _check_size(len(self._body) + size)
        self._in_trailer = size == 0
        self._left = size + 2 if size else 0
        return True

    def _take_data(self, buffer: bytearray) -> bool:
        """Whether the chunk is complete; all that has come of it is taken."""
        if len(buffer) < self._left:
            return False
        if buffer[self._left - 2 : self._left] != b"\r\n":
            raise MalformedAnswerError("one of its chunks is longer than its size")
        self._body += memoryview(buffer)[: self._left - 2]
        del buffer[: self._left]
        self._left = 0
        return True

    def _take_trailer(self, buffer: bytearray) -> bytes | None:
        while (line := _take_line(buffer)) is not None:
            if not line:
                return bytes(self._body)
        return None


def _take_line(buffer: bytearray) -> bytes | None:
    end = buffer.find(b"\r\n", 0, MAX_CHUNK_LINE_BYTES)
    if end < 0:
        if len(buffer) >= MAX_CHUNK_LINE_BYTES:
            raise MalformedAnswerError("one of its chunks has no size")
        return None
    line = bytes(buffer[:end])
    del buffer[: end + 2]
    return line


def _check_size(length: int) -> None:
    if length > MAX_BODY_BYTES:
        raise MalformedAnswerError(f"its body is larger than {MAX_BODY_BYTES} bytes")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20
