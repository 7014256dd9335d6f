"""The adaptive policy: which waves come next, as a pure function of what was measured."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from tuner.model import FULL_VCPU_MB, Block, Cell, Price, Sample, Stop, Wave
from tuner.statistics.decision import columns
from tuner.statistics.observations import FloatArray
from tuner.statistics.search.evidence import CellEvidence, Evidence, gather
from tuner.statistics.search.gain import FIRST_ENVIRONMENTS, gains, mean_init_ms
from tuner.statistics.search.goal import Goal, Setting, losses, near_best, quantities, setting_of
from tuner.statistics.search.posterior import Posterior, posterior

GRID_STEP = 0.008
"""Candidates closer than this share are the same for every purpose; measured ones always stay."""
DEAR_INIT = 2.0
"""An init of more than so many calls is dear."""
LARGEST_WAVE = 6
MOST_CALLS = 60
LEAST_SAMPLES = 6
LEAST_WARM = 2
LEAST_ENVIRONMENTS = 3
MORE_ENVIRONMENTS = 2
SECOND_BLOCK = 2
LIKELY = 0.5
"""Below it a probability of being near the best says little (a tolerance of 0, a first look): the mean decides."""
POSSIBLE = 0.4
WORTHWHILE = 0.9
EARLY_CALLS = 20
"""With fewer calls a probability leans on what was believed beforehand: half the doubt is asked for."""
LATE_CALLS = 24
"""A size that is faster by a tenth and may be within the tolerance gets calls of its own until then."""
PROMISING = 1.3
"""A size whose loss may lie within this factor of the least ..."""
UNLIKELY = 0.1
"""... with more than this probability gets warm calls in the second block."""
ANCHORS_MB = (512, 1024, FULL_VCPU_MB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the evidence says now. ``loss`` has a row for each draw and a column for each cell of the posterior; it is
    infinite at sizes that are no candidates."""

    winner: Cell
    rival: Cell | None
    """The size most worth measuring against the winner; it may not have been measured yet."""
    confidence: float
    """P(loss of the winner is within the tolerance of the least)."""
    evidence: Evidence
    posterior: Posterior
    loss: FloatArray
    setting: Setting

    def evidence_of(self, cell: Cell) -> CellEvidence | None:
        return next((known for known in self.evidence.cells if known.cell == cell), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveSampling:
    """Waves where they say most about which size is best, until it is known with ``confidence`` or at the cap.

    A pure function of the samples: the same ones give the same blocks, on any machine and with any numpy.
    """

    cells: tuple[Cell, ...]
    prices: tuple[Price, ...]
    goal: Goal = field(default_factory=Goal)
    confidence: float = 0.9
    most_calls: int = MOST_CALLS
    largest_wave: int = LARGEST_WAVE
    seed: int = 1

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
        number = 1 + max((sample.block for sample in samples), default=0)
        if not samples:
            return self._block(number, self._opening())
        verdict = self.verdict(samples)
        if verdict is None:
            return Stop(reason="no invocation so far says anything about a duration")
        if (stop := self._stop(verdict)) is not None:
            return stop
        waves = self._second(verdict) if number == SECOND_BLOCK else self._waves(verdict)
        return self._block(number, self._affordable(waves, len(samples)))

    def verdict(self, samples: Sequence[Sample], also: Sequence[Cell] = ()) -> Verdict | None:
        """The state of the search; None before any call succeeded. ``also`` are sizes to predict that are no
        candidates."""
        evidence = gather(samples)
        if not evidence.cells:
            return None
        measured = {known.cell for known in evidence.cells}
        candidates = {cell for cell in thinned(self.cells) if not evidence.excludes(cell)}
        draws = posterior(evidence, tuple(sorted({*candidates, *measured, *also})), self.seed)
        usable = {cell for cell in (*candidates, *measured) if not evidence.excludes(cell)} or measured
        # Rounded, so that the last bits of another numpy's sums decide nothing.
        setting = setting_of(self.goal, samples, evidence, self.prices)
        loss = np.round(losses(self.goal, draws, self.prices, setting), 9)
        loss[:, [cell not in usable for cell in draws.cells]] = np.inf
        chance = near_best(loss, self.goal.near)
        seen = [known for known in evidence.cells if known.cell in usable] or evidence.cells
        winner = _winner(draws, loss, chance, seen)
        gain = np.round(gains(draws, loss, winner, evidence, self.prices, near=self.goal.near), 12)
        return Verdict(
            winner=winner,
            rival=draws.cells[int(np.argmax(gain))] if gain.max() > 0 else None,
            confidence=float(chance[draws.index(winner)]),
            evidence=evidence,
            posterior=draws,
            loss=loss,
            setting=setting,
        )

    def _opening(self) -> list[Wave]:
        """The ends and the middle of each architecture, on few environments each: cold calls are evidence too."""
        waves = []
        for architecture in sorted({cell.architecture for cell in self.cells}):
            sizes = sorted(c.memory_mb for c in self.cells if c.architecture is architecture)
            for memory_mb, environments in _anchors(tuple(sizes)):
                size = min(environments, self.largest_wave)
                waves.append(Wave(cell=Cell(memory_mb, architecture), size=size))
        return waves

    def _second(self, verdict: Verdict) -> list[Wave]:
        """Warm calls at every opening size that cold ones do not rule out, and at two at least."""
        loss, draws = verdict.loss, verdict.posterior
        chance = (loss <= loss.min(axis=1, keepdims=True) + math.log(PROMISING)).mean(axis=0)
        order = sorted(verdict.evidence.cells, key=lambda known: -chance[draws.index(known.cell)])
        usable = [known for known in order if not verdict.evidence.excludes(known.cell)] or order
        chosen = [known for i, known in enumerate(usable) if i < 2 or chance[draws.index(known.cell)] > UNLIKELY]
        return [Wave(cell=known.cell, size=min(known.environments, self.largest_wave)) for known in chosen]

    def _waves(self, verdict: Verdict) -> list[Wave]:
        if self._is_settled(verdict) and (faster := self._faster(verdict)) is not None:
            return [self._next_wave(faster.cell, verdict)]
        winner = verdict.evidence_of(verdict.winner)
        rival = verdict.evidence_of(verdict.rival) if verdict.rival is not None else None
        waves = []
        if verdict.rival is not None and not self._is_sure(verdict):
            waves.append(self._next_wave(verdict.rival, verdict))
        behind = rival is not None and winner is not None and winner.calls <= rival.calls
        if not self.well_known(winner) or behind or not waves:
            waves.append(self._next_wave(verdict.winner, verdict))
        return waves

    def _is_settled(self, verdict: Verdict) -> bool:
        return self._is_sure(verdict) and self.well_known(verdict.evidence_of(verdict.winner))

    def _is_sure(self, verdict: Verdict) -> bool:
        early = verdict.evidence.calls < EARLY_CALLS
        return verdict.confidence >= ((1 + self.confidence) / 2 if early else self.confidence)

    def _stop(self, verdict: Verdict) -> Stop | None:
        late = verdict.evidence.calls >= LATE_CALLS
        if self._is_settled(verdict) and (late or self._faster(verdict) is None):
            return Stop(reason=f"{verdict.winner.memory_mb} MB is best with P = {verdict.confidence:.3f}")
        if verdict.evidence.calls >= self.most_calls:
            return Stop(reason=f"undecided after {verdict.evidence.calls} invocations")
        return None

    def _faster(self, verdict: Verdict) -> CellEvidence | None:
        """A measured size that is much better in the other quantity and may well be within the tolerance: it would be
        proposed if only it were known better."""
        draws = verdict.posterior
        cost, duration = quantities(self.goal, draws, self.prices, verdict.setting)
        _, second = columns(self.goal.strategy, cost, duration, weight=self.goal.weight)
        typical = np.round(second.mean(axis=0), 9)
        chance = near_best(verdict.loss, self.goal.near)
        here = typical[draws.index(verdict.winner)]
        found = [
            known
            for known in verdict.evidence.cells
            if known.warm
            and not self.well_known(known)
            and chance[draws.index(known.cell)] >= POSSIBLE
            and typical[draws.index(known.cell)] < here * WORTHWHILE
        ]
        return min(found, key=lambda known: (typical[draws.index(known.cell)], known.cell), default=None)

    def well_known(self, known: CellEvidence | None) -> bool:
        """Whether enough calls on enough environments stand behind a size to propose it."""
        environments = min(LEAST_ENVIRONMENTS, self.largest_wave)
        return (
            known is not None
            and known.calls >= LEAST_SAMPLES
            and known.environments >= environments
            and known.warm >= LEAST_WARM
            and not known.disturbed
        )

    def _next_wave(self, cell: Cell, verdict: Verdict) -> Wave:
        """New environments, then the same ones warm, then whatever tells more for its price."""
        known = verdict.evidence_of(cell)
        if known is None:
            size = self._first_environments(cell, verdict)
        elif known.warm < known.environments:
            size = known.environments
        elif self._is_short_of(known, verdict.winner) or self._widening_pays(known, verdict.evidence):
            size = known.environments + MORE_ENVIRONMENTS
        else:
            size = known.environments
        return Wave(cell=cell, size=min(size, self.largest_wave))

    def _first_environments(self, cell: Cell, verdict: Verdict) -> int:
        """One where starting is dear beside a call and calls differ little from one another, else two."""
        typical_ms = float(np.exp(verdict.posterior.log_ms[:, verdict.posterior.index(cell)].mean()))
        dear = mean_init_ms(verdict.evidence) > DEAR_INIT * typical_ms
        return 1 if dear and verdict.evidence.spread < self.goal.near else FIRST_ENVIRONMENTS

    def _is_short_of(self, known: CellEvidence, winner: Cell) -> bool:
        return known.cell == winner and known.environments < LEAST_ENVIRONMENTS

    def _widening_pays(self, known: CellEvidence, evidence: Evidence) -> bool:
        """Whether two more environments lower the variance of the mean by more for their price than calls on the
        ones that are there."""
        between, running = evidence.environment_share, known.environments
        call_ms = math.exp(known.log_warm if known.log_warm is not None else known.log_cold or 0.0)
        again = (1 - between) * (1 / known.warm - 1 / (known.warm + running))
        wider = between * (1 / running - 1 / (running + MORE_ENVIRONMENTS))
        start_ms = MORE_ENVIRONMENTS * (known.billed_init_ms + 2 * call_ms)
        return wider * running * call_ms >= again * start_ms

    def _affordable(self, waves: list[Wave], calls: int) -> list[Wave]:
        """The waves that the cap leaves room for; the last one cut to fit."""
        kept, left = [], self.most_calls - calls
        for wave in waves:
            if left > 0:
                kept.append(replace(wave, size=min(wave.size, left)))
                left -= wave.size
        return kept

    def _block(self, number: int, waves: list[Wave]) -> Block:
        order = list(waves)
        random.Random(f"{self.seed}/{number}").shuffle(order)  # noqa: S311 - an order, not a secret
        return Block(number=number, waves=tuple(order))


def _winner(draws: Posterior, loss: FloatArray, chance: FloatArray, usable: Sequence[CellEvidence]) -> Cell:
    """The measured size with the best ``chance`` of being within the tolerance, which is what a search promises;
    among equals, and where none is likely, the one with the least mean loss. No size is proposed unseen."""
    calm = [known for known in usable if not known.disturbed] or usable
    warm = [k for k in calm if k.warm >= LEAST_WARM] or [k for k in calm if k.warm] or calm
    columns = {known.cell: draws.index(known.cell) for known in warm}
    mean = {cell: round(float(loss[:, column].mean()), 6) for cell, column in columns.items()}
    likely = any(chance[column] >= LIKELY for column in columns.values())
    return min(mean, key=lambda cell: (-chance[columns[cell]] if likely else 0.0, mean[cell], cell))


def _anchors(sizes: tuple[int, ...]) -> list[tuple[int, int]]:
    """(size in MB, environments) to open with. The smallest size is where most functions are cheapest; above one
    vCPU only searching will tell."""
    low, high = sizes[0], sizes[-1]
    wanted = [low, *(size for size in ANCHORS_MB if low * 1.5 <= size <= high)]
    if wanted[-1] * 1.3 < high < FULL_VCPU_MB:
        wanted.append(high)
    if len(wanted) < 3:
        wanted = [low, round(math.sqrt(low * high)), high]
    near = sorted({min(sizes, key=lambda s: abs(math.log(s / size))) for size in wanted})
    counts = (2, 2, 1, 1)
    return [(size, counts[min(i, 3)]) for i, size in enumerate(near)]


@lru_cache(maxsize=8)
def thinned(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Candidates no closer than one per cent; all of them where they are further apart anyway."""
    kept: list[Cell] = []
    for cell in sorted(cells, key=lambda c: (c.architecture, c.memory_mb)):
        last = kept[-1] if kept else None
        alike = last is not None and last.architecture is cell.architecture
        if last is None or not alike or cell.memory_mb >= last.memory_mb * (1 + GRID_STEP):
            kept.append(cell)
    return tuple(sorted(kept))
