"""What the samples say about each size, on the log scale, with the noise pooled over all sizes.

Few calls a size say little about its noise, so sizes share theirs: the spread about each size's median, the split
between environments and calls, and the tail. A size keeps only the extra spread that its own calls show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.model import Cell, Outcome, Sample
from tuner.statistics.observations import CellSamples, FloatArray, split_by_cell

PRIOR_SPREAD = 0.06
"""Relative standard deviation of calls before anything is known: a usual one on Lambda."""
PRIOR_CALLS = 4.0
ENVIRONMENT_SHARE = 0.4
"""Share of the variance that lies between environments: intra-class correlations of 0.17 to 0.64 were published."""
TAIL_AT = 3.0
"""Values further out than this many standard deviations count as this far: the tail is common to all sizes."""
SPREAD_AT = 2.0
PRIOR_OWN_CALLS = 8.0
MOST_ERRORS = 0.1
MEMORY_FLOOR_FACTOR = 1.15
"""Sizes below this multiple of the memory used invite garbage collection and failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEvidence:
    """One measured size. ``log_*`` are means of the logarithm of billed ms without init, None without such calls."""

    cell: Cell
    log_warm: float | None
    warm_variance: float
    warm: int
    log_cold: float | None
    cold_variance: float
    cold: int
    environments: int
    billed_init_ms: float

    @property
    def calls(self) -> int:
        return self.warm + self.cold


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All measured sizes, and the sizes that need no more trying. ``calls`` counts every sample, failed ones too."""

    cells: tuple[CellEvidence, ...]
    failed_below_mb: int
    """Sizes up to this one ran out of memory or time, or are too small for the memory used."""
    given_up: frozenset[Cell]
    """Sizes at which too many calls fail, or none says anything: not to be measured further nor proposed."""
    spread: float
    """Pooled relative standard deviation of a call at one size, tail left out."""
    calls: int

    def excludes(self, cell: Cell) -> bool:
        """Whether a size is no candidate any more."""
        return cell.memory_mb <= self.failed_below_mb or cell in self.given_up


def gather(samples: Sequence[Sample]) -> Evidence:
    """The evidence in samples."""
    cells = sorted({sample.cell for sample in samples})
    groups = split_by_cell(samples, cells)
    logs = {group.cell: _warm_logs(group) for group in groups}
    spread = _pooled_spread([values for values in logs.values() if values.size])
    found = [_cell(group, logs[group.cell], spread) for group in groups]
    return Evidence(
        cells=tuple(cell for cell in found if cell.calls),
        failed_below_mb=_failed_below(samples),
        given_up=frozenset(group.cell for group in groups if _is_hopeless(group)),
        spread=spread,
        calls=len(samples),
    )


def _is_hopeless(group: CellSamples) -> bool:
    usable = len(group.warm) + len(group.cold) + len(group.initialised_ahead)
    return not usable or len(group.errors) > MOST_ERRORS * (usable + len(group.errors))


def _warm_logs(group: CellSamples) -> FloatArray:
    """Warm calls; what was prepared ahead counts where nothing else is there."""
    return _logs(group.warm or group.initialised_ahead)


def _logs(samples: Sequence[Sample]) -> FloatArray:
    """Logarithms of the billed duration, which is rounded up and knows no init in a warm call."""
    return np.array([math.log(max(math.ceil(s.duration_ms), 1)) for s in samples if s.duration_ms is not None])


def _pooled_spread(groups: Sequence[FloatArray]) -> float:
    deviations = [values - np.median(values) for values in groups if values.size > 1]
    freedom = sum(values.size - 1 for values in deviations)
    together = np.concatenate(deviations) if deviations else np.empty(0)
    rough = PRIOR_SPREAD
    if together.size:
        typical = 1.4826 * float(np.median(np.abs(together))) * math.sqrt(together.size / freedom)
        rough = math.sqrt((PRIOR_CALLS * PRIOR_SPREAD**2 + freedom * typical**2) / (PRIOR_CALLS + freedom))
    kept = np.clip(together, -SPREAD_AT * rough, SPREAD_AT * rough)
    return math.sqrt((PRIOR_CALLS * PRIOR_SPREAD**2 + float(np.sum(kept**2))) / (PRIOR_CALLS + freedom))


def _cell(group: CellSamples, warm: FloatArray, spread: float) -> CellEvidence:
    cold = _logs(group.cold)
    own = _own_variance(warm, spread)
    environments = max(len(group.cold), 1)
    inits = [s.init_ms for s in group.cold if s.init_ms is not None]
    reach = min(environments, max(warm.size, 1))
    return CellEvidence(
        cell=group.cell,
        log_warm=_robust_mean(warm, math.sqrt(own)) if warm.size else None,
        warm_variance=own * (ENVIRONMENT_SHARE / reach + (1 - ENVIRONMENT_SHARE) / max(warm.size, 1)),
        warm=int(warm.size),
        log_cold=_robust_mean(cold, math.sqrt(own)) if cold.size else None,
        cold_variance=own / max(cold.size, 1),
        cold=int(cold.size),
        environments=environments,
        billed_init_ms=float(np.mean(inits)) if inits else 0.0,
    )


def _own_variance(values: FloatArray, spread: float) -> float:
    """Between the pooled variance and the size's own, by how many calls it has."""
    if values.size < 2:
        return spread**2
    kept = np.clip(values - np.median(values), -TAIL_AT * spread, TAIL_AT * spread)
    freedom = values.size - 1
    return float((PRIOR_OWN_CALLS * spread**2 + np.sum(kept**2)) / (PRIOR_OWN_CALLS + freedom))


def _robust_mean(values: FloatArray, spread: float) -> float:
    middle = float(np.median(values))
    return middle + float(np.mean(np.clip(values - middle, -TAIL_AT * spread, TAIL_AT * spread)))


def _failed_below(samples: Sequence[Sample]) -> int:
    censored = [
        s.cell.memory_mb for s in samples if s.outcome in (Outcome.OUT_OF_MEMORY, Outcome.TIMEOUT, Outcome.INIT_ERROR)
    ]
    used = [s.max_memory_used_mb for s in samples if s.max_memory_used_mb is not None]
    floor = math.ceil(min(used) * MEMORY_FLOOR_FACTOR) - 1 if used else 0
    return max([*censored, floor])
