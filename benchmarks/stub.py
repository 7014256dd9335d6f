"""A Lambda that only waits: ``python -m benchmarks.stub DELAY_MS`` answers every request after DELAY_MS.

It listens on a random loopback port, prints that port, and ends with its standard input. The delay is the same for
all, so the answers queue in order and one timer serves them: the server costs less than any client of it.
"""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

REQUEST_ID = "8f5e3c1a-7b2d-4e6f-9a0b-1c2d3e4f5a6b"
LOG_TAIL = (
    f"START RequestId: {REQUEST_ID} Version: 7\n"
    f"2026-11-21T03:14:15.926Z\t{REQUEST_ID}\tINFO\tresized 1 image to 3 sizes\n"
    f"END RequestId: {REQUEST_ID}\n"
    f"REPORT RequestId: {REQUEST_ID}\tDuration: 98.71 ms\tBilled Duration: 99 ms\tMemory Size: 1024 MB\t"
    "Max Memory Used: 143 MB\t\n"
)
BODY = b'{"statusCode":200,"body":"{\\"sizes\\":[64,128,256]}"}'


def answer() -> bytes:
    """What Lambda answers to an Invoke with LogType=Tail, byte for byte the same each time."""
    headers = (
        "HTTP/1.1 200 OK",
        "Date: Sat, 21 Nov 2026 03:14:15 GMT",
        "Content-Type: application/json",
        f"Content-Length: {len(BODY)}",
        "Connection: keep-alive",
        f"x-amzn-RequestId: {REQUEST_ID}",
        f"X-Amz-Log-Result: {base64.b64encode(LOG_TAIL.encode()).decode()}",
        "x-amzn-Remapped-Content-Length: 0",
        "X-Amz-Executed-Version: 7",
        "X-Amzn-Trace-Id: Root=1-6920d5a7-0123456789abcdef01234567;Sampled=0",
    )
    return "\r\n".join(headers).encode() + b"\r\n\r\n" + BODY


class _Delay:
    """Writes the answer to each transport ``delay_s`` after it was added."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._loop = asyncio.get_running_loop()
        self._due: deque[tuple[float, asyncio.Transport]] = deque()
        self._answer = answer()

    def add(self, transport: asyncio.Transport) -> None:
        due_s = self._loop.time() + self._delay_s
        self._due.append((due_s, transport))
        if len(self._due) == 1:
            self._loop.call_at(due_s, self._flush)

    def _flush(self) -> None:
        now_s = self._loop.time()
        while self._due and self._due[0][0] <= now_s:
            transport = self._due.popleft()[1]
            if not transport.is_closing():
                transport.write(self._answer)
        if self._due:
            self._loop.call_at(self._due[0][0], self._flush)


class _Server(asyncio.Protocol):
    """Trusts its clients: one request at a time, its length in Content-Length, no line folding."""

    def __init__(self, delay: _Delay) -> None:
        self._delay = delay
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received = received = self._received + data if self._received else data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        start = received.lower().find(b"content-length: ", 0, end) + 16
        length = int(received[start : received.find(b"\r\n", start)])
        if len(received) >= end + 4 + length:
            self._received = b""
            self._delay.add(self._transport)


async def serve(delay_s: float) -> None:
    loop = asyncio.get_running_loop()
    delay = _Delay(delay_s)
    server = await loop.create_server(lambda: _Server(delay), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()


@contextmanager
def stub(delay_ms: float) -> Iterator[int]:
    """The stub as a process of its own; yields its port."""
    command = [sys.executable, "-m", "benchmarks.stub", str(delay_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(timeout=10)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) / 1000))
