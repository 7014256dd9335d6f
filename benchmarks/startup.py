"""How long the command takes to answer, beside an empty Python: ``python -m benchmarks.startup [--json]``.

Whole processes are timed in alternation, so that a slow moment of the machine hits every row alike. Quote the
ratios, not the milliseconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import typer": [sys.executable, "-c", "import typer"],
    "tuner --version": [sys.executable, "-m", "tuner", "--version"],
    "tuner --help": [sys.executable, "-m", "tuner", "--help"],
    "tuner run --help": [sys.executable, "-m", "tuner", "run", "--help"],
    "import tuner.cli.run": [sys.executable, "-c", "import tuner.cli.run"],
}
BASELINE = "python -c pass"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    medians = measure(options.rounds)
    if options.json:
        print(json.dumps({"rounds": options.rounds, "median_ms": medians}))
        return
    print(f"{'command':24}{'median':>10}{'ratio':>8}   ({options.rounds} rounds)")
    for name, median_ms in medians.items():
        print(f"{name:24}{median_ms:7.0f} ms{median_ms / medians[BASELINE]:8.1f}")


def measure(rounds: int) -> dict[str, float]:
    """Median wall time in ms of each command over ``rounds`` alternating rounds."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times[name].append((time.perf_counter() - started) * 1000)
    return {name: round(statistics.median(values), 1) for name, values in times.items()}


if __name__ == "__main__":
    main()
