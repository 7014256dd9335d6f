"""What can be written is written; what cannot is one error with all of it, and leaves no half file behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.effects.running import environment, tuner
from tuner.cli.delivery import Delivery, try_writing
from tuner.errors import ExitCode, OutputError

FULL = Path("/dev/full")
"""Opens like any file, and has no room (Linux)."""


def write(
    delivery: Delivery, contents: Mapping[Path, str | bytes], *, ends_with: BaseException | None = None
) -> None:
    with delivery:
        for path, content in contents.items():
            delivery.write(path, content)
        if ends_with is not None:
            raise ends_with


def test_a_full_disk_is_one_error_after_everything_else_was_written(tmp_path: Path) -> None:
    first, last = tmp_path / "first.md", tmp_path / "new" / "last.md"
    delivery = Delivery()
    with pytest.raises(OutputError, match=r"/dev/full \(No space left on device\)") as caught:
        write(delivery, {first: "1", FULL: "2", last: b"3"})
    assert (first.read_text(), last.read_text()) == ("1", "3")
    assert delivery.has_written((first, FULL, last)) == (first, last)
    assert caught.value.exit_code is ExitCode.TARGET


def test_an_error_of_the_command_itself_is_not_replaced_by_that_of_a_file() -> None:
    with pytest.raises(KeyError):
        write(Delivery(), {FULL: "2"}, ends_with=KeyError())


def test_a_file_that_may_not_be_opened_keeps_what_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "report.md"
    folder.mkdir()
    (folder / "inside").touch()
    with pytest.raises(OutputError):
        write(Delivery(), {folder: "x"})
    assert (folder / "inside").exists()


@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_is_cut_short_is_removed(tmp_path: Path, there: bool) -> None:
    """A limit of the size of files stands for a disk that fills up in the middle of one."""
    path = tmp_path / "r.json"
    if there:
        path.write_text("of last week")
    script = (
        "import resource, signal, sys; from pathlib import Path; from tuner.cli.delivery import Delivery\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "with Delivery() as delivery: delivery.write(Path(sys.argv[1]), 'x' * 100_000)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert "OutputError" in done.stderr
    assert not path.exists()


def test_trying_leaves_neither_file_nor_folder_nor_another_content(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("content")
    try_writing(kept)
    try_writing(tmp_path / "new" / "er" / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert kept.read_text() == "content"


def test_a_result_that_standard_output_has_no_room_for_is_said_without_a_traceback(tmp_path: Path) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            tuner("iam-policy", "run", "mine"),
            env=environment(tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 8
    assert "Standard output cannot be written: No space left on device." in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_standard_error_that_cannot_be_written_does_not_change_how_a_command_ends(tmp_path: Path) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            tuner("report", "nowhere.json"),
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=full,
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 2
