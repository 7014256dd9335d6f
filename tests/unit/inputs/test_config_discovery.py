"""Which tuner.toml is found by climbing: this project's and this user's, and no other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuner.inputs.config import ConfigError, find_config, read_config


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    return folder


def owned_by_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if ``path`` were another user's; only root could give it away."""
    own = Path.lstat(path).st_uid
    monkeypatch.setattr("tuner.inputs.config.os.geteuid", lambda: own + 1)
    if own == 0:
        real = Path.lstat

        def lstat(self: Path) -> os.stat_result:
            found = real(self)
            return os.stat_result((*found[:4], 4711, *found[5:])) if self == path else found

        monkeypatch.setattr(Path, "lstat", lstat)


@pytest.mark.parametrize("mark", [".git", "home"])
def test_the_search_ends_at_the_repository_and_at_the_home_folder(
    deep: Path, tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tuner.toml").write_text("")
    if mark == ".git":
        (tmp_path / "a" / ".git").mkdir()
    else:
        monkeypatch.setenv("HOME", str(tmp_path / "a"))
    assert find_config(deep) is None
    (tmp_path / "a" / "tuner.toml").write_text("")
    assert find_config(deep) == tmp_path / "a" / "tuner.toml"


def test_another_users_file_above_is_refused_with_how_to_trust_it(
    deep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tuner.toml").write_text('[run]\nbefore = "touch owned"\n')
    owned_by_another(tmp_path / "tuner.toml", monkeypatch)
    with pytest.raises(ConfigError, match="belongs to another user") as caught:
        find_config(deep)
    assert f"--config {tmp_path / 'tuner.toml'}" in caught.value.hint


def test_another_users_file_in_this_very_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container often runs as another user than the one who owns the checkout that it was given."""
    (tmp_path / "tuner.toml").write_text("")
    owned_by_another(tmp_path / "tuner.toml", monkeypatch)
    assert find_config(tmp_path) == tmp_path / "tuner.toml"


def test_another_users_pyproject_above_is_passed_over(
    deep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.tuner]\nmemory = '512'\n")
    assert find_config(deep) == tmp_path / "pyproject.toml"
    owned_by_another(tmp_path / "pyproject.toml", monkeypatch)
    assert find_config(deep) is None


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 20_000,
        "a = " + "9" * 5_000,
        "a = 2026-02-30",
        "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
    ],
)
def test_toml_that_python_cannot_hold_is_an_error_with_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "tuner.toml").write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match=r"tuner\.toml is not valid TOML"):
        read_config(tmp_path / "tuner.toml")


@pytest.mark.timeout(20)
def test_a_configuration_without_an_end_is_not_read() -> None:
    with pytest.raises(ConfigError, match="device"):
        read_config(Path("/dev/zero"))


def test_a_pyproject_without_our_table_is_named_when_it_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(ConfigError, match=r"no table \[tool\.tuner\]"):
        read_config(tmp_path / "pyproject.toml")
