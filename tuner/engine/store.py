"""The folder of one run: plan, journal and samples, each written when it exists, so that a crash loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from tuner import codec
from tuner.engine.disk import LOCAL_DISK, AppendOnly, Disk
from tuner.engine.journal import storage_error
from tuner.errors import RunInProgressError, UsageError
from tuner.model import Plan, Sample


class SampleRows:
    """``samples.jsonl`` while a run goes on. Each row is handed to the operating system at once: it survives the
    death of this process, not that of the machine."""

    def __init__(self, path: Path, file: AppendOnly) -> None:
        self._path = path
        self._file = file

    def append(self, sample: Sample) -> None:
        """StorageError where there is no room for it."""
        try:
            self._file.append(codec.encode(sample) + b"\n", sync=False)
        except OSError as error:
            raise storage_error(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


@dataclass(frozen=True, slots=True)
class RunStore:
    folder: Path
    disk: Disk = LOCAL_DISK

    @classmethod
    def create(cls, runs_folder: Path, run_id: str, disk: Disk = LOCAL_DISK) -> RunStore:
        """The folder of a run, made if it is new. StorageError where it cannot be."""
        folder = runs_folder / run_id
        with _in_words(folder):
            disk.make_folder(folder)
        return cls(folder, disk)

    @classmethod
    def open(cls, runs_folder: Path, run_id: str) -> RunStore:
        """The folder of an earlier run. UsageError if there is none."""
        store = cls(runs_folder / run_id)
        if not store.plan_path.is_file():
            raise UsageError(
                f"There is no run {run_id} in {runs_folder}.",
                hint=f"`ls {runs_folder}` shows the runs there are.",
            )
        return store

    @property
    def plan_path(self) -> Path:
        return self.folder / "plan.json"

    def new_journal_path(self) -> Path:
        """Each attempt at a run, the first and every resumed one, has a journal of its own."""
        attempt = len(self.disk.find(self.folder, "journal*.jsonl"))
        return self.folder / (f"journal-{attempt + 1}.jsonl" if attempt else "journal.jsonl")

    @property
    def samples_path(self) -> Path:
        return self.folder / "samples.jsonl"

    def write_plan(self, plan: Plan) -> None:
        """StorageError where there is no room for it."""
        with _in_words(self.plan_path):
            self.disk.write(self.plan_path, codec.encode_pretty(plan))

    def read_plan(self) -> Plan:
        return codec.decode(self.disk.read(self.plan_path), Plan)

    def sample_rows(self) -> SampleRows:
        """The rows of the run, to be added to; a context manager."""
        with _in_words(self.samples_path):
            return SampleRows(self.samples_path, self.disk.open(self.samples_path))

    def lock(self, function_arn: str, endpoint_url: str | None) -> AppendOnly:
        """One run a function at a time, as far as this state folder sees: held until closed or the process ends.

        Raises RunInProgressError where another process holds it.
        """
        named = sha256(f"{endpoint_url or ''} {function_arn}".encode()).hexdigest()[:32]
        folder = self.folder.parent.parent / "locks"
        with _in_words(folder):
            self.disk.make_folder(folder)
            try:
                return self.disk.open_locked(folder / f"{named}.lock")
            except BlockingIOError:
                raise RunInProgressError(
                    f"Another run on {function_arn} is going on.",
                    hint="Wait for it or stop it with Ctrl-C; it cleans up after itself.",
                ) from None

    def read_samples(self) -> tuple[Sample, ...]:
        """The rows written so far, without a torn last line."""
        try:
            data = self.disk.read(self.samples_path)
        except FileNotFoundError:
            return ()
        whole = data.split(b"\n")[:-1]
        return tuple(codec.decode(line, Sample) for line in whole)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_error(path, error) from error
