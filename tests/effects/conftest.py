"""One embedded Lambda per test module, and short words for what the tests do with it."""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tuner.local.launcher import EmbeddedLambda

ROLE = "arn:aws:iam::000000000000:role/any"
DISTURBED = {"true": True, "false": False, None: None}
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Invoked:
    """One answer of Invoke, taken apart."""

    status: int
    payload: Any
    error: str | None
    log: str
    version: str
    request_id: str
    environment: str | None = None
    disturbed: bool | None = None

    @property
    def report(self) -> str:
        return next(line for line in self.log.splitlines() if line.startswith("REPORT"))

    @property
    def cold(self) -> bool:
        return "Init Duration" in self.report

    def ms(self, field: str) -> float:
        found = re.search(rf"(?:^|\t){field}: ([\d.]+) ms", self.report)
        assert found is not None, self.report
        return float(found[1])


def zip_of(**files: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, source in files.items():
            archive.writestr(f"{name}.py", textwrap.dedent(source))
    return target.getvalue()


def lambda_client(endpoint_url: str, *, access_key_id: str = "test", secret: str = "test") -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=60, max_pool_connections=50),
    )


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("state"), state_delay_ms=20) as running:
        yield running


@pytest.fixture(scope="module")
def client(embedded: EmbeddedLambda) -> Any:
    return lambda_client(embedded.endpoint_url)


@pytest.fixture
def deploy(client: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """Create a function from source text, wait until it is active, delete it after the test."""
    created: list[str] = []
    numbers = itertools.count()

    def create(source: str, *, handler: str = "app.handler", **settings: Any) -> str:
        name = f"{request.node.name[:40]}-{next(numbers)}".replace("[", "-").replace("]", "")
        client.create_function(
            FunctionName=name,
            Runtime=RUNTIME,
            Role=ROLE,
            Handler=handler,
            Code={"ZipFile": zip_of(app=source)},
            **{"MemorySize": 1769, "Timeout": 10, **settings},
        )
        created.append(name)
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.03})
        return name

    yield create
    for name in created:
        client.delete_function(FunctionName=name)


@pytest.fixture
def invoke(client: Any) -> Callable[..., Invoked]:
    def call(name: str, event: object = None, **arguments: Any) -> Invoked:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event or {}), **{"LogType": "Tail", **arguments})
        body = answer["Payload"].read()
        return Invoked(
            status=answer["StatusCode"],
            payload=json.loads(body) if body else None,
            error=answer.get("FunctionError"),
            log=base64.b64decode(answer.get("LogResult", "")).decode(errors="replace"),
            version=answer["ExecutedVersion"],
            request_id=answer["ResponseMetadata"]["RequestId"],
            environment=answer["ResponseMetadata"]["HTTPHeaders"].get("x-tuner-environment"),
            disturbed=DISTURBED[answer["ResponseMetadata"]["HTTPHeaders"].get("x-tuner-disturbed")],
        )

    return call


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What measures durations runs alone; ``alone`` can also be given by hand."""
    for item in items:
        if "calm_ms" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.alone)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands write reports where they are run: not into the project."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def calm_ms(invoke: Callable[..., Invoked]) -> Callable[..., float]:
    """The shortest of three warm durations that nobody disturbed; skips on a machine too busy to have them."""

    def measure(name: str, qualifier: str) -> float:
        invoke(name, Qualifier=qualifier)
        calm: list[float] = []
        for _ in range(12):
            call = invoke(name, Qualifier=qualifier)
            calm += [] if call.disturbed else [call.ms("Duration")]
            if len(calm) == 3:
                return min(calm)
        pytest.skip("this machine is too busy to measure durations")

    return measure


@pytest.fixture
def settle(client: Any) -> Callable[[str], None]:
    """Wait until the last update of a function is done."""

    def wait(name: str) -> None:
        client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.03})

    return wait


@pytest.fixture
def publish(client: Any, settle: Callable[[str], None]) -> Callable[..., str]:
    """Publish ``$LATEST``, at another memory size if one is given, and wait until the version can be invoked."""

    def cut(name: str, memory_mb: int | None = None) -> str:
        if memory_mb is not None:
            client.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
            settle(name)
        version = client.publish_version(FunctionName=name)["Version"]
        client.get_waiter("function_active_v2").wait(
            FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 0.03}
        )
        return str(version)

    return cut


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., tuple[EmbeddedLambda, Any]]]:
    """Start a server under the given fault rules, with a function ``f`` that answers 42; its client comes along."""
    running: list[EmbeddedLambda] = []

    def start(*rules: dict[str, Any]) -> tuple[EmbeddedLambda, Any]:
        file = tmp_path / "plan.json"
        file.write_text(json.dumps({"seed": 7, "faults": rules}))
        server = EmbeddedLambda(tmp_path / "state", state_delay_ms=0, fault_plan=file)
        server.start()
        running.append(server)
        client = lambda_client(server.endpoint_url)
        package = zip_of(app="def handler(event, context): return 42")
        client.create_function(
            FunctionName="f", Runtime=RUNTIME, Role=ROLE, Handler="app.handler", Code={"ZipFile": package}
        )
        return server, client

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def state_root(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def make_function() -> Callable[..., None]:
    """Create and invoke one function on a server of the test's own."""

    def make(endpoint_url: str, source: str) -> None:
        own_client = lambda_client(endpoint_url)
        own_client.create_function(
            FunctionName="own",
            Runtime=RUNTIME,
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": zip_of(app=source)},
            MemorySize=512,
        )
        own_client.get_waiter("function_active_v2").wait(FunctionName="own", WaiterConfig={"Delay": 0.03})
        answer = own_client.invoke(FunctionName="own")
        said = answer["Payload"].read()
        own_client.close()
        assert "FunctionError" not in answer, said

    return make
