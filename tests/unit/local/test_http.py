"""HTTP as bytes on a socket: awkward clients, keep-alive, limits."""

from __future__ import annotations

import asyncio

import pytest

from tuner.local.http import BadRequest, HttpServer, Request, Response, split_target, take_chunked


async def echo(request: Request) -> Response:
    return Response(body=f"{request.method} {request.path} {dict(request.query)} {len(request.body)}".encode())


def talk(*pieces: bytes, answers: int = 1, max_body_bytes: int = 1000) -> list[bytes]:
    """Send pieces one by one; returns the heads and bodies of the answers."""

    async def conversation() -> list[bytes]:
        server = HttpServer(echo, max_body_bytes=max_body_bytes)
        port = await server.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        heard = []
        for _ in range(answers):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"Content-Length" in line), 0)
            heard.append(head + await reader.readexactly(length))
        writer.close()
        await writer.wait_closed()
        await server.close()
        return heard

    return asyncio.run(conversation())


HOST = b"Host: 127.0.0.1:1\r\n"


def test_a_request_may_arrive_byte_by_byte() -> None:
    request = b"POST /a/b?x=1 HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc"
    (answer,) = talk(*[request[i : i + 1] for i in range(len(request))])
    assert answer.endswith(b"POST ('a', 'b') {'x': '1'} 3")


def test_two_requests_in_one_packet_are_answered_in_order() -> None:
    first, second = (b"GET /" + name + b" HTTP/1.1\r\n" + HOST + b"\r\n" for name in (b"one", b"two"))
    one, two = talk(first + second, answers=2)
    assert b"('one',)" in one
    assert b"('two',)" in two


def test_a_chunked_body_is_put_together() -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    (answer,) = talk(head + b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")
    assert answer.endswith(b" 5")


def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    go_on, answer = talk(head, b"x", answers=2)
    assert go_on.startswith(b"HTTP/1.1 100 Continue")
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Origin: http://example.com\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\n\r\n", b"403"),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1001\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 70_000, b"431"),
    ],
)
def test_what_is_not_acceptable_is_refused_by_status(request_bytes: bytes, status: bytes) -> None:
    (answer,) = talk(request_bytes)
    assert answer.startswith(b"HTTP/1.1 " + status)


def test_an_arn_in_the_path_is_one_segment() -> None:
    path, query = split_target("/2017-03-31/tags/arn%3Aaws%3Alambda%3A%2Fx?Qualifier=%24LATEST")
    assert path == ("2017-03-31", "tags", "arn:aws:lambda:/x")
    assert query == {"Qualifier": "$LATEST"}


@pytest.mark.parametrize("cut", range(len(b"3\r\nabc\r\n0\r\n\r\n")))
def test_an_incomplete_chunked_body_is_waited_for(cut: int) -> None:
    assert take_chunked(b"3\r\nabc\r\n0\r\n\r\n"[:cut], 100) is None


@pytest.mark.parametrize("body", [b"zz\r\n", b"ff\r\n"])
def test_a_bad_or_too_large_chunk_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        take_chunked(body, 100)
