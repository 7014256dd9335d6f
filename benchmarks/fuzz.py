"""Does every reader of files from outside end well? ``python -m benchmarks.fuzz [--mutations N] [--seed S]``

Each reader gets files that were damaged from a seed. A mutation ends well if the file is read, or refused by a
TunerError (an answer of the API where the embedded Lambda reads it), within ``LONGEST_S`` and without anything
written outside of the folder that it was given. One line a reader says how many were read and how many refused; each
other outcome is printed with what replays it.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

from benchmarks.readers import READERS, Reader
from tuner.errors import TunerError
from tuner.local.faults import ApiError

LONGEST_S = 20
MEMORY_BYTES = 4 * 1024**3
"""Of data: what grows without end ends here. Address space cannot be bounded: V8 reserves more than there is."""
SHOWN_FAILURES = 5
READ, REFUSED, FAILED, SLOW = "read", "refused", "failed", "too slow"


class TooSlowError(BaseException):
    """Not an Exception: no reader may take it for one of its own."""


@dataclass(slots=True)
class Outcome:
    """What became of a reader's mutations; ``failures`` are texts to replay and mend."""

    reader: str
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def words(self) -> str:
        counts = ", ".join(f"{self.counts[kind]:,} {kind}" for kind in (READ, REFUSED, FAILED, SLOW))
        return f"{self.reader:<20} {self.counts.total():>7,} mutations: {counts}"


def fuzz(reader: Reader, *, mutations: int, seed: int, first: int = 0) -> Outcome:
    """Play the mutations ``first`` to ``first + mutations`` of a seed."""
    outcome = Outcome(reader.name)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "inside"
        for number in range(first, first + mutations):
            folder.mkdir(exist_ok=True)
            kind, why = _play(reader, mutated(reader, seed, number), folder)
            if sorted(Path(made).iterdir()) != [folder]:
                kind, why = FAILED, "something was written outside of the folder\n"
            outcome.counts[kind] += 1
            if why:
                replay = (
                    f"python -m benchmarks.fuzz --reader {reader.name} --seed {seed} --first {number} --mutations 1"
                )
                outcome.failures.append(f"{replay}\n{why}")
    return outcome


def mutated(reader: Reader, seed: int, number: int) -> bytes:
    """The file of one mutation: the same whichever others are played."""
    chance = random.Random(f"{reader.name}-{seed}-{number}")
    return reader.mutate(chance.choice(reader.originals()), chance)


def _play(reader: Reader, data: bytes, folder: Path) -> tuple[str, str]:
    try:
        with _limited():
            reader.read(data, folder)
    except (TunerError, ApiError):
        return REFUSED, ""
    except TooSlowError:
        return SLOW, traceback.format_exc(limit=-6)
    except Exception:  # noqa: BLE001 - what this looks for
        return FAILED, traceback.format_exc(limit=-6)
    return READ, ""


@contextmanager
def _limited() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, _too_slow)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _too_slow(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise TooSlowError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--mutations", type=int, default=10_000, help="for each reader")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation, to replay one")
    parser.add_argument("--reader", choices=sorted(READERS), action="append")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    failed = 0
    for name in arguments.reader or READERS:
        outcome = fuzz(READERS[name], mutations=arguments.mutations, seed=arguments.seed, first=arguments.first)
        print(outcome.words(), flush=True)
        for failure in outcome.failures[:SHOWN_FAILURES]:
            print(failure)
        failed += len(outcome.failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
