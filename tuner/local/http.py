"""A small HTTP/1.1 server on asyncio protocols, for loopback only: keep-alive, size limits, no framework.

It serves both the Lambda API and the Runtime API of every environment. A framework would cost more import time
than a cold start takes; ``asyncio.start_server`` streams would add a task switch inside the measured duration.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

LOOPBACK = "127.0.0.1"
MAX_HEAD_BYTES = 64 * 1024
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


Handler = Callable[[Request], Awaitable[Response]]


def json_response(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status=status, body=json.dumps(value).encode(), headers=headers or {})


class BadRequest(Exception):
    """The bytes are no request that this server accepts; the connection is closed after the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class ConnectionDropped(Exception):
    """Raised by a handler to close the connection without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    method: str
    target: str
    headers: dict[str, str]

    @property
    def chunked(self) -> bool:
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def keep_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"

    def content_length(self) -> int:
        text = self.headers.get("content-length", "0")
        if not text.isascii() or not text.isdigit():
            raise BadRequest(400, f"Content-Length {text!r} is not a number")
        return int(text)


def parse_head(raw: bytes) -> _Head:
    """The request line and the headers; BadRequest where they are not HTTP/1.1 for this machine."""
    lines = raw.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest(400, "not an HTTP/1.1 request line")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest(400, f"not a header: {line[:60]!r}")
        headers[name.strip().lower()] = value.strip()
    refuse_foreign_callers(headers)
    return _Head(method=parts[0], target=parts[1], headers=headers)


def refuse_foreign_callers(headers: Mapping[str, str]) -> None:
    """Web pages must not reach a service that runs code: no Origin, and no name that DNS could rebind to loopback."""
    if "origin" in headers:
        raise BadRequest(403, "requests from web pages are refused")
    host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
    if host not in _LOCAL_NAMES:
        raise BadRequest(403, f"Host must be {' or '.join(_LOCAL_NAMES)}")


def split_target(target: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """``/2015-03-31/functions/arn%3Aaws..?Qualifier=1`` -> decoded path segments and query."""
    url = urlsplit(target)
    segments = tuple(unquote(segment) for segment in url.path.split("/") if segment)
    return segments, dict(parse_qsl(url.query, keep_blank_values=True))


def query_values(target: str, name: str) -> tuple[str, ...]:
    """Every value of a query parameter that may be repeated."""
    return tuple(value for key, value in parse_qsl(urlsplit(target).query) if key == name)


def take_chunked(buffer: bytes, limit: int) -> tuple[bytes, int] | None:
    """The body of a chunked request and the bytes it took, or None while it is incomplete (RFC 9112, 7.1)."""
    body, position = bytearray(), 0
    while (end := buffer.find(b"\r\n", position)) >= 0:
        try:
            size = int(buffer[position:end].partition(b";")[0], 16)
        except ValueError:
            raise BadRequest(400, "not a chunk size") from None
        start, position = end + 2, end + 2 + size + 2
        if len(body) + size > limit:
            raise BadRequest(413, f"the request is larger than {limit} bytes")
        if size == 0:
            trailer_end = buffer.find(b"\r\n", start)
            return (bytes(body), trailer_end + 2) if trailer_end >= 0 else None
        if position > len(buffer):
            return None
        body += buffer[start : start + size]
    return None


class _Connection(asyncio.Protocol):
    """One client connection: reads requests one after the other and answers them in order."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._serving = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what TCP servers hand out
        self._transport = transport
        self._server.connections.add(transport)

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._transport is not None:
            self._server.connections.discard(self._transport)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        received_s = self._loop.time()
        self._buffer += data
        if not self._serving:
            self._advance(received_s)

    def _advance(self, received_s: float) -> None:
        try:
            request = self._next_request(received_s)
        except BadRequest as error:
            self._send(json_response({"Type": "User", "Message": error.message}, status=error.status), keep=False)
            return
        if request is not None:
            self._serving = True
            self._server.serve(self._answer(request[0], keep=request[1]))

    def _next_request(self, received_s: float) -> tuple[Request, bool] | None:
        head = self._head or self._take_head()
        body = self._take_body(head) if head else None
        if head is None or body is None:
            return None
        self._head = None
        path, query = split_target(head.target)
        request = Request(
            method=head.method,
            target=head.target,
            path=path,
            query=query,
            headers=head.headers,
            body=body,
            received_s=received_s,
        )
        return request, head.keep_alive

    def _take_head(self) -> _Head | None:
        end = self._buffer.find(b"\r\n\r\n")
        if max(end, 0) > MAX_HEAD_BYTES or (end < 0 and len(self._buffer) > MAX_HEAD_BYTES):
            raise BadRequest(431, f"the headers are larger than {MAX_HEAD_BYTES} bytes")
        if end < 0:
            return None
        self._head = parse_head(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        if self._head.headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return self._head

    def _take_body(self, head: _Head) -> bytes | None:
        limit = self._server.max_body_bytes
        if head.chunked:
            taken = take_chunked(bytes(self._buffer), limit)
            if taken is None:
                return None
            body, length = taken
        else:
            length = head.content_length()
            if length > limit:
                raise BadRequest(413, f"the request is larger than {limit} bytes")
            if len(self._buffer) < length:
                return None
            body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    async def _answer(self, request: Request, *, keep: bool) -> None:
        answered = False
        try:
            response = await self._server.handler(request)
            answered = True
        except ConnectionDropped:
            return
        finally:
            if not answered and self._transport is not None:
                self._transport.abort()  # a fault of ours: the caller learns at once, the traceback goes to stderr
        self._send(response, keep=keep)
        self._serving = False
        if keep and self._buffer:
            self._advance(self._loop.time())

    def _send(self, response: Response, *, keep: bool) -> None:
        if self._transport is None:
            return  # the caller went away; what it asked for has happened all the same
        self._transport.write(serialise(response))
        if not keep:
            self._transport.close()


def serialise(response: Response) -> bytes:
    phrase = HTTPStatus(response.status).phrase
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if response.status != HTTPStatus.NO_CONTENT:
        lines += [f"Content-Type: {response.content_type}", f"Content-Length: {len(response.body)}"]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + response.body


class HttpServer:
    """Listens on a random loopback port and passes each request to ``handler``."""

    def __init__(self, handler: Handler, *, max_body_bytes: int) -> None:
        self.handler = handler
        self.max_body_bytes = max_body_bytes
        self.connections: set[asyncio.Transport] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> int:
        """Listen; returns the port. 0 lets the system choose one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), LOOPBACK, port, backlog=512)
        return int(self._server.sockets[0].getsockname()[1])

    def serve(self, answer: Awaitable[None]) -> None:
        task = asyncio.ensure_future(answer)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for transport in tuple(self.connections):
            transport.abort()
        answering = tuple(self._tasks)
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)
