"""A machine with a state folder of its own, on which ``tuner run`` and ``tuner recover`` are processes."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.faults.owner import NAME, REGION
from benchmarks.faults.schedule import Run
from tuner import codec
from tuner.model import Sample

WAVE = 2
MAX_COST_USD = 0.000015
LIMIT_S = 90.0
HANGS = 256
"""No exit code of a process."""
MOST_RECOVERIES = 6

Process = subprocess.Popen[bytes]
Moment = tuple[float, Callable[[Process], None]]
"""What is done to a process, and how long after its start."""


class Machine:
    def __init__(self, folder: Path, endpoint_url: str) -> None:
        folder.mkdir()
        self.errors = b""
        """What the commands said on standard error: through a pipe, which no disk limits."""
        self._state = folder / "state"
        self._report = folder / "report.json"
        self._endpoint_url = endpoint_url

    def measure(self, run: Run, sizes_mb: Sequence[int]) -> int:
        """The exit code of the run; that of a signal is negative."""
        command = ["run", NAME, "--endpoint-url", self._endpoint_url, "--yes", "--quiet"]
        command += ["--memory", ",".join(map(str, sizes_mb)), "-n", "6", "--wave", str(WAVE), "--sampling", "fixed"]
        command += ["--max-cost", f"{MAX_COST_USD:.9f}", "--report", str(self._report)]
        command += ["--clone"] if run.clone else []
        time.sleep(run.starts_after_s)
        process = subprocess.Popen(
            _tuner(*command), env=self._environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        return self._watch(process, self._moments(run))

    def recover(self) -> int:
        done = subprocess.run(
            _tuner("recover"),
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        self.errors += done.stderr
        return done.returncode

    def began(self) -> bool:
        return bool(self._journals())

    def open_journals(self) -> list[str]:
        """Runs whose journal is not closed."""
        lines = [(path, path.read_bytes().split(b"\n")[:-1]) for path in self._journals()]
        return [path.parent.name for path, whole in lines if whole and b'"closed"' not in whole[-1]]

    def samples(self) -> list[Sample]:
        return [
            codec.decode(line, Sample)
            for path in self._state.glob("runs/*/samples.jsonl")
            for line in path.read_bytes().split(b"\n")[:-1]
        ]

    def _watch(self, process: Process, moments: Sequence[Moment]) -> int:
        started_s = time.monotonic()
        for after_s, act in [*moments, (LIMIT_S, Process.kill)]:
            try:
                self.errors += process.communicate(timeout=max(0.0, started_s + after_s - time.monotonic()))[1]
            except subprocess.TimeoutExpired:
                act(process)
            else:
                return process.returncode
        self.errors += process.communicate()[1]
        return HANGS

    def _moments(self, run: Run) -> list[Moment]:
        moments: list[Moment] = []
        if run.signal is not None:
            number = run.signal
            moments.append((run.signal_after_s, lambda process: process.send_signal(number)))
        if run.disk_full_after_s is not None:
            moments.append((run.disk_full_after_s, partial(self._fill_disk, room_bytes=run.room_bytes)))
        return sorted(moments, key=lambda moment: moment[0])

    def _fill_disk(self, process: Process, *, room_bytes: int) -> None:
        """From now on no file of that process can grow beyond what the journal has and ``room_bytes`` more: a write
        fails like one on a full disk, possibly in the middle of a line. This needs no rights and no disk."""
        size = max((path.stat().st_size for path in self._journals()), default=0)
        with contextlib.suppress(ProcessLookupError):
            _, hard_limit = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size + room_bytes, hard_limit))

    def _journals(self) -> list[Path]:
        return sorted(self._state.glob("runs/*/journal*.jsonl"))

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TUNER_"))}
        return kept | {
            "TUNER_STATE_DIR": str(self._state),
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "run",
            "AWS_SECRET_ACCESS_KEY": "run",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def _tuner(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tuner", *arguments]


def check_samples(rows: Sequence[Sample]) -> Iterator[str]:
    ids = [row.request_id for row in rows if row.request_id is not None]
    if len(ids) != len(set(ids)):
        yield "an invocation is in the samples twice"
    if len({row.sequence for row in rows}) != len(rows):
        yield "two samples have one number"
    costs = [row.cell.memory_mb / 1024 * (row.billed_ms or 0) / 1000 * 1.66667e-5 + 2e-7 for row in rows]
    if sum(costs) > MAX_COST_USD + WAVE * max(costs, default=0):
        yield f"spent {sum(costs):.9f} of {MAX_COST_USD:.9f}"
