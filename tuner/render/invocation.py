"""A line for each invocation, as ``--verbose`` shows them: what Lambda said of it, and never what was sent.

An error is shown by its type alone, for messages quote events and variables.
"""

from __future__ import annotations

from collections.abc import Iterator

from tuner.model import Cell, Sample
from tuner.render.text import plain, printable


def invocation_line(sample: Sample) -> str:
    """The time in UTC, the cell, the version, how it ended, and durations in ms as far as they are known."""
    where = f"{_clock(sample.started_at)} {_cell(sample.cell)} version {plain(sample.version)}"
    return f"{where}: {', '.join(_told(sample))}"


def version_line(cell: Cell, version: str) -> str:
    return f"{_cell(cell)} is version {plain(version)}"


def _told(sample: Sample) -> Iterator[str]:
    error = "" if sample.error_type is None else f" ({printable(sample.error_type)})"
    yield f"{sample.outcome.value}{error}"
    yield "duration unknown" if sample.duration_ms is None else f"{sample.duration_ms:.2f} ms"
    if sample.billed_ms is not None:
        yield f"billed {sample.billed_ms:.0f} ms"
    if sample.init_ms is not None:
        yield f"init {sample.init_ms:.2f} ms"
    if sample.restore_ms is not None:
        yield f"restore {sample.restore_ms:.2f} ms"
    yield "no request id" if sample.request_id is None else f"request {plain(sample.request_id)}"


def _clock(started_at: str) -> str:
    """``07:41:15.123`` of ``2026-11-21T07:41:15.123+00:00``."""
    return started_at[11:23]


def _cell(cell: Cell) -> str:
    return " ".join(word for word in (f"{cell.memory_mb} MB", cell.architecture.value, cell.variant) if word)
