"""Connections: opened before, used again, closed when in doubt; and a request is never sent twice."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time

import pytest

from tests.unit.aws.scripted import Peer, Request, ScriptedLambda, answer, asynchronous, succeed
from tuner.aws.session import AwsAccess, FixedCredentials
from tuner.aws.transport.connection import (
    KEEPALIVE_IDLE_S,
    KEEPALIVE_INTERVAL_S,
    KEEPALIVE_PROBES,
    SEND_SLICE_BYTES,
    Connection,
)
from tuner.aws.transport.pool import ConnectionPool, Endpoint
from tuner.aws.transport.requests import Address
from tuner.engine.ports import Throttled
from tuner.errors import AccessError, InvocationLostError, TargetError

NAT_FORGETS_AFTER_S = 350


async def test_calls_one_after_the_other_share_a_connection() -> None:
    async with ScriptedLambda() as server, asynchronous(server.access()) as invoker:
        for _ in range(5):
            await invoker.invoke("f", "1", b"{}")
    assert (len(server.requests), server.connections) == (5, 1)


async def test_connections_opened_before_carry_the_wave() -> None:
    async with ScriptedLambda() as server, asynchronous(server.access()) as invoker:
        await invoker.open(100)
        await invoker.open(100)
        await server.connected(100)
        await asyncio.gather(*(invoker.invoke("f", "1", b"{}") for _ in range(100)))
    assert server.connections == 100
    assert len({request.connection for request in server.requests}) == 100


async def test_more_calls_than_connections_open_further_ones() -> None:
    async with ScriptedLambda() as server, asynchronous(server.access()) as invoker:
        await invoker.open(2)
        results = await asyncio.gather(*(invoker.invoke("f", "1", b"{}") for _ in range(6)))
    assert len(results) == 6
    assert server.connections == 6


async def test_a_connection_that_the_server_closed_after_its_answer_is_replaced() -> None:
    left = asyncio.Event()

    async def answer_and_leave(request: Request, peer: Peer) -> None:
        await peer.say(answer())
        peer.writer.close()
        await peer.writer.wait_closed()
        left.set()

    async with ScriptedLambda(answer_and_leave) as server, asynchronous(server.access()) as invoker:
        for _ in range(3):
            await invoker.invoke("f", "1", b"{}")
            await left.wait()
            left.clear()
    assert (len(server.requests), server.connections) == (3, 3)


async def test_a_connection_whose_end_the_event_loop_has_not_seen_yet_is_not_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        connection = await Endpoint(url=url, address=Address.of(url), tls=None).connect()
        accepted, _ = listener.accept()
        assert await connection.is_alive()
        accepted.close()
        time.sleep(0.01)  # noqa: ASYNC251 - the loop must not poll in between
        assert not await connection.is_alive()
        connection.abort()


async def test_a_connection_on_which_the_server_speaks_unasked_is_closed() -> None:
    first_read, said = asyncio.Event(), asyncio.Event()

    async def answer_twice(request: Request, peer: Peer) -> None:
        await peer.say(answer(b"first"))
        await first_read.wait()
        await peer.say(answer(b"second"))
        said.set()

    async with ScriptedLambda(answer_twice) as server, asynchronous(server.access()) as invoker:
        assert (await invoker.invoke("f", "1", b"{}")).payload == b"first"
        first_read.set()
        await said.wait()
        assert (await invoker.invoke("f", "1", b"{}")).payload == b"first"
    assert server.connections == 2


async def test_connection_close_is_respected() -> None:
    async def last(request: Request, peer: Peer) -> None:
        await peer.say(answer(connection="close"))

    async with ScriptedLambda(last) as server, asynchronous(server.access()) as invoker:
        await invoker.invoke("f", "1", b"{}")
        await invoker.invoke("f", "1", b"{}")
    assert server.connections == 2


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"", "connection ended"),
        (b"HTTP/1.1 200 OK\r\nContent-", "connection ended"),
        (answer(b"a whole body")[:-3], "connection ended"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "connection ended"),
        (b"220 smtp.example ready\r\n\r\n", "status line"),
        (b"HTTP/1.1 200 OK\r\n\r\n42", "how long"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "larger"),
    ],
)
async def test_a_sent_request_without_a_whole_answer_is_lost_and_never_repeated(said: bytes, cause: str) -> None:
    async def fail(request: Request, peer: Peer) -> None:
        await peer.say(said)
        peer.writer.close()

    async with ScriptedLambda(fail) as server, asynchronous(server.access()) as invoker:
        await invoker.open(3)
        with pytest.raises(InvocationLostError, match=cause) as caught:
            await invoker.invoke("f", "1", b"{}")
        await asyncio.sleep(0.02)
        assert len(server.requests) == 1
        assert "may have run and be billed" in caught.value.message
        server.answering = succeed
        assert (await invoker.invoke("f", "1", b"{}")).payload == b"42"


async def test_a_function_that_outlasts_its_timeout_is_lost_and_its_connection_closed() -> None:
    async def never(request: Request, peer: Peer) -> None:
        await asyncio.sleep(60)

    async with ScriptedLambda(never) as server, asynchronous(server.access(), timeout_s=0.05) as invoker:
        with pytest.raises(InvocationLostError, match=r"within 0\.05 s"):
            await invoker.invoke("f", "1", b"{}")
        server.answering = succeed
        await invoker.invoke("f", "1", b"{}")
    assert server.connections == 2


async def test_the_read_timeout_is_half_a_minute_longer_than_the_functions() -> None:
    async with ScriptedLambda() as server, asynchronous(server.access()) as invoker:
        assert invoker._timeout_s == 3 + 30


async def test_a_cancelled_call_closes_its_connection() -> None:
    arrived = asyncio.Event()

    async def wait(request: Request, peer: Peer) -> None:
        arrived.set()
        await peer.reader.readexactly(1)

    async with ScriptedLambda(wait) as server, asynchronous(server.access()) as invoker:
        call = asyncio.create_task(invoker.invoke("f", "1", b"{}"))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await server.all_ended()
        assert (server.connections, server.ended) == (1, 1)


async def test_closing_ends_the_calls_in_flight() -> None:
    arrived = asyncio.Event()

    async def wait(request: Request, peer: Peer) -> None:
        arrived.set()
        await peer.reader.readexactly(1)

    async with ScriptedLambda(wait) as server, asynchronous(server.access()) as invoker:
        call = asyncio.create_task(invoker.invoke("f", "1", b"{}"))
        await arrived.wait()
        invoker.close()
        with pytest.raises(InvocationLostError):
            await call
        await server.all_ended()


async def test_payloads_of_six_megabytes_go_both_ways() -> None:
    payload = bytes(range(256)) * 24 * 1024

    async def echo(request: Request, peer: Peer) -> None:
        digest = hashlib.sha256(request.body).hexdigest()
        await peer.say(answer(request.body, x_amz_function_error=digest))

    async with ScriptedLambda(echo) as server, asynchronous(server.access()) as invoker:
        for _ in range(2):
            result = await invoker.invoke("f", "1", payload)
            assert result.payload == payload
            assert result.function_error == hashlib.sha256(payload).hexdigest()
    assert server.connections == 1


async def test_a_refusal_in_the_middle_of_a_large_payload_is_read_and_the_connection_given_up() -> None:
    refusal = answer(b'{"Message": "too big"}', "413 Payload Too Large", x_amzn_ErrorType="RequestTooLargeException")

    async def refuse_at_once(request: Request, peer: Peer) -> None:
        await peer.say(refusal)
        while await peer.reader.read(65536):
            pass

    server = ScriptedLambda(refuse_at_once, read_bodies=False)
    async with server, asynchronous(server.access()) as invoker:
        with pytest.raises(TargetError, match="RequestTooLargeException: too big"):
            await invoker.invoke("f", "1", bytes(20_000_000))
        await server.all_ended()
    assert len(server.requests) == 1


async def test_a_connection_that_ends_in_the_middle_of_a_large_payload_is_a_lost_call() -> None:
    async def hang_up(request: Request, peer: Peer) -> None:
        peer.hang_up()

    server = ScriptedLambda(hang_up, read_bodies=False)
    async with server, asynchronous(server.access()) as invoker:
        with pytest.raises(InvocationLostError):
            await invoker.invoke("f", "1", bytes(20_000_000))
    assert len(server.requests) == 1


async def test_a_server_that_stops_reading_does_not_hang_the_call() -> None:
    async def stop_reading(request: Request, peer: Peer) -> None:
        await asyncio.sleep(60)

    server = ScriptedLambda(stop_reading, read_bodies=False)
    async with server, asynchronous(server.access(), timeout_s=0.2) as invoker:
        with pytest.raises(InvocationLostError, match="within"):
            await invoker.invoke("f", "1", bytes(20_000_000))


async def test_of_a_large_payload_only_a_slice_waits_to_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    paused = asyncio.Event()

    def pause() -> None:
        Connection.pause_writing(connection)
        paused.set()

    async def stop_reading(request: Request, peer: Peer) -> None:
        await asyncio.sleep(60)

    async with ScriptedLambda(stop_reading, read_bodies=False) as server:
        connection = await connect(server)
        monkeypatch.setattr(connection, "pause_writing", pause)
        call = asyncio.create_task(connection.exchange(b"POST / HTTP/1.1\r\n\r\n", bytes(20_000_000), timeout_s=60))
        await paused.wait()
        transport = connection._transport
        assert transport is not None
        assert 0 < transport.get_write_buffer_size() <= SEND_SLICE_BYTES
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert transport.is_closing()


async def connect(server: ScriptedLambda) -> Connection:
    url = f"http://127.0.0.1:{server.port}"
    return await Endpoint(url=url, address=Address.of(url), tls=None).connect()


@pytest.mark.parametrize("status", ["429 Too Many Requests", "500 Internal Server Error", "502 Bad Gateway"])
async def test_a_refusal_is_not_repeated(status: str) -> None:
    async def refuse(request: Request, peer: Peer) -> None:
        await peer.say(answer(b"{}", status))

    async with ScriptedLambda(refuse) as server, asynchronous(server.access()) as invoker:
        with pytest.raises((Throttled, TargetError)):
            await invoker.invoke("f", "1", b"{}")
    assert len(server.requests) == 1


async def test_silent_connections_are_probed_before_nat_forgets_them() -> None:
    async with ScriptedLambda() as server:
        connection = await connect(server)
        connected: socket.socket = socket_of(connection)
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        if hasattr(socket, "TCP_KEEPIDLE"):
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            set_to = tuple(connected.getsockopt(socket.IPPROTO_TCP, option) for option in options)
            assert set_to == (KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S, KEEPALIVE_PROBES)
        connection.abort()
    assert KEEPALIVE_IDLE_S + KEEPALIVE_INTERVAL_S * KEEPALIVE_PROBES < NAT_FORGETS_AFTER_S


def socket_of(connection: Connection) -> socket.socket:
    assert connection._transport is not None
    found: socket.socket = connection._transport.get_extra_info("socket")
    return found


async def test_an_endpoint_that_nobody_listens_on_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    keys = FixedCredentials(access_key_id="AKID", secret_access_key="secret")
    access = AwsAccess(region="us-east-1", endpoint_url=f"http://127.0.0.1:{port}", credentials=keys)
    async with asynchronous(access) as invoker:
        with pytest.raises(TargetError, match="Lambda cannot be reached") as opened:
            await invoker.open(4)
        with pytest.raises(TargetError, match="Lambda cannot be reached") as invoked:
            await invoker.invoke("f", "1", b"{}")
    assert opened.value.hint == invoked.value.hint
    assert not isinstance(invoked.value, InvocationLostError)


async def test_a_process_out_of_file_descriptors_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def exhausted(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", exhausted)
    url = "http://127.0.0.1:1"
    pool = ConnectionPool(Endpoint(url=url, address=Address.of(url), tls=None))
    with pytest.raises(TargetError, match="not open more connections") as caught:
        await pool.open(3)
    assert "--wave" in caught.value.hint


async def test_without_credentials_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    async with ScriptedLambda() as server:
        access = AwsAccess(region="us-east-1", endpoint_url=f"http://127.0.0.1:{server.port}")
        async with asynchronous(access) as invoker:
            with pytest.raises(AccessError, match="No AWS credentials"):
                await invoker.invoke("f", "1", b"{}")
    assert server.connections == 0


async def test_client_time_is_from_the_first_byte_sent_to_the_last_received(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1000.0
    acquire = ConnectionPool.acquire

    async def acquire_late(pool: ConnectionPool) -> Connection:
        nonlocal now_s
        now_s += 10
        return await acquire(pool)

    async def answer_late(request: Request, peer: Peer) -> None:
        nonlocal now_s
        now_s += 0.25
        await peer.say(answer())

    monkeypatch.setattr(ConnectionPool, "acquire", acquire_late)
    async with ScriptedLambda(answer_late) as server, asynchronous(server.access()) as invoker:
        monkeypatch.setattr(time, "perf_counter", lambda: now_s)
        assert (await invoker.invoke("f", "1", b"{}")).client_ms == 250
