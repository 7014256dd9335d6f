"""A Lambda whose every answer the test writes: it counts connections and keeps the requests it has read."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from tuner.aws.session import AwsAccess, FixedCredentials
from tuner.aws.transport.choose import TransportMode, choose_transport
from tuner.aws.transport.invoker import AsyncInvoker


@dataclass(frozen=True)
class Request:
    head: str
    body: bytes
    connection: int

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name:
                return value.strip()
        return None


@dataclass
class Peer:
    """The server's end of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    def hang_up(self) -> None:
        self.writer.transport.abort()


Answering = Callable[[Request, Peer], Awaitable[None]]


def answer(body: bytes = b"42", status: str = "200 OK", **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


async def succeed(request: Request, peer: Peer) -> None:
    await peer.say(answer())


@dataclass
class ScriptedLambda:
    """Answers with ``answering``, which a test may change between calls."""

    answering: Answering = succeed
    tls: ssl.SSLContext | None = None
    read_bodies: bool = True
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    ended: int = 0
    """Connections that the other side has closed."""
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._changed = asyncio.Event()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self.serving:
            task.cancel()
        await asyncio.gather(*self.serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        self.connections += 1
        self._changed.set()
        number, peer = self.connections, Peer(reader, writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(Request(head, b"", 0).header("content-length") or 0)
                body = await reader.readexactly(length) if self.read_bodies else b""
                request = Request(head, body, number)
                self.requests.append(request)
                await self.answering(request, peer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended += 1
            self._changed.set()
        except asyncio.CancelledError:
            pass  # the test is over; streams of Python 3.11 complain about a cancelled task
        finally:
            writer.transport.abort()

    async def all_ended(self) -> None:
        """Wait until every connection has been closed by the other side."""
        await self._until(lambda: self.ended == self.connections)

    async def connected(self, count: int) -> None:
        await self._until(lambda: self.connections >= count)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def access(self, scheme: str = "http", host: str = "127.0.0.1") -> AwsAccess:
        return AwsAccess(
            region="eu-central-1",
            endpoint_url=f"{scheme}://{host}:{self.port}",
            credentials=FixedCredentials(access_key_id="AKID", secret_access_key="secret"),
        )


@asynccontextmanager
async def asynchronous(access: AwsAccess, *, timeout_s: float | None = None) -> AsyncIterator[AsyncInvoker]:
    """The asynchronous transport as a run would get it; ``timeout_s`` instead of the real one."""
    transport = choose_transport(access, mode=TransportMode.ASYNC, timeout_s=3, connections=10)
    assert isinstance(transport.invoker, AsyncInvoker)
    if timeout_s is not None:
        transport.invoker._timeout_s = timeout_s
    try:
        yield transport.invoker
    finally:
        transport.invoker.close()
