"""`tuner apply` as a process, on the embedded Lambda: memory and only memory, and only on what was measured."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.effects.running import Account, environment, make_account, tuner
from tuner.local.launcher import EmbeddedLambda

GOLDEN = Path(__file__).parents[1] / "golden" / "report.json"
TEMPLATE = """Resources:
  Mine:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: mine
      MemorySize: 512 # today
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("server"), region="eu-central-1", state_delay_ms=50) as running:
        yield running


@pytest.fixture
def account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    yield from make_account(server, tmp_path)


@pytest.fixture
def report(account: Account, tmp_path: Path) -> Path:
    """The committed report, as if ``mine`` with its 512 MB had been measured and 256 MB been best."""
    content = json.loads(GOLDEN.read_text())
    content["target"] |= {
        "function": "mine",
        "current": {"memory_mb": 512, "architecture": "x86_64"},
        "code_sha256": account.client.get_function_configuration(FunctionName="mine")["CodeSha256"],
    }
    content["recommendation"]["memory_mb"] = 256
    path = tmp_path / "report.json"
    path.write_text(json.dumps(content))
    return path


def apply(account: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(tuner("apply", *arguments), env=environment(account.state), capture_output=True, text=True)


def with_changes(report: Path, **recommendation: Any) -> None:
    content = json.loads(report.read_text())
    content["recommendation"].update(recommendation)
    report.write_text(json.dumps(content))


def configuration(account: Account) -> dict[str, Any]:
    found = account.client.get_function_configuration(FunctionName="mine")
    kept = {
        "MemorySize",
        "Timeout",
        "CodeSha256",
        "Description",
        "Handler",
        "Environment",
        "Runtime",
        "Architectures",
    }
    return {key: value for key, value in found.items() if key in kept}


def test_memory_and_nothing_else_is_set(account: Account, report: Path) -> None:
    before = configuration(account)
    done = apply(account, str(report), "--yes", "--endpoint-url", account.endpoint_url)
    assert done.returncode == 0, done.stderr
    assert "- MemorySize: 512\n+ MemorySize: 256\n" in done.stdout
    assert configuration(account) == {**before, "MemorySize": 256}
    again = apply(account, str(report), "--yes", "--endpoint-url", account.endpoint_url)
    assert "256 MB already" in again.stdout


def test_a_dry_run_shows_the_difference_and_changes_nothing(account: Account, report: Path) -> None:
    revision = account.revision()
    done = apply(account, str(report), "--dry-run", "--endpoint-url", account.endpoint_url)
    assert done.returncode == 0, done.stderr
    assert "+ MemorySize: 256" in done.stdout
    assert account.revision() == revision


def test_nobody_to_ask_means_no_change(account: Account, report: Path) -> None:
    revision = account.revision()
    done = apply(account, str(report), "--endpoint-url", account.endpoint_url)
    assert done.returncode == 8
    assert "--yes" in done.stderr
    assert account.revision() == revision


@pytest.mark.parametrize(
    ("change", "words"), [({"MemorySize": 1024}, "its memory is 1024 MB"), ("code", "its code is another")]
)
def test_a_function_that_is_not_as_measured_is_left_alone(
    account: Account, report: Path, change: Any, words: str
) -> None:
    if change == "code":
        content = json.loads(report.read_text())
        content["target"]["code_sha256"] = "somethingElse"
        report.write_text(json.dumps(content))
    else:
        account.client.update_function_configuration(FunctionName="mine", **change)
        account.client.get_waiter("function_updated_v2").wait(FunctionName="mine", WaiterConfig={"Delay": 0.05})
    before = account.fingerprint()
    done = apply(account, str(report), "--yes", "--endpoint-url", account.endpoint_url)
    assert done.returncode == 8
    assert words in done.stderr
    assert "tuner run mine" in done.stderr
    assert account.fingerprint() == before


def test_another_architecture_is_advice_and_no_change(account: Account, report: Path) -> None:
    with_changes(report, architecture="arm64")
    before = account.fingerprint()
    done = apply(account, str(report), "--yes", "--endpoint-url", account.endpoint_url)
    assert done.returncode == 8
    assert "256 MB on arm64" in done.stderr
    assert account.fingerprint() == before


def test_a_template_gets_the_one_value_and_aws_is_not_asked(account: Account, report: Path, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE)
    template.chmod(0o640)
    revision = account.revision()
    done = apply(account, str(report), "--write", str(template), "--yes")
    assert done.returncode == 0, done.stderr
    assert "-      MemorySize: 512 # today\n+      MemorySize: 256 # today\n" in done.stdout
    assert template.read_text() == TEMPLATE.replace("512", "256")
    assert template.stat().st_mode & 0o777 == 0o640
    assert account.revision() == revision


def test_a_program_is_told_where_and_not_edited(account: Account, report: Path, tmp_path: Path) -> None:
    program = tmp_path / "stack.ts"
    program.write_text("new Function(this, 'F', {\n  memorySize: 512,\n});\n")
    done = apply(account, str(report), "--write", str(program), "--yes")
    assert done.returncode == 2
    assert f"{program}:2: memorySize: 512," in done.stderr
    assert "512" in program.read_text()


def test_a_local_report_needs_the_function_to_be_named(account: Account, report: Path) -> None:
    content = json.loads(report.read_text())
    content["target"]["engine"] = "local"
    report.write_text(json.dumps(content))
    done = apply(account, str(report), "--yes", "--endpoint-url", account.endpoint_url)
    assert done.returncode == 2
    assert "--function" in done.stderr
    named = apply(account, str(report), "--yes", "--endpoint-url", account.endpoint_url, "--function", "mine")
    assert named.returncode == 0, named.stderr
    assert configuration(account)["MemorySize"] == 256
