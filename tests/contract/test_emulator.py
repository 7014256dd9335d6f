"""The same handlers under AWS's own runtime interface emulator and under ours: the answers must be the same.

Opt-in, because the emulator is a 9 MB binary: it ships inside the wheel of aws-sam-cli
(``samcli/local/rapid/aws-lambda-rie-x86_64``). Set AWS_LAMBDA_RIE to its path, or put it on PATH.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.effects.conftest import ROLE, RUNTIME, lambda_client, zip_of
from tuner.local.launcher import EmbeddedLambda

EMULATOR = os.environ.get("AWS_LAMBDA_RIE") or shutil.which("aws-lambda-rie")
TIMEOUT_S = 2
Ask = Callable[[str, object], dict[str, Any]]

pytestmark = pytest.mark.skipif(EMULATOR is None, reason="AWS_LAMBDA_RIE does not name the emulator's binary")

HANDLERS = {
    "success": "def handler(event, context): return {'got': event}",
    "nothing": "def handler(event, context): pass",
    "exception": "def handler(event, context): raise ValueError('no such order')",
    "import-error": "import no_such_module",
    "crash": "import os\ndef handler(event, context): os._exit(3)",
    "timeout": "import time\ndef handler(event, context): time.sleep(30)",
}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    with EmbeddedLambda(tmp_path_factory.mktemp("state"), state_delay_ms=0) as server:
        client = lambda_client(server.endpoint_url)

        def ask(source: str, event: object) -> dict[str, Any]:
            client.create_function(
                FunctionName="f",
                Runtime=RUNTIME,
                Role=ROLE,
                Handler="app.handler",
                Code={"ZipFile": zip_of(app=source)},
                Timeout=TIMEOUT_S,
                MemorySize=1769,
            )
            try:
                return decoded(client.invoke(FunctionName="f", Payload=json.dumps(event))["Payload"].read())
            finally:
                client.delete_function(FunctionName="f")

        yield ask


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Ask]:
    started: list[subprocess.Popen[bytes]] = []

    def ask(source: str, event: object) -> dict[str, Any]:
        (tmp_path / "app.py").write_text(source)
        front, back = free_port(), free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "LAMBDA_TASK_ROOT": str(tmp_path),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT_S),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
            "_HANDLER": "app.handler",
        }
        command = [
            *(str(EMULATOR), "--runtime-interface-emulator-address", f"127.0.0.1:{front}"),
            *("--runtime-api-address", f"127.0.0.1:{back}"),
            *(sys.executable, "-m", "awslambdaric", "app.handler"),
        ]
        quiet = subprocess.DEVNULL
        started.append(
            subprocess.Popen(
                command, cwd=tmp_path, env=environment, stdout=quiet, stderr=quiet, start_new_session=True
            )
        )
        return decoded(post(f"http://127.0.0.1:{front}/2015-03-31/functions/function/invocations", event))

    yield ask
    for process in started:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def post(url: str, event: object, limit_s: float = 8) -> bytes:
    deadline_s = time.monotonic() + limit_s
    while True:
        try:
            with urllib.request.urlopen(url, data=json.dumps(event).encode(), timeout=limit_s) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.read()
        except urllib.error.URLError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def decoded(body: bytes) -> dict[str, Any]:
    """An answer without what must differ: request ids and stack traces."""
    try:
        value = json.loads(body)
    except ValueError:  # the emulator says that a task timed out in plain text, Lambda in JSON
        value = {"errorType": "Sandbox.Timedout", "errorMessage": body.decode()}
    if not isinstance(value, dict) or "errorType" not in value:
        return {"value": value}
    words = str(value.get("errorMessage")).partition("Error: ")
    return {"errorType": value["errorType"], "errorMessage": words[2] or words[0]}


@pytest.mark.parametrize("case", HANDLERS)
def test_aws_emulator_and_ours_give_the_same_answer(ours: Ask, theirs: Ask, case: str) -> None:
    assert ours(HANDLERS[case], {"n": 1}) == theirs(HANDLERS[case], {"n": 1})
