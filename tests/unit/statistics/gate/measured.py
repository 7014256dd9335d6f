"""Gates as they are measured, in worlds without much noise: samples, opponents and terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.gate_worlds import PRICE, Fleet, World, cell, simulated
from tuner.model import GatePolicy, Level, Metric, MetricRule, Outcome, Sample, Stop, Verdict
from tuner.planning.gate import GateSampling
from tuner.statistics.gate.sequence import Opponents, Terms
from tuner.statistics.gate.verdict import verdict

PAIR = Opponents(cell("base"), cell("head"))
NOISY = simulated(0.4)
Change = Callable[[Sample], Sample]


def still() -> World:
    """Calls that all last the same but for half a per cent."""
    return World("still", lambda _: lambda rng, calls: np.exp(rng.normal(0, 0.005, calls)))


def sampling(policy: GatePolicy, *, wave_size: int = 5, renewable: bool = True, seed: int = 1) -> GateSampling:
    return GateSampling(
        pairs=(PAIR,), policy=policy, prices=(PRICE,), wave_size=wave_size, renewable=renewable, seed=seed
    )


@dataclass(frozen=True)
class Gate:
    """A measurement that has ended."""

    samples: tuple[Sample, ...]
    sampling: GateSampling

    @property
    def terms(self) -> Terms:
        return self.sampling.terms(PAIR.head.architecture)

    @property
    def verdict(self) -> Verdict:
        return verdict(self.samples, PAIR, self.terms)


def gate(
    ratio: float,
    *,
    policy: GatePolicy | None = None,
    world: World | None = None,
    labels: bool = True,
    renewable: bool = True,
    change: Change | None = None,
    seed: int = 1,
) -> Gate:
    """Measure until the policy stops; ``change`` replaces samples as they come in."""
    policy = policy or GatePolicy()
    steps = sampling(policy, renewable=renewable, seed=seed)
    fleet = Fleet(world or still(), ratio, np.random.default_rng(seed), labels)
    samples: tuple[Sample, ...] = ()
    while not isinstance(block := steps.next_block(samples), Stop):
        before = len(fleet.samples)
        fleet.run(block)
        new = fleet.samples[before:]
        samples = (*samples, *(map(change, new) if change else new))
    return Gate(samples, steps)


def only(*metrics: Metric, level: Level = Level.ERROR, margin: float | None = None) -> tuple[MetricRule, ...]:
    return tuple(MetricRule(metric=metric, level=level, margin=margin) for metric in metrics)


def failed(sample: Sample) -> Sample:
    """The same call as one that raised."""
    return replace(sample, outcome=Outcome.FUNCTION_ERROR, error_type="ValueError")


def head(change: Change) -> Change:
    """Only what head did."""
    return lambda sample: change(sample) if sample.cell.variant == "head" else sample
