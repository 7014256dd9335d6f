"""The folder of one run: plan, journal and samples, each written when it exists, so that a crash loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner import codec
from tuner.errors import UsageError
from tuner.model import Plan, Sample


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

    def append_samples(self, samples: Sequence[Sample]) -> None:
        """Hand rows to the operating system at once: they survive the death of this process."""
        with self.samples_path.open("ab") as file:
            file.write(b"".join(codec.encode(sample) + b"\n" for sample in samples))

    def read_samples(self) -> tuple[Sample, ...]:
        """The rows written so far, without a torn last line."""
        if not self.samples_path.exists():
            return ()
        whole = self.samples_path.read_bytes().split(b"\n")[:-1]
        return tuple(codec.decode(line, Sample) for line in whole)
