"""The folder of one run: plan, journal and samples, each written when it exists, so that a crash loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner import codec
from tuner.model import Plan, Sample


@dataclass(frozen=True, slots=True)
class RunStore:
    folder: Path

    @classmethod
    def create(cls, runs_folder: Path, run_id: str) -> RunStore:
        """Make the folder of a new run; readable by its owner only, since answers of a function may be private."""
        folder = runs_folder / run_id
        folder.mkdir(parents=True, mode=0o700)
        return cls(folder)

    @property
    def journal_path(self) -> Path:
        return self.folder / "journal.jsonl"

    @property
    def samples_path(self) -> Path:
        return self.folder / "samples.jsonl"

    def write_plan(self, plan: Plan) -> None:
        (self.folder / "plan.json").write_bytes(codec.encode_pretty(plan))

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
