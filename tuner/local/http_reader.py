"""Requests out of a stream of bytes, however it is cut. No I/O.

h11 reads them and refuses what is wrong with them. Only a plain request is read here: a head that came in one piece
and is so regular that nothing about it can be doubted, and a body with a Content-Length. Nearly all are, and an
invocation takes three: h11 alone made it cost the server a third more CPU time. A property test holds the two
against each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import h11

from tuner.local.http import BadRequest, Request, refuse_foreign_callers, split_target

MAX_HEAD_BYTES = 64 * 1024
"""Also the most of a line: h11 gives up on an incomplete request line, header, chunk size or trailer beyond this."""
MAX_HEADERS = 100
MAX_CHUNKS = 64 * 1024
"""A body in chunks of a byte each would cost a thousand times its size in work."""

# Possessive, so that a head that does not fit costs no more than one that does.
_PLAIN_HEAD = re.compile(
    rb"(GET|POST|PUT|DELETE) ([\x21-\x7e]++) HTTP/1\.1\r\n"
    rb"((?:[-!#$%&'*+.^_`|~0-9A-Za-z]++:[\t\x20-\x7e]*+\r\n)++)\r\n"
)
_LENGTH = re.compile("[0-9]{1,18}")
_NOT_PLAIN = frozenset({"transfer-encoding", "expect", "upgrade"})


class BodyBudget:
    """How many bytes of unfinished and unanswered bodies a server may hold, over all of its connections."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes

    def take(self, size: int) -> None:
        if size > self._left:
            raise BadRequest(503, "too many requests with large bodies at once")
        self._left -= size

    def give_back(self, size: int) -> None:
        self._left += size


@dataclass(frozen=True, slots=True)
class _Head:
    method: str
    target: str
    headers: dict[str, str]
    keep_alive: bool


class RequestReader:
    """Reads the requests of one connection, one after the other.

    h11's object for a connection is used for one request only and without its sending half: answering through it
    would double its cost.
    """

    def __init__(self, *, max_body_bytes: int, budget: BodyBudget) -> None:
        self._max_body_bytes = max_body_bytes
        self._budget = budget
        self._buffer = bytearray()
        self._parser: h11.Connection | None = None
        """Reads the current request, unless that is plain."""
        self._head: _Head | None = None
        self._length = 0
        """Of the body of a plain request."""
        self._pieces: list[bytes] = []
        self._held_bytes = 0
        self._chunks = 0
        self.interim = False
        """The client waits for ``100 Continue`` before it sends the body."""
        self.keep_alive = True
        """Whether the request returned last lets the connection be used again."""

    def feed(self, data: bytes) -> None:
        if self._parser is None:
            self._buffer += data
        else:
            self._parser.receive_data(data)

    def next_request(self, received_s: float) -> Request | None:
        """The next complete request, None until there is one; BadRequest, after which nothing more can be read."""
        if self._parser is None and self._head is None and self._buffer:
            self._begin()
        if self._parser is not None:
            complete = self._parse(self._parser)
        else:
            complete = self._head is not None and self._take_body()
        return self._finish(received_s) if complete else None

    @property
    def unread(self) -> bool:
        """There are bytes beyond the request returned last."""
        return bool(self._buffer)

    def release(self) -> None:
        """The request returned last is answered, or nothing will ever come of the one that was begun."""
        self._budget.give_back(self._held_bytes)
        self._held_bytes = 0

    def _begin(self) -> None:
        match = _PLAIN_HEAD.match(self._buffer)
        headers = _plain_headers(match[3].decode("latin-1")) if match else None
        if match is None or headers is None:
            self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
            self._parser.receive_data(bytes(self._buffer))
            self._buffer.clear()
            return
        self._accept(match[1].decode(), match[2].decode(), headers, head_bytes=match.end())
        self._length = int(headers.get("content-length", "0"))
        del self._buffer[: match.end()]

    def _take_body(self) -> bool:
        """Whether the body of a plain request has come whole."""
        arrived = min(len(self._buffer), self._length)
        self._hold(arrived - self._held_bytes)
        if arrived < self._length:
            return False
        if self._length:
            self._pieces.append(bytes(memoryview(self._buffer)[: self._length]))
            del self._buffer[: self._length]
        return True

    def _parse(self, parser: h11.Connection) -> bool:
        """Whether h11 has read a whole request."""
        try:
            while True:
                event = parser.next_event()
                if isinstance(event, h11.Request):
                    self._accept_parsed(event, parser)
                elif isinstance(event, h11.Data):
                    self._add(event)
                else:
                    return isinstance(event, h11.EndOfMessage)
        except h11.RemoteProtocolError as error:
            raise BadRequest(error.error_status_hint, str(error)) from None

    def _accept_parsed(self, event: h11.Request, parser: h11.Connection) -> None:
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
        headers = dict(pairs)
        if "transfer-encoding" in headers and "content-length" in headers:
            raise BadRequest(400, "the length of the body is ambiguous")
        self._accept(
            event.method.decode("ascii"),
            event.target.decode("ascii"),
            headers,
            head_bytes=len(event.target) + sum(len(name) + len(value) for name, value in pairs),
            count=len(pairs),
            old=event.http_version < b"1.1",
        )
        self.interim = parser.they_are_waiting_for_100_continue

    def _accept(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        *,
        head_bytes: int,
        count: int = 0,
        old: bool = False,
    ) -> None:
        """Go on with a request whose head is well formed; BadRequest where it asks for too much."""
        if max(count, len(headers)) > MAX_HEADERS:
            raise BadRequest(431, f"the request has more than {MAX_HEADERS} headers")
        if head_bytes > MAX_HEAD_BYTES:
            raise BadRequest(431, f"the headers are larger than {MAX_HEAD_BYTES} bytes")
        refuse_foreign_callers(headers)
        if int(headers.get("content-length", "0")) > self._max_body_bytes:
            raise self._too_large()
        closes = old or "close" in headers.get("connection", "").lower()
        self._head = _Head(method, target, headers, not closes)

    def _add(self, event: h11.Data) -> None:
        self._chunks += event.chunk_start
        if self._chunks > MAX_CHUNKS:
            raise BadRequest(413, f"the request has more than {MAX_CHUNKS} chunks")
        if self._held_bytes + len(event.data) > self._max_body_bytes:
            raise self._too_large()
        self._hold(len(event.data))
        self._pieces.append(bytes(event.data))

    def _hold(self, size: int) -> None:
        self._budget.take(size)
        self._held_bytes += size

    def _finish(self, received_s: float) -> Request:
        if self._head is None:
            raise RuntimeError("a request ended that had not begun")
        if self._parser is not None:
            self._buffer += self._parser.trailing_data[0]
        head, body = self._head, b"".join(self._pieces)
        self._parser, self._head, self._pieces, self._chunks, self.interim = None, None, [], 0, False
        self.keep_alive = head.keep_alive
        path, query = split_target(head.target)
        return Request(
            method=head.method,
            target=head.target,
            path=path,
            query=query,
            headers=head.headers,
            body=body,
            received_s=received_s,
        )

    def _too_large(self) -> BadRequest:
        return BadRequest(413, f"the request is larger than {self._max_body_bytes} bytes")


def _plain_headers(lines: str) -> dict[str, str] | None:
    """The headers, names in lower case; None where one of them needs a second look."""
    headers: dict[str, str] = {}
    for line in lines.split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        key = name.lower()
        if key in headers:
            return None
        headers[key] = value.strip(" \t")
    length = headers.get("content-length")
    if "host" not in headers or (length is not None and not _LENGTH.fullmatch(length)):
        return None
    return headers if _NOT_PLAIN.isdisjoint(headers) else None
