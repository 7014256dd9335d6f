"""A search under limits goes on at the size it found until the limits are shown to hold there, or not to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuner.model import Block, BudgetStatus, Cell, Sample, Stop, Wave
from tuner.statistics.search.evidence import CellEvidence
from tuner.statistics.search.goal import feasible_chance, near_best
from tuner.statistics.search.policy import AdaptiveSampling, Verdict

USUAL_CALLS = 12
"""A search seldom makes more of them at one size."""
WAVES_ON_A_VERSION = range(2, 5)
"""The first one is cold and shows nothing; the more follow, the less each is worth, as they share environments."""
STILL_GOOD = 0.5
"""A size that has had its calls for showing is left for another one only where this falls below: that would take as
many calls again."""
FEWEST = 20
"""Calls before limits are called hopeless."""
_NOT_SHOWN = (None, BudgetStatus.OPEN, BudgetStatus.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowingLimits:
    """The search, and after it waves at the size it proposes. A size that turns out to be beyond a limit sends the
    search on to others, as far as calls are left. A pure function of the samples, like the search itself."""

    search: AdaptiveSampling
    most_calls: int
    wave_size: int

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
        left = self.most_calls - len(samples)
        if left <= 0:
            return Stop(reason=f"undecided after {len(samples)} invocations")
        most_searching = min(self.most_calls, self.search.most_calls + _calls_for_showing(samples))
        step = replace(self.search, most_calls=most_searching).next_block(samples)
        verdict = self.search.verdict(samples) if samples else None
        if verdict is not None and len(samples) >= FEWEST and self._is_hopeless(verdict):
            return Stop(reason="no size keeps the limits")
        if isinstance(step, Block) or verdict is None:
            return step
        cell = self._to_show(verdict)
        if cell is None:
            return step
        number = 1 + max(sample.block for sample in samples)
        wave = Wave(cell=cell, size=min(self.wave_size, left))
        most_waves = _most_waves(verdict.evidence.environment_share)
        return Block(number=number, waves=(wave,), fresh=_waves_on_newest(cell, samples) >= most_waves)

    def _is_hopeless(self, verdict: Verdict) -> bool:
        search = self.search
        chance = feasible_chance(search.goal, verdict.posterior, search.prices, verdict.setting, verdict.loss)
        return chance < 1 - search.confidence

    def _to_show(self, verdict: Verdict) -> Cell | None:
        """Of the sizes that are good enough, the one with most calls; None where one of them keeps the limits."""
        chance = near_best(verdict.loss, self.search.goal.near)
        status = {known.cell: verdict.setting.status(known.cell) for known in verdict.evidence.cells}
        good = [
            known
            for known in verdict.evidence.cells
            if known.cell == verdict.winner
            or chance[verdict.posterior.index(known.cell)] >= self._least_chance(known)
        ]
        if any(status[known.cell] is BudgetStatus.MET for known in good):
            return None
        unshown = [known for known in good if status[known.cell] in _NOT_SHOWN]
        return max(unshown, key=lambda known: (known.warm, known.cell)).cell if unshown else None

    def _least_chance(self, known: CellEvidence) -> float:
        return STILL_GOOD if known.calls > USUAL_CALLS else self.search.confidence


def _calls_for_showing(samples: Sequence[Sample]) -> int:
    """Calls beyond what a search makes at one size, at the size with most of them: they leave the search what it may
    spend. Of one size only, as a search that cannot tell two apart makes many at both and must not feed itself."""
    most = max(Counter(sample.cell for sample in samples).values(), default=0)
    return max(most - USUAL_CALLS, 0)


def _waves_on_newest(cell: Cell, samples: Sequence[Sample]) -> int:
    mine = [sample for sample in samples if sample.cell == cell]
    newest = max(mine, key=lambda sample: sample.sequence).version
    return len({sample.wave for sample in mine if sample.version == newest})


def _most_waves(environment_share: float) -> int:
    """After how many waves new environments are worth more. Where calls of an environment correlate by rho, each of w
    waves, the first of them cold, is worth (w - 1) / (w (1 + (w - 2) rho)) of one on environments of its own (the
    design effect of Kish 1965)."""
    return max(WAVES_ON_A_VERSION, key=lambda w: (w - 1) / (w * (1 + (w - 2) * environment_share)))
