"""A stranger's path, in an environment with nothing but the package: docs/getting-started.md as it is written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.effects.recipes import step
from tests.effects.running import Account, environment, make_account
from tuner.local.launcher import EmbeddedLambda

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "getting-started.md"
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  PasswordHash:            # checks passwords
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: password-hash
      CodeUri: examples/password-hash/
      MemorySize: 640      # chosen by hand
      Runtime: python3.13
      Handler: handler.handler
"""
DEVELOPMENT = ("pytest", "mypy", "hypothesis", "moto")
NETWORK = re.compile(r"Could not find a version|No matching distribution|Connection|Temporary failure|Max retries")

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment into which the action's own step installed the package."""
    folder = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    programs = folder / "venv" / "bin"
    variables = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step("install")["run"]],
        env={**variables, "REQUIREMENT": "", "GITHUB_ACTION_PATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0 and NETWORK.search(done.stderr):
        pytest.skip("no package index can be reached from here")
    assert done.returncode == 0, done.stderr
    return programs


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a template, and the example as its function."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "examples" / "password-hash", folder / "examples" / "password-hash")
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder


@pytest.fixture(scope="module")
def walked(clean: Path, project: Path) -> list[tuple[str, str]]:
    """Every command of the first part of the guide with what it printed; the first one that fails ends it."""
    part = GUIDE.read_text(encoding="utf-8").partition("\n## With AWS")[0]
    lines = [line for block in re.findall(r"```console\n(.*?)```", part, re.DOTALL) for line in block.splitlines()]
    seen = []
    for line in lines:
        command = line.removeprefix("$ ")
        if not command.startswith("pip install"):  # the fixture has done that
            seen.append((command, typed(clean, project, command)))
    return seen


def typed(clean: Path, project: Path, command: str) -> str:
    """Standard output of a command typed into a shell. It must end well."""
    variables = environment(project.parent / "state")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        del variables[name]
    path = f"{clean}{os.pathsep}{variables['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=project, env={**variables, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def output(walked: list[tuple[str, str]], beginning: str) -> str:
    return next(text for command, text in walked if command.startswith(beginning))


def test_nothing_of_the_development_tools_is_there(clean: Path) -> None:
    listed = subprocess.run(
        [clean / "python", "-m", "pip", "list"], capture_output=True, text=True, check=True
    ).stdout
    names = {line.split()[0].lower() for line in listed.splitlines()[2:]}
    assert "lambda-tuner" in names
    assert names.isdisjoint(DEVELOPMENT)


def test_the_guide_leads_from_the_project_to_the_changed_template(
    walked: list[tuple[str, str]], project: Path
) -> None:
    commands = [command.split()[1] for command, _ in walked]
    assert commands == ["doctor", "init", "run", "report", "prices", "apply", "apply"]
    assert "PasswordHash: template.yaml: PasswordHash, 640 MB, python3.13" in output(walked, "tuner init")
    assert "LOCAL" in output(walked, "tuner run")
    assert "10,000,000 calls a month" in output(walked, "tuner prices")
    recommended = json.loads((project / "report.json").read_text())["recommendation"]["memory_mb"]
    assert (project / "template.yaml").read_text() == TEMPLATE.replace("640", str(recommended))
    assert (project / "report.html").stat().st_size > 10_000
    assert list((project / "charts").glob("*.svg"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("server"), region="eu-central-1") as running:
        yield running


@pytest.fixture
def account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    yield from make_account(server, tmp_path)


def test_the_report_can_be_applied_to_a_function(
    clean: Path, walked: list[tuple[str, str]], project: Path, account: Account
) -> None:
    report = json.loads((project / "report.json").read_text())
    done = subprocess.run(
        [clean / "tuner", "apply", "report.json", "--function", "mine", "--yes", "--endpoint-url",
         account.endpoint_url],
        cwd=project, env=environment(account.state), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = account.client.get_function_configuration(FunctionName="mine")
    assert found["MemorySize"] == report["recommendation"]["memory_mb"]
    assert "not on AWS" in done.stderr or "already" in done.stdout


def test_two_versions_of_the_code_can_be_held_against_each_other(
    clean: Path, walked: list[tuple[str, str]], project: Path
) -> None:
    head = project / "head"
    head.mkdir()
    source = (project / "examples" / "password-hash" / "handler.py").read_text()
    twice = "\n\ndef handler(event, context):\n    once(event, context)\n    return once(event, context)\n"
    (head / "handler.py").write_text(source.replace("def handler", "def once") + twice)
    options = ["--memory", "1024", "--payload", '{"iterations": 30000}', "--yes", "--quiet"]
    done = subprocess.run(
        [clean / "tuner", "gate", "head", "--local", "--base", "examples/password-hash", *options],
        cwd=project, env=environment(project.parent / "state"), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr


@pytest.mark.parametrize("command", ["init", "run", "report", "apply", "gate"])
def test_the_help_of_each_step_is_there_and_has_an_example(clean: Path, project: Path, command: str) -> None:
    assert re.search(rf"^ *tuner {command}", typed(clean, project, f"tuner {command} --help"), re.MULTILINE)
