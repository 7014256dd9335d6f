"""A folder at a git reference: packed as it was committed, whatever the working tree holds now."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tuner.cli.gate_git import find_reference, packed, reference_notices
from tuner.errors import UsageError

Git = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "repository" / "functions" / "orders"
    made.mkdir(parents=True)
    (made / "handler.py").write_text("first")
    (made / "run.sh").write_text("#!/bin/sh\n")
    (made / "run.sh").chmod(0o755)
    return made


@pytest.fixture
def git(folder: Path) -> Git:
    def run(*arguments: str) -> None:
        known = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", *known, "-C", str(folder), *arguments], check=True, capture_output=True)

    run("init", "-q", "-b", "main", str(folder.parents[1]))
    run("add", ".")
    run("commit", "-q", "-m", "first")
    return run


def test_a_reference_is_packed_as_it_was_committed(folder: Path, git: Git) -> None:
    (folder / "handler.py").write_text("second, not committed")
    (folder / "new.py").write_text("untracked")
    with packed(find_reference(folder, "main")) as archive:
        with zipfile.ZipFile(archive) as opened:
            assert opened.read("handler.py") == b"first"
            assert set(opened.namelist()) == {"handler.py", "run.sh"}
            assert opened.getinfo("run.sh").external_attr >> 16 & 0o100
        assert archive.exists()
    assert not archive.exists()


def test_the_repository_itself_may_be_the_folder(folder: Path, git: Git) -> None:
    with packed(find_reference(folder.parents[1], "main")) as archive, zipfile.ZipFile(archive) as opened:
        assert "functions/orders/handler.py" in opened.namelist()


def test_a_tag_with_signs_gives_a_label_that_lambda_accepts(folder: Path, git: Git) -> None:
    git("tag", "v1.2/x")
    assert find_reference(folder, "v1.2/x").label == "v1-2-x"


@pytest.mark.parametrize("name", ["no-such-branch", "--output=/tmp/x", "main:functions", "-h"])
def test_what_is_no_commit_is_refused_and_never_taken_for_an_option(folder: Path, git: Git, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_reference(folder, name)
    assert "git fetch" in caught.value.hint


def test_a_folder_that_the_reference_lacks_is_said(folder: Path, git: Git) -> None:
    later = folder.parent / "later"
    later.mkdir()
    (later / "handler.py").write_text("x")
    with pytest.raises(UsageError, match="has no folder functions/later"), packed(find_reference(later, "main")):
        pass


def test_a_folder_outside_a_repository_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in a git repository"):
        find_reference(tmp_path, "main")


def test_symbolic_links_are_refused_rather_than_packed_as_text(folder: Path, git: Git) -> None:
    (folder / "link.py").symlink_to("handler.py")
    git("add", ".")
    git("commit", "-q", "-m", "link")
    with pytest.raises(UsageError, match=r"symbolic links \(link.py\)"), packed(find_reference(folder, "main")):
        pass


def test_built_files_that_no_commit_can_hold_are_said(folder: Path, git: Git) -> None:
    assert reference_notices(find_reference(folder, "main")) == ()
    (folder / ".gitignore").write_text("vendor/\n__pycache__/\n")
    for name in ("vendor", "__pycache__"):
        (folder / name).mkdir()
        (folder / name / "file").write_text("x")
    (notice,) = reference_notices(find_reference(folder, "main"))
    assert notice.code == "git-ignored-files"
    assert "vendor" in notice.message
    assert "__pycache__" not in notice.message
