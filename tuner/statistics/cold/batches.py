"""Values that came in batches: percentiles, means and differences whose intervals know that batches differ.

Cold starts of one batch share a version, a moment and often hosts: of published ones 5 % (median) to 50 % of the
spread lies between days (lambda-perf, 2026). An interval over single values would then be too narrow. So the
percentile's order statistics are taken at the effective sample size:

* deff(x) = variance of the share of values up to x, estimated from the batches' own shares, over its variance if
  all n were independent (Kish 1965; the linearised variance of a ratio over clusters, Cochran, Sampling Techniques,
  3rd ed., section 11.12);
* effective n = n / deff * (t[n-1] / t[batches-1])^2, for batches are few (Korn & Graubard 1998);
* ranks that enclose the quantile with 95 %, each side missing 2.5 %, between order statistics by interpolation
  (fractional order statistics: Stigler 1977, Hutson 1999), which holds the level where whole ranks overshoot it;
* near a gap between two modes deff differs from one side to the other, so each bound takes the larger of the one at
  the quantile and the one at the bound itself, found by repeating;
* beyond a high percentile lie too few values to see how they cluster: there deff is at least what the correlation of
  all ranks implies if the values were jointly normal but for their scale (``implied_effect``).

Measured (benchmarks/cold_starts.py): 93 to 97 % in nearly all worlds with an intra-batch correlation of 0 to .5, one
mode or two, and on real init durations; it prints the exceptions too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuner.model import Estimate
from tuner.statistics.estimates import mean_estimate
from tuner.statistics.intervals import TAIL, smallest_n, student_quantile
from tuner.statistics.observations import Observations

FEWEST_BATCHES = {0.5: 6, 0.9: 30, 0.95: 40, 0.99: 80}
"""Batches that an interval takes, unless each holds one value. Fewer may all miss a slow mode that comes by batch:
with 20 batches of 5, a correlation of .5 and a tenth of slow starts, intervals of p90 covered 80 %."""

SURPLUS = 1.25
"""By how much values in batches must exceed the number that single values need. Just above it an interval exists only
where the batches happen to look independent, and is then too narrow: p99 of 400 in 80 batches held 88 to 91 %."""

HIGH = 0.9
"""Percentiles from here on are high: few values lie beyond."""

_ROUNDS = 3
"""Bounds move no further after that many rounds of taking the design effect where they lie."""


@dataclass(frozen=True, slots=True, eq=False)
class Batched:
    """Values of one quantity with a code 0, 1, 2, ... for the batch of each."""

    values: NDArray[np.float64]
    batch: NDArray[np.intp]
    noun: str = "batches"
    """What the batches are."""

    @property
    def n(self) -> int:
        return int(self.values.size)

    @property
    def batches(self) -> int:
        return int(self.batch.max()) + 1 if self.n else 0


def batched(values: Iterable[float], batches: Sequence[str], noun: str = "batches") -> Batched | None:
    """Values with the names of their batches; None where there are none."""
    numbers: dict[str, int] = {}
    codes = [numbers.setdefault(name, len(numbers)) for name in batches]
    if not codes:
        return None
    return Batched(np.fromiter(values, np.float64, len(codes)), np.array(codes, dtype=np.intp), noun)


def quantile_estimate(data: Batched, quantile: float) -> Estimate:
    """A percentile in the unit of the values, with a 95 % interval where one can be had.

    Below ``smallest_n`` values, or ``FEWEST_BATCHES`` batches, or where the batches leave too few independent
    values, both bounds are None and ``method`` says what it would take.
    """
    point = float(np.quantile(data.values, quantile))
    missing = _too_few(data, quantile)
    if missing is None:
        ordered = np.sort(data.values)
        low, least = _bound(data, ordered, quantile, side=TAIL)
        high, worth = _bound(data, ordered, quantile, side=1 - TAIL)
        worth = min(least, worth)
        if worth >= _needed(quantile):
            return Estimate(point=point, low=low, high=high, n=data.n, method=_method(data, worth))
        needs = math.ceil(data.n * smallest_n(quantile) / worth)
        missing = f"{_size(data, worth)} (needs about n = {needs})"
    return Estimate(point=point, low=None, high=None, n=data.n, method=f"not estimable with {missing}")


def mean_of(data: Batched) -> Estimate:
    """The mean with a 95 % interval from the spread of the batches: Student's t on the log scale."""
    codes = data.batch
    return mean_estimate(
        Observations(data.values, codes, codes * 0, codes, environments=data.batches, overlapping=True)
    )


def difference(base: Estimate, other: Estimate, *, what: str = "difference") -> Estimate:
    """``other`` - ``base``, two independent estimates, with an interval from theirs.

    The method of variance estimates recovery (Zou & Donner 2008, Statistics in Medicine 27, equation 3) keeps the
    asymmetry of intervals of percentiles, and needs nothing but them.
    """
    point, n = other.point - base.point, min(base.n, other.n)
    if base.low is None or base.high is None or other.low is None or other.high is None:
        lacking = base if base.low is None else other
        return Estimate(point=point, low=None, high=None, n=n, method=lacking.method)
    return Estimate(
        point=point,
        low=point - math.hypot(other.point - other.low, base.high - base.point),
        high=point + math.hypot(other.high - other.point, base.point - base.low),
        n=n,
        method=f"{what} of two independent estimates; interval from both of theirs",
    )


def batch_icc(data: Batched) -> float | None:
    """Share of the spread of the ranks that lies between batches, 0 to 1: the analysis-of-variance estimate.

    None where every batch holds one value, or there is only one.
    """
    n, batches = data.n, data.batches
    if not 2 <= batches < n:
        return None
    ranks = _ranks(data.values)
    sizes = np.bincount(data.batch)
    means = np.bincount(data.batch, weights=ranks) / sizes
    between = float(np.sum(sizes * (means - ranks.mean()) ** 2)) / (batches - 1)
    within = float(np.sum((ranks - means[data.batch]) ** 2)) / (n - batches)
    size = (n - float(np.sum(sizes**2)) / n) / (batches - 1)
    spread = between + (size - 1) * within
    return min(max((between - within) / spread, 0.0), 1.0) if spread > 0 else 0.0


def design_effect(data: Batched, at: float) -> float:
    """By how much batches inflate the variance of the share of values up to ``at``; 1 means they do not differ."""
    below = data.values <= at
    share = float(below.mean())
    if not 0 < share < 1 or data.batches < 2:
        return 1.0
    n, batches = data.n, data.batches
    residuals = np.bincount(data.batch, weights=below - share)
    variance = float(np.sum(residuals**2)) / n**2 * batches / (batches - 1)
    return variance * (n - 1) / (share * (1 - share))


def implied_effect(data: Batched, quantile: float) -> float:
    """The design effect at a high percentile that the correlation of the ranks implies; 0 for other percentiles.

    Pearson's r = 2 sin(pi/6 s) of a rank correlation s; the chance of two normal values of that correlation to lie
    below h both is Phi(h) - 2 T(h, sqrt((1 - r) / (1 + r))), with Owen's function T (Owen 1956).
    """
    correlation = batch_icc(data) if quantile >= HIGH else None
    if correlation is None:
        return 0.0
    from scipy.special import ndtri, owens_t  # noqa: PLC0415  (0.2 s that a command without statistics need not wait)

    r = 2 * math.sin(math.pi / 6 * correlation)
    both = quantile - 2 * float(owens_t(float(ndtri(quantile)), math.sqrt((1 - r) / (1 + r))))
    of_shares = (both - quantile**2) / (quantile * (1 - quantile))
    size = float(np.sum(np.bincount(data.batch) ** 2)) / data.n
    return 1 + (size - 1) * of_shares


def _bound(data: Batched, ordered: NDArray[np.float64], quantile: float, *, side: float) -> tuple[float, float]:
    """One bound, and how many independent values the data were worth for it."""
    effect = max(design_effect(data, float(np.quantile(ordered, quantile))), implied_effect(data, quantile))
    bound = worth = 0.0
    for _ in range(_ROUNDS):
        worth = effective_n(data, effect)
        n = max(worth, _needed(quantile))
        bound = _at_rank(ordered, _rank(n, quantile, side), n)
        inside = bound if side < 0.5 else math.nextafter(bound, -math.inf)
        effect = max(effect, design_effect(data, inside))
    return bound, worth


def effective_n(data: Batched, effect: float) -> float:
    """How many independent values the batches are worth; never more than there are."""
    if data.batches == data.n:
        return float(data.n)
    few = student_quantile(data.n - 1) / student_quantile(data.batches - 1)
    return min(data.n / max(effect, 1e-9) * few**2, float(data.n))


def _rank(n: float, quantile: float, side: float) -> float:
    """The fractional rank r of n below whose order statistic the quantile lies with probability ``side``.

    P(X(r) > quantile) = P(Beta(r, n + 1 - r) > quantile) = P(Binomial(n, quantile) <= r - 1), continued to real n.
    """
    from scipy.special import bdtrik  # noqa: PLC0415  (0.2 s that a command without statistics need not wait)

    return 1 + float(bdtrik(side, n, quantile))


def _at_rank(ordered: NDArray[np.float64], rank: float, n: float) -> float:
    """The value at a rank among ``n``, read from the larger sample in hand, between neighbours by interpolation."""
    position = min(max(rank * (ordered.size + 1) / (n + 1), 1.0), float(ordered.size))
    return float(np.interp(position, np.arange(1, ordered.size + 1), ordered))


def _needed(quantile: float) -> float:
    """``smallest_n`` on the continuous scale of effective sample sizes."""
    return math.log(TAIL) / math.log(max(quantile, 1 - quantile))


def _too_few(data: Batched, quantile: float) -> str | None:
    """What there is and what it would take, where the numbers alone rule an interval out."""
    n, batches, needed = data.n, data.batches, smallest_n(quantile)
    if n < needed:
        return f"n = {n} (needs n = {needed})"
    if batches >= needed:
        return None
    if batches < FEWEST_BATCHES[quantile]:
        return f"n = {n} in {batches} {data.noun} (needs {FEWEST_BATCHES[quantile]} {data.noun})"
    if n < SURPLUS * needed:
        return f"n = {n} in {batches} {data.noun} (needs n = {math.ceil(SURPLUS * needed)} in {data.noun})"
    return None


def _method(data: Batched, worth: float) -> str:
    return f"order statistics of {_size(data, worth)}"


def _size(data: Batched, worth: float) -> str:
    if data.batches == data.n:
        return f"n = {data.n}"
    return f"n = {data.n} in {data.batches} {data.noun}, worth {worth:.0f} independent ones"


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[inverse], dtype=np.float64)
