"""Does a run always leave the function as it was? ``python -m benchmarks.faults [--schedules N] [--seed S] [--json]``

Every schedule is one whole ``tuner run``, or two from different machines, as processes of their own against an
embedded Lambda that goes wrong on purpose. Most runs also get a signal at a random moment: SIGINT, SIGTERM, SIGHUP,
or SIGKILL followed by ``tuner recover``; for some the disk runs full. In more than half of the schedules the owner of
the function works on it meanwhile, or between a kill and ``tuner recover``: publishes unchanged code, points an alias
to it or to the newest version there is, sets another memory size, or deletes the function and makes it again. Faults,
operations, call numbers, kinds of runs, deeds and moments are drawn from the seed.

A schedule holds when afterwards, by an untouched client,

- the function has the configuration that its owner left: their last memory size and code. Where the owner sets
  exactly a size that tuner measures, nobody can tell whose it is, and the size before is right too,
- every version, alias and tag of the owner's is as they left it,
- no version, tag or temporary copy of tuner's is left, and every journal is closed. A version that the owner's alias
  points to stays until the alias is gone and ``tuner recover`` has run once more,
- no invocation is in the samples twice,
- the spend of each run is within its budget plus one wave, and
- nothing but the exit codes of the contract came back, and no traceback.

Traffic goes to loopback only; the processes ended are those started here.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from benchmarks.faults.play import Result, play_in_own_folder
from benchmarks.faults.schedule import AFTER_ALL_RUNS_S, Act, Run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1, help="the first schedule; the others follow")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.schedules)
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(play_in_own_folder, seeds))
    broken = [result for result in results if result.violations]
    if options.json:
        print(json.dumps([asdict(result) for result in results]))
    else:
        print_table(results, broken)
    return 1 if broken else 0


def print_table(results: list[Result], broken: list[Result]) -> None:
    runs = [run for result in results for run in result.schedule.runs]
    print(
        f"schedules {len(results)}, broken {len(broken)}, runs {len(runs)}, "
        f"recovered {sum(result.recovered for result in results)}, "
        f"adopted versions {sum(result.adopted for result in results)}"
    )
    _print_counts("faults", (str(rule["fault"]) for result in results for rule in result.schedule.rules))
    _print_counts("calls", (str(rule["operation"]) for result in results for rule in result.schedule.rules))
    _print_counts("signals", ("none" if run.signal is None else signal.Signals(run.signal).name for run in runs))
    _print_counts("runs", (_kind(run) for run in runs))
    _print_counts("full disks", (f"{run.room_bytes and 'some'} room" for run in runs if run.disk_full_after_s))
    _print_counts("owner", (_deed(act) for result in results for act in result.schedule.acts))
    _print_counts("exit codes", (code for result in results for code in result.exit_codes))
    for result in broken:
        print(f"BROKEN seed {result.schedule.seed} ({result.schedule}): {'; '.join(result.violations)}")


def _kind(run: Run) -> str:
    return "on a copy" if run.clone else "on the function"


def _deed(act: Act) -> str:
    return f"{act.deed.value} after all runs" if act.after_s == AFTER_ALL_RUNS_S else act.deed.value


def _print_counts(title: str, kinds: Iterable[str | int]) -> None:
    print(f"{title:10}", ", ".join(f"{kind}: {count}" for kind, count in sorted(Counter(kinds).items())))


if __name__ == "__main__":
    sys.exit(main())
