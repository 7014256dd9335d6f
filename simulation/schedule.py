"""What happens in one schedule, drawn from its seed: who acts, when, and what goes wrong for whom."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulation.process import Faults

SIZES_MB = (128, 256, 512, 1024, 1769)
LONGEST_S = 25.0
"""About as long as a run takes: who acts, acts during it or a little later."""


class Study(StrEnum):
    FIXED = "fixed"
    CONFIRM = "confirm"
    CLONE = "clone"


class Deed(StrEnum):
    """What somebody else does to the function."""

    CODE = "deploys code"
    MEMORY = "sets memory"
    DEPLOY = "deploys code and memory"
    PUBLISH = "publishes"
    RELEASE = "publishes and points the alias there"
    DELETE = "deletes the function"
    RECREATE = "deletes the function and makes it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    at_s: float
    deed: Deed
    memory_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of ours."""

    study: Study
    sizes_mb: tuple[int, ...]
    machine: int
    starts_at_s: float
    faults: Faults
    interrupted_at_s: tuple[float, ...] = ()
    function: int = 0
    """Which of the two functions of the account it measures. Others act on the first one only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    machine: int
    starts_at_s: float
    faults: Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFaults:
    full_at: int | None = None
    gone_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    seed: int
    memory_mb: int
    versions: int
    """Releases there are already; the last is of the configuration that ``$LATEST`` has."""
    alias: bool
    settle_s: float
    runs: tuple[Run, ...]
    recoveries: tuple[Recovery, ...]
    acts: tuple[Act, ...]
    disks: tuple[DiskFaults, ...] = field(default=())


def draw(seed: int) -> Schedule:
    rng = random.Random(seed)
    runs = [_run(rng, machine=0, starts_at_s=0.0)]
    if rng.random() < 0.35:
        machine = rng.choice((0, 1))
        runs.append(_run(rng, machine=machine, starts_at_s=rng.uniform(0.0, LONGEST_S / 2)))
    recoveries = [
        Recovery(machine=0, starts_at_s=rng.uniform(0.0, LONGEST_S), faults=_faults(rng, steps=40))
        for _ in range(rng.choice((0, 0, 1, 2)))
    ]
    disks = (_disk(rng), DiskFaults())
    acts = tuple(_acts(rng))
    if len(runs) == 2 and rng.random() < 0.4:
        runs[1] = replace(runs[1], function=1)
    return Schedule(
        seed=seed,
        memory_mb=rng.choice(SIZES_MB),
        versions=rng.choice((0, 1, 3)),
        alias=rng.random() < 0.5,
        settle_s=rng.choice((0.1, 1.0)),
        runs=tuple(runs),
        recoveries=tuple(recoveries),
        acts=acts,
        disks=disks,
    )


def _run(rng: random.Random, *, machine: int, starts_at_s: float) -> Run:
    interrupted: tuple[float, ...] = ()
    if rng.random() < 0.15:
        first = rng.uniform(0.0, LONGEST_S)
        interrupted = (first,) if rng.random() < 0.7 else (first, first + rng.uniform(0.0, 5.0))
    return Run(
        study=rng.choices(tuple(Study), (7, 2, 2))[0],
        sizes_mb=tuple(sorted(rng.sample(SIZES_MB, rng.choice((1, 2, 2, 3))))),
        machine=machine,
        starts_at_s=starts_at_s,
        faults=_faults(rng, steps=120),
        interrupted_at_s=interrupted,
    )


def _faults(rng: random.Random, *, steps: int) -> Faults:
    kind = rng.choices(("none", "network", "dies"), (4, 2, 4))[0]
    if kind == "none":
        return Faults(throttled=rng.choice((0.0, 0.1)))
    if kind == "network":
        return Faults(lost_before=rng.choice((0.0, 0.05)), lost_after=0.08, throttled=0.05)
    return Faults(dies_at=rng.randrange(1, steps), whole_machine=rng.random() < 0.3)


def _disk(rng: random.Random) -> DiskFaults:
    kind = rng.choices(("none", "full", "gone"), (84, 9, 7))[0]
    at = rng.randrange(1, 40)
    return DiskFaults(full_at=at if kind == "full" else None, gone_at=at if kind == "gone" else None)


def _acts(rng: random.Random) -> list[Act]:
    deeds: list[Deed] = []
    if rng.random() < 0.5:
        pipeline = (Deed.CODE, Deed.MEMORY, Deed.DEPLOY, Deed.PUBLISH, Deed.RELEASE)
        deeds += rng.choices(pipeline, (2, 2, 2, 3, 2), k=rng.randrange(1, 4))
    if rng.random() < 0.15:
        deeds.append(rng.choices((Deed.DELETE, Deed.RECREATE), (1, 3))[0])
    times = sorted(rng.uniform(0.0, 1.6 * LONGEST_S) for _ in deeds)
    return [
        Act(at_s=at_s, deed=deed, memory_mb=rng.choice(SIZES_MB)) for at_s, deed in zip(times, deeds, strict=True)
    ]
