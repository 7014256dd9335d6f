"""The folder of one run: plan, journal and samples, each written when it exists, so that a crash loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tuner import codec
from tuner.errors import UsageError
from tuner.model import Plan, Sample


class SampleRows:
    """``samples.jsonl`` while a run goes on. Each row is handed to the operating system at once: it survives the
    death of this process, not that of the machine."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def append(self, sample: Sample) -> None:
        self._file.write(codec.encode(sample) + b"\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


@dataclass(frozen=True, slots=True)
class RunStore:
    folder: Path

    @classmethod
    def create(cls, runs_folder: Path, run_id: str) -> RunStore:
        """The folder of a run, made if it is new; its owner's only, since answers of a function may be private."""
        folder = runs_folder / run_id
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        return cls(folder)

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
        attempt = len(list(self.folder.glob("journal*.jsonl")))
        return self.folder / (f"journal-{attempt + 1}.jsonl" if attempt else "journal.jsonl")

    @property
    def samples_path(self) -> Path:
        return self.folder / "samples.jsonl"

    def write_plan(self, plan: Plan) -> None:
        self.plan_path.write_bytes(codec.encode_pretty(plan))

    def read_plan(self) -> Plan:
        return codec.decode(self.plan_path.read_bytes(), Plan)

    def sample_rows(self) -> SampleRows:
        """The rows of the run, to be added to; a context manager."""
        return SampleRows(self.samples_path.open("ab"))

    def read_samples(self) -> tuple[Sample, ...]:
        """The rows written so far, without a torn last line."""
        if not self.samples_path.exists():
            return ()
        whole = self.samples_path.read_bytes().split(b"\n")[:-1]
        return tuple(codec.decode(line, Sample) for line in whole)
