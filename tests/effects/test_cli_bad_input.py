"""Bad input gets one clear error that ends with what to do next, the right exit code, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

GOOD = "def handler(event, context):\n    return 1\n"


def run(folder: Path, *arguments: str, command: str = "run") -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TUNER_"))}
    return subprocess.run(
        [sys.executable, "-m", "tuner", command, *arguments],
        env={
            **environment,
            "TUNER_STATE_DIR": str(folder / "state"),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_COLOR": "1",
        },
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, source in {
        "good": GOOD,
        "broken": "def handler(event, context)\n    return 1\n",
        "without": "def main():\n    pass\n",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "handler.py").write_text(source)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.json").write_text("{'a': 1}")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("absent", "--local"), 2, "absent"),
        (("empty", "--local"), 2, "empty"),
        (("without", "--local"), 2, "handler"),
        (("broken", "--local"), 2, "handler.py:1"),
        (("good/handler.py", "--local"), 2, "folder"),
        (("good", "--local", "--memory", "64..99999"), 2, "128"),
        (("good", "--local", "--memory", "lots"), 2, "128..3008"),
        (("good", "--local", "--memory", "1024..128"), 2, "1024"),
        (("good", "--local", "--memory", "10240"), 2, "This machine cannot measure"),
        (("good", "--local", "--payload", "bad.json"), 2, "JSON"),
        (("good", "--local", "--payload", "absent.json"), 2, "absent.json"),
        (("good", "--local", "--tolerance", "much"), 2, "percentage"),
        (("good", "--local", "--max-cost", "dear"), 2, "money"),
        (("good", "--local", "--env", "novalue"), 2, "KEY=VALUE"),
        (("good", "--local", "--report", "out.txt"), 2, ".html"),
        (("good", "--local", "--report", "bad.json/out.json"), 2, "bad.json/out.json"),
        (("good", "--local", "--handler", "nothing.here"), 2, "nothing"),
        (("good", "--local", "--profile", "x"), 2, "--local"),
        (("good", "--local", "-n", "0"), 2, "-n"),
        (("good", "--local", "--region", "mars-north-1"), 8, "--price-per-gb-s"),
        (("./good",), 2, "--local"),
        (("a b c",), 2, "a b c"),
        (("my-function", "--env", "A=1"), 2, "--local"),
        (("my-function",), 8, "--region"),
        (("my-function", "--region", "eu-central-1"), 8, "credentials"),
        (("my-function", "--profile", "absent"), 8, "absent"),
    ],
)
def test_bad_input_is_answered_with_what_to_do(
    folder: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    before = sorted(folder.rglob("*"))
    done = run(folder, *arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    left = [path for path in sorted(folder.rglob("*")) if path not in before and path.is_file()]
    assert left == []


def test_an_unwritable_default_report_folder_is_said_and_the_report_is_kept(folder: Path) -> None:
    (folder / "reports").write_text("a file, not a folder")
    done = run(folder, "good", "--local", "--memory", "256", "-n", "2")
    assert done.returncode == 0, done.stderr
    assert "is kept in" in done.stdout
    assert len(list(folder.glob("state/runs/*/report.html"))) == 1


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize("entry", ["../precious", "/precious"])
def test_a_zip_file_that_leads_outside_is_refused_and_changes_no_mode(folder: Path, command: str, entry: str) -> None:
    precious = folder / "precious"
    precious.write_text("mine")
    precious.chmod(0o600)
    with zipfile.ZipFile(folder / "evil.zip", "w") as archive:
        archive.writestr("handler.py", GOOD)
        named = zipfile.ZipInfo(entry.replace("/precious", str(precious)) if entry.startswith("/") else entry)
        named.create_system, named.external_attr = 3, 0o100755 << 16
        archive.writestr(named, "")
    result = run(folder, "evil.zip", "--local", command=command)
    assert result.returncode == 2
    assert "leads out of the package" in result.stderr
    assert "Traceback" not in result.stderr
    assert (precious.read_text(), precious.stat().st_mode & 0o777) == ("mine", 0o600)
