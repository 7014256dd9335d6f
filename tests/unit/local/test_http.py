"""HTTP as bytes on a socket: awkward clients, keep-alive, limits."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.local import http_reader
from tuner.local.http import BadRequest, Request, Response, split_target
from tuner.local.http_reader import MAX_HEADERS, BodyBudget, RequestReader
from tuner.local.http_server import MAX_AHEAD_BYTES, Bounds, Handler, HttpServer

LIMIT_S = 5.0
BOUNDS = Bounds(max_body_bytes=1000, max_held_bytes=2000, max_connections=50, idle_s=60)


async def echo(request: Request) -> Response:
    return Response(body=f"{request.method} {request.path} {dict(request.query)} {len(request.body)}".encode())


@contextlib.asynccontextmanager
async def serving(handler: Handler = echo, **bounds: Any) -> AsyncIterator[int]:
    """A server with the given bounds; its port."""
    server = HttpServer(handler, replace(BOUNDS, **bounds))
    port = await server.start()
    try:
        yield port
    finally:
        await server.close()


async def heard(reader: asyncio.StreamReader) -> bytes:
    """One answer, head and body."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT_S)
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"Content-Length" in line), 0)
    return head + await reader.readexactly(length)


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes the connection."""
    with contextlib.suppress(ConnectionResetError):
        return await asyncio.wait_for(reader.read(), LIMIT_S)
    return b""


async def exchange(*pieces: bytes, answers: int = 1, **bounds: Any) -> list[bytes]:
    """Send pieces one by one; returns the answers."""
    async with serving(**bounds) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        found = [await heard(reader) for _ in range(answers)]
        writer.close()
        return found


async def refused(request: bytes) -> bytes:
    """The one answer to a request after which the server closes."""
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await ended(reader)
        writer.close()
        return answer


HOST = b"Host: 127.0.0.1:1\r\n"


CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"


async def test_a_request_may_arrive_byte_by_byte() -> None:
    request = b"POST /a/b?x=1 HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc"
    (answer,) = await exchange(*[request[i : i + 1] for i in range(len(request))])
    assert answer.endswith(b"POST ('a', 'b') {'x': '1'} 3")


async def test_two_requests_in_one_packet_are_answered_in_order() -> None:
    first, second = (b"GET /" + name + b" HTTP/1.1\r\n" + HOST + b"\r\n" for name in (b"one", b"two"))
    one, two = await exchange(first + second, answers=2)
    assert b"('one',)" in one
    assert b"('two',)" in two


async def test_a_chunked_body_is_put_together() -> None:
    (answer,) = await exchange(CHUNKED + b"3\r\nabc\r\n", b"2;ext=1\r\nde\r\n0\r\n\r\n")
    assert answer.endswith(b" 5")


async def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    go_on, answer = await exchange(head, b"x", answers=2)
    assert go_on.startswith(b"HTTP/1.1 100 Continue")
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Origin: http://example.com\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", b"400"),
        (b"GET //[ HTTP/1.1\r\n" + HOST + b"\r\n", b"400"),
        (b"GET http://[::1/x HTTP/1.1\r\n" + HOST + b"\r\n", b"400"),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1001\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
        (CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n"), b"400"),
        (CHUNKED.replace(b"chunked", b"gzip"), b"501"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 70_000, b"431"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"y" * 70_000, b"431"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * MAX_HEADERS + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"no colon\r\n\r\n", b"400"),
        (CHUNKED + b"3e9\r\n" + b"x" * 1001, b"413"),
        *(
            (CHUNKED + size + b"\r\n", b"400")
            for size in (b"-6", b"0x1", b"1_0", b"+1", b" 1", b"", b"zz", b"f" * 21)
        ),
        (CHUNKED + b"1" * 70_000, b"4"),
        (CHUNKED + b"1;" + b"x" * 70_000, b"431"),
        (CHUNKED + b"0\r\nX: " + b"y" * 70_000, b"431"),
    ],
    ids=itertools.count(),
)
async def test_what_is_not_acceptable_is_refused_by_status(request_bytes: bytes, status: bytes) -> None:
    answer = await refused(request_bytes)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_refusal_reaches_a_client_that_is_still_sending() -> None:
    async with serving(max_body_bytes=1000) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4000000\r\n\r\n" + b"x" * 4_000_000)
        assert (await ended(reader)).startswith(b"HTTP/1.1 413")
        writer.close()


async def test_a_body_in_very_many_chunks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.local.http_reader.MAX_CHUNKS", 100)
    assert (await refused(CHUNKED + b"1\r\nx\r\n" * 101)).startswith(b"HTTP/1.1 413")


async def test_a_connection_without_a_request_is_closed_after_a_while() -> None:
    async with serving(idle_s=0.1) as port:
        for begun in (b"", b"GET / HT", CHUNKED + b"1"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begun)
            assert await ended(reader) == b""
            writer.close()


async def test_an_answered_connection_is_closed_after_a_while() -> None:
    async with serving(idle_s=0.1) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await heard(reader)).startswith(b"HTTP/1.1 200")
        assert await ended(reader) == b""
        writer.close()


async def test_a_call_that_takes_its_time_is_not_idle() -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.5)
        return await echo(request)

    async with serving(slow, idle_s=0.1) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await heard(reader)).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_new_connection_takes_the_place_of_the_one_that_was_idle_longest() -> None:
    async with serving(max_connections=2) as port:
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        assert await ended(streams[0][0]) == b""
        for reader, writer in streams[1:]:
            writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
            assert (await heard(reader)).startswith(b"HTTP/1.1 200")
        for _, writer in streams:
            writer.close()


async def test_where_every_connection_is_busy_the_next_is_refused() -> None:
    async def never(_request: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(never, max_connections=1) as port:
        _, busy = await asyncio.open_connection("127.0.0.1", port)
        busy.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert (await ended(reader)).startswith(b"HTTP/1.1 503")
        writer.close()
        busy.close()


async def test_bodies_of_all_connections_together_are_bounded() -> None:
    begun = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 900\r\n\r\n" + b"x" * 800
    async with serving(max_held_bytes=2000) as port:
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _, writer in streams:
            writer.write(begun)
            await asyncio.sleep(0.02)
        assert (await ended(streams[2][0])).startswith(b"HTTP/1.1 503")
        streams[0][1].close()
        await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun + b"x" * 100)
        assert (await heard(reader)).startswith(b"HTTP/1.1 200")
        for _, opened in (*streams, (reader, writer)):
            opened.close()


async def test_a_client_that_sends_without_end_while_it_is_answered_is_not_read_without_end() -> None:
    async def never(_request: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(writer: asyncio.StreamWriter) -> None:
        for _ in range(500):
            writer.write(b"x" * MAX_AHEAD_BYTES)
            await writer.drain()

    async with serving(never) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(send(writer), 0.5)
        writer.transport.abort()


async def test_a_client_that_has_nothing_more_to_say_still_gets_its_answer() -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.05)
        return await echo(request)

    async with serving(slow) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        writer.write_eof()
        assert (await ended(reader)).startswith(b"HTTP/1.1 200")
        writer.close()


def test_an_arn_in_the_path_is_one_segment() -> None:
    path, query = split_target("/2017-03-31/tags/arn%3Aaws%3Alambda%3A%2Fx?Qualifier=%24LATEST")
    assert path == ("2017-03-31", "tags", "arn:aws:lambda:/x")
    assert query == {"Qualifier": "$LATEST"}


@pytest.mark.parametrize("cut", range(len(b"3\r\nabc\r\n0\r\n\r\n")))
def test_an_incomplete_chunked_body_is_waited_for(cut: int) -> None:
    reader = RequestReader(max_body_bytes=100, budget=BodyBudget(100))
    reader.feed((CHUNKED + b"3\r\nabc\r\n0\r\n\r\n")[: len(CHUNKED) + cut])
    assert reader.next_request(0.0) is None


def read_all(raw: bytes) -> list[Request | int]:
    """What a reader makes of these bytes: requests, and the status of a refusal at their end."""
    reader = RequestReader(max_body_bytes=100, budget=BodyBudget(100))
    reader.feed(raw)
    found: list[Request | int] = []
    try:
        while (request := reader.next_request(0.0)) is not None:
            found.append(request)
            reader.release()
    except BadRequest as error:
        found.append(error.status)
    return found


INSERTED = (b"", b"\r\n", b"\n", b"\0", b":", b" ", b"-6\r\n", b"x" * 99, b"\xff", b";", b"Host: a\r\n", b"\r\n\r\n")


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(
        [
            CHUNKED + b"3\r\nabc\r\n0\r\n\r\nGET /x?y=%ff HTTP/1.1\r\n" + HOST + b"\r\n",
            b"POST /x HTTP/1.1\r\n"
            + HOST
            + b"A: b\r\nContent-Length: 3\r\n\r\nabcGET /y HTTP/1.1\r\n"
            + HOST
            + b"\r\n",
        ]
    ),
    st.lists(st.tuples(st.integers(0, 120), st.sampled_from(INSERTED)), max_size=4),
)
def test_a_request_read_here_is_what_h11_makes_of_it(raw: bytes, changes: list[tuple[int, bytes]]) -> None:
    """And whatever is changed in it, it is read or refused."""
    for place, inserted in changes:
        raw = raw[:place] + inserted + raw[place + 1 :]
    found = read_all(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http_reader, "_PLAIN_HEAD", re.compile(rb"(?!)"))
        assert found == read_all(raw)


def test_a_head_that_does_not_fit_is_given_up_quickly() -> None:
    """Backtracking over 60,000 spaces would take minutes."""
    assert read_all(b"GET / HTTP/1.1\r\nA:" + b" " * 60_000 + b"\x01\r\n") == []
    assert read_all(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000) == []
