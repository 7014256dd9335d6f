"""The search beside an exhaustive sweep on the embedded Lambda: ``python -m benchmarks.search --local``.

Both run through the command. The sweep takes 100 warm samples at each landmark and at the size that the search
proposed; the search is right when its size costs at most 3 % more there than the cheapest one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner import codec
from tuner.model import Report

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
DEFAULT = ("short-cpu", "password-hash")
RANGE = "128..1769"
GRID = "128,256,512,1024,1769"
WITHIN = 0.03
SHARE_OF_CALLS = 0.2


@dataclass(frozen=True, slots=True)
class Comparison:
    """``regret``: by how much the proposed size is dearer than the cheapest of the sweep."""

    example: str
    proposed_mb: int
    cheapest_mb: int
    regret: float
    calls: int
    sweep_calls: int

    @property
    def good(self) -> bool:
        return self.regret <= WITHIN and self.calls <= SHARE_OF_CALLS * self.sweep_calls


def compare(example: str, samples: int) -> Comparison:
    found = _run(example, "--sampling", "adaptive", "--memory", RANGE)
    if found.recommendation is None:
        raise SystemExit(f"{example}: the search recommends nothing")
    proposed_mb = found.recommendation.memory_mb
    sweep = _run(example, "--sampling", "fixed", "-n", str(samples), "--memory", f"{GRID},{proposed_mb}")
    costs = {point.memory_mb: point.cost_usd_per_million.point for point in sweep.curve if point.cost_usd_per_million}
    cheapest_mb = min(costs, key=lambda size: costs[size])
    return Comparison(
        example=example,
        proposed_mb=proposed_mb,
        cheapest_mb=cheapest_mb,
        regret=costs[proposed_mb] / costs[cheapest_mb] - 1,
        calls=found.spend.invocations,
        sweep_calls=sweep.spend.invocations,
    )


def _run(example: str, *options: str) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        command = [sys.executable, "-m", "tuner", "run", str(EXAMPLES / example), "--local", "-q", *options]
        subprocess.run([*command, "--report", str(file)], check=True, stdout=subprocess.DEVNULL)
        return codec.decode(file.read_bytes(), Report)


def main(examples: Sequence[str], samples: int) -> int:
    results = [compare(example, samples) for example in examples or DEFAULT]
    for result in results:
        print(
            f"{result.example:16} proposed {result.proposed_mb:5} MB, cheapest {result.cheapest_mb:5} MB: "
            f"{result.regret:6.1%} dearer, {result.calls} calls beside {result.sweep_calls}"
        )
    return 0 if all(result.good for result in results) else 1
