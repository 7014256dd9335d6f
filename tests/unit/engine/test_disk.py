"""Files of a run on a disk that is full, or becomes so in the middle of a line."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tuner.engine.disk import LOCAL_DISK

FIRST, SECOND, THIRD = b'{"line": 1}\n', b'{"line": 2}\n', b'{"line": 3}\n'


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file can grow beyond that many bytes. Python ignores the signal that comes with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room_bytes", [0, 1, len(SECOND) - 1])
def test_a_line_there_is_no_room_for_leaves_no_part_of_it(tmp_path: Path, room_bytes: int) -> None:
    path = tmp_path / "journal.jsonl"
    file = LOCAL_DISK.create_locked(path)
    file.append(FIRST, sync=True)
    with room_for(len(FIRST) + room_bytes), pytest.raises(OSError, match="too large"):
        file.append(SECOND, sync=True)
    assert path.read_bytes() == FIRST
    file.append(THIRD, sync=True)
    file.close()
    assert path.read_bytes() == FIRST + THIRD


def test_a_file_that_could_not_be_written_can_be_closed(tmp_path: Path) -> None:
    file = LOCAL_DISK.open(tmp_path / "samples.jsonl")
    with room_for(0):
        with pytest.raises(OSError, match="too large"):
            file.append(FIRST, sync=False)
        file.close()
