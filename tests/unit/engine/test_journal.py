"""The journal tells a later process what to undo, whatever the state in which it was left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.engine.journal import (
    Closed,
    Journal,
    MemoryChange,
    MemoryRestored,
    MemoryUndo,
    Opened,
    Publication,
    read_journal,
    unfinished_journals,
)
from tuner.errors import TargetError
from tuner.model import EngineKind

OPENED = Opened(
    run_id="run",
    function="thumbnail",
    arn="arn:aws:lambda:eu-central-1:123456789012:function:thumbnail",
    engine=EngineKind.AWS,
    region="eu-central-1",
    profile=None,
    endpoint_url=None,
    pid=1,
    started_at="2026-11-21T00:00:00+00:00",
)
CHANGE = MemoryChange(original_mb=512, set_to_mb=128)
PUBLICATION = Publication(description="tuner run run", existing=("1",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder / "journal.jsonl"


def test_entries_come_back_as_they_were_written(path: Path) -> None:
    with Journal.create(path, OPENED) as journal:
        journal.announce(CHANGE)
        journal.announce(PUBLICATION)
    record = read_journal(path)
    assert record is not None
    assert (record.opened, record.publications) == (OPENED, (PUBLICATION,))
    assert record.memory == MemoryUndo(original_mb=512, ours_mb=frozenset({128}))
    assert not record.closed


def test_a_restored_memory_needs_no_undo(path: Path) -> None:
    with Journal.create(path, OPENED) as journal:
        journal.announce(CHANGE)
        journal.note(MemoryRestored())
    record = read_journal(path)
    assert record is not None
    assert record.memory is None


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_torn_last_line_is_dropped(path: Path, cut: int) -> None:
    with Journal.create(path, OPENED) as journal:
        journal.announce(CHANGE)
        journal.announce(PUBLICATION)
    path.write_bytes(path.read_bytes()[:-cut])
    record = read_journal(path)
    assert record is not None
    assert record.memory is not None
    assert record.publications == ()


def test_a_journal_torn_in_its_first_line_means_that_nothing_was_done(path: Path) -> None:
    path.write_bytes(b'{"entry":"opened","run')
    assert read_journal(path) is None


def test_only_journals_that_were_not_closed_are_unfinished(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with Journal.create(tmp_path / name / "journal.jsonl", OPENED) as journal:
            if name == "a":
                journal.announce(Closed(closed_at="2026-11-21T00:00:01+00:00"))
    assert [record.path.parent.name for record in unfinished_journals(tmp_path)] == ["b"]


def test_a_journal_that_cannot_be_read_is_an_error_with_its_path(path: Path) -> None:
    path.write_bytes(b'{"entry":"what"}\n')
    with pytest.raises(TargetError, match="journal"):
        read_journal(path)


def test_a_folder_without_runs_has_no_unfinished_journals(tmp_path: Path) -> None:
    assert unfinished_journals(tmp_path / "absent") == []
