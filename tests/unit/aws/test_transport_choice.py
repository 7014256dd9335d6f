"""Which transport a run gets, why, and whom it trusts."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.unit.aws.scripted import ScriptedLambda, asynchronous
from tuner.aws.invoker import BotoInvoker
from tuner.aws.session import AwsAccess, FixedCredentials
from tuner.aws.transport.choose import Transport, TransportMode, choose_transport, trust
from tuner.aws.transport.invoker import AsyncInvoker
from tuner.aws.transport.pool import Endpoint
from tuner.aws.transport.requests import Address
from tuner.errors import AccessError, TargetError, UsageError

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_VARIABLES, *(name.lower() for name in PROXY_VARIABLES)):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def choose(mode: TransportMode = TransportMode.AUTO, *, endpoint_url: str | None = None) -> Transport:
    access = AwsAccess(
        region="eu-central-1",
        endpoint_url=endpoint_url,
        credentials=FixedCredentials(access_key_id="AKID", secret_access_key="secret"),
    )
    transport = choose_transport(access, mode=mode, timeout_s=3, connections=2)
    transport.invoker.close()
    return transport


def test_ordinarily_the_transport_is_asynchronous() -> None:
    transport = choose()
    assert transport.mode is TransportMode.ASYNC
    assert isinstance(transport.invoker, AsyncInvoker)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_behind_a_proxy_boto3_carries_the_invocations(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://proxy.example:3128")
    transport = choose()
    assert transport.mode is TransportMode.BOTO3
    assert isinstance(transport.invoker, BotoInvoker)
    assert "a proxy is configured" in transport.reason


@pytest.mark.parametrize(
    ("variables", "endpoint_url"),
    [
        ({"HTTP_PROXY": "http://proxy.example:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy.example:3128"}, "http://127.0.0.1:4566"),
        ({"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": ".amazonaws.com"}, None),
    ],
)
def test_a_proxy_for_other_addresses_is_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], endpoint_url: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert choose(endpoint_url=endpoint_url).mode is TransportMode.ASYNC


def test_the_asynchronous_transport_behind_a_proxy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    with pytest.raises(UsageError, match="proxy"):
        choose(TransportMode.ASYNC)


def test_boto3_can_be_asked_for() -> None:
    transport = choose(TransportMode.BOTO3)
    assert isinstance(transport.invoker, BotoInvoker)
    assert "--transport boto3" in transport.reason


def test_an_unknown_profile_is_named() -> None:
    access = AwsAccess(region="eu-central-1", profile="no-such-profile")
    with pytest.raises(AccessError, match="no-such-profile"):
        choose_transport(access, timeout_s=3, connections=1)


@dataclass(frozen=True)
class Authority:
    """A certificate authority with one server certificate for 127.0.0.1."""

    bundle: Path
    server: ssl.SSLContext


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for(tmp_path_factory.mktemp("authority"), "127.0.0.1", alternative=True)


def authority_for(folder: Path, name: str, *, alternative: bool) -> Authority:
    """``alternative``: the server's name is not only its common name."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate("root", root_key, "root", root_key, ca=True, alternative=False)
    leaf = certificate(name, key, "root", root_key, ca=False, alternative=alternative)
    pem = serialization.Encoding.PEM
    (folder / "root.pem").write_bytes(root.public_bytes(pem))
    (folder / "server.pem").write_bytes(
        leaf.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return Authority(folder / "root.pem", context)


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
    alternative: bool,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if alternative:
        address = x509.IPAddress(ipaddress.ip_address(name))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
async def test_tls_trusts_the_bundle_that_botocore_would(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, variable: str
) -> None:
    monkeypatch.setenv(variable, str(authority.bundle))
    async with ScriptedLambda(tls=authority.server) as server, asynchronous(server.access("https")) as invoker:
        await invoker.open(3)
        assert (await invoker.invoke("f", "1", b"{}")).payload == b"42"
        large = bytes(3_000_000)
        assert (await invoker.invoke("f", "1", large)).payload == b"42"
    assert server.requests[1].body == large


async def test_tls_connections_opened_before_carry_the_wave(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    """The session tickets that TLS 1.3 sends after the handshake are no sign of an end."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    async with ScriptedLambda(tls=authority.server) as server, asynchronous(server.access("https")) as invoker:
        await invoker.open(20)
        for _ in range(3):
            await asyncio.gather(*(invoker.invoke("f", "1", b"{}") for _ in range(20)))
    assert server.connections == 20


@pytest.mark.parametrize("properly", [True, False])
async def test_an_unread_session_ticket_is_no_end_of_a_connection_and_an_unread_end_is(
    authority: Authority, properly: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:

        def accept() -> ssl.SSLSocket:
            return authority.server.wrap_socket(listener.accept()[0], server_side=True)

        accepting = threads.submit(accept)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        tls = trust(str(authority.bundle))
        connection = await Endpoint(url=url, address=Address.of(url), tls=tls).connect()
        peer = accepting.result()  # its tickets are in the kernel now, and the event loop has not polled
        assert await connection.is_alive()
        if properly:
            peer.setblocking(False)
            with contextlib.suppress(ssl.SSLWantReadError):
                peer.unwrap()
        peer.close()
        assert not await connection.is_alive()
        connection.abort()


async def test_aws_ca_bundle_goes_before_requests_ca_bundle(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
    assert AwsAccess(region="eu-central-1").ca_bundle() == str(authority.bundle)


async def test_a_certificate_of_an_unknown_authority_is_refused_before_anything_is_sent(authority: Authority) -> None:
    async with ScriptedLambda(tls=authority.server) as server, asynchronous(server.access("https")) as invoker:
        with pytest.raises(TargetError, match="CERTIFICATE_VERIFY_FAILED"):
            await invoker.invoke("f", "1", b"{}")
    assert server.requests == []


async def test_a_certificate_with_nothing_but_a_common_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = authority_for(tmp_path, "localhost", alternative=False)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    server = ScriptedLambda(tls=authority.server)
    async with server, asynchronous(server.access("https", "localhost")) as invoker:
        with pytest.raises(TargetError, match="CERTIFICATE_VERIFY_FAILED"):
            await invoker.invoke("f", "1", b"{}")
    assert server.requests == []


async def test_a_certificate_for_another_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    server = ScriptedLambda(tls=authority.server)
    async with server, asynchronous(server.access("https", "localhost")) as invoker:
        with pytest.raises(TargetError, match="CERTIFICATE_VERIFY_FAILED"):
            await invoker.invoke("f", "1", b"{}")
    assert server.requests == []


def test_a_bundle_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    for path in (empty, tmp_path / "missing.pem"):
        monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
        with pytest.raises(TargetError, match=path.name):
            choose()
