"""The action and the recipes of docs/ci, as far as a machine without those services can run them."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from junitparser import JUnitXml

from tests.effects.recipes import RECIPES, ROOT, action, step, yaml
from tests.effects.running import environment
from tuner import __version__
from tuner.local.launcher import EmbeddedLambda
from tuner.local.package import read_function

QUICK = "import time\ndef handler(event, context):\n    time.sleep(0.03)\n"
SLOW = QUICK.replace("0.03", "0.06")
ACCOUNT = "000000000000"
SETTING_UP = ("CreateFunction", "PublishVersion", "CreateAlias", "UpdateFunctionCode")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with the command, as a runner has it after ``pip install``, and a GitHub client that writes down what
    it is asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script(folder / "tuner", f'exec {sys.executable} -m tuner "$@"')
    script(
        folder / "gh",
        f'printf "%s\\n" "$*" >> {tmp_path}/gh.log; case "$*" in *--paginate*) cat {tmp_path}/ids;; esac',
    )
    (tmp_path / "ids").write_text("")
    return folder


def script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def bash(command: str, folder: Path, tools: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    base = environment(folder / "state")
    path = f"{tools}{os.pathsep}{base['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command],  # as GitHub starts it
        env={**base, "PATH": path, "PYTHONPATH": str(ROOT), **variables},
        cwd=folder,
        capture_output=True,
        text=True,
    )


def inputs(**given: str) -> dict[str, str]:
    """The environment of the gate's step, with the action's own defaults."""
    declared = action()["inputs"]
    values = {name: given.get(name.replace("-", "_"), str(one.get("default", ""))) for name, one in declared.items()}
    expressions = step("gate")["env"]
    return {key: values[re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", text)[1]] for key, text in expressions.items()}  # type: ignore[index]


def outputs(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def folder_with(path: Path, source: str) -> str:
    path.mkdir()
    (path / "handler.py").write_text(source)
    return str(path)


def test_the_action_declares_what_its_steps_use_and_give() -> None:
    declared = action()
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(declared["inputs"])
    assert {"memory-mb", "verdict", "report"} <= set(declared["outputs"])
    assert {one["value"] for one in declared["outputs"].values()} == {
        f"${{{{ steps.gate.outputs.{name} }}}}" for name in declared["outputs"]
    }


@pytest.mark.parametrize(
    ("source", "code", "verdict"), [(QUICK, 0, {"pass", "improvement"}), (SLOW, 3, {"regression"})]
)
def test_the_actions_step_gates_two_folders_without_aws(
    tmp_path: Path, tools: Path, source: str, code: int, verdict: set[str]
) -> None:
    given = inputs(
        base=folder_with(tmp_path / "old", QUICK),
        head=folder_with(tmp_path / "new", source),
        local="true",
        max_regression="25%",
        arguments="--max-calls 100 --metric 'max_memory=off'",
    )
    files = {"GITHUB_OUTPUT": str(tmp_path / "out"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    done = bash(step("gate")["run"], tmp_path, tools, **given, **files)
    assert done.returncode == code, done.stderr
    found = outputs(tmp_path / "out")
    assert found["verdict"] in verdict
    assert (found["memory-mb"], found["exit-code"]) == ("512", str(code))
    assert (tmp_path / found["report"]).read_text().startswith("<!doctype html>")
    assert (tmp_path / "tuner-gate" / "comment.md").read_text().startswith("<!-- tuner-gate")
    assert ("::error title=" in done.stderr) == (code == 3)


@pytest.mark.parametrize(("ids", "method"), [("", "repos/o/r/issues/7/comments"), ("41\n", "--method PATCH")])
def test_the_actions_comment_is_made_once_and_then_replaced(
    tmp_path: Path, tools: Path, ids: str, method: str
) -> None:
    (tmp_path / "tuner-gate").mkdir()
    (tmp_path / "tuner-gate" / "comment.md").write_text("<!-- tuner-gate -->\n## pass\n")
    (tmp_path / "ids").write_text(ids)
    done = bash(step("comment")["run"], tmp_path, tools, FOLDER="tuner-gate", REPOSITORY="o/r", NUMBER="7")
    assert done.returncode == 0, done.stderr
    asked = (tmp_path / "gh.log").read_text().splitlines()
    assert method in asked[-1]
    assert len(asked) == 2


@pytest.fixture(scope="module")
def restricted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    """An account in which callers may do what the documented policy says, and what setting up this test takes."""
    policy = json.loads((RECIPES / "policy.json").read_text().replace("123456789012", ACCOUNT))
    setting_up = [f"lambda:{action}" for action in SETTING_UP]
    policy["Statement"].append({"Effect": "Allow", "Action": setting_up, "Resource": "*"})
    policy["Statement"].append({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"})
    folder = tmp_path_factory.mktemp("restricted")
    (folder / "policy.json").write_text(json.dumps(policy))
    with EmbeddedLambda(
        folder / "state", state_delay_ms=0, region="eu-central-1", policy=folder / "policy.json"
    ) as running:
        deploy(running.endpoint_url, folder)
        yield running


def deploy(endpoint_url: str, folder: Path) -> None:
    client = boto3.client(
        "lambda",
        region_name="eu-central-1",
        endpoint_url=endpoint_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    package = read_function(Path(folder_with(folder / "my-function", QUICK)))
    client.create_function(
        FunctionName="my-function",
        Runtime=package.runtime,  # type: ignore[arg-type]
        Role=f"arn:aws:iam::{ACCOUNT}:role/any",
        Handler=package.handler,
        Code={"ZipFile": package.zip_bytes},
        MemorySize=512,
        Timeout=5,
    )
    version = client.publish_version(FunctionName="my-function")["Version"]
    client.create_alias(FunctionName="my-function", Name="prod", FunctionVersion=version)
    client.close()


def recipe_commands() -> dict[str, str]:
    gitlab = yaml(RECIPES / "gitlab-ci.yml")["lambda-gate"]["script"]
    jenkins = re.search(r"returnStatus: true, script: '''(.*?)'''", (RECIPES / "Jenkinsfile").read_text(), re.DOTALL)
    assert jenkins is not None
    return {"gitlab": "\n".join(gitlab), "jenkins": jenkins[1].replace(".gate/bin/", "")}


@pytest.mark.parametrize("name", ["gitlab", "jenkins"])
def test_a_recipes_command_passes_with_no_more_rights_than_its_policy_gives(
    tmp_path: Path, tools: Path, restricted: EmbeddedLambda, name: str
) -> None:
    command = recipe_commands()[name].replace("5%", "25%")  # a machine that does other work is noisier than Lambda
    done = bash(command, tmp_path, tools, AWS_ENDPOINT_URL=restricted.endpoint_url)
    assert done.returncode == 0, done.stderr + done.stdout
    (suite,) = JUnitXml.fromfile(str(tmp_path / "gate.xml"))
    assert (suite.tests, suite.failures, suite.errors) == (1, 0, 0)


@pytest.mark.parametrize("name", ["gitlab-ci.yml", "Jenkinsfile"])
def test_a_recipe_installs_this_version_and_its_lock(name: str) -> None:
    text = (RECIPES / name).read_text().replace("\\\n", " ")
    (lock, package) = re.findall(r"pip install --quiet (.*)", text)
    assert re.fullmatch(rf"--require-hashes\s+-r \S+/v{re.escape(__version__)}/requirements/run\.txt", lock)
    assert package == f"--no-deps lambda-tuner=={__version__}"
    assert (ROOT / "requirements" / "run.txt").is_file()


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yml")), ids=lambda path: path.name)
def test_a_recipe_is_yaml_and_holds_no_key(path: Path) -> None:
    assert yaml(path)
    assert not re.search(r"AKIA|aws_secret|AWS_SECRET", path.read_text())


@pytest.mark.parametrize("path", sorted(RECIPES.glob("github*.yml")), ids=lambda path: path.name)
def test_the_workflows_give_the_action_inputs_that_it_has(path: Path) -> None:
    (job,) = yaml(path)["jobs"].values()
    (gate,) = [one for one in job["steps"] if one.get("uses", "").startswith("OWNER/tuner@")]
    assert set(gate["with"]) <= set(action()["inputs"])
    assert "base" in gate["with"]
