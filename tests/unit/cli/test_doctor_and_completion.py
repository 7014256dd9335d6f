"""`tuner doctor` and the shell's completion: what they find, and that neither needs an account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

import tuner.cli.doctor
from tuner.aws.identity import identity
from tuner.cli.app import app
from tuner.cli.doctor import Finding, Status
from tuner.errors import AccessError, TunerError

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TOML = '[functions.thumbnail]\nfunction = "t"\n[functions.search]\nfunction = "s"\n[profiles.ci]\nseed = 1\n'


class Service:
    """STS as far as it is asked, ``ahead_s`` behind this machine."""

    def __init__(self, ahead_s: float = 0, refusal: str | None = None) -> None:
        self._date = format_datetime(NOW - timedelta(seconds=ahead_s), usegmt=True)
        self._refusal = refusal

    def get_caller_identity(self) -> dict[str, Any]:
        metadata = {"HTTPHeaders": {"date": self._date}}
        if self._refusal:
            error: Any = {"Error": {"Code": self._refusal, "Message": "no"}, "ResponseMetadata": metadata}
            raise ClientError(error, "GetCallerIdentity")
        arn = "arn:aws:sts::123456789012:assumed-role/dev/me"
        return {"Account": "123456789012", "Arn": arn, "ResponseMetadata": metadata}


def test_the_caller_and_the_clock_are_read_from_one_answer() -> None:
    found = identity(Service(ahead_s=90), now=NOW, profile=None)
    assert (found.account, found.name, found.clock_ahead_s) == ("123456789012", "dev/me", 90)


def test_a_signature_refused_for_the_clock_says_so() -> None:
    with pytest.raises(AccessError, match="600 s behind"):
        identity(Service(ahead_s=-600, refusal="SignatureDoesNotMatch"), now=NOW, profile=None)
    with pytest.raises(TunerError) as error:
        identity(Service(refusal="ExpiredToken"), now=NOW, profile=None)
    assert "clock" not in error.value.message


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, a state folder, and no account."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TUNER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(tuner.cli.doctor, "_embedded", lambda: Finding("embedded Lambda", Status.OK, "not started"))
    return tmp_path


def doctor(*words: str) -> tuple[int, dict[str, dict[str, str]]]:
    result = CliRunner().invoke(app, ["doctor", "--output", "json", *words])
    checks = json.loads(result.stdout)["checks"]
    return result.exit_code, {check["check"]: check for check in checks}


def test_without_an_account_everything_local_is_checked_and_nothing_fails(alone: Path) -> None:
    code, checks = doctor()
    assert code == 0
    assert checks["state folder"]["status"] == "ok"
    assert checks["region"]["status"] == "skipped"
    assert "AWS_REGION" in checks["region"]["remedy"]
    assert doctor("--offline")[1]["AWS"]["status"] == "skipped"


def test_who_names_a_function_needs_credentials(alone: Path) -> None:
    code, checks = doctor("my-function", "--region", "eu-central-1")
    assert code == 8
    assert checks["credentials"]["status"] == "failed"
    assert "aws sso login" in checks["credentials"]["remedy"]


def test_what_is_wrong_here_is_a_finding_with_a_remedy(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (alone / "tuner.toml").write_text("memry = 1")
    (alone / "state").write_text("a file")
    code, checks = doctor("--offline")
    assert code == 8
    assert "Did you mean memory" in checks["configuration"]["message"]
    assert "TUNER_STATE_DIR" in checks["state folder"]["remedy"]


def completed(folder: Path, *words: str) -> list[str]:
    """What bash is offered after ``words``; the module that talks to AWS may not even be imported."""
    script = (
        "import sys, importlib.abc\n"
        "class Refuse(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('boto3', 'botocore'): raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from tuner.cli.main import main\n"
        "sys.argv = ['tuner']\n"
        "main()\n"
    )
    variables = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1), "_TUNER_COMPLETE": "complete_bash"}
    path = f"{Path(__file__).parents[3]}"
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **variables, "PYTHONPATH": path}, cwd=folder,
        capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("tuner", "run", "th"), ["thumbnail"]),
        (("tuner", "run", "thumbnail", "--memory", "128.."), ["128..3008", "128..10240"]),
        (("tuner", "run", "thumbnail", "--event", "sqs/"), ["sqs/batch"]),
        (("tuner", "run", "thumbnail", "--region", "eu-north"), ["eu-north-1"]),
        (("tuner", "--config-profile", "c"), ["ci"]),
        (("tuner", "iam-p"), ["iam-policy"]),
    ],
)
def test_the_shell_is_offered_what_fits_without_asking_aws(
    tmp_path: Path, words: tuple[str, ...], offered: list[str]
) -> None:
    (tmp_path / "tuner.toml").write_text(TOML)
    assert completed(tmp_path, *words) == offered


def test_a_broken_configuration_does_not_break_the_shell(tmp_path: Path) -> None:
    (tmp_path / "tuner.toml").write_text("[")
    assert completed(tmp_path, "tuner", "run", "th") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_it_reads(shell: str) -> None:
    result = CliRunner().invoke(app, ["completion", shell])
    assert result.exit_code == 0
    assert "_TUNER_COMPLETE" in result.output
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=result.output, text=True, check=True)
