"""`tuner run --all` as a process: every function of tuner.toml, and one that fails takes nothing from the others."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.effects.running import environment, tuner

HANDLER = "import time\ndef handler(event, context):\n    time.sleep(0.01)\n"
CONFIGURATION = """
memory = "256,1024"
sampling = "fixed"
samples = 3

[functions.first]
function = "functions/first"
local = true

[functions.gone]
function = "functions/gone"
local = true

[functions."the second"]
function = "functions/second"
local = true

[functions.unnamed]
payload = "{}"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("first", "second"):
        folder = tmp_path / "functions" / name
        folder.mkdir(parents=True)
        (folder / "handler.py").write_text(HANDLER)
    (tmp_path / "tuner.toml").write_text(CONFIGURATION)
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        tuner("run", "--all", *arguments), env=environment(project / "state"), cwd=project, capture_output=True,
        text=True,
    )  # fmt: skip


def test_all_are_measured_and_shown_in_one_table_and_one_report(project: Path) -> None:
    done = run(project, "--quiet", "--report", "all.html", "--report", "all.md")
    assert done.returncode == 2, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert rows[0][:3] == ["first", "512", "MB"]
    assert "exit code 2" in done.stdout
    assert "There is no folder functions/gone" in done.stderr
    assert {path.name for path in (project / "reports").iterdir()} == {"first.json", "the-second.json"}
    assert "of 3 functions" in (project / "all.md").read_text()
    assert "the second" in (project / "all.html").read_text()


def test_a_report_that_cannot_be_written_is_refused_before_anything_runs(project: Path) -> None:
    done = run(project, "--report", "all.json")
    assert done.returncode == 2
    assert "report.json of its own" in done.stderr
    assert not (project / "state").exists()


def test_without_functions_it_says_how_to_get_some(project: Path) -> None:
    (project / "tuner.toml").write_text("")
    done = run(project)
    assert done.returncode == 2
    assert "tuner init" in done.stderr
