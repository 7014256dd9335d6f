"""How long choosing the next block takes: ``python -m benchmarks.search --thinking``.

3,000 candidate sizes on two architectures, 1,000 samples: far more than a run has.
"""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import replace

from tuner.model import Architecture, Cell, Outcome, Sample
from tuner.pricing import price_for
from tuner.statistics.search.luck import uniforms
from tuner.statistics.search.policy import AdaptiveSampling

SIZES_MB = tuple(range(128, 3128))
MEASURED_MB = (128, 200, 320, 512, 700, 760, 900, 1024, 1400, 1769)
CALLS = 1_000
LIMIT_MS = 50.0
REPETITIONS = 11


def thinking_ms() -> tuple[float, list[float]]:
    """Milliseconds of the first choice, which builds tables, and of later ones."""
    cells = tuple(Cell(size, architecture) for architecture in Architecture for size in SIZES_MB)
    prices = tuple(price_for("us-east-1", architecture) for architecture in Architecture)
    policy = AdaptiveSampling(cells=cells, prices=prices, confidence=0.999, most_calls=10 * CALLS)
    samples = _samples()
    times = []
    for number in range(REPETITIONS + 1):
        seen = [*samples, replace(samples[-1], sequence=CALLS + number)]
        started_s = time.perf_counter()
        policy.next_block(seen)
        times.append((time.perf_counter() - started_s) * 1000)
    return times[0], times[1:]


def _samples() -> list[Sample]:
    luck = uniforms(1, CALLS)
    cells = [Cell(size, architecture) for architecture in Architecture for size in MEASURED_MB]
    rows = []
    for number in range(CALLS):
        cell = cells[number % len(cells)]
        duration_ms = 400 * 1769 / min(cell.memory_mb, 1769) * (0.9 + 0.2 * float(luck[number]))
        rows.append(
            Sample(
                sequence=number,
                block=1 + number // 100,
                wave=number // 5,
                cell=cell,
                version=f"{cell.memory_mb}/{cell.architecture}",
                started_at="2026-01-01T00:00:00+00:00",
                client_ms=duration_ms + 5,
                outcome=Outcome.OK,
                duration_ms=duration_ms,
                billed_ms=float(math.ceil(duration_ms)),
                init_ms=150.0 if number < 3 * len(cells) else None,
            )
        )
    return rows


def main() -> int:
    first_ms, later_ms = thinking_ms()
    middle_ms = statistics.median(later_ms)
    print(
        f"next block for {len(SIZES_MB):,} sizes x 2 architectures x {CALLS:,} samples: first {first_ms:.0f}, then "
        f"{middle_ms:.1f} ms (median of {REPETITIONS}), {min(later_ms):.1f} at best; goal: under {LIMIT_MS:.0f} ms"
    )
    return 0 if middle_ms < LIMIT_MS else 1
