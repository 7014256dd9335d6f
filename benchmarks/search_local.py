"""The search beside an exhaustive sweep on the embedded Lambda: ``python -m benchmarks.search --local``.

Both run through the command with the same strategy and ``--tolerance`` (the default of ``tuner run`` unless one is
given). The sweep takes 100 warm samples at each of a dozen sizes and at the one that the search proposed. The search
is right when its size costs at most 3 % more, by the sweep's own samples, than the size that the sweep proposes, for
a fifth of the sweep's calls.

Runtimes that compile while they run take longer for the first warm calls of an environment, while bills follow the
later ones: on Lambda an environment serves thousands. So the sweep keeps few environments, on each of which only the
first three of 25 calls are young. (All of them run on this one machine: more would not be other hosts.) And the same
is printed for settled calls alone, by which nothing is decided: those after the third, whether the machine disturbed
them or not, as to leave disturbed ones out leaves out the long ones first.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner import codec
from tuner.model import CurveStatus, Estimate, Report

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
RANGE = "128..1769"
SWEEP = "128,192,256,320,384,512,640,768,896,1024,1280,1536,1769"
WITHIN = 0.03
SHARE_OF_CALLS = 0.2
SWEEP_ENVIRONMENTS = 4
YOUNG_CALLS = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """``dearer``: by how much the size of the search costs more than that of the sweep, give or take ``doubt`` (95 %,
    from the sweep's own intervals). ``regret``: by how much more than the cheapest of the sweep. ``settled``: as
    ``dearer``, by settled calls; None without any."""

    example: str
    found: Report
    sweep: Report
    proposed_mb: int
    sweep_mb: int
    dearer: float
    doubt: float
    regret: float
    settled: float | None

    @property
    def good(self) -> bool:
        calls = self.found.spend.invocations <= SHARE_OF_CALLS * self.sweep.spend.invocations
        return self.dearer <= WITHIN and calls


def examples() -> list[str]:
    return sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir())


def compare(example: str, samples: int, tolerance: str | None) -> Comparison:
    asked = [] if tolerance is None else ["--tolerance", tolerance]
    found = _run(example, "--sampling", "adaptive", "--memory", RANGE, *asked)
    if found.recommendation is None:
        raise SystemExit(f"{example}: the search recommends nothing")
    proposed_mb = found.recommendation.memory_mb
    sizes = f"{SWEEP},{proposed_mb}"
    few = ("--wave", str(SWEEP_ENVIRONMENTS))
    sweep = _run(example, "--sampling", "fixed", "-n", str(samples), *few, "--memory", sizes, *asked)
    if sweep.recommendation is None:
        raise SystemExit(f"{example}: the sweep recommends nothing")
    found_cost, sweep_cost = _cost(sweep, proposed_mb), _cost(sweep, sweep.recommendation.memory_mb)
    least = min(point.cost_usd_per_million.point for point in sweep.curve if point.cost_usd_per_million)
    same = proposed_mb == sweep.recommendation.memory_mb
    settled = (_settled(sweep, proposed_mb), _settled(sweep, sweep.recommendation.memory_mb))
    return Comparison(
        example=example,
        found=found,
        sweep=sweep,
        proposed_mb=proposed_mb,
        sweep_mb=sweep.recommendation.memory_mb,
        dearer=found_cost.point / sweep_cost.point - 1,
        doubt=0.0 if same else math.hypot(_doubt(found_cost), _doubt(sweep_cost)),
        regret=found_cost.point / least - 1,
        settled=settled[0] / settled[1] - 1 if settled[0] and settled[1] else None,
    )


def _cost(report: Report, memory_mb: int) -> Estimate:
    found = next(point.cost_usd_per_million for point in report.curve if point.memory_mb == memory_mb)
    if found is None:
        raise SystemExit(f"the sweep has no cost at {memory_mb} MB")
    return found


def _settled(report: Report, memory_mb: int) -> float | None:
    """What a settled call is billed for, in MB-ms, on average."""
    warm = defaultdict(list)
    for sample in sorted(report.samples, key=lambda sample: sample.sequence):
        if sample.cell.memory_mb == memory_mb and not sample.cold and sample.billed_ms is not None:
            warm[sample.environment].append(sample.billed_ms)
    settled = [billed for calls in warm.values() for billed in calls[YOUNG_CALLS:]]
    return memory_mb * statistics.mean(settled) if settled else None


def _doubt(cost: Estimate) -> float:
    """Half the width of its interval, relative."""
    return math.inf if cost.low is None or cost.high is None else (cost.high - cost.low) / 2 / cost.point


def _run(example: str, *options: str) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        command = [sys.executable, "-m", "tuner", "run", str(EXAMPLES / example), "--local", "-q", *options]
        subprocess.run([*command, "--report", str(file)], check=True, stdout=subprocess.DEVNULL)
        return codec.decode(file.read_bytes(), Report)


def show(title: str, report: Report) -> None:
    """The measured sizes of a run."""
    print(f"  {title}: {report.spend.invocations} calls, {report.spend.cold_invocations} of them cold")
    print(f"  {'MB':>7}{'n':>5}{'mean ms':>10}{'USD/million':>14}   95 %")
    for point in report.curve:
        cost, duration = point.cost_usd_per_million, point.duration_ms
        if point.status is CurveStatus.MEASURED and cost is not None and duration is not None:
            bounds = "" if cost.low is None else f"{cost.low:.3f} .. {cost.high:.3f}"
            print(f"  {point.memory_mb:7}{point.n:5}{duration.mean.point:10.1f}{cost.point:14.3f}   {bounds}")


def main(chosen: Sequence[str] | None, samples: int, tolerance: str | None) -> int:
    results = []
    for example in chosen or examples():
        result = compare(example, samples, tolerance)
        results.append(result)
        print(
            f"{'ok' if result.good else 'MISSED':7}{example}: the search proposes {result.proposed_mb} MB, the sweep "
            f"{result.sweep_mb} MB; {result.dearer:+.1%} beside that (give or take {result.doubt:.1%}), "
            f"{result.regret:.1%} above the cheapest"
            + ("" if result.settled is None else f"; {result.settled:+.1%} by settled calls")
        )
        show("search", result.found)
        show("sweep", result.sweep)
    return 0 if all(result.good for result in results) else 1
