"""How well the search finds the cheapest size, beside other policies: ``python -m benchmarks.search``.

Every policy meets the same worlds with the same seeds. Traces are split by execution environment: a policy draws
from one half, the truth (mean billed cost, untrimmed) comes from the other, and regret counts only beyond the
truth's own 95 % interval. Invocations and dollars include cold calls with their init.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks import search_local, search_thinking
from benchmarks.policies import Adaptive, Parrotfish, Policy, PowerTuning, RandomSizes
from benchmarks.worlds import TRACES, Fleet, World, simulated_worlds, trace_worlds
from tuner.model import Block
from tuner.pricing import total_cost_usd

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
NEAR = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """One policy in one world with one seed. ``claims`` are (claimed, true) at every look with a claim."""

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
    """Share of right statements among those of 85 to 95 %, at every look of every run."""
    stated_90_looks: int


def policies(seed: int) -> dict[str, Callable[[World], Policy]]:
    grids = {f"power-tuning n={n}": _grid(n) for n in (5, 10, 20, 100)}
    return {
        "tuner": lambda world: Adaptive(world.cells, world.price, seed),
        "tuner, as proposed": lambda world: Adaptive(world.cells, world.price, seed, "fastest within 5 %"),
        **grids,
        "parrotfish": lambda world: Parrotfish(world.cells, world.price),
        "random": lambda world: RandomSizes(world.cells, world.price, seed),
    }


def _grid(calls: int) -> Callable[[World], Policy]:
    return lambda world: PowerTuning(world.cells, world.price, calls)


def run(name: str, policy: Policy, world: World, seed: int) -> Run:
    """Let a policy search a world."""
    fleet = Fleet(world, seed)
    claims: list[tuple[float, bool]] = []
    while isinstance(block := policy.next_block(fleet.samples), Block):
        for wave in block.waves:
            fleet.run(wave, block.number)
        pick = policy.recommend(fleet.samples)
        if pick.confidence is not None:
            claims.append((pick.confidence, world.regret(pick.memory_mb) <= NEAR))
    pick = policy.recommend(fleet.samples)
    samples = fleet.samples
    return Run(
        policy=name,
        world=world.name,
        kind=world.kind,
        seed=seed,
        regret=world.regret(pick.memory_mb),
        invocations=len(samples),
        cold=sum(sample.cold for sample in samples),
        usd=float(total_cost_usd(samples, {world.price.architecture: world.price}).usd),
        claim=pick.confidence,
        claims=tuple(claims),
    )


def evaluate(names: Sequence[str], paths: Sequence[Path], seeds: Sequence[int], *, simulated: bool) -> list[Run]:
    runs = []
    for seed in seeds:
        worlds = trace_worlds(paths, seed) + (simulated_worlds(seed) if simulated else [])
        makers = policies(seed)
        for world in worlds:
            runs += [run(name, makers[name](world), world, seed) for name in names]
    return runs


def summarise(runs: Iterable[Run], label: str) -> Row:
    runs = list(runs)
    regrets = np.array([r.regret for r in runs])
    claimed = [r for r in runs if r.claim is not None]
    near_90 = [right for r in runs for claim, right in r.claims if 0.85 <= claim < 0.95]
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
    """A row for each policy and world, then for each kind of world, then pooled."""
    rows = []
    policies_seen = list(dict.fromkeys(r.policy for r in runs))
    for world in dict.fromkeys(r.world for r in runs):
        rows += [summarise((r for r in runs if (r.policy, r.world) == (p, world)), world) for p in policies_seen]
    for kind in dict.fromkeys(r.kind for r in runs):
        rows += [
            summarise((r for r in runs if (r.policy, r.kind) == (p, kind)), f"all {kind}") for p in policies_seen
        ]
    return rows + [summarise((r for r in runs if r.policy == p), "all") for p in policies_seen]


def show(rows: Sequence[Row]) -> None:
    usd_of = {row.world: row.usd for row in rows if row.policy == "power-tuning n=10"}
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


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def main() -> int:
    options = _options()
    if options.thinking:
        return search_thinking.main()
    if options.local is not None:
        return search_local.main(options.local, options.samples)
    paths = options.traces or [DATA / name for name in TRACES if (DATA / name).exists()]
    names = options.policy or list(policies(0))
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    runs = evaluate(names, paths, seeds, simulated=not options.only_traces)
    rows = table(runs)
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
    else:
        show(rows)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", nargs="*", type=Path, help="trace files [default: the two public ones]")
    parser.add_argument("--only-traces", action="store_true", help="leave out the simulated worlds")
    parser.add_argument("--policy", nargs="*", choices=list(policies(0)))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0, help="for worlds that nobody has looked at")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--thinking", action="store_true", help="time the choice of the next block instead")
    parser.add_argument("--local", nargs="*", metavar="EXAMPLE", help="compare with a sweep on the embedded Lambda")
    parser.add_argument("--samples", type=int, default=100, help="warm samples a size of that sweep")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
