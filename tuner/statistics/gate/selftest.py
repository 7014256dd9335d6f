"""The same gate on the user's own numbers: does it keep its promises for this function?

The environments of both sides are pooled, each side centred first, so that there is no difference left between them.
Trials then draw environments from the pool, slow head down by a known ratio and let the gate decide, look by look and
with its confirmation, as it did for real. Environments stay whole: what calls of one environment have in common is
what naive tests overlook.

Without environment labels the pool is made from the variance components: normal environments, and the deviations of
calls from their wave.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.model import Cell, GateTrials, Outcome, Sample
from tuner.statistics.components import Components, variance_components
from tuner.statistics.gate import series
from tuner.statistics.gate.schedule import BlockShape
from tuner.statistics.gate.sequence import Opponents, Progress, Terms, progress
from tuner.statistics.gate.series import Pair, Series
from tuner.statistics.observations import FloatArray

TRIALS = 200
COLD_SHARE = 1.3
"""A first call against a warm one; warm metrics never see it."""
INIT_MS = 100.0
FEWEST_ENVIRONMENTS = 10
SIMULATED_ENVIRONMENTS = 200

Profile = FloatArray
"""Logarithms of the warm calls of one environment, over the mean of its side."""


def self_test(
    samples: Sequence[Sample],
    opponents: Opponents,
    terms: Terms,
    *,
    seed: int,
    trials: int = TRIALS,
    ratios: Sequence[float] | None = None,
) -> tuple[GateTrials, ...]:
    """Repeat the gate ``trials`` times at each true ratio: 1, 1 + margin and 1 + 2 margins where none are given.

    Empty where the samples hold too few environments to draw from. Only durations are simulated: other metrics pass.
    """
    profiles = pooled_profiles(samples, opponents)
    if len(profiles) < FEWEST_ENVIRONMENTS:
        return ()
    margin = terms.policy.margin
    found = []
    for number, ratio in enumerate(ratios or (1.0, 1 + margin, 1 + 2 * margin)):
        ends = [
            _trial(_Draw(profiles, opponents, ratio, np.random.default_rng([seed, number, trial])), terms)
            for trial in range(trials)
        ]
        found.append(_count(ratio, ends))
    return tuple(found)


def pooled_profiles(samples: Sequence[Sample], opponents: Opponents) -> list[Profile]:
    """The environments of both sides, each centred on its side and freed from what blocks have in common."""
    both = [series.durations(side.arm) for side in opponents.sides(samples)]
    if both[0] is None or both[1] is None:
        return []
    pair = Pair(both[0], both[1])
    pair = pair.steadied(pair)
    return [profile for one in (pair.base, pair.head) for profile in _profiles(one)]


def _profiles(one: Series) -> list[Profile]:
    observations = series.known_environments(one.observations)
    logs = np.log(observations.values)
    logs = logs - logs.mean()
    if observations.labels is not None:
        return [logs[observations.labels == label] for label in np.unique(observations.labels)]
    components = variance_components(observations.with_values(logs))
    return _simulated_profiles(components, logs) if isinstance(components, Components) else []


def _simulated_profiles(components: Components, logs: FloatArray) -> list[Profile]:
    """Normal levels of environments, and around each the deviations that were observed, scaled to their variance."""
    between = math.sqrt(components.between if components.between is not None else components.total)
    within = math.sqrt(components.within or 0.0)
    spread = float(logs.std())
    deviations = logs * (within / spread) if spread else logs
    rng = np.random.default_rng(logs.size)
    return [level + deviations for level in rng.normal(0, between, SIMULATED_ENVIRONMENTS)]


@dataclass(frozen=True, slots=True)
class _Draw:
    """Where the samples of one trial come from."""

    profiles: Sequence[Profile]
    opponents: Opponents
    ratio: float
    rng: np.random.Generator

    def block(self, number: int, shape: BlockShape) -> list[Sample]:
        pair = self.opponents
        return self._side(pair.base, 1.0, number, shape) + self._side(pair.head, self.ratio, number, shape)

    def _side(self, cell: Cell, factor: float, number: int, shape: BlockShape) -> list[Sample]:
        version = f"{cell.variant}-{number}"
        chosen = self.rng.integers(len(self.profiles), size=shape.environments)
        return [
            _sample(cell, version, number, turn, environment, factor * math.exp(float(value)))
            for environment, index in enumerate(chosen)
            for turn, value in enumerate(self.rng.choice(self.profiles[int(index)], shape.passes))
        ]


def _sample(cell: Cell, version: str, block: int, turn: int, environment: int, factor: float) -> Sample:
    cold = turn == 0
    duration_ms = 100.0 * factor * (COLD_SHARE if cold else 1.0)
    init_ms = INIT_MS if cold else None
    return Sample(
        sequence=turn,
        block=block,
        wave=turn,
        cell=cell,
        version=version,
        started_at="",
        client_ms=duration_ms,
        outcome=Outcome.OK,
        duration_ms=duration_ms,
        billed_ms=duration_ms + (init_ms or 0.0),
        init_ms=init_ms,
        max_memory_used_mb=1,
        environment=f"{version}/{environment}",
    )


def _trial(draw: _Draw, terms: Terms) -> tuple[Progress, int]:
    """One gate from its first block to its end, with the samples it took on both sides."""
    samples: list[Sample] = []
    block = 0
    while shapes := (state := progress(samples, draw.opponents, terms)).due:
        for shape in shapes:
            block += 1
            samples += draw.block(block, shape)
    return state, len(samples)


def _count(ratio: float, ends: Sequence[tuple[Progress, int]]) -> GateTrials:
    red = sum(bool(state.confirmed) for state, _ in ends)
    green = sum(_is_green(state) for state, _ in ends)
    return GateTrials(
        ratio=ratio,
        trials=len(ends),
        green=green,
        red=red,
        inconclusive=len(ends) - green - red,
        calls_per_side=sum(calls for _, calls in ends) / len(ends) / 2,
    )


def _is_green(state: Progress) -> bool:
    finding = state.finding
    return finding is not None and not (finding.faults or finding.red or finding.open)
