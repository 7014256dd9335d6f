"""A small HTTP/1.1 server on asyncio protocols, for loopback only: keep-alive, bounds on everything, no framework.

It serves both the Lambda API and the Runtime API of every environment. A framework would cost more import time
than a cold start takes; ``asyncio.start_server`` streams would add a task switch inside the measured duration.

Whoever talks to it may be broken or hostile, a handler to its own Runtime API included. So nothing is kept without a
bound: bytes (``http_reader``), connections, and the time that a connection may hold a place without a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tuner.local.http import LOOPBACK, BadRequest, ConnectionDropped, Request, Response, serialise
from tuner.local.http_reader import BodyBudget, RequestReader

MAX_AHEAD_BYTES = 64 * 1024
"""What may be read ahead of the request that is being answered."""
LINGER_S = 2.0
"""How long a refused client may go on sending. Closing at once would reset the connection, and the answer with it."""

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """``idle_s`` None: connections may be silent as long as they like."""

    max_body_bytes: int
    max_held_bytes: int
    """Bodies of all connections together."""
    max_connections: int
    idle_s: float | None = None
    """For a request to arrive whole, or for a connection to be used again."""


class _Connection(asyncio.Protocol):
    """One client connection: reads requests one after the other and answers them in order."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._reader = server.new_reader()
        self._transport: asyncio.Transport | None = None
        self._serving = False
        self._refused = False
        self._within_request = False
        self._ahead_bytes = 0
        self._half_closed = False
        self.waits_since_s: float | None = self._loop.time()
        """For a request, or for the rest of one; None while one is being answered."""

    @property
    def idle(self) -> bool:
        return not self._serving and not self._within_request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what TCP servers hand out
        self._transport = transport
        if not self._server.admit(self):
            self._refused = True
            self._send(BadRequest(503, "too many connections").response(), keep=False)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._server.forget(self)
        self._transport = None
        if not self._serving:
            self._reader.release()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def eof_received(self) -> bool:
        """A client may stop sending and still wait for its answer."""
        self._half_closed = True
        return self._serving

    def data_received(self, data: bytes) -> None:
        received_s = self._loop.time()
        if self._refused:
            return
        self._reader.feed(data)
        if self._serving:
            self._read_ahead(len(data))
        else:
            self._advance(received_s)

    def _read_ahead(self, size: int) -> None:
        self._ahead_bytes += size
        if self._ahead_bytes > MAX_AHEAD_BYTES and self._transport is not None:
            self._transport.pause_reading()

    def _advance(self, received_s: float) -> None:
        try:
            request = self._reader.next_request(received_s)
        except BadRequest as error:
            self._refuse(error)
            return
        if request is not None:
            self._serving, self._within_request, self.waits_since_s = True, False, None
            self._server.serve(self._answer(request, keep=self._reader.keep_alive))
        elif not self._within_request:
            self._within_request, self.waits_since_s = True, received_s
        if self._reader.interim and self._transport is not None:
            self._reader.interim = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def _answer(self, request: Request, *, keep: bool) -> None:
        answered = False
        try:
            response = await self._server.handler(request)
            answered = True
        except ConnectionDropped:
            return
        finally:
            self._reader.release()
            if not answered:
                self.abort()  # a fault of ours: the caller learns at once, the traceback goes to stderr
        self._serving, self.waits_since_s = False, self._loop.time()
        self._send(response, keep=keep)
        if keep and self._transport is not None:
            self._go_on(self._transport)

    def _go_on(self, transport: asyncio.Transport) -> None:
        """With what came while the last request was being answered."""
        if self._ahead_bytes > MAX_AHEAD_BYTES:
            transport.resume_reading()
        self._ahead_bytes = 0
        if self._reader.unread and not transport.is_closing():
            self._advance(self._loop.time())
        if self._half_closed and not self._serving:
            transport.close()

    def _send(self, response: Response, *, keep: bool) -> None:
        if self._transport is None:
            return  # the caller went away; what it asked for has happened all the same
        self._transport.write(serialise(response, self._server.name))
        if not keep:
            self._transport.close()

    def _refuse(self, error: BadRequest) -> None:
        """Answer, say that nothing more will come, and let the client finish sending into the void for a while."""
        self._refused, self.waits_since_s = True, None
        self._reader.release()
        if self._transport is None:
            return
        self._transport.write(serialise(error.response(), self._server.name))
        self._transport.write_eof()
        self._loop.call_later(LINGER_S, self.abort)


class HttpServer:
    """Listens on a loopback port and passes each request to ``handler``. ``name`` goes into every answer."""

    def __init__(self, handler: Handler, bounds: Bounds, *, name: str | None = None) -> None:
        self.handler = handler
        self.name = name
        self._bounds = bounds
        self._budget = BodyBudget(bounds.max_held_bytes)
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._sweep: asyncio.TimerHandle | None = None

    async def start(self, port: int = 0) -> int:
        """Listen; returns the port. 0 lets the system choose one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), LOOPBACK, port, backlog=512)
        return int(self._server.sockets[0].getsockname()[1])

    def new_reader(self) -> RequestReader:
        return RequestReader(max_body_bytes=self._bounds.max_body_bytes, budget=self._budget)

    def admit(self, connection: _Connection) -> bool:
        """Whether there is room for one more. The one that has been idle longest makes it."""
        if len(self._connections) >= self._bounds.max_connections:
            idle = [one for one in self._connections if one.idle]
            if not idle:
                return False
            longest = min(idle, key=lambda one: one.waits_since_s or 0.0)
            self._connections.discard(longest)
            longest.abort()
        self._connections.add(connection)
        self._sweep_later()
        return True

    def forget(self, connection: _Connection) -> None:
        self._connections.discard(connection)

    def serve(self, answer: Awaitable[None]) -> None:
        task = asyncio.ensure_future(answer)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in tuple(self._connections):
            connection.abort()
        answering = tuple(self._tasks)
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)

    def _sweep_later(self) -> None:
        """One timer for all connections: one for each would cost as much as reading a small request."""
        if self._bounds.idle_s is not None and self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._bounds.idle_s / 4, self._end_idle)

    def _end_idle(self) -> None:
        self._sweep = None
        oldest_s = asyncio.get_running_loop().time() - (self._bounds.idle_s or 0.0)
        for connection in tuple(self._connections):
            if connection.waits_since_s is not None and connection.waits_since_s <= oldest_s:
                connection.abort()
        if self._connections:
            self._sweep_later()
