"""``tuner cold-start`` end to end, embedded: ``python -m benchmarks.cold_start_local [-n 200] [--json]``.

A handler that writes down itself how long its process existed before the first invocation is the second opinion: the
kernel's start time of the process, read when the module has been imported. Some environments are declared to be
initialised ahead; how many the service made of those is told by the clocks without a cold sample. Afterwards nothing
may be left, no open journal and no process (that no version and no copy stays on a service that goes on is for
tests/effects/test_cli_cold_start.py). Run it on a machine that does nothing else.

200 cold starts at each cell beside busy neighbours (load 12 to 17 on 2 cores): counts exact in all four cells (800
cold, 29 ahead, 829 warm), reported init +5.0 to +6.2 % against the clocks, nothing left behind, 9 minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tuner import codec
from tuner.model import Architecture, ColdStartReport

SIZES_MB = (512, 1024)
ARM64_SPEED = 0.85
AHEAD = 0.03
CLOSE_ENOUGH = 0.10
"""How far the reported init may be from the clock of the handler."""

HANDLER = """
import json, os, time
time.sleep(0.1)
sum(range(1_500_000))
with open("/proc/self/stat") as stat:
    ticks = int(stat.read().rpartition(")")[2].split()[19])
age_ms = 1000 * (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))
with open(os.environ["CLOCKS"], "a") as clocks:
    clocks.write(json.dumps([os.environ["AWS_LAMBDA_FUNCTION_NAME"], os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
                             os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], age_ms]) + chr(10))

def handler(event, context):
    return None
"""
"""Its clock ticks every 10 ms: half a tick is taken off each reading."""

Place = tuple[int, Architecture]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    memory_mb: int
    architecture: str
    cold: int
    initialised_ahead: int
    warm: int
    others: int
    environments: int
    """Processes that wrote down their clock."""
    init_p50_ms: float
    clock_p50_ms: float

    @property
    def error(self) -> float:
        return self.init_p50_ms / self.clock_p50_ms - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    starts: int
    seconds: float
    cells: tuple[CellResult, ...]
    disturbed: float
    """Share of invocations that waited for a CPU."""
    left_behind: tuple[str, ...]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--starts", type=int, default=200, help="cold starts at each of the four cells")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), options.starts)
    print(json.dumps(asdict(result), indent=2) if options.json else table(result))
    return int(bool(problems(result)))


def measure(folder: Path, starts: int, *, sizes_mb: Sequence[int] = SIZES_MB) -> Result:
    """One study of ``starts`` cold starts at every size and architecture."""
    report, seconds = study(folder, starts, sizes_mb)
    clocks = read_clocks(folder / "clocks.jsonl", report.target.function)
    known = [sample.disturbed for sample in report.samples if sample.disturbed is not None]
    return Result(
        starts=starts,
        seconds=round(seconds, 1),
        cells=cells_of(report, clocks),
        disturbed=sum(known) / len(known) if known else 0.0,
        left_behind=left_behind(folder),
    )


def problems(result: Result) -> tuple[str, ...]:
    """What is not as it should be, in words."""
    found = [f"left behind: {name}" for name in result.left_behind]
    for cell in result.cells:
        where = f"{cell.memory_mb} MB {cell.architecture}"
        if cell.cold != result.starts:
            found.append(f"{where}: {cell.cold} cold starts instead of {result.starts}")
        if cell.cold + cell.initialised_ahead + cell.others != cell.environments:
            found.append(f"{where}: {cell.environments} environments, {cell.cold + cell.initialised_ahead} counted")
        if cell.warm < cell.cold:
            found.append(f"{where}: {cell.warm} warm calls after {cell.cold} cold ones")
        if abs(cell.error) > CLOSE_ENOUGH:
            found.append(f"{where}: init {cell.error:+.1%} from the handler's own clock")
    return tuple(found)


def study(folder: Path, starts: int, sizes_mb: Sequence[int]) -> tuple[ColdStartReport, float]:
    code = folder / "timed"
    code.mkdir()
    (code / "handler.py").write_text(HANDLER)
    simulation = folder / "simulation.json"
    simulation.write_text(json.dumps({"seed": 1, "arm64_speed": ARM64_SPEED, "initialised_ahead": AHEAD}))
    report = folder / "report.json"
    command = [sys.executable, "-m", "tuner", "cold-start", str(code), "--local", "-n", str(starts), "--quiet"]
    command += ["--memory", ",".join(map(str, sizes_mb)), "--arch", "x86_64,arm64", "--simulate", str(simulation)]
    command += ["--env", f"CLOCKS={folder / 'clocks.jsonl'}", "--max-cost", "100", "--report", str(report)]
    began_s = time.monotonic()
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "TUNER_STATE_DIR": str(folder / "state")},
    )
    return codec.decode(report.read_bytes(), ColdStartReport), time.monotonic() - began_s


def read_clocks(path: Path, function: str) -> Mapping[Place, list[float]]:
    """Age in ms of each process when its handler was imported, by size and architecture; ``$LATEST`` is not counted.

    The other architecture runs on a copy, whose name ends with it.
    """
    clocks: defaultdict[Place, list[float]] = defaultdict(list)
    tick_ms = 1000 / os.sysconf("SC_CLK_TCK")
    for line in path.read_text().splitlines():
        name, version, memory_mb, age_ms = json.loads(line)
        if version != "$LATEST":
            architecture = Architecture.X86_64 if name == function else Architecture.ARM64
            clocks[int(memory_mb), architecture].append(age_ms - tick_ms / 2)
    return clocks


def cells_of(report: ColdStartReport, clocks: Mapping[Place, list[float]]) -> tuple[CellResult, ...]:
    return tuple(
        CellResult(
            memory_mb=cell.memory_mb,
            architecture=cell.architecture.value,
            cold=cell.counts.cold,
            initialised_ahead=cell.counts.initialised_ahead,
            warm=cell.counts.warm,
            others=cell.counts.failed + cell.counts.unreported + cell.counts.init_timeouts + cell.counts.reused,
            environments=len(clocks[cell.memory_mb, cell.architecture]),
            init_p50_ms=round(cell.start_ms.p50.point, 2) if cell.start_ms else float("nan"),
            clock_p50_ms=round(statistics.median(clocks[cell.memory_mb, cell.architecture]), 2),
        )
        for cell in report.cells
    )


def left_behind(folder: Path) -> tuple[str, ...]:
    """Journals that are not closed, and processes that still know the folder."""
    journals = [
        path for path in (folder / "state").glob("runs/*/journal*.jsonl") if '"closed"' not in path.read_text()
    ]
    return (*(f"open journal {path.parent.name}" for path in journals), *processes_of(folder))


def processes_of(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            known = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if int(process.name) != os.getpid() and str(folder).encode() in known:
            found.append(f"process {process.name}")
    return found


def table(result: Result) -> str:
    head = (
        f"{'':16}{'cold':>6}{'ahead':>7}{'warm':>6}{'environments':>14}{'init p50':>10}{'clock p50':>11}{'error':>8}"
    )
    lines = [
        f"{cell.memory_mb:>5} MB {cell.architecture:7}{cell.cold:>6}{cell.initialised_ahead:>7}{cell.warm:>6}"
        f"{cell.environments:>14}{cell.init_p50_ms:>10.1f}{cell.clock_p50_ms:>11.1f}{cell.error:>+8.1%}"
        for cell in result.cells
    ]
    rest = f"{result.seconds:.0f} s; {result.disturbed:.0%} of the calls waited for a CPU"
    return "\n".join([head, *lines, rest, *(problems(result) or ("Counts are right, nothing is left behind.",))])


if __name__ == "__main__":
    sys.exit(main())
