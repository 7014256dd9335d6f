"""How an init compares with that of a function that does nothing, by published measurements in the package."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tuner import codec
from tuner.model import Architecture, HelloWorld

HELLO_WORLD_FILE = Path(__file__).parents[1] / "data" / "hello_world.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedInit:
    """Init durations in ms of one hello-world function, pooled over the days of the file."""

    runtime: str
    package_type: str
    architecture: Architecture
    memory_mb: int
    n: int
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Published:
    source: str
    licence: str
    first: str
    last: str
    rows: tuple[PublishedInit, ...]


def hello_world(
    runtime: str | None,
    package_type: str,
    architecture: Architecture,
    memory_mb: int,
    *,
    init_p50_ms: float | None,
) -> HelloWorld | None:
    """The published init of the same runtime, package type and architecture at the nearest memory size.

    None where that runtime was not measured, as with custom ones and images, whose runtime the service does not name.
    """
    same = [
        row
        for row in _published().rows
        if (row.runtime, row.package_type, row.architecture) == (runtime, package_type, architecture)
    ]
    if not same:
        return None
    row = _nearest(same, memory_mb)
    return HelloWorld(
        runtime=row.runtime,
        package_type=row.package_type,
        architecture=row.architecture,
        memory_mb=row.memory_mb,
        n=row.n,
        p50_ms=row.p50_ms,
        p99_ms=row.p99_ms,
        ratio=None if init_p50_ms is None else init_p50_ms / row.p50_ms,
        as_of=_published().last,
        source=_published().source,
    )


def _nearest(rows: Iterable[PublishedInit], memory_mb: int) -> PublishedInit:
    return min(rows, key=lambda row: abs(math.log(row.memory_mb / memory_mb)))


@cache
def _published() -> _Published:
    return codec.decode(HELLO_WORLD_FILE.read_bytes(), _Published)
