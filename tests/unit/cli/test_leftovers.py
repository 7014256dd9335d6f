"""A result file of an earlier gate never passes for the result of this one, however this one ends."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.effects.running import environment, tuner
from tuner.cli.leftovers import remove_leftovers
from tuner.errors import UsageError

KINDS = {"comment": "c.md", "summary": "s.md", "junit": "j.xml", "report": "r.json", "benchmark-json": "b.json"}


def gate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    files = [f"--{kind}={name}" for kind, name in KINDS.items()]
    return subprocess.run(
        tuner("gate", *arguments, *files, "--endpoint-url", "http://127.0.0.1:9", "--no-history"),
        env=environment(folder / "state"),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("mine",), 2),  # nothing to compare with
        (("mine", "--base", "prod", "--metric", "nonsense=1"), 2),
        (("mine", "--base", "prod", "--payload", "no-such-file"), 2),
        (("mine", "--base", "prod"), 8),  # nobody answers there
        (("no-such-folder", "--base", "main", "--local"), 2),
    ],
    ids=["no base", "policy", "payload", "network", "local"],
)
def test_a_gate_that_fails_leaves_no_committed_result_behind(
    tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    for name in KINDS.values():
        (tmp_path / name).write_text("<!-- tuner-gate -->\n## pass\n")
    done = gate(tmp_path, *arguments)
    assert done.returncode == code, done.stderr
    assert [name for name in KINDS.values() if (tmp_path / name).exists()] == []


def test_a_stored_base_that_is_to_be_renewed_in_place_is_kept_until_it_was_read(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("not a report")
    done = gate(tmp_path, "mine", "--baseline", "r.json")
    assert done.returncode == 2
    assert (tmp_path / "r.json").read_text() == "not a report"


def test_a_link_is_removed_and_its_target_is_not(tmp_path: Path) -> None:
    target, link = tmp_path / "mine.txt", tmp_path / "comment.md"
    target.write_text("keep")
    link.symlink_to(target)
    remove_leftovers([link])
    assert target.read_text() == "keep"
    assert not link.is_symlink()


def test_what_is_no_regular_file_is_left_alone(tmp_path: Path) -> None:
    folder, pipe, missing = tmp_path / "folder", tmp_path / "pipe", tmp_path / "missing"
    folder.mkdir()
    os.mkfifo(pipe)
    to_null = tmp_path / "to-null"
    to_null.symlink_to("/dev/null")
    remove_leftovers([folder, pipe, missing, to_null, Path("/dev/null"), Path("/dev/stdout")])
    assert folder.is_dir()
    assert pipe.is_fifo()
    assert to_null.is_symlink()
    assert Path("/dev/stdout").is_symlink()


def test_a_file_that_can_only_be_emptied_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mounted"
    path.write_text("old")
    monkeypatch.setattr(Path, "unlink", refuse)
    remove_leftovers([path])
    assert path.read_text() == ""


def test_a_file_that_can_be_neither_removed_nor_emptied_ends_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "theirs"
    path.write_text("old")
    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(os, "truncate", refuse)
    with pytest.raises(UsageError, match="cannot be removed"):
        remove_leftovers([path])


def refuse(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")
