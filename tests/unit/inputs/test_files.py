"""Names that lead to something other than a file of reasonable size."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuner.inputs.files import UnreadableFileError, read_bounded


def test_a_file_of_the_limit_is_read_and_a_larger_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "fits").write_bytes(bytes(10))
    (tmp_path / "larger").write_bytes(bytes(11))
    assert read_bounded(tmp_path / "fits", limit_bytes=10) == bytes(10)
    with pytest.raises(UnreadableFileError, match="larger than 10 bytes"):
        read_bounded(tmp_path / "larger", limit_bytes=10)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_read(path: str) -> None:
    with pytest.raises(UnreadableFileError, match="device"):
        read_bounded(Path(path), limit_bytes=10)


def test_a_pipe_without_a_writer_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFileError, match="pipe"):
        read_bounded(tmp_path / "pipe", limit_bytes=10)
    assert read_bounded(tmp_path / "pipe", limit_bytes=10, pipes=True) == b""


def test_what_a_command_writes_into_a_pipe_is_read_to_its_end() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"report")
    os.close(writer)
    assert read_bounded(Path(f"/dev/fd/{reader}"), limit_bytes=10, pipes=True) == b"report"
    os.close(reader)


def test_a_folder_and_a_name_with_a_zero_byte_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="folder"):
        read_bounded(tmp_path, limit_bytes=10)
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        read_bounded(Path("a\0b"), limit_bytes=10)
