"""A run under less than all rights: what IAM would refuse is said before anything is changed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.effects.running import HANDLER, environment, tuner
from tuner.aws.deploy import NewFunction, create_function
from tuner.local.launcher import EmbeddedLambda
from tuner.local.package import read_function

ARN = "arn:aws:lambda:eu-central-1:000000000000:function"
REQUIRED = {
    "lambda:GetFunction": f"{ARN}:mine",
    "lambda:ListVersionsByFunction": f"{ARN}:mine",
    "lambda:UpdateFunctionConfiguration": f"{ARN}:mine",
    "lambda:PublishVersion": f"{ARN}:mine",
    "lambda:DeleteFunction": f"{ARN}:mine:*",
    "lambda:InvokeFunction": f"{ARN}:mine:*",
}
REQUIRED_OF_COPIES = (
    *("lambda:CreateFunction", "lambda:TagResource", "lambda:GetFunction", "lambda:ListTags"),
    *(
        "lambda:UpdateFunctionConfiguration",
        "lambda:PublishVersion",
        "lambda:DeleteFunction",
        "lambda:InvokeFunction",
    ),
)
GOOD_TO_HAVE = {
    "lambda:GetAccountSettings": "concurrency-unknown",
    "lambda:ListEventSourceMappings": "exposure-unchecked",
    "lambda:GetFunctionUrlConfig": "exposure-unchecked",
    "lambda:GetPolicy": "exposure-unchecked",
    "lambda:ListAliases": "exposure-unchecked",
    "lambda:ListProvisionedConcurrencyConfigs": "provisioned-unchecked",
}


@dataclass(frozen=True)
class Restricted:
    """An embedded Lambda whose callers have a policy, with the user's function ``mine`` in it."""

    client: Any
    endpoint_url: str
    state: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = tuner(
            "run", "mine", "--endpoint-url", self.endpoint_url, "--yes", "--memory", "128,1024", "-n", "2"
        )
        return subprocess.run([*command, *arguments], env=environment(self.state), capture_output=True, text=True)

    def untouched(self, revision_id: str) -> bool:
        """No setting of ``mine`` was changed, no version of it published, no other function made."""
        names = [function["FunctionName"] for function in self.client.list_functions()["Functions"]]
        return self.revision() == revision_id and names == ["mine"] and not self.has_version("2")

    def revision(self) -> str:
        return str(self.client.get_function_configuration(FunctionName="mine")["RevisionId"])

    def has_version(self, number: str) -> bool:
        try:
            self.client.get_function_configuration(FunctionName="mine", Qualifier=number)
        except ClientError:
            return False
        return True


@pytest.fixture
def restricted(tmp_path: Path) -> Iterator[Callable[..., Restricted]]:
    """Start a server on which these actions are denied, on every resource that matches."""
    running: list[EmbeddedLambda] = []

    def start(*actions: str, resource: str = "*") -> Restricted:
        policy = tmp_path / "policy.json"
        deny = {"Effect": "Deny", "Action": list(actions), "Resource": resource}
        policy.write_text(json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, deny]}))
        server = EmbeddedLambda(tmp_path / "server", region="eu-central-1", policy=policy)
        server.start()
        running.append(server)
        client = boto3.client(
            "lambda",
            region_name="eu-central-1",
            endpoint_url=server.endpoint_url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        _deploy(client, tmp_path / "mine")
        return Restricted(client, server.endpoint_url, tmp_path / "state")

    yield start
    for server in running:
        server.stop()


def _deploy(client: Any, folder: Path) -> None:
    folder.mkdir()
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
            environment={},
        ),
    )


@pytest.mark.parametrize("action", REQUIRED)
def test_without_an_action_that_it_needs_a_run_names_it_and_changes_nothing(
    restricted: Callable[..., Restricted], action: str
) -> None:
    account = restricted(action)
    revision_id = account.revision()
    ended = account.run()
    assert ended.returncode == 8, ended.stderr
    assert f"{action} on {REQUIRED[action]}" in ended.stderr
    assert account.untouched(revision_id)


def test_everything_that_is_missing_is_said_at_once(restricted: Callable[..., Restricted]) -> None:
    account = restricted("lambda:PublishVersion", "lambda:DeleteFunction", "lambda:InvokeFunction")
    ended = account.run()
    assert "These credentials lack the 3 permissions that this run needs:" in ended.stderr
    assert all(f"  {action} on {REQUIRED[action]} (" in ended.stderr for action in list(REQUIRED)[3:])


def test_both_reads_are_named_where_neither_is_allowed(restricted: Callable[..., Restricted]) -> None:
    ended = restricted("lambda:GetFunction", "lambda:ListVersionsByFunction").run()
    assert "lambda:GetFunction on" in ended.stderr
    assert "lambda:ListVersionsByFunction on" in ended.stderr


@pytest.mark.parametrize("action", REQUIRED_OF_COPIES)
def test_without_an_action_that_a_copy_needs_no_copy_is_left(
    restricted: Callable[..., Restricted], action: str
) -> None:
    account = restricted(action, resource=f"{ARN}:tuner-*")
    revision_id = account.revision()
    ended = account.run("--clone")
    assert ended.returncode == 8, ended.stderr
    assert f"{action} on {ARN}:tuner-mine-" in ended.stderr
    assert account.untouched(revision_id)


def test_a_copy_needs_nothing_but_reading_of_the_function_itself(restricted: Callable[..., Restricted]) -> None:
    denied = ("lambda:UpdateFunctionConfiguration", "lambda:PublishVersion", "lambda:DeleteFunction")
    account = restricted(*denied, "lambda:InvokeFunction", resource=f"{ARN}:mine*")
    revision_id = account.revision()
    ended = account.run("--clone")
    assert ended.returncode == 0, ended.stderr
    assert account.untouched(revision_id)


def test_what_is_only_good_to_have_is_said_and_the_run_goes_on(restricted: Callable[..., Restricted]) -> None:
    account = restricted(*GOOD_TO_HAVE)
    account.client.publish_version(FunctionName="mine")
    ended = account.run("--output", "json")
    assert ended.returncode == 0, ended.stderr
    assert {notice["code"] for notice in json.loads(ended.stdout)["notices"]} >= set(GOOD_TO_HAVE.values())
