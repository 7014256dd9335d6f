"""What a gate measures next: a pure function of the policy and of what was measured so far."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuner.model import Architecture, Block, Cell, GatePolicy, Plan, Price, Sample, Stop, Wave
from tuner.statistics.gate.schedule import BlockShape, Schedule, make_schedule
from tuner.statistics.gate.sequence import Opponents, Progress, Terms, progress


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSampling:
    """Blocks of base and head until the policy can decide at every memory size, then the confirmation of red ones.

    In a block the two sides alternate as ABBA, so that a drift meets both alike. Which one begins is drawn anew for
    each block and memory size.
    """

    pairs: tuple[Opponents, ...]
    """Base and head, at each memory size."""
    policy: GatePolicy
    prices: tuple[Price, ...]
    wave_size: int
    renewable: bool
    """Both sides can be published anew for every block."""
    seed: int
    head_only: bool = False
    """Base was measured earlier: only head is called, as often as at the last look, and nobody looks before."""

    @property
    def schedule(self) -> Schedule:
        return make_schedule(self.policy, wave_size=self.wave_size, renewable=self.renewable)

    def terms(self, architecture: Architecture) -> Terms:
        """On what terms the samples of one architecture are judged."""
        return Terms(
            policy=self.policy,
            schedule=self.schedule,
            price=next((price for price in self.prices if price.architecture is architecture), None),
        )

    def progress(self, pair: Opponents, samples: Sequence[Sample], *, ended: bool = False) -> Progress:
        """How far the comparison of one memory size has come."""
        return progress(samples, pair, self.terms(pair.head.architecture), ended=ended)

    @property
    def most_calls(self) -> int:
        """Calls on all sides and at all memory sizes, if all has to be measured: never more."""
        if self.head_only:
            return len(self.pairs) * sum(block.calls for block in self.schedule.blocks)
        return 2 * len(self.pairs) * self.schedule.most_calls

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
        following = self.blocks_to_next_look(samples)
        return following if isinstance(following, Stop) else following[0]

    def blocks_to_next_look(self, samples: Sequence[Sample]) -> tuple[Block, ...] | Stop:
        """All blocks until something can be decided again: what is measured in between changes none of them."""
        number = 1 + max((sample.block for sample in samples), default=0)
        if self.head_only:
            return self._blocks_of_head(number)
        states = {pair: self.progress(pair, samples) for pair in self.pairs}
        shapes = {pair: state.due for pair, state in states.items() if state.due}
        if not shapes:
            return Stop(reason="decided" if all(map(_is_decided, states.values())) else "undecided at the last look")
        fresh = self.renewable or any(state.confirming and state.due for state in states.values())
        return tuple(
            Block(
                number=number + ahead,
                waves=self._waves(number + ahead, {pair: due[ahead] for pair, due in shapes.items()}),
                fresh=fresh,
            )
            for ahead in range(min(map(len, shapes.values())))
        )

    def _blocks_of_head(self, number: int) -> tuple[Block, ...] | Stop:
        heads = {pair.head for pair in self.pairs}
        blocks = []
        for shape in self.schedule.blocks[number - 1 :]:
            waves = self._waves(number, dict.fromkeys(self.pairs, shape))
            ours = tuple(wave for wave in waves if wave.cell in heads)
            blocks.append(Block(number=number, waves=ours, fresh=self.renewable))
            number += 1
        return tuple(blocks) or Stop(reason="head was measured as often as at the last look")

    def _waves(self, number: int, shapes: dict[Opponents, BlockShape]) -> tuple[Wave, ...]:
        """All sizes pass by pass, in an order drawn for the block."""
        rng = random.Random(f"{self.seed}/{number}")  # noqa: S311 - an order, not a secret
        order = list(shapes)
        rng.shuffle(order)
        first = {pair: rng.random() < 0.5 for pair in order}
        waves: list[Wave] = []
        for turn in range(max(shape.passes for shape in shapes.values())):
            for pair in order:
                if turn < shapes[pair].passes:
                    cells = _abba(pair, turn, base_first=first[pair])
                    waves += [Wave(cell=cell, size=shapes[pair].environments) for cell in cells]
        return tuple(waves)


def gate_sampling(plan: Plan, policy: GatePolicy) -> GateSampling:
    """The sampling of a plan whose cells have the variants base and head, or only head where base is a stored report.

    The environments can be renewed where every arm is disposable or has a copy.
    """
    copied = {copy.variant for copy in plan.copies}
    head_only = bool(plan.arms) and all(arm.variant == "head" for arm in plan.arms)
    return GateSampling(
        pairs=pairs_of(plan.cells, head_only=head_only),
        policy=policy,
        prices=plan.prices,
        wave_size=plan.wave_size,
        renewable=all(arm.disposable or arm.variant in copied for arm in plan.arms),
        seed=plan.request.seed,
        head_only=head_only,
    )


def pairs_of(cells: Sequence[Cell], *, head_only: bool = False) -> tuple[Opponents, ...]:
    """Base and head of each memory size and architecture that has both; with ``head_only`` the base is implied."""
    heads = sorted(cell for cell in cells if cell.variant == "head")
    pairs = [Opponents(replace(head, variant="base"), head) for head in heads]
    return tuple(pair for pair in pairs if head_only or pair.base in cells)


def _abba(pair: Opponents, turn: int, *, base_first: bool) -> tuple[Cell, Cell]:
    ahead = base_first if turn % 2 == 0 else not base_first
    return (pair.base, pair.head) if ahead else (pair.head, pair.base)


def _is_decided(state: Progress) -> bool:
    return (state.finding is not None and not (state.finding.open or state.finding.red)) or bool(state.confirmed)
