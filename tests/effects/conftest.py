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


def lambda_client(endpoint_url: str) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
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
        )

    return call


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
        assert "FunctionError" not in own_client.invoke(FunctionName="own")

    return make
