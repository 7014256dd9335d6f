"""``--confirm``: when a run has chosen, winner, rival and current size once more, on fresh environments.

The stage of a run is read off its samples: choosing ended with the first block after which the choosing policy
wants no more, and what came later confirms. So a recorded run replays, also after it was resumed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tuner.model import Block, Plan, Sample, Stop, Wave
from tuner.planning.plan import CONFIRMING_WAVES
from tuner.planning.proposal import measurable_current, propose
from tuner.planning.sampling import SamplingPolicy
from tuner.statistics.confirmation import cells_to_confirm


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """The samples of a run by what they were taken for."""

    choosing: tuple[Sample, ...]
    confirming: tuple[Sample, ...]
    chosen: bool
    """The choosing policy wanted no more."""


def stages(choosing: SamplingPolicy, samples: Sequence[Sample]) -> Stages:
    """Choosing and confirming samples, by replaying the choosing policy."""
    ordered = sorted(samples, key=lambda sample: sample.sequence)
    for block in sorted({sample.block for sample in ordered}):
        taken = tuple(sample for sample in ordered if sample.block <= block)
        if isinstance(_next_block(choosing, taken), Stop):
            later = tuple(sample for sample in ordered if sample.block > block)
            return Stages(choosing=taken, confirming=later, chosen=True)
    return Stages(choosing=tuple(ordered), confirming=(), chosen=False)


@lru_cache(maxsize=512)
def _next_block(policy: SamplingPolicy, samples: tuple[Sample, ...]) -> Block | Stop:
    return policy.next_block(samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedSampling:
    """A policy that chooses, and then a block on fresh environments with as many on the same ones as it takes to
    tell environments from calls; in each of them the sizes take turns in random order."""

    choosing: SamplingPolicy
    plan: Plan

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
        stage = stages(self.choosing, samples)
        if not stage.chosen:
            return _next_block(self.choosing, stage.choosing)
        passes = len({sample.block for sample in stage.confirming})
        if passes >= CONFIRMING_WAVES:
            return Stop(reason="confirmed on fresh environments")
        waves = self._waves(stage.choosing)
        if not waves:
            return Stop(reason="there is nothing to confirm")
        number = 1 + max(sample.block for sample in samples)
        random.Random(f"{self.plan.request.seed}/{number}").shuffle(waves)  # noqa: S311 - an order, not a secret
        return Block(number=number, waves=tuple(waves), fresh=passes == 0)

    def _waves(self, chosen: Sequence[Sample]) -> list[Wave]:
        proposal = propose(self.plan, chosen)
        if proposal.recommendation is None:
            return []
        current = measurable_current(self.plan)
        cells = cells_to_confirm(proposal.recommendation, proposal.points, current, proposal.limits)
        return [Wave(cell=cell, size=self.plan.wave_size) for cell in cells]
