"""The history of a project: kept once, read in order, and never in anybody's way."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.gates import gate_report, gated
from tuner.engine.history import History
from tuner.engine.history_entries import entries_of
from tuner.errors import TargetError


def test_what_is_kept_is_read_back_in_the_order_of_time(tmp_path: Path) -> None:
    history, entries = History.of(tmp_path), entries_of(gate_report(gated()))
    later = [replace(entry, run_id="b", created_at="2026-12-01") for entry in entries]
    history.add(later)
    history.add(entries)
    read = history.read("thumbnail")
    assert read[: len(entries)] == tuple(sorted(entries, key=read.index))
    assert {entry.run_id for entry in read[len(entries) :]} == {"b"}
    assert history.read("another") == ()


def test_adding_a_report_twice_keeps_it_once(tmp_path: Path) -> None:
    history, entries = History.of(tmp_path), entries_of(gate_report())
    history.add(entries)
    history.add(entries)
    assert len(history.read()) == len(entries)


def test_reading_where_there_is_no_history_makes_none(tmp_path: Path) -> None:
    assert History.of(tmp_path).read() == ()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_keeps_itself_out_of_git(tmp_path: Path) -> None:
    History.of(tmp_path).add(entries_of(gate_report()))
    assert (tmp_path / ".tuner" / ".gitignore").read_text() == "*\n"


def test_a_full_disk_is_said_and_takes_nothing_from_the_history(tmp_path: Path) -> None:
    """A limit of the size of files stands for the disk."""
    history, entries = History.of(tmp_path), entries_of(gate_report())
    history.add(entries)
    script = (
        "import resource, sys; from pathlib import Path; from dataclasses import replace\n"
        "from tuner.engine.history import History; history = History.of(Path(sys.argv[1]))\n"
        "more = [replace(e, run_id=str(n)) for n in range(500) for e in history.read()]\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); history.add(more)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "TargetError: The history" in done.stderr
    assert len(history.read()) == len(entries)
    history.add(entries)


def test_the_advice_for_a_full_disk_is_not_to_delete_what_is_there(tmp_path: Path) -> None:
    history = History.of(tmp_path)
    history.folder.mkdir()
    history.path.mkdir()
    with pytest.raises(TargetError) as caught:
        history.read()
    assert "not lost" in caught.value.hint


def test_a_folder_whose_first_write_met_a_full_disk_keeps_itself_out_of_git_later(tmp_path: Path) -> None:
    history = History.of(tmp_path)
    history.folder.mkdir()
    (history.folder / ".gitignore").touch()
    history.add(entries_of(gate_report()))
    assert (history.folder / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("damage", [b"no database at all, but long enough to be looked at" * 30, b""])
def test_a_file_that_is_no_history_is_said_and_not_overwritten(tmp_path: Path, damage: bytes) -> None:
    history = History.of(tmp_path)
    history.folder.mkdir()
    history.path.write_bytes(damage)
    with pytest.raises(TargetError) as caught:
        history.read()
    assert "--no-history" in caught.value.hint
    assert history.path.read_bytes() == damage


def test_a_history_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    history = History.of(tmp_path)
    history.add(entries_of(gate_report()))
    with sqlite3.connect(history.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(TargetError, match="later version"):
        history.add(entries_of(gate_report()))
