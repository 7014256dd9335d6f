"""Each command does its work under exactly the policy that `tuner iam-policy` prints, and under no smaller one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.effects.conftest import ROLE, RUNTIME, lambda_client, zip_of
from tests.effects.running import environment, tuner, wait_until
from tuner.aws.copies import RUN_TAG
from tuner.engine.journal import CopyCreation, Entry, Journal, Marking, MemoryChange, Opened, Publication
from tuner.engine.ownership import mark, version_description
from tuner.inputs.identifiers import parse_function
from tuner.local.launcher import EmbeddedLambda
from tuner.model import EngineKind
from tuner.planning.permissions import Command, Grant, Wants, grants, policy

GOLDEN = Path(__file__).parents[1] / "golden" / "report.json"
REGION = "eu-central-1"
SET_UP = {
    "Effect": "Allow",
    "Action": ["lambda:CreateFunction", "iam:PassRole"],
    "Resource": ["arn:aws:lambda:*:*:function:mine", "arn:aws:iam::*:role/*"],
}
"""For the test itself, which makes the function with the same credentials; no command needs either."""
PUBLISH = {"Effect": "Allow", "Action": ["lambda:PublishVersion"], "Resource": "*"}
"""For the test of the gate, which compares two versions and publishes none."""
COPY = {
    "Effect": "Allow",
    "Action": ["lambda:CreateFunction", "lambda:TagResource"],
    "Resource": "arn:aws:lambda:*:*:function:tuner-mine-x",
}
"""For the tests of recover, whose copy was made by a run with rights of its own."""
MARK = {"Effect": "Allow", "Action": ["lambda:TagResource"], "Resource": "*"}
"""For the test of recover, whose function was marked by a run with rights of its own."""
DESCRIBE = {"Effect": "Allow", "Action": ["lambda:GetFunctionConfiguration"], "Resource": "*"}
TARGET = parse_function("mine")
RUN_ID = "20260101T000000-abcdef"


@dataclass(frozen=True)
class Stage:
    """A service under a policy, with the function ``mine`` of 512 MB in it."""

    client: Any
    endpoint_url: str
    folder: Path
    arn: str
    code_sha256: str

    def tuner(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            tuner(*arguments), env=environment(self.folder / "state"), capture_output=True, text=True, cwd=self.folder
        )


@contextmanager
def stage(folder: Path, granted: tuple[Grant, ...], *more: dict[str, Any]) -> Iterator[Stage]:
    document: dict[str, Any] = policy(granted)
    document["Statement"] = [*document["Statement"], SET_UP, *more]
    file = folder / "policy.json"
    file.write_text(json.dumps(document))
    with EmbeddedLambda(folder / "server", region=REGION, state_delay_ms=10, policy=file) as server:
        client = lambda_client(server.endpoint_url)
        made = create(client, "mine")
        yield Stage(client, server.endpoint_url, folder, made["FunctionArn"], made["CodeSha256"])
        client.close()


def create(client: Any, name: str, **more: Any) -> Any:
    return client.create_function(
        FunctionName=name,
        Runtime=RUNTIME,
        Role=ROLE,
        Handler="app.handler",
        MemorySize=512,
        Timeout=5,
        Code={"ZipFile": zip_of(app="def handler(event, context): return 42")},
        **more,
    )


def run(at: Stage) -> subprocess.CompletedProcess[str]:
    return at.tuner(
        "run", "mine", "--memory", "256", "-n", "2", "--sampling", "fixed", "--yes", "--report", "r.json",
        "--endpoint-url", at.endpoint_url,
    )  # fmt: skip


def run_clone(at: Stage) -> subprocess.CompletedProcess[str]:
    return at.tuner(
        "run", "mine", "--clone", "--memory", "256", "-n", "2", "--sampling", "fixed", "--yes", "--report", "r.json",
        "--endpoint-url", at.endpoint_url,
    )  # fmt: skip


def apply(at: Stage) -> subprocess.CompletedProcess[str]:
    content = json.loads(GOLDEN.read_text())
    content["target"] |= {
        "function": "mine",
        "current": {"memory_mb": 512, "architecture": "x86_64"},
        "code_sha256": at.code_sha256,
    }
    (at.folder / "report.json").write_text(json.dumps(content))
    return at.tuner("apply", "report.json", "--yes", "--endpoint-url", at.endpoint_url)


def recover(at: Stage) -> subprocess.CompletedProcess[str]:
    """After a run that died between its change of the memory and the end."""
    at.client.tag_resource(Resource=at.arn, Tags={mark(RUN_ID): "256"})
    changed = MemoryChange(original_mb=256, set_to_mb=512)
    return after_a_crash(at, Marking(), changed, Publication(description=version_description(RUN_ID), existing=()))


def recover_clone(at: Stage) -> subprocess.CompletedProcess[str]:
    """After a run that died while it measured a copy."""
    create(at.client, "tuner-mine-x", Tags={RUN_TAG: RUN_ID})
    done = after_a_crash(at, CopyCreation(name="tuner-mine-x"))
    return gone(at, done)


def recover_copies(at: Stage) -> subprocess.CompletedProcess[str]:
    """On another machine than that of the run that died."""
    create(at.client, "tuner-mine-x", Tags={RUN_TAG: RUN_ID})
    return gone(at, at.tuner("recover", "--copies", "--endpoint-url", at.endpoint_url))


def gone(at: Stage, done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """``done``, once it is known that a command that says so has deleted the copy."""
    if done.returncode == 0:
        with pytest.raises(at.client.exceptions.ResourceNotFoundException):
            at.client.get_function(FunctionName="tuner-mine-x")
    return done


def after_a_crash(at: Stage, *entries: Entry) -> subprocess.CompletedProcess[str]:
    folder = at.folder / "state" / "runs" / RUN_ID
    folder.mkdir(parents=True)
    opened = Opened(
        run_id=RUN_ID, function="mine", arn=at.arn, engine=EngineKind.AWS, region=REGION, profile=None,
        endpoint_url=at.endpoint_url, pid=os.getpid(), started_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    with Journal.create(folder / "journal.jsonl", opened) as journal:
        for entry in entries:
            journal.announce(entry)
    return at.tuner("recover")


def cold_start(at: Stage) -> subprocess.CompletedProcess[str]:
    return at.tuner(
        "cold-start", "mine", "--memory", "256", "-n", "2", "--yes", "--report", "r.json",
        "--endpoint-url", at.endpoint_url,
    )  # fmt: skip


def published(at: Stage) -> bool:
    """Whether version 1 is there; while the function is being made Lambda refuses."""
    try:
        return bool(at.client.publish_version(FunctionName="mine")["Version"])
    except at.client.exceptions.ResourceConflictException:
        return False


def gate(at: Stage) -> subprocess.CompletedProcess[str]:
    wait_until(lambda: published(at))
    return at.tuner(
        "gate", "mine", "--base", "1", "--head", "$LATEST", "--max-calls", "20", "--yes", "--report", "r.json",
        "--endpoint-url", at.endpoint_url,
    )  # fmt: skip


def run_clone_of_a_version(at: Stage) -> subprocess.CompletedProcess[str]:
    wait_until(lambda: published(at))
    return at.tuner(
        "run", "mine:1", "--clone", "--memory", "256", "-n", "2", "--sampling", "fixed", "--yes",
        "--report", "r.json", "--endpoint-url", at.endpoint_url,
    )  # fmt: skip


def gate_clone(at: Stage) -> subprocess.CompletedProcess[str]:
    wait_until(lambda: published(at))
    return at.tuner(
        "gate", "mine", "--base", "1", "--clone", "--max-calls", "20", "--yes", "--report", "r.json",
        "--endpoint-url", at.endpoint_url,
    )  # fmt: skip


COMMANDS: dict[str, tuple[Command, Wants, Callable[[Stage], subprocess.CompletedProcess[str]]]] = {
    "run": (Command.RUN, Wants(), run),
    "cold-start": (Command.COLD_START, Wants(), cold_start),
    "gate": (Command.GATE, Wants(), gate),
    "run --clone": (Command.RUN, Wants(clone=True), run_clone),
    "apply": (Command.APPLY, Wants(), apply),
    "recover": (Command.RECOVER, Wants(), recover),
    "run --clone of a version": (Command.RUN, Wants(clone=True), run_clone_of_a_version),
    "gate --clone": (Command.GATE, Wants(clone=True), gate_clone),
    "recover --clone": (Command.RECOVER, Wants(clone=True), recover_clone),
    "recover --copies": (Command.RECOVER, Wants(copies=True), recover_copies),
}


def of(name: str) -> tuple[Grant, ...]:
    """The grants that the embedded Lambda knows of: it has no logs."""
    command, wants, _ = COMMANDS[name]
    return tuple(grant for grant in grants(command, TARGET, wants) if grant.action.startswith("lambda:"))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_works_under_its_policy(tmp_path: Path, name: str) -> None:
    with stage(tmp_path, of(name), *more_for(name)) as at:
        done = COMMANDS[name][2](at)
    undecided = (4,) if name.startswith("gate") else ()  # with the few calls of a test
    assert done.returncode in (0, *undecided), done.stderr


def more_for(name: str) -> tuple[dict[str, Any], ...]:
    if name in ("recover --clone", "recover --copies"):
        return (COPY,)
    if name == "recover":
        return (MARK,)
    return (PUBLISH,) if name in ("gate", "gate --clone", "run --clone of a version") else ()


LESS = [
    (name, grant.action)
    for name in ("run", "gate", "apply", "recover")
    for grant in of(name)
    if (name, grant.action) != ("recover", "lambda:DeleteFunction")  # this run has published nothing yet
] + [
    (name, action)
    for name, actions in {
        "recover --clone": ("GetFunction", "ListTags", "DeleteFunction"),
        "recover --copies": ("ListFunctions", "GetFunction", "ListTags", "DeleteFunction"),
    }.items()
    for action in (f"lambda:{one}" for one in actions)
]


@pytest.mark.parametrize(("name", "action"), sorted(set(LESS)))
def test_without_any_one_action_it_fails_and_names_it(tmp_path: Path, name: str, action: str) -> None:
    kept = tuple(grant for grant in of(name) if grant.action != action)
    with stage(tmp_path, kept, *more_for(name)) as at:
        done = COMMANDS[name][2](at)
    assert done.returncode in (7, 8), done.stdout + done.stderr
    assert action in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_lacks_a_permission_has_changed_nothing(tmp_path: Path) -> None:
    kept = tuple(grant for grant in of("run") if grant.action != "lambda:DeleteFunction")
    with stage(tmp_path, kept, DESCRIBE) as at:
        at.client.get_waiter("function_active_v2").wait(FunctionName="mine", WaiterConfig={"Delay": 0.05})
        before = at.client.get_function_configuration(FunctionName="mine")["RevisionId"]
        assert run(at).returncode == 8
        assert at.client.get_function_configuration(FunctionName="mine")["RevisionId"] == before
