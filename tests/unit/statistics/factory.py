"""Samples as a run leaves them: the first wave of a version is cold, the others reuse its environments."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

import numpy as np

from tuner.model import Architecture, Cell, CurvePoint, LimitCheck, Outcome, Price, Recommendation, Sample
from tuner.statistics.rationale import Case, explain
from tuner.statistics.recommendation import candidates_of, usable_of, within_limits

X86 = Architecture.X86_64
PRICE = Price(
    region="us-east-1",
    architecture=X86,
    usd_per_gb_s=Decimal("0.0000166667"),
    usd_per_request=Decimal("0.0000002"),
    as_of="2026-09-19",
    source="test",
)


def cell(memory_mb: int) -> Cell:
    return Cell(memory_mb, X86)


def sample(memory_mb: int = 512, **changes: object) -> Sample:
    """One warm successful sample of 100 ms; ``changes`` replace fields."""
    fields: dict[str, object] = {
        "sequence": 1,
        "block": 1,
        "wave": 2,
        "cell": cell(memory_mb),
        "version": str(memory_mb),
        "started_at": "2026-11-01T12:00:00Z",
        "client_ms": 120.0,
        "outcome": Outcome.OK,
        "duration_ms": 100.0,
        "billed_ms": 100.0,
        "max_memory_used_mb": 60,
    }
    return Sample(**(fields | changes))  # type: ignore[arg-type]


def run_of(
    duration_ms: Callable[[int], float],
    sizes: Sequence[int],
    *,
    seed: int = 1,
    environments: int = 5,
    waves: int = 4,
    between: float = 0.01,
    within: float = 0.01,
) -> tuple[Sample, ...]:
    """A fixed run over ``sizes``: one cold wave and ``waves`` warm ones at each, with relative noise."""
    rng = np.random.default_rng(seed)
    rows = (
        row
        for size in sizes
        for row in _samples_of(size, duration_ms(size), rng, environments, waves, between, within)
    )
    return tuple(rows)


def _samples_of(
    size: int, mean_ms: float, rng: np.random.Generator, environments: int, waves: int, between: float, within: float
) -> Iterator[Sample]:
    hosts = rng.normal(0, between, environments)
    for wave in range(waves + 1):
        for host in rng.permutation(hosts):
            value = round(mean_ms * math.exp(host + rng.normal(0, within)), 2)
            init_ms = 180.0 if wave == 0 else None
            billed_ms = math.ceil(value + (init_ms or 0))
            yield sample(
                size, wave=wave, sequence=wave, duration_ms=value, billed_ms=float(billed_ms), init_ms=init_ms
            )


def explained(
    found: Recommendation,
    points: Sequence[CurvePoint],
    samples: Sequence[Sample],
    limits: Sequence[LimitCheck] = (),
) -> str:
    """The words for a choice among the sizes that its samples make candidates."""
    candidates, _ = within_limits(usable_of(candidates_of(points, samples, [PRICE])), limits)
    return explain(found, points, Case(candidates={one.cell for one in candidates}, limits=limits))


def cpu_bound(memory_mb: int) -> float:
    """One thread that needs 400 ms of a whole vCPU."""
    return 400 * 1769 / min(memory_mb, 1769)


def parallel(memory_mb: int) -> float:
    return 2400 * 1769 / memory_mb


def flat(memory_mb: int) -> float:
    return 150.0


def staircase(memory_mb: int) -> float:
    """17 ms of CPU in quota periods of 20 ms: a quota of 20 m/1769 ms in each period."""
    quota_ms = 20 * min(memory_mb, 1769) / 1769
    full_periods = math.ceil(17 / quota_ms) - 1
    return 20 * full_periods + (17 - full_periods * quota_ms)
