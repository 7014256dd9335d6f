"""Runs beside others in virtual time: which promises break, and how often.

    python -m benchmarks.simulation --schedules 100000 --seed 1000000
    python -m benchmarks.simulation --replay 4711

A schedule is drawn from its seed: runs of ours on one or two machines, ``tuner recover`` in between, a pipeline and
an operator who act on the same function, networks that lose calls and answers, processes and machines that die,
disks that run full and folders that vanish (see ``simulation/``). It ends with 1 if one promise was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from simulation.play import play
from simulation.schedule import draw

CHUNK = 200
MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Chunk:
    counts: Counter[str]
    broken: tuple[tuple[int, tuple[str, ...]], ...]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    if options.replay is not None:
        return replay(options.replay)
    started_s = time.monotonic()
    counts: Counter[str] = Counter()
    broken: list[tuple[int, tuple[str, ...]]] = []
    for chunk in _chunks(options.seed, options.schedules):
        counts += chunk.counts
        broken.extend(chunk.broken)
    seconds = time.monotonic() - started_s
    if options.json:
        result = {"schedules": options.schedules, "seed": options.seed, "seconds": seconds, "counts": counts}
        print(json.dumps({**result, "broken": broken}))
    else:
        _print(options.schedules, options.seed, seconds, counts, broken)
    return 1 if broken else 0


def replay(seed: int) -> int:
    """One schedule with every step of it."""
    schedule = draw(seed)
    played = play(schedule)
    print(schedule, *played.trace, sep="\n")
    print(f"broken: {'; '.join(played.broken) or 'nothing'}")
    return 1 if played.broken else 0


def _chunks(seed: int, schedules: int) -> Iterator[Chunk]:
    starts = range(seed, seed + schedules, CHUNK)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(partial(_play_from, end=seed + schedules), starts)


def _play_from(start: int, *, end: int) -> Chunk:
    counts: Counter[str] = Counter()
    broken = []
    for seed in range(start, min(start + CHUNK, end)):
        played = play(draw(seed))
        counts += played.counts
        if played.broken:
            broken.append((seed, played.broken))
    return Chunk(counts, tuple(broken))


def _print(
    schedules: int, seed: int, seconds: float, counts: Counter[str], broken: list[tuple[int, tuple[str, ...]]]
) -> None:
    for what, number in sorted(counts.items()):
        print(f"{number:>9,}  {what}")
    for at, words in broken[:MOST_SHOWN]:
        print(f"BROKEN  {'; '.join(words)}\n        python -m benchmarks.simulation --replay {at}")
    print(
        f"{schedules:,} schedules from seed {seed} in {seconds:.0f} s ({schedules / seconds:.0f} a second): "
        f"{len(broken)} broken"
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", type=int, metavar="SEED", help="play one schedule and show its steps")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
