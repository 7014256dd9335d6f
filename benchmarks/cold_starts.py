"""Do intervals of cold-start percentiles hold what they promise? ``python -m benchmarks.cold_starts [--json]``.

Coverage of nominal 95 % intervals of p50, p90, p95 and p99, and of differences between two cells, in worlds with
batch effects, two modes and real init durations (``cold_worlds``); how often there is an interval at all; false
alarms and power of the notice about two modes; coverage when a study stops as soon as ``--precision`` is reached.
``--dip`` prints the table of the dip test's null distribution instead.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.cold_worlds import (
    ColdWorld,
    FloatArray,
    OneMode,
    TwoModes,
    adverse_worlds,
    published_worlds,
    recorded_worlds,
    simulated_worlds,
)
from tuner.model import EngineKind, Estimate, Precision
from tuner.planning.cold_start import batch_size
from tuner.statistics.cold.batches import FEWEST_BATCHES, Batched, difference, quantile_estimate
from tuner.statistics.cold.modes import dip, modes
from tuner.statistics.cold.precision import precise
from tuner.statistics.intervals import smallest_n

QUANTILES = (0.5, 0.9, 0.95, 0.99)
STARTS = (12, 36, 72, 200, 500, 1000)
LEAST_INTERVALS = 50
"""Coverage over fewer intervals is noise."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Coverage of one quantile in one world and design."""

    family: str
    world: str
    starts: int
    batch: int
    quantile: float
    trials: int
    intervals: int
    covered: int
    differences: int
    differences_covered: int

    @property
    def coverage(self) -> float:
        return self.covered / self.intervals


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """How often two modes were noticed."""

    world: str
    starts: int
    noticed: float


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """Studies that ended when a precision was reached."""

    world: str
    quantile: float
    half_width: float
    coverage: float
    mean_starts: float


def main() -> None:
    options = _options()
    if options.dip:
        for n in (30, 50, 100, 200, 500, 1000):
            print(n, *(f"{value:.3f}" for value in dip_null(n, options.dip)))
        return
    rows = list(evaluate(options.trials, published=options.published))
    alarms = list(mode_alarms(options.trials // 4))
    worlds: tuple[ColdWorld, ...] = (OneMode(0.05), TwoModes(0.3, 0.2))
    stopped = [stopping(world, q, options.trials // 4) for world in worlds for q in (0.5, 0.95)]
    if options.json:
        found: dict[str, Sequence[Row | Alarm | Stopped]] = {"rows": rows, "modes": alarms, "stopping": stopped}
        print(json.dumps({name: [asdict(row) for row in part] for name, part in found.items()}))
        return
    _print(rows)
    for alarm in alarms:
        print(f"two modes noticed: {alarm.world:22} n = {alarm.starts:4}  {alarm.noticed:6.1%}")
    for study in stopped:
        print(
            f"stopping at p{study.quantile * 100:g} +-{study.half_width:.0%}: {study.world:22} "
            f"coverage {study.coverage:6.1%}, {study.mean_starts:.0f} cold starts"
        )


def evaluate(trials: int, *, published: int = 60) -> Iterator[Row]:
    """Rows of all worlds at the batch sizes that a study of so many starts would have; of the published functions
    every so many-th, with fewer trials each."""
    for world in (*simulated_worlds(), *adverse_worlds(), *recorded_worlds()):
        for starts in STARTS:
            yield from coverage(world, starts, trials)
    every = published_worlds()
    for world in every[:: max(1, len(every) // published)]:
        for starts in (200, 1000):
            yield from coverage(world, starts, max(trials // 10, 40))


def coverage(world: ColdWorld, starts: int, trials: int, *, seed: int = 1) -> Iterator[Row]:
    """One row for each quantile that so many starts could bound."""
    size = batch_size(starts, 1000, engine=EngineKind.AWS, snap_start=False)
    batches = starts // size
    possible = [q for q in QUANTILES if starts >= smallest_n(q) and batches >= min(FEWEST_BATCHES[q], starts)]
    rng = np.random.default_rng([seed, starts, *world.name.encode()])
    pairs = [(world.draw(rng, batches, size), world.draw(rng, batches, size)) for _ in range(trials)]
    for q in possible:
        truth = world.quantile(q)
        ones = [quantile_estimate(_data(one), q) for one, _ in pairs]
        others = [quantile_estimate(_data(other), q) for _, other in pairs]
        apart = [difference(one, other) for one, other in zip(ones, others, strict=True)]
        known = [e for e in (*ones, *others) if e.estimable]
        known_apart = [e for e in apart if e.estimable]
        yield Row(
            family=world.family,
            world=world.name,
            starts=starts,
            batch=size,
            quantile=q,
            trials=2 * trials,
            intervals=len(known),
            covered=sum(_holds(e, truth) for e in known),
            differences=len(known_apart),
            differences_covered=sum(_holds(e, 0.0) for e in known_apart),
        )


def mode_alarms(trials: int) -> Iterator[Alarm]:
    """How often two modes are noticed, where there is one and where there are two."""
    rng = np.random.default_rng(5)
    worlds: tuple[ColdWorld, ...] = (
        *(OneMode(icc) for icc in (0.0, 0.2, 0.5)),
        *(TwoModes(share, icc) for share in (0.05, 0.1, 0.2, 0.4) for icc in (0.0, 0.2)),
    )
    for world in worlds:
        for starts in (200, 1000):
            size = batch_size(starts, 1000, engine=EngineKind.AWS, snap_start=False)
            noticed = [modes(_data(world.draw(rng, starts // size, size))) is not None for _ in range(trials)]
            yield Alarm(world=world.name, starts=starts, noticed=float(np.mean(noticed)))


def stopping(world: ColdWorld, quantile: float, trials: int, *, half_width: float = 0.05) -> Stopped:
    """Coverage where the study stops as soon as the precision is reached, from the fewest starts on."""
    rng = np.random.default_rng([7, round(quantile * 100)])
    precision = Precision(quantile=quantile, half_width=half_width)
    truth, covered, starts = world.quantile(quantile), 0, 0
    for _ in range(trials):
        rows, size = world.draw(rng, 600, 5), 5
        first = math.ceil(smallest_n(quantile) / size)
        for batches in range(first, len(rows) + 1):
            estimate = quantile_estimate(_data(rows[:batches]), quantile)
            if precise(estimate, precision):
                break
        covered += _holds(estimate, truth)
        starts += batches * size
    return Stopped(
        world=world.name,
        quantile=quantile,
        half_width=half_width,
        coverage=covered / trials,
        mean_starts=starts / trials,
    )


def dip_null(n: int, trials: int) -> list[float]:
    """Quantiles of sqrt(n) * dip in uniform samples, for the probabilities of ``tuner.statistics.cold.modes``."""
    rng = np.random.default_rng(n)
    values = [math.sqrt(n) * dip(np.sort(rng.random(n))) for _ in range(trials)]
    return [float(np.quantile(values, 1 - p)) for p in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)]


def pooled(rows: Iterable[Row], quantile: float, *families: str) -> tuple[float, float]:
    """Coverage of the intervals and of the differences over all rows of these families."""
    chosen = [row for row in rows if row.quantile == quantile and row.family in families]
    return (
        sum(row.covered for row in chosen) / sum(row.intervals for row in chosen),
        sum(row.differences_covered for row in chosen) / max(sum(row.differences for row in chosen), 1),
    )


def _data(rows: FloatArray) -> Batched:
    return Batched(rows.ravel(), np.repeat(np.arange(rows.shape[0]), rows.shape[1]))


def _holds(estimate: Estimate, truth: float) -> bool:
    return estimate.low is not None and estimate.high is not None and estimate.low <= truth <= estimate.high


def _print(rows: Sequence[Row]) -> None:
    print(f"{'family':24}{'quantile':>9}{'coverage':>10}{'lowest':>8}{'highest':>9}", end="")
    print(f"{'in 93-97':>10}{'intervals':>11}{'difference':>12}")
    known = [row for row in rows if row.intervals >= LEAST_INTERVALS]
    for family, quantile in dict.fromkeys((row.family, row.quantile) for row in known):
        chosen = [row for row in known if (row.family, row.quantile) == (family, quantile)]
        each = [row.coverage for row in chosen]
        cover, apart = pooled(chosen, quantile, family)
        within = sum(0.93 <= value <= 0.97 for value in each) / len(each)
        share = sum(row.intervals for row in chosen) / sum(row.trials for row in chosen)
        print(f"{family:24}{f'p{quantile * 100:g}':>9}{cover:10.1%}{min(each):8.1%}{max(each):9.1%}", end="")
        print(f"{within:10.0%}{share:11.0%}{apart:12.1%}")
    print("outside 92-98 %:")
    for row in sorted(rows, key=lambda row: row.coverage if row.intervals else 1):
        if row.intervals >= LEAST_INTERVALS and not 0.92 <= row.coverage <= 0.98:
            print(
                f"  {row.family}: {row.world}, n = {row.starts} in batches of {row.batch}, p{row.quantile * 100:g}: "
                f"{row.coverage:.1%} of {row.intervals} intervals in {row.trials} studies"
            )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000, help="pairs of studies for each world and design")
    parser.add_argument("--published", type=int, default=60, help="how many of the published functions")
    parser.add_argument("--dip", type=int, default=0, metavar="TRIALS", help="print the dip test's null distribution")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
