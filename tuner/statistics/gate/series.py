"""Samples of two sides -> the evidence of each metric.

What a block has in common (a slow machine, a busy hour) meets base and head alike, because each block measures both:
it is taken out before the spread between environments is looked at, and each block costs its share of the degrees of
freedom.

Means are of three kinds, and a metric says which one it is:

    geometric    exp(mean of logarithms): what a typical call takes; outliers count little
    arithmetic   what bills follow: a ratio of plain means, outliers in full
    quantile     p50 and p95: standard error from the distribution-free interval (Woodruff 1952)

With environment labels the unit is the mean of an environment's calls. Without them the waves carry the same
information (``tuner.statistics.components``), and a version whose calls came one at a time is one environment.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tuner.model import Sample
from tuner.statistics.components import NotEstimable, variance_components
from tuner.statistics.estimates import quantile_estimate
from tuner.statistics.gate.comparison import LogEvidence
from tuner.statistics.intervals import student_quantile
from tuner.statistics.observations import CellSamples, FloatArray, IntArray, Observations

FEWEST_CALLS_FOR_P95 = 200
FEWEST_ENVIRONMENTS_FOR_P95 = 20

LogLevel = Callable[[FloatArray], float]
"""Logarithm of what is compared, of the values of one block."""
Evidence = LogEvidence | NotEstimable


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One quantity on one side: its values, which all are above 0, and the block of each."""

    observations: Observations
    blocks: IntArray
    spent: float = 0.0
    """Degrees of freedom that taking out the blocks has cost."""

    @property
    def n(self) -> int:
        return self.observations.n

    def with_values(self, values: FloatArray) -> Series:
        return replace(self, observations=self.observations.with_values(values))


@dataclass(frozen=True, slots=True)
class Pair:
    """One quantity on both sides."""

    base: Series
    head: Series

    def steadied(self, by: Pair) -> Pair:
        """Without what the blocks have in common, as ``by`` tells it."""
        shifts = _block_shifts(by)
        spent = max(len(shifts) - 1, 0) / 2
        return Pair(_shifted(self.base, shifts, spent), _shifted(self.head, shifts, spent))

    def block_differences(self, log_level: LogLevel) -> list[float]:
        """Head less base on the log scale, in each block that has both."""
        base, head = (_block_levels(series, log_level) for series in (self.base, self.head))
        return [head[block] - base[block] for block in sorted(base.keys() & head.keys())]


def durations(arm: CellSamples) -> Series | None:
    """Durations of warm calls in ms; None without any, or with one that is no positive number."""
    return _series(arm.durations_ms(), arm.warm)


def billed(arm: CellSamples) -> Series | None:
    """Billed durations of warm calls in ms."""
    return _series(arm.billed_ms(), [s for s in arm.warm if s.billed_ms is not None])


def init(arm: CellSamples) -> Series | None:
    """Init durations of cold calls in ms: each an environment of its own."""
    return _series(arm.init_ms(), [s for s in arm.cold if s.init_ms is not None])


def memory(arm: CellSamples) -> Series | None:
    """Max memory used of warm calls in MB; None unless all of them report it."""
    known = [s.max_memory_used_mb for s in arm.warm if s.max_memory_used_mb is not None]
    observations = arm.durations_ms()
    if observations is None or len(known) != observations.n:
        return None
    return _series(observations.with_values(np.asarray(known, dtype=np.float64)), arm.warm)


def geometric(series: Series) -> Evidence:
    """Evidence of the geometric mean."""
    moments = _moments(series.with_values(np.log(series.observations.values)))
    if isinstance(moments, NotEstimable):
        return moments
    return LogEvidence(
        log_point=moments.mean,
        standard_error=moments.standard_error,
        degrees_of_freedom=moments.degrees_of_freedom,
        n=series.n,
        environments=moments.environments,
        method=f"geometric mean of {series.n} calls in {moments.environments} environments; t interval",
    )


def arithmetic(series: Series) -> Evidence:
    """Evidence of the arithmetic mean; the standard error of its logarithm by the delta method."""
    moments = _moments(series)
    if isinstance(moments, NotEstimable):
        return moments
    return LogEvidence(
        log_point=math.log(moments.mean),
        standard_error=moments.standard_error / moments.mean,
        degrees_of_freedom=moments.degrees_of_freedom,
        n=series.n,
        environments=moments.environments,
        method=f"mean of {series.n} calls in {moments.environments} environments; t interval on the log scale",
    )


def quantile(series: Series, share: float) -> Evidence:
    """Evidence of a percentile: its distribution-free 95 % interval, read as a standard error on the log scale."""
    observations = known_environments(series.observations)
    environments = observations.environments
    if environments is None or environments < 2:
        return NotEstimable("the number of environments is not known")
    estimate = quantile_estimate(observations, share)
    freedom = environments - 1 - series.spent
    if estimate.low is None or estimate.high is None or freedom < 1:
        return NotEstimable(estimate.method.removeprefix("not estimable: "))
    return LogEvidence(
        log_point=math.log(estimate.point),
        standard_error=math.log(estimate.high / estimate.low) / (2 * student_quantile(freedom)),
        degrees_of_freedom=freedom,
        n=series.n,
        environments=environments,
        method=estimate.method,
    )


def p50(series: Series) -> Evidence:
    """Evidence of the median."""
    return quantile(series, 0.50)


def p95(series: Series) -> Evidence:
    """Evidence of the 95th percentile, where there are enough calls and environments to compare it."""
    environments = known_environments(series.observations).environments or 0
    if series.n < FEWEST_CALLS_FOR_P95 or environments < FEWEST_ENVIRONMENTS_FOR_P95:
        return NotEstimable(
            f"p95 is compared from {FEWEST_CALLS_FOR_P95} calls in {FEWEST_ENVIRONMENTS_FOR_P95} environments on; "
            f"here are {series.n} in {environments or 'an unknown number of'}"
        )
    return quantile(series, 0.95)


def known_environments(observations: Observations) -> Observations:
    """With what the waves tell of environments beside cold starts.

    Calls that surely overlap are each in another environment, also where these had served calls before: the largest
    wave of a version is a lower bound. Calls one at a time on a version just published share one environment.
    """
    largest = _largest_waves(observations)
    if observations.labels is not None:
        return observations
    if max(largest) == 1 and observations.environments == len(largest):
        return replace(observations, labels=observations.versions)
    if not observations.overlapping:
        return observations
    return replace(observations, environments=max(observations.environments or 0, sum(largest)))


@dataclass(frozen=True, slots=True)
class _Moments:
    mean: float
    standard_error: float
    degrees_of_freedom: float
    environments: int


def _moments(series: Series) -> _Moments | NotEstimable:
    observations = known_environments(series.observations)
    if observations.labels is not None:
        return _by_label(observations.values, observations.labels, series.spent)
    components = variance_components(observations)
    if isinstance(components, NotEstimable):
        return components
    # Without labels each version has a mean of its own, and all drift between versions is out with it.
    versions = int(observations.versions.max()) + 1
    freedom = components.environments - max(versions, 1 + series.spent)
    if freedom < 1:
        return NotEstimable(f"{components.environments} environments in {versions} versions are too few")
    return _Moments(
        mean=float(observations.values.mean()),
        standard_error=math.sqrt(components.mean_variance),
        degrees_of_freedom=freedom,
        environments=components.environments,
    )


def _by_label(values: FloatArray, labels: IntArray, spent: float) -> _Moments | NotEstimable:
    """Mean of the environments' means. Each counts the same, however many calls it served."""
    units = np.bincount(labels, weights=values) / np.bincount(labels)
    freedom = units.size - 1 - spent
    if freedom < 1:
        return NotEstimable(f"calls in {units.size} environments are too few (needs 5)")
    variance = float(np.sum((units - units.mean()) ** 2)) / freedom
    return _Moments(
        mean=float(units.mean()),
        standard_error=math.sqrt(variance / units.size),
        degrees_of_freedom=freedom,
        environments=int(units.size),
    )


def _largest_waves(observations: Observations) -> list[int]:
    """For each version the size of its largest wave."""
    sizes = np.bincount(observations.waves)
    largest = np.zeros(int(observations.versions.max()) + 1, dtype=np.intp)
    np.maximum.at(largest, observations.versions, sizes[observations.waves])
    return [int(size) for size in largest]


def _series(observations: Observations | None, samples: Sequence[Sample]) -> Series | None:
    if observations is None or not observations.n or float(observations.values.min()) <= 0:
        return None
    return Series(observations, np.array([sample.block for sample in samples], dtype=np.intp))


def _block_shifts(pair: Pair) -> dict[int, float]:
    """How far each block lies from the middle, on the log scale: the mean of its two sides. Only blocks with both."""
    base, head = (_block_levels(series, mean_log) for series in (pair.base, pair.head))
    levels = {block: (base[block] + head[block]) / 2 for block in base.keys() & head.keys()}
    middle = sum(levels.values()) / max(len(levels), 1)
    return {block: level - middle for block, level in levels.items()}


def _block_levels(series: Series, log_level: LogLevel) -> dict[int, float]:
    values = series.observations.values
    return {int(block): log_level(values[series.blocks == block]) for block in np.unique(series.blocks)}


def mean_log(values: FloatArray) -> float:
    return float(np.log(values).mean())


def log_mean(values: FloatArray) -> float:
    return math.log(float(values.mean()))


def log_quantile(share: float) -> LogLevel:
    return lambda values: math.log(float(np.quantile(values, share)))


def _shifted(series: Series, shifts: dict[int, float], spent: float) -> Series:
    factors = np.exp([-shifts.get(int(block), 0.0) for block in series.blocks])
    values = series.observations.values * factors
    return Series(series.observations.with_values(values), series.blocks, spent)
