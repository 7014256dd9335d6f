"""Samples of a cold-start study, one version a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tuner.model import Architecture, Cell, Outcome, Sample
from tuner.statistics.cold.batches import Batched

X86, ARM = Architecture.X86_64, Architecture.ARM64
CELL = Cell(512, X86)
START = datetime(2026, 11, 21, 7, tzinfo=UTC)


def first_call(sequence: int = 1, *, after_s: float = 0.0, **changes: object) -> Sample:
    """A successful cold start: init 300 ms, duration 50 ms, billed together."""
    fields: dict[str, object] = {
        "sequence": sequence,
        "block": 1,
        "wave": 1,
        "cell": CELL,
        "version": "1",
        "started_at": (START + timedelta(seconds=after_s)).isoformat(timespec="milliseconds"),
        "client_ms": 400.0,
        "outcome": Outcome.OK,
        "duration_ms": 50.0,
        "billed_ms": 350.0,
        "init_ms": 300.0,
        "max_memory_used_mb": 80,
    }
    return Sample(**(fields | changes))  # type: ignore[arg-type]


def warm_call(sequence: int = 100, **changes: object) -> Sample:
    """A later call on the same version: 10 ms."""
    fields: dict[str, object] = {
        "block": 2,
        "wave": 2,
        "after_s": 5.0,
        "client_ms": 40.0,
        "duration_ms": 10.0,
        "billed_ms": 10.0,
        "init_ms": None,
    }
    return first_call(sequence, **(fields | changes))  # type: ignore[arg-type]


def study(
    inits_ms: Sequence[Sequence[float]], *, cell: Cell = CELL, duration_ms: float = 50.0, warm_ms: float = 10.0
) -> tuple[Sample, ...]:
    """A batch for each row of inits, each on a version of its own, and one warm call after it."""
    rows: list[Sample] = []
    for number, inits in enumerate(inits_ms, start=1):
        common: dict[str, Any] = {"cell": cell, "version": str(number)}
        cold: dict[str, Any] = {"block": 2 * number - 1, "wave": 2 * number - 1, "duration_ms": duration_ms}
        for init_ms in inits:
            billed_ms = float(math.ceil(init_ms + duration_ms))
            rows.append(first_call(len(rows) + 1, init_ms=init_ms, billed_ms=billed_ms, **common, **cold))
        warm: dict[str, Any] = {"block": 2 * number, "wave": 2 * number, "duration_ms": warm_ms}
        rows.append(warm_call(len(rows) + 1, billed_ms=float(math.ceil(warm_ms)), **common, **warm))
    return tuple(rows)


def in_batches(values: Sequence[float], size: int) -> Batched:
    """Values in the order of their batches of ``size``."""
    return Batched(np.asarray(values, dtype=np.float64), np.arange(len(values)) // size)
