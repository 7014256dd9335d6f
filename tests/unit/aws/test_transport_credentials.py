"""Credentials that expire in the middle of a run: refreshed off the event loop, reloaded once, never guessed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError, NoCredentialsError

from tests.unit.aws.scripted import Peer, Request, ScriptedLambda, answer, asynchronous
from tuner.aws.transport.credentials import CredentialSource
from tuner.errors import AccessError

EXPIRED = answer(
    b'{"message": "The security token included in the request is expired"}',
    "403 Forbidden",
    x_amzn_ErrorType="ExpiredTokenException",
)


def refreshable(refresh: Callable[[], dict[str, str]], *, expires_in_s: float) -> RefreshableCredentials:
    return RefreshableCredentials(
        "OLD", "secret", "token", datetime.now(UTC) + timedelta(seconds=expires_in_s), refresh, "test"
    )


def metadata(key: str, *, expires_in_s: float = 3600) -> dict[str, str]:
    expiry = (datetime.now(UTC) + timedelta(seconds=expires_in_s)).isoformat()
    return {"access_key": key, "secret_key": "secret", "token": "token", "expiry_time": expiry}


async def test_credentials_that_are_fresh_are_used_as_they_are() -> None:
    source = CredentialSource(lambda: refreshable(lambda: pytest.fail("refreshed"), expires_in_s=3600))
    assert (await source.current()).access_key_id == "OLD"


async def test_a_refresh_does_not_hold_up_the_event_loop() -> None:
    loop_thread, threads, release = threading.get_ident(), [], threading.Event()

    def refresh() -> dict[str, str]:
        threads.append(threading.get_ident())
        assert release.wait(5)
        return metadata("NEW")

    source = CredentialSource(lambda: refreshable(refresh, expires_in_s=10))
    calls = [asyncio.create_task(source.current()) for _ in range(20)]
    await asyncio.sleep(0.02)
    release.set()
    assert {(await call).access_key_id for call in calls} == {"NEW"}
    assert len(threads) == 1
    assert loop_thread not in threads


async def test_a_refresh_that_fails_while_the_old_ones_still_live_goes_on_with_them() -> None:
    def refuse() -> dict[str, str]:
        raise CredentialRetrievalError(provider="test", error_msg="no network")

    alive = CredentialSource(lambda: refreshable(refuse, expires_in_s=14 * 60))
    assert (await alive.current()).access_key_id == "OLD"
    dying = CredentialSource(lambda: refreshable(refuse, expires_in_s=10))
    with pytest.raises(CredentialRetrievalError):
        await dying.current()


async def test_a_refresh_that_brings_expired_credentials_is_an_error_of_credentials() -> None:
    source = CredentialSource(lambda: refreshable(lambda: metadata("NEW", expires_in_s=-5), expires_in_s=10))
    with pytest.raises(CredentialRetrievalError, match="expired"):
        await source.current()


async def test_no_credentials_and_half_credentials_are_none() -> None:
    for found in (None, Credentials("AKID", "")):
        with pytest.raises(NoCredentialsError):
            await CredentialSource(lambda found=found: found).current()  # type: ignore[misc]


class Wallet:
    """Credentials on disk, replaced by somebody else's login; counts how often they are read."""

    def __init__(self, *keys: str) -> None:
        self._keys = list(keys)
        self.loads = 0

    def load(self) -> Credentials:
        self.loads += 1
        return Credentials(self._keys[min(self.loads, len(self._keys)) - 1], "secret", "token")


async def expire_old(request: Request, peer: Peer) -> None:
    signed_by_old = "Credential=OLD/" in (request.header("authorization") or "")
    await peer.say(EXPIRED if signed_by_old else answer())


async def test_a_call_refused_for_expired_credentials_is_made_again_with_new_ones() -> None:
    wallet = Wallet("OLD", "NEW")
    async with ScriptedLambda(expire_old) as server, asynchronous(server.access()) as invoker:
        invoker._credentials = CredentialSource(wallet.load)
        assert (await invoker.invoke("f", "1", b"{}")).payload == b"42"
        assert (await invoker.invoke("f", "1", b"{}")).payload == b"42"
    assert len(server.requests) == 3
    assert wallet.loads == 2


async def test_a_wave_refused_together_looks_for_credentials_once() -> None:
    wallet = Wallet("OLD", "NEW")
    async with ScriptedLambda(expire_old) as server, asynchronous(server.access()) as invoker:
        invoker._credentials = CredentialSource(wallet.load)
        results = await asyncio.gather(*(invoker.invoke("f", "1", b"{}") for _ in range(30)))
    assert len(results) == 30
    assert wallet.loads == 2


async def test_another_refusal_does_not_touch_the_credentials() -> None:
    async def refuse(request: Request, peer: Peer) -> None:
        await peer.say(answer(b"{}", "403 Forbidden", x_amzn_ErrorType="AccessDeniedException"))

    wallet = Wallet("OLD", "NEW")
    async with ScriptedLambda(refuse) as server, asynchronous(server.access()) as invoker:
        invoker._credentials = CredentialSource(wallet.load)
        with pytest.raises(AccessError):
            await invoker.invoke("f", "1", b"{}")
    assert (len(server.requests), wallet.loads) == (1, 1)


async def test_without_other_credentials_a_refused_call_is_not_made_again() -> None:
    wallet = Wallet("OLD")
    async with ScriptedLambda(expire_old) as server, asynchronous(server.access()) as invoker:
        invoker._credentials = CredentialSource(wallet.load)
        with pytest.raises(AccessError, match="have expired"):
            await invoker.invoke("f", "1", b"{}")
    assert len(server.requests) == 1


async def test_a_call_refused_with_the_new_credentials_too_is_not_made_a_third_time() -> None:
    async def always(request: Request, peer: Peer) -> None:
        await peer.say(EXPIRED)

    wallet = Wallet("OLD", "NEW", "NEWER")
    async with ScriptedLambda(always) as server, asynchronous(server.access()) as invoker:
        invoker._credentials = CredentialSource(wallet.load)
        with pytest.raises(AccessError, match="have expired"):
            await invoker.invoke("f", "1", b"{}")
    assert len(server.requests) == 2
