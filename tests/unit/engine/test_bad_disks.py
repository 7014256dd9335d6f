"""Disks that run full, tear lines and lose folders: the function is put back, and every other one as well."""

from __future__ import annotations

import errno
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import FakeLambda, Killed, plan
from tests.unit.engine.test_orchestrator import recover, run
from tests.unit.engine.test_other_actors import RUN_IDS, Before, killed
from tuner.engine import recovery
from tuner.engine.disk import LOCAL_DISK, AppendOnly, LocalDisk
from tuner.engine.journal import (
    Journal,
    MemoryChange,
    Publication,
    Published,
    journal_paths,
    read_journal,
    unfinished_journals,
)
from tuner.engine.recovery import Recovered
from tuner.engine.undo import undo
from tuner.errors import CleanUpIncompleteError, StorageError, TargetError, TunerError

WRITES_OF_A_RUN = 25


async def recovered(fake: FakeLambda, runs: Path) -> list[Recovered]:
    return list(await recovery.recover(runs, lambda journal: undo(fake, journal, poll_interval_s=0.001)))


def tear(path: Path) -> None:
    """As a full disk leaves it: the beginning of one more line."""
    with path.open("ab") as file:
        file.write(b'{"entry":"memory_ch')


# H2: a journal is locked before it is read.


class DiesBeforeTheLock(LocalDisk):
    """Until its journal is locked, the run that writes it goes on, and then it dies."""

    def __init__(self, go_on: Callable[[], None]) -> None:
        self._go_on = go_on

    def open_locked(self, path: Path) -> AppendOnly:
        self._go_on()
        return super().open_locked(path)


async def test_what_a_run_did_between_being_found_and_being_locked_is_undone_too(tmp_path: Path) -> None:
    fake = FakeLambda()
    before = fake.fingerprint()
    await killed(fake, tmp_path, plan((128,)), at="mark")
    (path,) = journal_paths(tmp_path)
    first = read_journal(path)
    assert first is not None
    assert (first.memory, first.publications) == (None, ())
    run_id = first.opened.run_id
    fake.mine.marks[run_id] = 512

    def go_on() -> None:
        with Journal(path, LOCAL_DISK.open_locked(path)) as journal:
            journal.announce(MemoryChange(original_mb=512, set_to_mb=128))
            journal.announce(Publication(description=f"tuner run {run_id}", existing=("1", "2")))
            journal.note(Published(version="3"))
        fake.deploy(memory_mb=128)
        fake.release(f"tuner run {run_id}")

    async def undo_now(journal: Journal) -> tuple[()]:
        await undo(fake, journal, poll_interval_s=0.001)
        return ()

    (done,) = await recovery.recover(tmp_path, undo_now, DiesBeforeTheLock(go_on))
    assert done.error is None
    assert fake.fingerprint() == before


# M1: a torn last line is cut off, and what is written next is a line of its own.


async def test_a_torn_journal_is_recovered_and_again_after_a_recover_that_died(tmp_path: Path) -> None:
    fake = FakeLambda()
    before = fake.fingerprint()
    await killed(fake, tmp_path, plan(), at="publish", nth=2)
    (path,) = journal_paths(tmp_path)
    tear(path)
    fake.die_at = len(fake.calls) + 5  # after the memory was given back and that was noted
    with pytest.raises(Killed):
        await recovered(fake, tmp_path)
    assert b"memory_restored" in path.read_bytes()
    tear(path)
    await recover(fake, tmp_path)
    assert fake.fingerprint() == before
    record = read_journal(path)
    assert record is not None
    assert record.closed
    assert path.read_bytes().endswith(b"\n")


async def test_a_run_is_possible_again_after_a_torn_journal_was_recovered(tmp_path: Path) -> None:
    fake = FakeLambda()
    await killed(fake, tmp_path, plan(), at="publish")
    tear(journal_paths(tmp_path)[0])
    await recover(fake, tmp_path)
    again = await run(fake, tmp_path, replace(plan(), run_id=RUN_IDS[1]))
    assert again.failure is None


# M2: one journal that cannot be read stops no other.


@pytest.mark.parametrize(
    "content", [b"\x00\xff\n", b'{"entry":"what"}\n', b"[]\n", b'{"entry":"closed"}\n', b"[" * 9_999]
)
async def test_a_journal_that_cannot_be_read_stops_no_other_and_is_named(tmp_path: Path, content: bytes) -> None:
    fake = FakeLambda()
    before = fake.fingerprint()
    await killed(fake, tmp_path, plan(), at="publish", nth=2)
    for name in ("00000000T000000-000", "99999999T999999-fff"):  # the first one found, and the last
        (tmp_path / name).mkdir()
        (tmp_path / name / "journal.jsonl").write_bytes(content + b"\n")
    done = await recovered(fake, tmp_path)
    assert fake.fingerprint() == before
    failed = [one for one in done if one.error is not None]
    assert [one.path.parent.name for one in failed] == ["00000000T000000-000", "99999999T999999-fff"]
    assert all(str(one.path) in one.error.message for one in failed if one.error is not None)


async def test_a_journal_that_may_not_be_opened_stops_no_other(tmp_path: Path) -> None:
    fake = FakeLambda()
    before = fake.fingerprint()
    await killed(fake, tmp_path, plan(), at="publish", nth=2)
    (tmp_path / "00000000T000000-000" / "journal.jsonl").mkdir(parents=True)
    done = await recovered(fake, tmp_path)
    assert fake.fingerprint() == before
    assert [isinstance(one.error, TargetError) for one in done] == [True, False]


# M3: a living run undoes what it knows, not what the file says.


@pytest.mark.parametrize("block", [1, 2])
async def test_a_state_folder_that_is_removed_in_mid_run_stops_no_clean_up(tmp_path: Path, block: int) -> None:
    fake, made = FakeLambda(), plan()
    before = fake.fingerprint()
    result = await run(fake, tmp_path, made, Before(made, block, lambda: shutil.rmtree(tmp_path / made.run_id)))
    assert len(result.samples) == 12
    assert fake.fingerprint() == before


# ENOSPC: whatever is the first write without room, the function is put back and the error says what to do.


class FullDisk(LocalDisk):
    """Has room for so many writes, and for half of the next one."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, path: Path, data: bytes) -> None:
        self.take_room()
        super().write(path, data)

    def create_locked(self, path: Path) -> AppendOnly:
        return _FullFile(self, super().create_locked(path))

    def open_locked(self, path: Path) -> AppendOnly:
        return _FullFile(self, super().open_locked(path))

    def open(self, path: Path) -> AppendOnly:
        return _FullFile(self, super().open(path))

    def take_room(self) -> None:
        self.room -= 1
        if self.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")


class _FullFile:
    def __init__(self, disk: FullDisk, file: AppendOnly) -> None:
        self._disk = disk
        self._file = file

    def append(self, data: bytes, *, sync: bool) -> None:
        if self._disk.room == 0:
            self._file.append(data[: len(data) // 2], sync=sync)
        self._disk.take_room()
        self._file.append(data, sync=sync)

    def truncate(self, size: int) -> None:
        self._file.truncate(size)

    def close(self) -> None:
        self._file.close()


@pytest.mark.parametrize("room", range(WRITES_OF_A_RUN))
async def test_a_disk_that_runs_full_at_any_write_leaves_the_function_as_it_was(tmp_path: Path, room: int) -> None:
    fake = FakeLambda()
    before = fake.fingerprint()
    try:
        result = await run(fake, tmp_path, plan(), disk=FullDisk(room))
    except CleanUpIncompleteError:
        pytest.fail("a full disk stops no clean-up")
    except TunerError as error:
        assert isinstance(error, StorageError)  # noqa: PT017 - whether it is raised depends on the write
        assert fake.calls == []
    else:
        notices = [notice for notice in result.notices if notice.code == StorageError.slug]
        assert isinstance(result.failure, StorageError) or notices
        assert len(result.samples) == fake.invocations
    assert fake.fingerprint() == before
    await recover(fake, tmp_path)  # with room again
    assert unfinished_journals(tmp_path) == []
    assert fake.fingerprint() == before


async def test_the_writes_above_are_all_of_a_run(tmp_path: Path) -> None:
    disk = FullDisk(WRITES_OF_A_RUN)
    result = await run(FakeLambda(), tmp_path, plan(), disk=disk)
    assert (result.failure, result.notices, disk.room) == (None, (), 0)


@contextmanager
def no_room_beyond(size: int) -> Iterator[None]:
    """A limit on the size of files: like a full disk it takes a part of a write and refuses the rest."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_line_that_a_full_disk_cut_is_not_continued_when_there_is_room_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    file = LOCAL_DISK.create_locked(path)
    file.append(b"first\n", sync=True)
    with no_room_beyond(10), pytest.raises(OSError, match="File too large"):
        file.append(b"second, which is longer\n", sync=True)
    file.append(b"third\n", sync=True)
    file.close()
    assert path.read_bytes() == b"first\nthird\n"


def test_a_file_on_a_full_disk_is_closed_without_another_error() -> None:
    file = LOCAL_DISK.open(Path("/dev/full"))
    with pytest.raises(OSError, match="No space left on device"):
        file.append(b"line\n", sync=False)
    file.close()
