"""File descriptors are bounded, come back, and where they run out the caller is told."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.effects.conftest import ROLE, RUNTIME, lambda_client, zip_of
from tuner.local.launcher import EmbeddedLambda

Deploy = Callable[..., str]
NOTHING = "def handler(event, context): return 'fine'"


def descriptors(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except PermissionError:
        pytest.skip("only root may look into the server")


@contextlib.contextmanager
def connections(endpoint_url: str, count: int) -> Iterator[list[socket.socket]]:
    """As many idle connections to the server; this process may have to be allowed more descriptors for them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + 200:
        pytest.skip("this user may not open as many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 200), hard))
    address = ("127.0.0.1", int(endpoint_url.rpartition(":")[2]))
    try:
        with contextlib.ExitStack() as opened:
            yield [opened.enter_context(socket.create_connection(address, timeout=5)) for _ in range(count)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_cold_start_works_beside_more_connections_than_a_handler_may_have_files(
    embedded: EmbeddedLambda, deploy: Deploy, invoke: Callable[..., Any]
) -> None:
    name = deploy(NOTHING)
    with connections(embedded.endpoint_url, 1100):
        assert invoke(name).payload == "fine"


def test_the_descriptors_of_five_thousand_connections_come_back(
    embedded: EmbeddedLambda, deploy: Deploy, invoke: Callable[..., Any]
) -> None:
    name = deploy(NOTHING)
    invoke(name)
    before = descriptors(embedded.pid)
    for _ in range(10):
        with connections(embedded.endpoint_url, 500):
            pass
    assert invoke(name).payload == "fine"
    assert descriptors(embedded.pid) <= before + 5


def test_the_descriptors_of_an_environment_come_back(
    embedded: EmbeddedLambda, client: Any, deploy: Deploy, invoke: Callable[..., Any]
) -> None:
    name = deploy(NOTHING)
    invoke(name)
    before = descriptors(embedded.pid)
    for memory_mb in range(129, 149):
        client.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
        client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.03})
        assert invoke(name).payload == "fine"
    assert descriptors(embedded.pid) <= before + 8, "the last ones may still be ending"


@pytest.fixture
def poor_client(tmp_path: Path) -> Iterator[Any]:
    """A client of a server that may open 40 files."""
    process = subprocess.Popen(
        [
            *("bash", "-c", 'ulimit -n 40 && exec "$@"', "bash"),
            *(sys.executable, "-P", "-m", "tuner.local", "--with-parent", "--state-delay-ms", "0"),
            *("--state-root", str(tmp_path / "state")),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    yield lambda_client(json.loads(process.stdout.readline())["endpoint_url"])
    process.stdin.close()
    process.wait(20)
    process.stdout.close()


def test_a_cold_start_without_descriptors_is_answered_and_the_next_with_some_works(poor_client: Any) -> None:
    def start(name: str) -> int:
        """The length of the handler's answer, or the status of a refusal."""
        poor_client.create_function(
            FunctionName=name,
            Runtime=RUNTIME,
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": zip_of(app=NOTHING)},
        )
        try:
            return len(poor_client.invoke(FunctionName=name)["Payload"].read())
        except ClientError as error:
            return int(error.response["ResponseMetadata"]["HTTPStatusCode"])

    answer = len('"fine"')
    assert {start(f"f{number}") for number in range(15)} == {answer, 500}
    for function in poor_client.list_functions()["Functions"]:
        poor_client.delete_function(FunctionName=function["FunctionName"])
    assert start("again") == answer
