"""HTTP requests and answers as values, and what of them this machine accepts at all. No I/O.

``http_reader`` makes requests out of bytes, ``http_server`` listens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

LOOPBACK = "127.0.0.1"
_LOCAL_NAMES = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    target: str
    """Path and query exactly as sent."""
    path: tuple[str, ...]
    """The segments of the path, percent-decoded one by one: an ARN with its colons is one segment."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    received_s: float
    """Monotonic time at which the last byte was read, before anything else was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class BadRequest(Exception):
    """The bytes are not a request that this server accepts; the connection is closed after the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def response(self) -> Response:
        return json_response({"Type": "User", "Message": self.message}, status=self.status)


class ConnectionDropped(Exception):
    """Raised by a handler to close the connection without an answer."""


def json_response(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status=status, body=json.dumps(value).encode(), headers=headers or {})


def refuse_foreign_callers(headers: Mapping[str, str]) -> None:
    """Web pages must not reach a service that runs code: no Origin, and no name that DNS could rebind to loopback."""
    if "origin" in headers:
        raise BadRequest(403, "requests from web pages are refused")
    host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
    if host not in _LOCAL_NAMES:
        raise BadRequest(403, f"Host must be {' or '.join(_LOCAL_NAMES)}")


def split_target(target: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """``/2015-03-31/functions/arn%3Aaws..?Qualifier=1`` -> decoded path segments and query."""
    try:
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True)) if url.query else {}
    except ValueError:  # `//[` begins an IPv6 address that never ends
        raise BadRequest(400, "the request target is not a path") from None
    return tuple(unquote(segment) for segment in url.path.split("/") if segment), query


def query_values(target: str, name: str) -> tuple[str, ...]:
    """Every value of a query parameter that may be repeated."""
    return tuple(value for key, value in parse_qsl(urlsplit(target).query) if key == name)


def serialise(response: Response, server: str | None = None) -> bytes:
    """The answer as bytes, with ``server`` as the name of who gives it."""
    phrase = HTTPStatus(response.status).phrase
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    if server is not None:
        lines.append(f"Server: {server}")
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if response.status != HTTPStatus.NO_CONTENT:
        lines += [f"Content-Type: {response.content_type}", f"Content-Length: {len(response.body)}"]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + response.body
