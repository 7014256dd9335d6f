"""The batches of a log: its hours, or its days where days differ more than hours explain.

A week has 7 days, too few for an interval of a high percentile, and up to 168 hours. But hours are batches only
where neighbouring ones resemble each other no more than others do: deployments, hosts and load last for days, and
hours of such days would count as independent though they are not. So hours are taken only where an analysis of
variance of hours within days (the F test of a nested design, on ranks, and on the tenth that is slowest) sees no
difference between days, at a level that sends many harmless logs to days in order to miss few others.

Measured (benchmarks/cold_logs.py, a week, p90 and p95): where days are alike half the logs get hours, and intervals
cover 96 %. Where days hold 1 to 5 % of the spread, 29 to 11 % of the logs get hours, and their intervals cover 91 to
96 %; where days hold 20 %, 1 % do. Hours that resemble their neighbours (correlation .8) are taken in 7 to 18 %, and
cover 87 to 93 %. With hours always, these worlds would cover 62 to 93 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tuner.statistics.cold.batches import FEWEST_BATCHES, HIGH

FEWEST_DAYS = 6
"""Fewer days are no batches: there hours are."""
DAYS_SUFFICE = FEWEST_BATCHES[0.99]
"""From so many days on, days bound every percentile themselves."""
SUSPICION = 0.3
"""Below this p-value of either test days are taken."""


class Period(StrEnum):
    HOUR = "hour"
    DAY = "day"

    def of(self, started_at: str) -> str:
        """The period that an ISO 8601 time is in."""
        return started_at[: len("2026-11-21T07" if self is Period.HOUR else "2026-11-21")]


def period_of(values: Sequence[float], started_at: Sequence[str]) -> Period:
    """What the batches of these values are, by the times of their invocations."""
    hours, days = (_codes([period.of(at) for at in started_at]) for period in Period)
    number_of_hours, number_of_days = _number(hours), _number(days)
    if number_of_days < FEWEST_DAYS:
        return Period.HOUR
    if number_of_days >= DAYS_SUFFICE or number_of_hours < FEWEST_BATCHES[HIGH]:
        return Period.DAY
    return Period.DAY if days_differ(np.asarray(values, np.float64), hours, days) else Period.HOUR


def longest_period(started_at: Iterable[str]) -> Period:
    """Days where there are enough of them."""
    return Period.DAY if len({Period.DAY.of(at) for at in started_at}) >= FEWEST_DAYS else Period.HOUR


def days_differ(values: NDArray[np.float64], hours: NDArray[np.intp], days: NDArray[np.intp]) -> bool:
    """Whether days differ, or may: more than hours explain, in ranks or in the share of the slowest tenth."""
    ranks = np.argsort(np.argsort(values)).astype(np.float64)
    slow = (values > np.quantile(values, HIGH)).astype(np.float64)
    return min(nested_p_value(ranks, hours, days), nested_p_value(slow, hours, days)) < SUSPICION


def nested_p_value(values: NDArray[np.float64], hours: NDArray[np.intp], days: NDArray[np.intp]) -> float:
    """P(days differ by so much or more) if only hours within them did; 1 where that cannot be told."""
    from scipy.special import fdtrc  # noqa: PLC0415  (0.2 s that a command without statistics need not wait)

    sizes = np.bincount(hours)
    sums = np.bincount(hours, weights=values)
    day_of_hour = np.zeros(sizes.size, dtype=np.intp)
    day_of_hour[hours] = days
    day_sizes = np.bincount(day_of_hour, weights=sizes)
    day_means = np.bincount(day_of_hour, weights=sums) / day_sizes
    between = float(np.sum(day_sizes * (day_means - values.mean()) ** 2)) / (day_sizes.size - 1)
    freedom = sizes.size - day_sizes.size
    within = float(np.sum(sizes * (sums / sizes - day_means[day_of_hour]) ** 2)) / max(freedom, 1)
    if freedom < 1 or within <= 0:
        return 1.0
    return float(fdtrc(day_sizes.size - 1, freedom, between / within))


def _codes(names: Sequence[str]) -> NDArray[np.intp]:
    return np.unique(np.array(names), return_inverse=True)[1].astype(np.intp)


def _number(codes: NDArray[np.intp]) -> int:
    return int(codes.max()) + 1 if codes.size else 0
