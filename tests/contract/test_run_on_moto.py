"""A whole run against moto's server, an independent Lambda control plane: it has no log tails and no revision
guards, and the run must survive both, say so, and leave the function as it was."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

CREDENTIALS: dict[str, Any] = {
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
    "region_name": "eu-central-1",
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    simple = json.dumps({"lambda": {"use_docker": False}}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/config", data=simple, method="POST")).close()
    yield url
    server.stop()


@pytest.fixture
def client(endpoint: str) -> Iterator[Any]:
    iam = boto3.client("iam", endpoint_url=endpoint, **CREDENTIALS)
    role = iam.create_role(RoleName="mine", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("handler.py", "def handler(event, context):\n    return 1\n")
    made = boto3.client("lambda", endpoint_url=endpoint, **CREDENTIALS)
    made.create_function(
        FunctionName="mine",
        Runtime="python3.13",
        Role=role,
        Handler="handler.handler",
        Code={"ZipFile": package.getvalue()},
        MemorySize=512,
    )
    yield made
    made.delete_function(FunctionName="mine")
    iam.delete_role(RoleName="mine")
    made.close()
    iam.close()


def state(client: Any) -> tuple[object, ...]:
    configuration = client.get_function_configuration(FunctionName="mine")
    versions = client.list_versions_by_function(FunctionName="mine")["Versions"]
    kept = {key: configuration[key] for key in ("MemorySize", "Timeout", "CodeSha256", "Handler")}
    return kept, [version["Version"] for version in versions]


def run(endpoint: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TUNER_"))}
    return subprocess.run(
        [sys.executable, "-m", "tuner", "run", "mine", "--endpoint-url", endpoint, "--yes", *arguments],
        env=environment
        | {
            "TUNER_STATE_DIR": str(folder / "state"),
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": os.devnull,
        },
        capture_output=True,
        text=True,
    )


def test_a_run_without_log_tails_says_so_and_leaves_the_function_as_it_was(
    client: Any, endpoint: str, tmp_path: Path
) -> None:
    before = state(client)
    report = tmp_path / "r.json"
    done = run(endpoint, tmp_path, "--memory", "256,1024", "-n", "3", "--report", str(report))
    assert done.returncode == 6, done.stderr
    assert "REPORT line" in done.stderr
    assert "Traceback" not in done.stderr
    written = json.loads(report.read_text())
    assert {sample["outcome"] for sample in written["samples"]} == {"unreported"}
    assert {sample["duration_ms"] for sample in written["samples"]} == {None}
    assert state(client) == before
    assert [function["FunctionName"] for function in client.list_functions()["Functions"]] == ["mine"]
