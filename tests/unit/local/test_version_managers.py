"""What pyenv and nvm installed is found; what belongs to somebody else is passed over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tuner.local.runtimes import node, python
from tuner.local.runtimes.version_managers import executables_below

PATTERN = "versions/*/bin/python3"


def installed(root: Path, version: str, *, mode: int = 0o755) -> Path:
    file = root / "versions" / version / "bin" / "python3"
    file.parent.mkdir(parents=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(mode)
    return file


@contextmanager
def unreadable(folder: Path) -> Iterator[None]:
    folder.chmod(0)
    try:
        if os.access(folder, os.R_OK | os.X_OK):
            pytest.skip("permissions do not stop this user")
        yield
    finally:
        folder.chmod(0o755)


def test_versions_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    nine, eleven = installed(tmp_path, "3.9.18"), installed(tmp_path, "3.11.2")
    assert executables_below(str(tmp_path), PATTERN) == [nine, eleven]


def test_a_file_that_cannot_be_executed_is_no_interpreter(tmp_path: Path) -> None:
    installed(tmp_path, "3.12.1", mode=0o644)
    assert executables_below(str(tmp_path), PATTERN) == []


def test_a_root_with_characters_of_a_pattern_in_its_name_is_taken_as_it_is(tmp_path: Path) -> None:
    file = installed(tmp_path / "[mine]*", "3.12.1")
    assert executables_below(str(tmp_path / "[mine]*"), PATTERN) == [file]


@pytest.mark.parametrize("below", ["", "versions", "versions/3.12.1", "versions/3.12.1/bin"])
def test_a_folder_that_may_not_be_read_is_passed_over(tmp_path: Path, below: str) -> None:
    installed(tmp_path / "root", "3.12.1")
    with unreadable(tmp_path / "root" / below):
        assert executables_below(str(tmp_path / "root"), PATTERN) == []


def test_a_folder_that_is_not_there_is_passed_over(tmp_path: Path) -> None:
    assert executables_below(str(tmp_path / "nowhere"), PATTERN) == []


def test_runtimes_are_found_although_no_folder_may_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    for name in ("PYENV_ROOT", "NVM_DIR", "PATH"):
        monkeypatch.setenv(name, str(locked))
    with unreadable(locked):
        assert list(python.interpreters.__wrapped__()) == [python.OWN_VERSION]
        assert node.executables.__wrapped__() == {}
