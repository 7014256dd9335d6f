"""Bytes to answers: like Python's own HTTP client where it is HTTP, refused where it is not, however it is cut."""

from __future__ import annotations

import http.client
import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.aws.transport.answers import MAX_BODY_BYTES, MAX_HEAD_BYTES, Answer, AnswerReader, MalformedAnswerError

OK = b"HTTP/1.1 200 OK\r\n"


def read(raw: bytes, cuts: Sequence[int] = ()) -> Answer | None:
    """Feed ``raw`` in pieces that end at ``cuts``."""
    reader = AnswerReader()
    ends = [*sorted({cut % (len(raw) + 1) for cut in cuts}), len(raw)]
    start = 0
    for end in ends:
        answer = reader.feed(raw[start:end])
        if answer is not None:
            return answer
        start = end
    return None


class _Socket:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, *_: Any) -> io.BytesIO:
        return io.BytesIO(self._raw)


def by_the_standard_library(raw: bytes) -> tuple[int, dict[str, str], bytes]:
    response = http.client.HTTPResponse(_Socket(raw))  # type: ignore[arg-type]
    response.begin()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


tokens = st.text("abcdefghijklmnopqrstuvwxyzABC-0123456789", min_size=1, max_size=12).map(lambda text: f"x-{text}")
values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=30)
header_maps = st.dictionaries(tokens, values, max_size=6)


def chunked(body: bytes, sizes: Sequence[int], extension: bytes, trailer: bytes) -> bytes:
    raw, start = b"", 0
    for size in sizes:
        piece = body[start : start + size]
        if piece:
            raw += b"%x%b\r\n%b\r\n" % (len(piece), extension, piece)
        start += size
    if body[start:]:
        raw += b"%X\r\n%b\r\n" % (len(body[start:]), body[start:])
    return raw + b"0\r\n" + trailer + b"\r\n"


@given(
    status=st.integers(200, 599),
    headers=header_maps,
    body=st.binary(max_size=400),
    cuts=st.lists(st.integers(0, 2000), max_size=8),
)
def test_an_answer_with_a_length_reads_as_the_standard_library_reads_it(
    status: int, headers: dict[str, str], body: bytes, cuts: list[int]
) -> None:
    if status in (204, 304):  # they have no body, whatever their length says
        body = b""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    raw = b"HTTP/1.1 %d Any Phrase\r\n%bContent-Length: %d\r\n\r\n%b" % (status, lines, len(body), body)
    answer = read(raw, cuts)
    assert answer is not None
    expected_status, expected_headers, expected_body = by_the_standard_library(raw)
    assert (answer.status, answer.body) == (expected_status, expected_body)
    assert {name.lower() for name in headers} <= answer.headers.keys()
    assert len({name.lower() for name in headers}) < len(headers) or answer.headers == expected_headers


@given(
    body=st.binary(max_size=400),
    sizes=st.lists(st.integers(1, 100), max_size=6),
    extension=st.sampled_from([b"", b";name=value", b" ;x"]),
    trailer=st.sampled_from([b"", b"X-Checksum: 1\r\n", b"a: b\r\nc: d\r\n"]),
    cuts=st.lists(st.integers(0, 2000), max_size=8),
)
def test_a_chunked_answer_reads_as_the_standard_library_reads_it(
    body: bytes, sizes: list[int], extension: bytes, trailer: bytes, cuts: list[int]
) -> None:
    raw = OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, sizes, extension, trailer)
    answer = read(raw, cuts)
    assert answer is not None
    assert answer.body == body == by_the_standard_library(raw)[2]
    assert answer.keep_alive


@given(raw=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_arbitrary_bytes_are_an_answer_or_malformed_and_never_another_error(raw: bytes, cuts: list[int]) -> None:
    for prefix in (b"", OK, OK + b"Content-Length: ", OK + b"Transfer-Encoding: chunked\r\n\r\n"):
        try:
            read(prefix + raw, cuts)
        except MalformedAnswerError:
            continue


@given(body=st.binary(min_size=1, max_size=60), chunky=st.booleans())
def test_an_answer_that_lacks_its_last_byte_is_no_answer_yet(body: bytes, chunky: bool) -> None:
    framed = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    if chunky:
        framed = b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, [7], b"", b"")
    assert read((OK + framed)[:-1]) is None


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "status line"),
        (b"HTTP/2 200 OK\r\n\r\n", "status line"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "status line"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "status line"),
        (OK + b"no colon\r\n\r\n", "no name"),
        (OK + b": empty\r\n\r\n", "no name"),
        (OK + b"A: b\r\n folded\r\n\r\n", "no name"),
        (OK + b"Content-Length : 2\r\n\r\nok", "no name"),
        (OK + b"\r\n", "how long"),
        (OK + b"Content-Length: -1\r\n\r\n", "not a number"),
        (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", "not a number"),
        (OK + "Content-Length: ²\r\n\r\n".encode("latin-1"), "not a number"),
        (OK + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1), "larger"),
        (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", "not a number"),
        (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "ambiguous"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "ambiguous"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\nok\r\n", "no size"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n", "no size"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n\r\n", "no size"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n", "longer"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (MAX_BODY_BYTES + 1), "larger"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 2000, "no size"),
        (OK + b"A: " + b"b" * MAX_HEAD_BYTES, "headers are larger"),
    ],
)
def test_what_is_no_clear_answer_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(MalformedAnswerError, match=said):
        read(raw)


def test_a_chunked_body_may_not_grow_beyond_the_limit_piece_by_piece() -> None:
    reader = AnswerReader()
    reader.feed(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    for _ in range(7):
        assert reader.feed(chunk) is None
    with pytest.raises(MalformedAnswerError, match="larger"):
        reader.feed(chunk)


def test_interim_answers_are_skipped() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"
    answer = read(interim + OK + b"Content-Length: 1\r\n\r\n7")
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"7")


def test_an_answer_without_content_needs_no_length() -> None:
    answer = read(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert answer is not None
    assert answer.body == b""


@pytest.mark.parametrize(
    ("head", "rest", "keep_alive"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"", True),
        (b"HTTP/1.1 200\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n", b"", False),
        (b"HTTP/1.0 200 OK\r\n", b"", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n", False),
    ],
)
def test_a_connection_is_used_again_only_when_the_answer_allows_it_and_nothing_follows(
    head: bytes, rest: bytes, keep_alive: bool
) -> None:
    answer = read(head + b"Content-Length: 2\r\n\r\nok" + rest)
    assert answer is not None
    assert (answer.body, answer.keep_alive) == (b"ok", keep_alive)
