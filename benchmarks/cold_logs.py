"""Do percentiles of a week of production hold what they promise? ``python -m benchmarks.cold_logs [--json]``.

Logs whose days differ, whose neighbouring hours resemble each other, or neither; one mode or two. For each: how
often hours are taken as batches, how often there is an interval at all, and how often it covers the truth.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from tuner.statistics.cold.batches import Batched, quantile_estimate
from tuner.statistics.cold.periods import days_differ

HOURS_A_DAY = 24
QUANTILES = (0.5, 0.9, 0.95)
SLOW_SHARE = 0.2


@dataclass(frozen=True)
class LogWorld:
    """Lognormal cold starts. ``day`` and ``hour`` are the parts of the spread that belong to them; an hour's part
    goes over into the next one's with the correlation ``carry``."""

    day: float
    hour: float
    carry: float
    slow: bool = False

    @property
    def name(self) -> str:
        modes = "two modes" if self.slow else "one mode"
        return f"{modes}, day {self.day:g}, hour {self.hour:g}, carried {self.carry:g}"

    def draw(self, rng: np.random.Generator, days: int, a_day: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Durations in ms and the hour of each."""
        level = np.empty(days * HOURS_A_DAY)
        level[0] = rng.normal()
        for hour in range(1, level.size):
            level[hour] = self.carry * level[hour - 1] + math.sqrt(1 - self.carry**2) * rng.normal()
        of_day = rng.normal(size=days)
        hours = np.sort(rng.integers(0, level.size, days * a_day))
        shared = math.sqrt(self.day) * of_day[hours // HOURS_A_DAY] + math.sqrt(self.hour) * level[hours]
        normal = shared + math.sqrt(1 - self.day - self.hour) * rng.normal(size=hours.size)
        if not self.slow:
            return 300 * np.exp(0.15 * normal), hours.astype(np.intp)
        is_slow = normal > float(ndtri(1 - SLOW_SHARE))
        return np.where(is_slow, 600, 250) * np.exp(0.08 * rng.normal(size=hours.size)), hours.astype(np.intp)

    def quantile(self, q: float) -> float:
        if not self.slow:
            return float(300 * math.exp(0.15 * float(ndtri(q))))
        if q < 1 - SLOW_SHARE:
            return float(250 * math.exp(0.08 * float(ndtri(q / (1 - SLOW_SHARE)))))
        return float(600 * math.exp(0.08 * float(ndtri(1 - (1 - q) / SLOW_SHARE))))


@dataclass(frozen=True, kw_only=True)
class Row:
    world: str
    a_day: int
    quantile: float
    trials: int
    by_hour: float
    intervals: int
    covered: int
    if_always_by_hour: float

    @property
    def coverage(self) -> float:
        return self.covered / self.intervals if self.intervals else math.nan


def evaluate(trials: int, *, days: int = 7) -> Iterator[Row]:
    for slow in (False, True):
        for day, hour, carry in (
            (0.0, 0.0, 0.0), (0.0, 0.1, 0.0), (0.0, 0.1, 0.8), (0.0, 0.3, 0.8), (0.01, 0.05, 0.0), (0.02, 0.05, 0.0),
            (0.05, 0.05, 0.0), (0.2, 0.0, 0.0), (0.5, 0.0, 0.0),
        ):  # fmt: skip
            for a_day in (30, 100, 300):
                yield from coverage(LogWorld(day, hour, carry, slow), a_day, trials, days=days)


def coverage(world: LogWorld, a_day: int, trials: int, *, days: int = 7, seed: int = 1) -> Iterator[Row]:
    """One row a quantile: of all logs, and what would be if hours were always the batches."""
    rng = np.random.default_rng([seed, a_day, *world.name.encode()])
    logs = []
    for _ in range(trials):
        values, hours = world.draw(rng, days, a_day)
        codes = np.unique(hours, return_inverse=True)[1].astype(np.intp)
        logs.append((Batched(values, codes), hours // HOURS_A_DAY))
    by_hour = [not days_differ(data.values, data.batch, day) for data, day in logs]
    for q in QUANTILES:
        truth = world.quantile(q)
        hourly = [quantile_estimate(data, q) for data, _ in logs]
        used = [
            estimate if hour else quantile_estimate(Batched(data.values, day), q)
            for estimate, hour, (data, day) in zip(hourly, by_hour, logs, strict=True)
        ]
        known = [e for e in used if e.low is not None and e.high is not None]
        always = [e.low <= truth <= e.high for e in hourly if e.low is not None and e.high is not None]
        yield Row(
            world=world.name,
            a_day=a_day,
            quantile=q,
            trials=trials,
            by_hour=sum(by_hour) / trials,
            intervals=len(known),
            covered=sum((e.low or 0.0) <= truth <= (e.high or 0.0) for e in known),
            if_always_by_hour=sum(always) / len(always) if always else math.nan,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=400, help="logs for each world and number of cold starts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = evaluate(options.trials)
    if options.json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    print(f"{'world':44}{'a day':>6}{'':>5}{'by hour':>9}{'intervals':>11}{'coverage':>10}{'always by hour':>16}")
    for row in rows:
        share = row.intervals / row.trials
        print(f"{row.world:44}{row.a_day:>6}{f'p{row.quantile * 100:g}':>5}{row.by_hour:>9.0%}{share:>11.0%}", end="")
        print(f"{row.coverage:>10.1%}{row.if_always_by_hour:>16.1%}")


if __name__ == "__main__":
    main()
