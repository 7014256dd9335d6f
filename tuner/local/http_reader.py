"""Requests out of a stream of bytes, however it is cut. h11 does the parsing; the bounds are ours. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

import h11

from tuner.local.http import BadRequest, Request, refuse_foreign_callers, split_target

MAX_HEAD_BYTES = 64 * 1024
"""Also the most of a line: h11 gives up on an incomplete request line, header, chunk size or trailer beyond this."""
MAX_HEADERS = 100
MAX_CHUNKS = 64 * 1024
"""A body in chunks of a byte each would cost a thousand times its size in work."""


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
    would double its cost, and a Runtime API's answers lie inside measured durations.
    """

    def __init__(self, *, max_body_bytes: int, budget: BodyBudget) -> None:
        self._max_body_bytes = max_body_bytes
        self._budget = budget
        self._parser = _new_parser()
        self._head: _Head | None = None
        self._pieces: list[bytes] = []
        self._body_bytes = 0
        self._chunks = 0
        self.interim = False
        """The client waits for ``100 Continue`` before it sends the body."""
        self.keep_alive = True
        """Whether the request returned last lets the connection be used again."""

    def feed(self, data: bytes) -> None:
        self._parser.receive_data(data)

    def next_request(self, received_s: float) -> Request | None:
        """The next complete request, None until there is one; BadRequest, after which nothing more can be read."""
        try:
            while True:
                event = self._parser.next_event()
                if isinstance(event, h11.Request):
                    self._begin(event)
                elif isinstance(event, h11.Data):
                    self._add(event)
                elif isinstance(event, h11.EndOfMessage):
                    return self._finish(received_s)
                else:
                    return None
        except h11.RemoteProtocolError as error:
            raise BadRequest(error.error_status_hint, str(error)) from None

    @property
    def unread(self) -> bool:
        """There are bytes beyond the request returned last."""
        return bool(self._parser.trailing_data[0])

    def release(self) -> None:
        """The request returned last is answered, or nothing will ever come of the one that was begun."""
        self._budget.give_back(self._body_bytes)
        self._body_bytes = 0

    def _begin(self, event: h11.Request) -> None:
        head = _read_head(event)
        refuse_foreign_callers(head.headers)
        if int(head.headers.get("content-length", "0")) > self._max_body_bytes:
            raise self._too_large()
        self._head = head
        self.keep_alive = head.keep_alive
        self.interim = self._parser.they_are_waiting_for_100_continue

    def _add(self, event: h11.Data) -> None:
        size = len(event.data)
        if self._body_bytes + size > self._max_body_bytes:
            raise self._too_large()
        self._chunks += event.chunk_start
        if self._chunks > MAX_CHUNKS:
            raise BadRequest(413, f"the request has more than {MAX_CHUNKS} chunks")
        self._budget.take(size)
        self._body_bytes += size
        self._pieces.append(bytes(event.data))

    def _finish(self, received_s: float) -> Request:
        head, self._head = self._head, None
        if head is None:
            raise RuntimeError("h11 ended a request that it had not begun")
        body, self._pieces, self._chunks, self.interim = b"".join(self._pieces), [], 0, False
        rest = self._parser.trailing_data[0]
        self._parser = _new_parser()
        if rest:
            self._parser.receive_data(rest)
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


def _new_parser() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)


def _read_head(event: h11.Request) -> _Head:
    """BadRequest for what h11 lets pass: a head that came whole is as long as it likes."""
    pairs = list(event.headers)
    if len(pairs) > MAX_HEADERS:
        raise BadRequest(431, f"the request has more than {MAX_HEADERS} headers")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    if len(event.target) + sum(len(name) + len(value) for name, value in pairs) > MAX_HEAD_BYTES:
        raise BadRequest(431, f"the headers are larger than {MAX_HEAD_BYTES} bytes")
    if "transfer-encoding" in headers and "content-length" in headers:
        raise BadRequest(400, "the length of the body is ambiguous")
    closes = "close" in headers.get("connection", "").lower() or event.http_version < b"1.1"
    return _Head(event.method.decode("ascii"), event.target.decode("ascii"), headers, not closes)
