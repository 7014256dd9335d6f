"""Which invocations a run makes: sampling policies as pure functions of what was measured so far."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tuner.model import NO_EVIDENCE, Block, Cell, Outcome, Sample, Stop, Wave

WARM_WAVES = 2
LEAST_WAVE = 6
"""With fewer environments than 6 no distribution-free 95 % interval of a median exists when they differ."""
LARGEST_WAVE = 20
MOST_ERRORS = 0.1


def default_wave_size(samples_per_size: int, available_concurrency: int) -> int:
    """How many invocations to overlap, so that one size is measured on several environments in several waves.

    Intervals rest on the environments, so waves should be wide; telling environments from noise takes a second
    wave. In simulation 20 samples as 10 x 2 gave a median's interval in 91 to 98 % of runs, as 5 x 4 in 20 to
    44 %; means were covered either way (tests/statistics).
    """
    wanted = max(LEAST_WAVE, math.ceil(samples_per_size / WARM_WAVES))
    return max(1, min(wanted, LARGEST_WAVE, samples_per_size, available_concurrency))


def too_many_errors(samples: Sequence[Sample]) -> bool:
    """Whether a cell should not be measured further: what succeeds there is no longer what users see."""
    failed = sum(sample.outcome not in {Outcome.OK, *NO_EVIDENCE} for sample in samples)
    return failed > MOST_ERRORS * len(samples)


class SamplingPolicy(Protocol):
    """What to measure next, as a pure function of what was measured so far."""

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop: ...

    def __hash__(self) -> int:
        """Policies are values: what one said of the same samples before holds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedSampling:
    """The same number of warm samples at every size, in randomised blocks, one wave a cell and block.

    The first wave on a new version is cold and comes on top. A cell is given up when more than a tenth of its calls
    fail, or after twice the calls it should have taken.
    """

    cells: tuple[Cell, ...]
    samples_per_size: int
    wave_size: int
    seed: int

    @property
    def expected_invocations(self) -> int:
        """Calls of a run in which nothing fails."""
        return len(self.cells) * (self.wave_size + self.samples_per_size)

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
        by_cell: defaultdict[Cell, list[Sample]] = defaultdict(list)
        for sample in samples:
            by_cell[sample.cell].append(sample)
        number = 1 + max((sample.block for sample in samples), default=0)
        waves = [
            Wave(cell=cell, size=size) for cell in self.cells if (size := self._next_wave_size(by_cell[cell])) > 0
        ]
        if not waves:
            return Stop(reason=f"every size has its {self.samples_per_size} warm samples or was given up")
        random.Random(f"{self.seed}/{number}").shuffle(waves)  # noqa: S311 - an order, not a secret
        return Block(number=number, waves=tuple(waves))

    def _next_wave_size(self, samples: list[Sample]) -> int:
        if not samples:
            return self.wave_size
        warm = sum(sample.outcome is Outcome.OK and not sample.cold for sample in samples)
        versions = len({sample.version for sample in samples})
        most = 2 * (self.samples_per_size + self.wave_size * versions)
        unreported = all(sample.outcome in NO_EVIDENCE for sample in samples)
        if unreported or too_many_errors(samples) or len(samples) >= most:
            return 0
        return min(self.wave_size, self.samples_per_size - warm)
