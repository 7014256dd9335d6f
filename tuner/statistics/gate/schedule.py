"""How a policy is measured: blocks of base and head, and the blocks after which it is looked at the samples.

An environment serves one cold call and ``warm_calls`` warm ones; what the policy allows in calls follows from that.
Where both sides can be published anew, each block brings new environments. A side that is invoked as it is keeps
those it has, and only more calls at once bring further ones: then the waves grow from look to look instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tuner.model import GatePolicy

CONFIRMATION_SHARE = 0.25
"""Of the calls allowed at most this share is kept for the confirmation."""
FEWEST_PASSES = 2
"""A wave that starts environments, and one that finds them warm."""
BLOCKS_BEFORE_LOOKING = 2
"""Blocks at the first look: how much blocks differ is known from two of them on."""


@dataclass(frozen=True, slots=True)
class BlockShape:
    """A block on one side: so many environments at once, so many times one after the other."""

    environments: int
    passes: int

    @property
    def calls(self) -> int:
        return self.environments * self.passes


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Blocks in the order in which they are measured, and after how many of them each look is made."""

    blocks: tuple[BlockShape, ...]
    looks: tuple[int, ...]
    confirmation: tuple[BlockShape, ...]
    renewable: bool
    """Every block runs on environments of its own, on both sides."""
    warm_calls: int

    @property
    def information(self) -> tuple[int, ...]:
        """What each look knows, in environments' worth of calls on each side."""
        done = [sum(block.calls for block in self.blocks[:count]) for count in self.looks]
        return tuple(max(calls // (1 + self.warm_calls), look) for look, calls in enumerate(done, 1))

    @property
    def most_calls(self) -> int:
        """Calls on each side if everything is measured."""
        return sum(block.calls for block in (*self.blocks, *self.confirmation))


def make_schedule(policy: GatePolicy, *, wave_size: int, renewable: bool) -> Schedule:
    """The schedule of ``policy`` where ``wave_size`` calls may be in flight on one side."""
    per_environment = 1 + policy.warm_calls
    affordable = policy.max_calls // per_environment
    kept = min(policy.confirmation_environments, int(CONFIRMATION_SHARE * affordable))
    targets = [count for count in policy.environments if count < affordable - kept]
    if len(targets) < len(policy.environments):
        targets.append(max(affordable - kept, 1))
    make = _renewed if renewable else _widened
    return make(tuple(targets), kept, wave_size, policy.warm_calls)


def _renewed(targets: tuple[int, ...], kept: int, wave_size: int, warm_calls: int) -> Schedule:
    shape = BlockShape(max(1, min(wave_size, targets[0] // BLOCKS_BEFORE_LOOKING)), 1 + warm_calls)
    most = max(targets[-1] // shape.environments, 1)
    looks = sorted({min(math.ceil(target / shape.environments), most) for target in targets})
    return Schedule(
        blocks=(shape,) * looks[-1],
        looks=tuple(looks),
        confirmation=(shape,) * max(kept // shape.environments, 1),
        renewable=True,
        warm_calls=warm_calls,
    )


def _widened(targets: tuple[int, ...], kept: int, wave_size: int, warm_calls: int) -> Schedule:
    per_environment = 1 + warm_calls
    blocks: list[BlockShape] = []
    for target in targets:
        width = max(1, min(wave_size, target))
        due = target * per_environment - sum(block.calls for block in blocks)
        if due < FEWEST_PASSES * width and blocks:
            continue
        blocks.append(BlockShape(width, max(due // width, FEWEST_PASSES)))
    width = max(1, min(wave_size, kept))
    return Schedule(
        blocks=tuple(blocks),
        looks=tuple(range(1, len(blocks) + 1)),
        confirmation=(BlockShape(width, max(kept * per_environment // width, FEWEST_PASSES)),),
        renewable=False,
        warm_calls=warm_calls,
    )
