"""Connections to one endpoint, opened before they are needed and used again."""

from __future__ import annotations

import asyncio
import errno
import ssl
from dataclasses import dataclass

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, SSLError

from tuner.aws.transport.connection import Connection
from tuner.aws.transport.requests import Address
from tuner.errors import TargetError

CONNECT_TIMEOUT_S = 10
OPEN_AT_ONCE = 64
"""A TLS handshake takes 1.2 ms of CPU: more at once would only make each of them late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    url: str
    address: Address
    tls: ssl.SSLContext | None

    async def connect(self) -> Connection:
        """A new connection. Raises botocore's own exceptions for what can go wrong, or TargetError."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                return await self._connect()
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=self.url, error=error) from error
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=self.url, error=error) from error
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise TargetError(
                    "This process may not open more connections.",
                    hint="Raise the limit (for example `ulimit -n 4096`), or use a smaller --wave.",
                ) from error
            raise EndpointConnectionError(endpoint_url=self.url, error=error) from error

    async def _connect(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            Connection,
            self.address.host,
            self.address.port,
            ssl=self.tls,
            server_hostname=self.address.host if self.tls else None,
            happy_eyeballs_delay=0.25,
        )
        return connection


class ConnectionPool:
    """Hands out idle connections, the last used first, and opens another when there is none.

    It sets no upper bound: how many calls are in flight is the engine's decision.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._closed = False

    async def open(self, count: int) -> None:
        """Have at least ``count`` idle connections that were alive a moment ago."""
        self._idle = [connection for connection in self._idle if connection.is_usable()]
        gate = asyncio.Semaphore(OPEN_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(count - len(self._idle)):
                    group.create_task(self._open_idle(gate))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _open_idle(self, gate: asyncio.Semaphore) -> None:
        async with gate:
            self.release(await self._endpoint.connect())

    async def acquire(self) -> Connection:
        """A connection that nobody else uses, not known to be closed."""
        connection = await self._take_idle() or await self._endpoint.connect()
        self._busy.add(connection)
        return connection

    async def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if await connection.is_alive():
                return connection
            connection.abort()
        return None

    def release(self, connection: Connection) -> None:
        self._busy.discard(connection)
        if connection.is_usable() and not self._closed:
            self._idle.append(connection)
        else:
            connection.abort()

    def close(self) -> None:
        """Close every connection at once; calls in flight end with ConnectionEndedError."""
        self._closed = True
        for connection in (*self._idle, *self._busy):
            connection.abort()
        self._idle.clear()
