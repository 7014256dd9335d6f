"""Quantiles of Student's t and ranks of distribution-free intervals, at the one confidence level of the tool."""

from __future__ import annotations

from functools import lru_cache

CONFIDENCE = 0.95
TAIL = (1 - CONFIDENCE) / 2


@lru_cache(maxsize=1024)
def student_quantile(degrees_of_freedom: float) -> float:
    """The factor t of a two-sided 95 % interval: point +- t * standard error."""
    from scipy.special import stdtrit  # noqa: PLC0415  (0.2 s that a command without statistics need not wait)

    return float(stdtrit(degrees_of_freedom, 1 - TAIL))


@lru_cache(maxsize=1024)
def order_statistic_ranks(n: int, quantile: float) -> tuple[int, int] | None:
    """Ranks (1 = smallest) of the order statistics that enclose a quantile with at least 95 % confidence.

    Each side misses with at most 2.5 % (David & Nagaraja, Order Statistics, 3rd ed., section 7.1). None where ``n``
    is too small for such an interval to exist.
    """
    from scipy.special import bdtr  # noqa: PLC0415

    def at_most(k: int) -> float:
        return float(bdtr(k, n, quantile)) if k >= 0 else 0.0

    low, high = 0, n + 1
    while low < n and at_most(low) <= TAIL:  # P(fewer than low + 1 values below the quantile)
        low += 1
    while high > 1 and 1 - at_most(high - 2) <= TAIL:
        high -= 1
    return (low, high) if low >= 1 and high <= n else None


@lru_cache(maxsize=64)
def smallest_n(quantile: float) -> int:
    """How many independent values a 95 % interval of the quantile takes: 6, 36, 72, 368 for p50, p90, p95, p99."""
    n = 1
    while max(quantile, 1 - quantile) ** n > TAIL:
        n += 1
    return n
