"""Running the command as a process against a function of the user's, for the tests of this folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tuner.aws.deploy import NewFunction, create_function
from tuner.local.launcher import EmbeddedLambda
from tuner.local.package import read_function
from tuner.model import CurvePoint, Outcome, Report, Sample

HANDLER = """
import time

def handler(event, context):
    if "fail" in event:
        raise type(event["fail"], (Exception,), {})("as asked")
    time.sleep(event.get("wait_s", 0.02))
    return "ok"
"""


@dataclass(frozen=True)
class Account:
    """A running embedded Lambda with one function in it, which belongs to the user."""

    client: Any
    endpoint_url: str
    state: Path

    def fingerprint(self) -> tuple[object, ...]:
        configuration = self.client.get_function_configuration(FunctionName="mine")
        versions = self.client.list_versions_by_function(FunctionName="mine")["Versions"]
        kept = {key: configuration[key] for key in ("MemorySize", "Timeout", "CodeSha256", "Description", "Handler")}
        return tuple(kept.items()), tuple(version["Version"] for version in versions)

    def revision(self) -> str:
        return str(self.client.get_function_configuration(FunctionName="mine")["RevisionId"])

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=environment(self.state), capture_output=True, text=True, **options
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            env=environment(self.state),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str) -> list[str]:
        return tuner("run", "mine", "--endpoint-url", self.endpoint_url, "--yes", *arguments)


def tuner(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tuner", *arguments]


def environment(state: Path) -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "TUNER_STATE_DIR": str(state),
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "planted-secret",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_COLOR": "1",
    }


def make_account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    """The function ``mine``, with one published version, for the length of a test."""
    client = boto3.client(
        "lambda",
        region_name="eu-central-1",
        endpoint_url=server.endpoint_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    make_function(client, tmp_path / "mine")
    yield Account(client, server.endpoint_url, tmp_path / "state")
    client.delete_function(FunctionName="mine")
    client.close()


def make_function(client: Any, folder: Path) -> None:
    """``mine`` with 512 MB and one published version; ``folder`` gets its code."""
    folder.mkdir(exist_ok=True)
    (folder / "handler.py").write_text(HANDLER)
    local = read_function(folder, memory_mb=512, timeout_s=5)
    create_function(
        client,
        NewFunction(
            name="mine",
            runtime=local.runtime,  # type: ignore[arg-type]
            handler=local.handler,
            architecture=local.architecture,
            memory_mb=512,
            timeout_s=5,
            zip_bytes=local.zip_bytes,
            environment={"SECRET": "planted-variable"},
        ),
    )
    client.publish_version(FunctionName="mine", Description="the user's own")


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def journal_lines(state: Path) -> list[str]:
    return [line for path in state.glob("runs/*/journal.jsonl") for line in path.read_text().splitlines()]


def samples(state: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in state.glob("runs/*/samples.jsonl"))


def warm_calls(report: Report) -> dict[int, int]:
    """How many warm calls succeeded at each size of the table, in MB, after checking the n that the table states.

    Tests count calls with this, because the n of a size leaves out those that a busy machine disturbed."""
    return {point.memory_mb: _warm_calls(report, point) for point in report.curve}


def _warm_calls(report: Report, point: CurvePoint) -> int:
    warm = [s for s in report.samples if s.cell == point.cell and s.outcome is Outcome.OK and not s.cold]
    assert point.n == calm_calls(warm)
    return len(warm)


def calm_calls(warm: Sequence[Sample]) -> int:
    """How many of these calls count: those that the machine did not disturb, or all where it disturbed all."""
    return sum(not sample.disturbed for sample in warm) or len(warm)
