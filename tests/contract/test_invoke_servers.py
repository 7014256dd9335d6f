"""Both transports on servers not ours to script: the embedded Lambda, which checks every signature, and moto."""

from __future__ import annotations

import io
import json
import sys
import textwrap
import urllib.request
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer

from tuner.aws.session import AwsAccess, FixedCredentials
from tuner.aws.transport.choose import TransportMode, choose_transport
from tuner.engine.ports import Invoker, Throttled
from tuner.errors import AccessError, FunctionNotFoundError, InvocationLostError, TargetError
from tuner.local.launcher import EmbeddedLambda
from tuner.local.signature import AccessKey
from tuner.telemetry import parse_log_tail

REGION = "us-east-1"
KEY = FixedCredentials(access_key_id="AKIDEXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ROLE = "arn:aws:iam::000000000000:role/of-the-transport-tests"
HANDLER = """
    def handler(event, context):
        if event.get("fail"):
            raise ValueError("no such order")
        print("seen " + event.get("say", ""))
        return {"got": event, "arn": context.invoked_function_arn}
"""
both_transports = pytest.mark.parametrize("mode", [TransportMode.ASYNC, TransportMode.BOTO3])


def package() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("app.py", textwrap.dedent(HANDLER))
    return target.getvalue()


def access(endpoint_url: str, key: FixedCredentials = KEY) -> AwsAccess:
    return AwsAccess(region=REGION, endpoint_url=endpoint_url, credentials=key)


def create(endpoint_url: str) -> str:
    """Create the function ``orders`` and publish a version; returns its ARN."""
    client: Any = access(endpoint_url).control_client()
    settings = {"Runtime": RUNTIME, "Role": ROLE, "Handler": "app.handler", "MemorySize": 512}
    client.create_function(FunctionName="orders", Code={"ZipFile": package()}, **settings)
    client.get_waiter("function_active_v2").wait(FunctionName="orders", WaiterConfig={"Delay": 0.03})
    client.publish_version(FunctionName="orders")
    client.get_waiter("function_active_v2").wait(FunctionName="orders", Qualifier="1", WaiterConfig={"Delay": 0.03})
    arn = str(client.get_function_configuration(FunctionName="orders")["FunctionArn"])
    client.close()
    return arn


@asynccontextmanager
async def transport(endpoint_url: str, mode: TransportMode, key: FixedCredentials = KEY) -> AsyncIterator[Invoker]:
    chosen = choose_transport(access(endpoint_url, key), mode=mode, timeout_s=10, connections=4)
    assert chosen.mode is mode
    try:
        await chosen.invoker.open(2)
        yield chosen.invoker
    finally:
        chosen.invoker.close()


@dataclass(frozen=True)
class Server:
    endpoint_url: str
    arn: str


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    key = AccessKey(access_key_id=KEY.access_key_id, secret_access_key=KEY.secret_access_key)
    with EmbeddedLambda(tmp_path_factory.mktemp("state"), region=REGION, state_delay_ms=0, key=key) as running:
        yield Server(running.endpoint_url, create(running.endpoint_url))


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Start an embedded Lambda whose Invoke meets these fault rules; returns its URL."""
    running: list[EmbeddedLambda] = []

    def start(*rules: dict[str, Any]) -> str:
        plan = tmp_path / "plan.json"
        plan.write_text(json.dumps({"seed": 1, "faults": [{"operation": "Invoke", **rule} for rule in rules]}))
        server = EmbeddedLambda(tmp_path / "state", region=REGION, state_delay_ms=0, fault_plan=plan)
        server.start()
        running.append(server)
        create(server.endpoint_url)
        return server.endpoint_url

    yield start
    for server in running:
        server.stop()


@both_transports
@pytest.mark.parametrize("by_arn", [False, True])
async def test_a_success_brings_payload_request_id_and_report(
    embedded: Server, mode: TransportMode, by_arn: bool
) -> None:
    event = {"say": "grüße", "n": [1, 2.5, None]}
    async with transport(embedded.endpoint_url, mode) as invoker:
        function = embedded.arn if by_arn else "orders"
        result = await invoker.invoke(function, "1", json.dumps(event).encode())
    answer = json.loads(result.payload)
    assert answer == {"got": event, "arn": f"{embedded.arn}:1"}
    assert result.function_error is None
    assert result.log_tail is not None
    assert "seen grüße" in result.log_tail
    report = parse_log_tail(result.log_tail, result.request_id)
    assert report is not None
    assert report.request_id == result.request_id
    assert report.duration_ms is not None


@both_transports
@pytest.mark.parametrize("version", ["$LATEST", "1"])
async def test_the_qualifier_reaches_its_version(embedded: Server, mode: TransportMode, version: str) -> None:
    async with transport(embedded.endpoint_url, mode) as invoker:
        result = await invoker.invoke("orders", version, b"{}")
    assert result.log_tail is not None
    assert f"Version: {version}\n" in result.log_tail


@both_transports
async def test_an_exception_of_the_handler_is_a_result_and_no_error(embedded: Server, mode: TransportMode) -> None:
    async with transport(embedded.endpoint_url, mode) as invoker:
        result = await invoker.invoke("orders", "1", b'{"fail": true}')
    assert result.function_error == "Unhandled"
    assert json.loads(result.payload)["errorMessage"] == "no such order"
    assert result.log_tail is not None
    assert "REPORT RequestId" in result.log_tail


@both_transports
@pytest.mark.parametrize(("function", "version"), [("other", "1"), ("orders", "77")])
async def test_what_does_not_exist_is_not_found(
    embedded: Server, mode: TransportMode, function: str, version: str
) -> None:
    async with transport(embedded.endpoint_url, mode) as invoker:
        with pytest.raises(FunctionNotFoundError):
            await invoker.invoke(function, version, b"{}")


@both_transports
async def test_a_signature_made_with_another_secret_is_refused(embedded: Server, mode: TransportMode) -> None:
    wrong = FixedCredentials(access_key_id=KEY.access_key_id, secret_access_key="wrong")
    async with transport(embedded.endpoint_url, mode, wrong) as invoker:
        with pytest.raises(AccessError):
            await invoker.invoke("orders", "1", b"{}")


@both_transports
async def test_a_payload_beyond_six_megabytes_is_refused(embedded: Server, mode: TransportMode) -> None:
    async with transport(embedded.endpoint_url, mode) as invoker:
        with pytest.raises(TargetError, match="RequestTooLargeException"):
            await invoker.invoke("orders", "1", b'"' + b"x" * 6_300_000 + b'"')
        assert (await invoker.invoke("orders", "1", b"{}")).function_error is None


@both_transports
async def test_injected_faults_arrive_as_what_they_are(faulty: Callable[..., str], mode: TransportMode) -> None:
    endpoint_url = faulty(
        {"fault": "throttle", "calls": [1], "reason": "CallerRateLimitExceeded", "retry_after_s": 2},
        {"fault": "throttle", "calls": [2], "retry_after_s": None},
        {"fault": "error", "calls": [3], "status": 503},
        {"fault": "drop", "calls": [4], "when": "before"},
        {"fault": "drop", "calls": [5], "when": "after"},
        {"fault": "missing-tail", "calls": [6]},
        {"fault": "truncated-tail", "calls": [7], "keep_bytes": 40},
        {"fault": "expired-credentials", "calls": [8]},
    )
    async with transport(endpoint_url, mode) as invoker:
        with pytest.raises(Throttled) as throttled:
            await invoker.invoke("orders", "1", b"{}")
        assert (throttled.value.reason, throttled.value.retry_after_s) == ("CallerRateLimitExceeded", 2)
        with pytest.raises(Throttled) as throttled:
            await invoker.invoke("orders", "1", b"{}")
        assert throttled.value.retry_after_s is None
        for _ in range(3):
            with pytest.raises(InvocationLostError):
                await invoker.invoke("orders", "1", b"{}")
        assert (await invoker.invoke("orders", "1", b"{}")).log_tail is None
        cut = (await invoker.invoke("orders", "1", b"{}")).log_tail
        assert cut is not None
        assert len(cut.encode()) <= 40
        with pytest.raises(AccessError, match="expired"):
            await invoker.invoke("orders", "1", b"{}")
        assert (await invoker.invoke("orders", "1", b"{}")).function_error is None


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setitem(default_user_config, "lambda", {"use_docker": False})
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    reset = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()  # its state belongs to the process, not to the server
    server.stop()


@both_transports
async def test_motos_server_answers_both_transports(moto: str, mode: TransportMode) -> None:
    client: Any = access(moto).control_client()
    settings = {"Runtime": RUNTIME, "Role": moto_role(moto), "Handler": "app.handler"}
    client.create_function(FunctionName="orders", Code={"ZipFile": package()}, Publish=True, **settings)
    client.close()
    async with transport(moto, mode) as invoker:
        for event in (b'{"n": 1}', b'{"n": 2}'):
            result = await invoker.invoke("orders", "1", event)
            assert (result.payload, result.function_error) == (event, None)


@both_transports
async def test_a_function_that_moto_does_not_know_is_not_found(
    moto: str, mode: TransportMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(default_user_config, "lambda", {"use_docker": True})  # its other back end looks for it
    async with transport(moto, mode) as invoker:
        with pytest.raises(FunctionNotFoundError):
            await invoker.invoke("nobody", "1", b"{}")


def moto_role(endpoint_url: str) -> str:
    iam = boto3.client(
        "iam",
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=KEY.access_key_id,
        aws_secret_access_key=KEY.secret_access_key,
    )
    return str(iam.create_role(RoleName="of-the-transport-tests", AssumeRolePolicyDocument="{}")["Role"]["Arn"])
