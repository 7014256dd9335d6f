"""What runs of the search come to: regret and spend by world, and whether stated probabilities come true.

Calibration is defined so. After every block a policy may state a probability that the size it would propose now costs
at most 5 % more than the cheapest; at the end of a run it makes its last statement. A statement is right when that is
true of the world. Statements are binned by the probability stated; a bin is calibrated when the share of right ones
agrees with the mean stated. ``stated 90 %`` is the bin from 85 to 95 %. Statements of one run are not independent, so
the interval of a share counts runs, not statements (Wilson score, 95 %).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

NEAR = 0.05
BINS = (0.0, 0.5, 0.7, 0.85, 0.95, 0.99, 1.000001)
STATED_90 = (0.85, 0.95)
BASE = "power-tuning n=10"
Z95 = 1.96


@dataclass(frozen=True, slots=True)
class Run:
    """One policy in one world with one seed. ``claims`` are (claimed, true) after every block with a claim."""

    policy: str
    world: str
    kind: str
    seed: int
    regret: float
    invocations: int
    cold: int
    usd: float
    claim: float | None
    claims: tuple[tuple[float, bool], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Runs of one policy taken together."""

    policy: str
    world: str
    runs: int
    mean_regret: float
    p95_regret: float
    within_5_percent: float
    invocations: float
    cold: float
    usd: float
    claimed: float | None
    achieved: float | None
    stated_90: float | None
    """Share of right statements among those of 85 to 95 %, after every block of every run."""
    stated_90_looks: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Statements of nearly the same probability. ``low`` and ``high`` bound the share that is right."""

    policy: str
    when: str
    """"end": one statement a run, "all": one after every block."""
    stated_from: float
    stated_to: float
    statements: int
    runs: int
    stated: float
    right: float
    low: float
    high: float


def summarise(runs: Iterable[Run], label: str) -> Row:
    runs = list(runs)
    regrets = np.array([r.regret for r in runs])
    claimed = [r for r in runs if r.claim is not None]
    near_90 = [right for r in runs for claim, right in r.claims if STATED_90[0] <= claim < STATED_90[1]]
    return Row(
        policy=runs[0].policy,
        world=label,
        runs=len(runs),
        mean_regret=float(regrets.mean()),
        p95_regret=float(np.quantile(regrets, 0.95)),
        within_5_percent=float((regrets <= NEAR).mean()),
        invocations=float(np.mean([r.invocations for r in runs])),
        cold=float(np.mean([r.cold for r in runs])),
        usd=float(np.mean([r.usd for r in runs])),
        claimed=float(np.mean([r.claim for r in claimed])) if claimed else None,
        achieved=float(np.mean([r.regret <= NEAR for r in claimed])) if claimed else None,
        stated_90=float(np.mean(near_90)) if near_90 else None,
        stated_90_looks=len(near_90),
    )


def table(runs: Sequence[Run]) -> list[Row]:
    """A row for each policy and world, then for each kind of world, then pooled. Published curves are one world:
    each is met once a seed."""
    rows = []
    policies = list(dict.fromkeys(r.policy for r in runs))
    worlds = dict.fromkeys(r.world for r in runs if r.kind != "published")
    for world in worlds:
        rows += [summarise((r for r in runs if (r.policy, r.world) == (p, world)), world) for p in policies]
    for kind in dict.fromkeys(r.kind for r in runs):
        rows += [summarise((r for r in runs if (r.policy, r.kind) == (p, kind)), f"all {kind}") for p in policies]
    return rows + [summarise((r for r in runs if r.policy == p), "all") for p in policies]


def reliability(runs: Sequence[Run]) -> list[Bin]:
    """Bins of every policy that states probabilities, for the last statements and for all."""
    bins = []
    for policy in dict.fromkeys(r.policy for r in runs if r.claim is not None):
        mine = [r for r in runs if r.policy == policy]
        last = [[(r.claim, r.regret <= NEAR)] for r in mine if r.claim is not None]
        for when, statements in (("end", last), ("all", [list(r.claims) for r in mine])):
            bins += [
                found
                for low, high in pairwise(BINS)
                if (found := _bin(policy, when, statements, low, high)) is not None
            ]
    return bins


def _bin(
    policy: str, when: str, statements: Sequence[Sequence[tuple[float, bool]]], low: float, high: float
) -> Bin | None:
    """``statements`` of each run."""
    inside = [[(stated, right) for stated, right in run if low <= stated < high] for run in statements]
    inside = [run for run in inside if run]
    every = [statement for run in inside for statement in run]
    if not every:
        return None
    share = float(np.mean([right for _, right in every]))
    below, above = wilson(share, len(inside))
    return Bin(
        policy=policy,
        when=when,
        stated_from=low,
        stated_to=min(high, 1.0),
        statements=len(every),
        runs=len(inside),
        stated=float(np.mean([stated for stated, _ in every])),
        right=share,
        low=below,
        high=above,
    )


def wilson(share: float, n: int) -> tuple[float, float]:
    """95 % interval of a share seen in ``n`` trials (Wilson 1927)."""
    middle = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def show(rows: Sequence[Row]) -> None:
    usd_of = {row.world: row.usd for row in rows if row.policy == BASE}
    heading = f"{'policy':20}{'regret':>8}{'p95':>8}{'<=5 %':>7}{'calls':>7}{'cold':>6}{'USD':>10}{'vs PT10':>8}"
    world = None
    for row in rows:
        if row.world != world:
            world = row.world
            print(f"\n{world} ({row.runs} runs)\n{heading}{'claims':>8}{'true':>6}{'90 % is':>9}{'looks':>7}")
        ratio = f"{row.usd / usd_of[row.world]:8.2f}" if row.world in usd_of else f"{'':8}"
        print(
            f"{row.policy:20}{row.mean_regret:8.2%}{row.p95_regret:8.1%}{row.within_5_percent:7.3f}"
            f"{row.invocations:7.1f}{row.cold:6.1f}{row.usd:10.2e}{ratio}"
            f"{_share(row.claimed):>8}{_share(row.achieved):>6}{_share(row.stated_90):>9}{row.stated_90_looks:7}"
        )


def show_reliability(bins: Sequence[Bin]) -> None:
    title = None
    for found in bins:
        if (found.policy, found.when) != title:
            title = (found.policy, found.when)
            last = "last statements of runs" if found.when == "end" else "statements after every block"
            print(f"\n{found.policy}: {last}\n{'stated':>12}{'n':>7}{'runs':>7}{'mean':>8}{'right':>8}   95 %")
        print(
            f"{found.stated_from:6.2f}..{found.stated_to:4.2f}{found.statements:7}{found.runs:7}"
            f"{found.stated:8.3f}{found.right:8.3f}   {found.low:.2f}..{found.high:.2f}"
        )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
