"""What a gate quotes from others sets no output and is no workflow command."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.effects.running import environment, tuner
from tests.gates import gate_report, gated
from tuner.cli.delivery import Delivery
from tuner.cli.github import WorkflowCommands, tell_github, workflow_commands

REPORT = gate_report(gated(ratio=1.2))


def read_outputs(text: str) -> dict[str, str]:
    """As docs.github.com, "Workflow commands for GitHub Actions", says: NAME=VALUE, or NAME<<DELIMITER and lines."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and "<<" not in name:
            found[name] = value
        else:
            name, _, delimiter = line.partition("<<")
            found[name] = "\n".join(iter(lines.__next__, delimiter))
    return found


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "out"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    yield tmp_path / "out"
    workflow_commands.resume()


@pytest.mark.parametrize("name", ["r.html", "a\nverdict=pass\n.html", "a\nx<<y\nverdict=pass\ny\n.html", "<<a=b"])
def test_a_file_name_of_several_lines_sets_no_other_output(told: Path, name: str) -> None:
    with Delivery() as delivery:
        tell_github(REPORT, delivery, advisory=False, report_file=Path(name), comment=None)
    found = read_outputs(told.read_text())
    assert found == {"verdict": "regression", "memory-mb": found["memory-mb"], "report": name}


@pytest.mark.parametrize("written", [True, False])
def test_the_comment_is_named_only_where_this_gate_has_written_it(told: Path, tmp_path: Path, written: bool) -> None:
    comment = tmp_path / "comment.md"
    comment.write_text("from the pull request")
    with Delivery() as delivery:
        if written:
            delivery.write(comment, "ours")
        tell_github(REPORT, delivery, advisory=False, report_file=None, comment=comment)
    assert read_outputs(told.read_text()).get("comment") == (str(comment) if written else None)


def test_a_summary_that_cannot_be_written_does_not_keep_the_outputs_from_github(
    told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/dev/full")
    delivery = Delivery()
    tell_github(REPORT, delivery, advisory=False, report_file=None, comment=None)
    assert read_outputs(told.read_text())["verdict"] == "regression"


@pytest.mark.usefixtures("told")
def test_annotations_are_the_only_commands_that_the_runner_reads(capsys: pytest.CaptureFixture[str]) -> None:
    workflow_commands.stop()
    with Delivery() as delivery:
        tell_github(REPORT, delivery, advisory=False, report_file=None, comment=None)
    first, second, *annotations, last = capsys.readouterr().err.splitlines()
    assert second == f"::{first.removeprefix('::stop-commands::')}::"
    assert annotations
    assert all(line.startswith(("::error ", "::warning ")) for line in annotations)
    assert last.startswith("::stop-commands::")
    assert last != first


def test_elsewhere_nothing_is_said_about_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    commands = WorkflowCommands()
    commands.stop()
    commands.resume()
    assert capsys.readouterr().err == ""


def test_the_last_words_of_a_gate_that_fails_are_no_commands(tmp_path: Path) -> None:
    done = subprocess.run(
        tuner("gate", "mine", "--base", "1", "--github", "--metric", "x\n::set-output name=verdict::pass"),
        env={**environment(tmp_path / "state"), "GITHUB_ACTIONS": "true"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    first, *_, last = done.stderr.splitlines()
    assert first.startswith("::stop-commands::")
    assert last == f"::{first.removeprefix('::stop-commands::')}::"
