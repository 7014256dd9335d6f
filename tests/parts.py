"""Runs the tests in parts: says at the start which, and at the end how long each took.

``python tests/parts.py PART...``; every part runs even if one before it failed, and any failure is the exit code.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SIDE_BY_SIDE = ("-n", "auto", "--dist", "worksteal")


@dataclass(frozen=True, slots=True)
class Part:
    about: str
    arguments: tuple[str, ...]


PARTS = {
    "unit": Part(
        "what needs no process of its own: unit, property and golden tests, and the simulation",
        (*SIDE_BY_SIDE, "tests/unit", "tests/property", "tests/golden", "tests/simulation"),
    ),
    "docs": Part("documentation, and its commands", (*SIDE_BY_SIDE, "tests/docs")),
    "statistics": Part("coverage and error rates of the statistics", (*SIDE_BY_SIDE, "tests/statistics")),
    "process": Part(
        "whole processes and real handlers on the embedded Lambda",
        (*SIDE_BY_SIDE, "-m", "not browser and not alone", "tests/effects", "tests/contract"),
    ),
    "user": Part(
        "what depends on who runs it: files, runtimes and the embedded Lambda",
        (
            *SIDE_BY_SIDE,
            *(f"tests/unit/{name}" for name in ("cli", "engine", "inputs", "local")),
            *(f"tests/effects/test_local_{name}.py" for name in ("api", "life", "invoke", "runtimes")),
        ),
    ),
    "alone": Part("measures durations, so nothing runs beside it", ("-m", "alone", "tests")),
    "browser": Part("the pages in Chromium", ("-m", "browser", "tests/browser")),
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS]
    if unknown or not names:
        print(f"usage: python tests/parts.py PART..., of: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    print("Parts of the tests, in this order:")
    for name in names:
        print(f"  {name:<12}{PARTS[name].about}", flush=True)
    results = [(name, *run(PARTS[name])) for name in names]
    print("How long each part took:")
    for name, code, seconds in results:
        print(f"  {name:<12}{seconds:6.0f} s  {'passed' if code == 0 else f'FAILED (pytest exit code {code})'}")
    return next((code for _, code, _ in results if code), 0)


def run(part: Part) -> tuple[int, float]:
    """The exit code of pytest and the seconds it took."""
    started_s = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "pytest", *part.arguments], cwd=ROOT, check=False)
    return done.returncode, time.monotonic() - started_s


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
