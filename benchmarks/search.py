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
from dataclasses import asdict
from pathlib import Path

from benchmarks import search_limits, search_local, search_thinking
from benchmarks.policies import Adaptive, Parrotfish, Policy, PowerTuning, RandomSizes, Rule
from benchmarks.search_families import curve_worlds, simulated_worlds
from benchmarks.search_tables import NEAR, Run, reliability, show, show_reliability, table
from benchmarks.worlds import TRACES, Fleet, World, trace_worlds
from tuner.model import Block
from tuner.pricing import total_cost_usd

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
CURVES = DATA / "real_curves.json"


USUAL_WORLDS = ("traces", "usual")
WORLDS = (*USUAL_WORLDS, "unusual", "published")


def policies(seed: int) -> dict[str, Callable[[World], Policy]]:
    grids = {f"power-tuning n={n}": _grid(n) for n in (5, 10, 20, 100)}
    return {
        "tuner": _adaptive(seed, "cheapest"),
        "tuner, as proposed": _adaptive(seed, "fastest within 5 %"),
        **grids,
        "parrotfish": lambda world: Parrotfish(world.cells, world.price),
        "random": lambda world: RandomSizes(world.cells, world.price, seed),
    }


def _adaptive(seed: int, rule: Rule) -> Callable[[World], Policy]:
    return lambda world: Adaptive(world.cells, world.price, seed, rule, world.largest_wave)


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


def evaluate(names: Sequence[str], worlds_of: Callable[[int], Iterable[World]], seeds: Sequence[int]) -> list[Run]:
    runs = []
    for seed in seeds:
        makers = policies(seed)
        for world in worlds_of(seed):
            runs += [run(name, makers[name](world), world, seed) for name in names]
    return runs


def worlds(kinds: Sequence[str], paths: Sequence[Path], seed: int) -> list[World]:
    """Functions of the kinds asked for, with the luck of this seed."""
    found = trace_worlds(paths, seed) if "traces" in kinds else []
    found += simulated_worlds(seed) if "usual" in kinds else []
    found += simulated_worlds(seed, unusual=True) if "unusual" in kinds else []
    if "published" in kinds and CURVES.exists():
        found += curve_worlds(CURVES, seed)
    return found


def main() -> int:
    options = _options()
    if options.thinking:
        return search_thinking.main()
    if options.local:
        return search_local.main(options.example, options.samples, options.tolerance)
    paths = options.traces or [DATA / name for name in TRACES if (DATA / name).exists()]
    kinds = ["traces"] if options.only_traces else options.worlds
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    if options.limits:
        return search_limits.main(lambda seed: worlds(kinds, paths, seed), seeds)
    runs = evaluate(options.policy or list(policies(0)), lambda seed: worlds(kinds, paths, seed), seeds)
    rows, bins = table(runs), reliability(runs)
    if options.json:
        print(json.dumps({"rows": [asdict(row) for row in rows], "reliability": [asdict(b) for b in bins]}, indent=1))
    else:
        show(rows)
        show_reliability(bins)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", nargs="*", type=Path, help="trace files [default: the two public ones]")
    parser.add_argument(
        "--worlds", nargs="*", choices=WORLDS, default=list(USUAL_WORLDS), help="[default: %(default)s]"
    )
    parser.add_argument("--only-traces", action="store_true", help="the same as --worlds traces")
    parser.add_argument("--policy", nargs="*", choices=list(policies(0)))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0, help="for worlds that nobody has looked at")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--limits", action="store_true", help="how often statements about limits are wrong instead")
    parser.add_argument("--thinking", action="store_true", help="time the choice of the next block instead")
    parser.add_argument("--local", action="store_true", help="compare with a sweep on the embedded Lambda instead")
    parser.add_argument("--example", nargs="*", help="examples for --local [default: all that need no network]")
    parser.add_argument("--samples", type=int, default=100, help="warm samples a size of that sweep")
    parser.add_argument("--tolerance", help="for --local, such as 3%% [default: that of `tuner run`]")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
