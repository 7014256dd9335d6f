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
from tuner.statistics.observations import CellSamples, FloatArray, calm, split_by_cell

PRIOR_SPREAD = 0.06
"""Relative standard deviation of calls before anything is known: a usual one on Lambda."""
PRIOR_CALLS = 4.0
ENVIRONMENT_SHARE = 0.4
"""Share of the variance that lies between environments: intra-class correlations of 0.17 to 0.64 were published."""
PRIOR_WAVES = 6.0
LEAST_SHARE, MOST_SHARE = 0.05, 0.95
TAIL_AT = 3.0
"""Values further out than this many standard deviations count as this far: the tail is common to all sizes ..."""
TAIL_SHARE = 0.1
"""... unless more calls than this share are out there: that is no tail but another kind of request."""
FEWEST_FOR_TAIL = 10
DISTURBED_SD = 2.0
"""Of the logarithm of a call that waited for a CPU of a busy machine. Wide, as all such calls are too long together:
several of them must not outvote what is possible."""
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
    disturbed: bool
    """All warm calls waited for a CPU of a busy machine: it is measured, but nobody knows what it takes."""

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
    environment_share: float
    """Share of its square that lies between environments."""
    calls: int

    def excludes(self, cell: Cell) -> bool:
        """Whether a size is no candidate any more."""
        return cell.memory_mb <= self.failed_below_mb or cell in self.given_up


def gather(samples: Sequence[Sample]) -> Evidence:
    """The evidence in samples."""
    groups = split_by_cell(samples, sorted({sample.cell for sample in samples}))
    logs = {group.cell: _warm_logs(group) for group in groups}
    known = [group for group in groups if logs[group.cell].size and not _doubt(group.warm)]
    noise = _noise([(group, logs[group.cell]) for group in known])
    found = [_cell(group, logs[group.cell], noise) for group in groups]
    return Evidence(
        cells=tuple(cell for cell in found if cell.calls),
        failed_below_mb=_failed_below(samples),
        given_up=frozenset(group.cell for group in groups if _is_hopeless(group)),
        spread=noise.spread,
        environment_share=noise.environment_share,
        calls=len(samples),
    )


def _doubt(samples: Sequence[Sample]) -> float:
    """Variance on top where nothing but disturbed calls is there."""
    return DISTURBED_SD**2 if samples and all(sample.disturbed for sample in samples) else 0.0


def _is_hopeless(group: CellSamples) -> bool:
    usable = len(group.warm) + len(group.cold) + len(group.initialised_ahead)
    return not usable or len(group.errors) > MOST_ERRORS * (usable + len(group.errors))


def _warm_logs(group: CellSamples) -> FloatArray:
    """Warm calls; what was prepared ahead counts where nothing else is there."""
    return _logs(group.warm or calm(group.initialised_ahead))


def _logs(samples: Sequence[Sample]) -> FloatArray:
    """Logarithms of the billed duration, which is rounded up and knows no init in a warm call."""
    return np.array([math.log(max(math.ceil(s.duration_ms), 1)) for s in samples if s.duration_ms is not None])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noise:
    """What all sizes have in common: standard deviation of a call, share of its square that lies between
    environments, and how far from the middle a value still counts in full."""

    spread: float
    environment_share: float
    reach: float


def _noise(known: Sequence[tuple[CellSamples, FloatArray]]) -> _Noise:
    deviations = [values - np.median(values) for _, values in known if values.size > 1]
    freedom = sum(_freedom(values.size, len(group.cold)) for group, values in known)
    together = np.concatenate(deviations) if deviations else np.empty(0)
    rough = PRIOR_SPREAD
    if together.size:
        typical = 1.4826 * float(np.median(np.abs(together))) * math.sqrt(together.size / freedom)
        rough = math.sqrt((PRIOR_CALLS * PRIOR_SPREAD**2 + freedom * typical**2) / (PRIOR_CALLS + freedom))
    usual = float(np.quantile(np.abs(together), 1 - TAIL_SHARE)) if together.size >= FEWEST_FOR_TAIL else 0.0
    kept = np.clip(together, -max(SPREAD_AT * rough, usual), max(SPREAD_AT * rough, usual))
    spread = math.sqrt((PRIOR_CALLS * PRIOR_SPREAD**2 + float(np.sum(kept**2))) / (PRIOR_CALLS + freedom))
    reach = max(TAIL_AT * spread, usual)
    share = _environment_share([group for group, _ in known], spread, reach)
    return _Noise(spread=spread, environment_share=share, reach=reach)


def _freedom(calls: int, environments: int) -> float:
    """How many times the variance of a call the squared deviations of ``calls`` add up to.

    Less than ``calls - 1``, as calls on few environments say little about how environments differ.
    """
    if calls <= 1:
        return 0.0
    between = ENVIRONMENT_SHARE * calls * (1 - 1 / max(min(environments, calls), 1))
    return (1 - ENVIRONMENT_SHARE) * (calls - 1) + between


def _environment_share(groups: Sequence[CellSamples], spread: float, reach: float) -> float:
    """From how little the means of waves on the same environments differ."""
    squares, freedom = PRIOR_WAVES * (1 - ENVIRONMENT_SHARE) * spread**2, PRIOR_WAVES
    for group in groups:
        waves = _full_waves(group)
        if len(waves) < 2:
            continue
        middle = float(np.median(np.concatenate(waves)))
        means = np.array([np.clip(wave - middle, -reach, reach).mean() for wave in waves])
        squares += waves[0].size * float(np.sum((means - means.mean()) ** 2))
        freedom += means.size - 1
    return min(max(1 - squares / freedom / spread**2, LEAST_SHARE), MOST_SHARE)


def _full_waves(group: CellSamples) -> list[FloatArray]:
    """Warm waves of the largest size, if each went to every environment of its cell."""
    waves: dict[tuple[str, int, int], list[Sample]] = {}
    for sample in group.warm:
        waves.setdefault((sample.version, sample.block, sample.wave), []).append(sample)
    size = len(group.cold)
    whole = [wave for wave in waves.values() if len(wave) == size > 1]
    return [_logs(wave) for wave in whole if not any(sample.disturbed for sample in wave)]


def _cell(group: CellSamples, warm: FloatArray, noise: _Noise) -> CellEvidence:
    cold = _logs(calm(group.cold))
    own = _own_variance(warm, len(group.cold), noise)
    environments = max(len(group.cold), 1)
    inits = [s.init_ms for s in group.cold if s.init_ms is not None]
    reach, between = min(environments, max(warm.size, 1)), noise.environment_share
    return CellEvidence(
        cell=group.cell,
        log_warm=_log_mean(warm, noise.reach) if warm.size else None,
        warm_variance=own * (between / reach + (1 - between) / max(warm.size, 1)) + _doubt(group.warm),
        warm=int(warm.size),
        log_cold=_log_mean(cold, noise.reach) if cold.size else None,
        cold_variance=own / max(cold.size, 1) + _doubt(group.cold),
        cold=int(cold.size),
        environments=environments,
        billed_init_ms=float(np.mean(inits)) if inits else 0.0,
        disturbed=_doubt(group.warm) > 0,
    )


def _own_variance(values: FloatArray, environments: int, noise: _Noise) -> float:
    """Between the pooled variance and the size's own, by how many calls it has."""
    if values.size < 2:
        return noise.spread**2
    kept = np.clip(values - np.median(values), -noise.reach, noise.reach)
    freedom = _freedom(values.size, environments)
    return float((PRIOR_OWN_CALLS * noise.spread**2 + np.sum(kept**2)) / (PRIOR_OWN_CALLS + freedom))


def _log_mean(values: FloatArray, reach: float) -> float:
    """Logarithm of the mean, which bills follow, with what is too far out drawn in."""
    middle = float(np.median(values))
    return middle + math.log(float(np.mean(np.exp(np.clip(values - middle, -reach, reach)))))


def _failed_below(samples: Sequence[Sample]) -> int:
    censored = [
        s.cell.memory_mb for s in samples if s.outcome in (Outcome.OUT_OF_MEMORY, Outcome.TIMEOUT, Outcome.INIT_ERROR)
    ]
    used = [s.max_memory_used_mb for s in samples if s.max_memory_used_mb is not None]
    floor = math.ceil(min(used) * MEMORY_FLOOR_FACTOR) - 1 if used else 0
    return max([*censored, floor])
