"""One connection to Lambda: a request out, its answer back, kept alive in between."""

from __future__ import annotations

import asyncio
import select
import socket

from tuner.aws.transport.answers import Answer, AnswerReader, MalformedAnswerError

KEEPALIVE_IDLE_S = 60
KEEPALIVE_INTERVAL_S = 30
KEEPALIVE_PROBES = 5
"""NAT gateways forget a silent connection after 350 s and a function may be silent for 1,800 s; the kernel's own
first probe comes after 7,200 s, and botocore's ``tcp_keepalive`` leaves it there (boto/botocore#3140)."""
ROUNDS_TO_NOTICE = 8
"""Rounds of the event loop until what lies in the kernel has reached a protocol: two over TCP, some more over TLS."""
SEND_SLICE_BYTES = 256 * 1024


class ConnectionEndedError(Exception):
    """The connection ended between a request and the end of its answer."""


class Connection(asyncio.Protocol):
    """A protocol rather than streams: a call costs one future and no further task."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._pending: asyncio.Future[Answer] | None = None
        self._reader = AnswerReader()
        self._writable = asyncio.Event()
        self._writable.set()
        self._reusable = True

    def is_usable(self) -> bool:
        """Nothing is under way, and the event loop has not heard of an end."""
        return self._reusable and self._transport is not None and not self._transport.is_closing()

    async def is_alive(self) -> bool:
        """Like ``is_usable``, after a look at what has arrived since the event loop last read.

        That may be the end of the connection, or a session ticket of TLS: the loop reads it and then it is known.
        """
        if self.is_usable() and _has_input(self._transport):
            for _ in range(ROUNDS_TO_NOTICE):
                await asyncio.sleep(0)
        return self.is_usable()

    async def exchange(self, head: bytes, body: bytes, *, timeout_s: float) -> Answer:
        """Send one request and return its answer. Call it right after ``is_alive``.

        Raises ConnectionEndedError, MalformedAnswerError or TimeoutError, all of them after bytes were sent. On
        any way out but an answer, cancellation included, the connection is closed.
        """
        pending: asyncio.Future[Answer] = self._loop.create_future()
        self._pending = pending
        self._reusable = False
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(head, body, pending)
                answer = await pending
        finally:
            self._pending = None
            if not _succeeded(pending):
                self.abort()
        self._reusable = answer.keep_alive and self._sent_all()
        return answer

    def abort(self) -> None:
        """Close at once."""
        self._reusable = False
        if self._transport is not None:
            self._transport.abort()

    async def _send(self, head: bytes, body: bytes, pending: asyncio.Future[Answer]) -> None:
        """Small requests leave in one segment; of a large body only a slice at a time is copied."""
        transport = self._transport
        if transport is None or len(body) <= SEND_SLICE_BYTES:
            self._write(head + body)
            return
        self._write(head)
        slices = memoryview(body)
        for start in range(0, len(body), SEND_SLICE_BYTES):
            if pending.done():
                transport.close()  # answered before it had read everything: refused, or the connection ended
                return
            self._write(slices[start : start + SEND_SLICE_BYTES])
            await self._writable.wait()

    def _write(self, data: bytes | memoryview) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _sent_all(self) -> bool:
        transport = self._transport
        return transport is not None and not transport.is_closing() and transport.get_write_buffer_size() == 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what TCP and TLS connections hand out
        self._transport = transport
        keep_alive(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._reusable = False
        self._writable.set()
        self._fail(ConnectionEndedError(str(exc) if exc else "closed by the other side"))

    def eof_received(self) -> None:
        self._reusable = False

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        pending = self._pending
        if pending is None or pending.done():
            self.abort()  # nothing was asked
            return
        try:
            answer = self._reader.feed(data)
        except MalformedAnswerError as error:
            self._fail(error)
            self.abort()
            return
        if answer is not None:
            self._reader = AnswerReader()
            pending.set_result(answer)

    def _fail(self, error: Exception) -> None:
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(error)


def keep_alive(transport: asyncio.BaseTransport) -> None:
    """Have the kernel probe a silent connection: so that NAT remembers it and a dead one is noticed.

    Options that a system does not have are left out.
    """
    connected: socket.socket | None = transport.get_extra_info("socket")
    if connected is None:
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_S),
        ("TCP_KEEPALIVE", KEEPALIVE_IDLE_S),  # the name of TCP_KEEPIDLE on macOS
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_S),
        ("TCP_KEEPCNT", KEEPALIVE_PROBES),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            connected.setsockopt(socket.IPPROTO_TCP, option, value)


def _succeeded(pending: asyncio.Future[Answer]) -> bool:
    """Whether the answer came. Also takes note of an error that nobody waits for any more."""
    if not pending.done():
        pending.cancel()
        return False
    return not pending.cancelled() and pending.exception() is None


def _has_input(transport: asyncio.BaseTransport | None) -> bool:
    """Whether something lies unread in the kernel."""
    connected: socket.socket | None = transport.get_extra_info("socket") if transport else None
    if connected is None or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))
