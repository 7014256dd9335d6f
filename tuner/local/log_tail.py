"""What an invocation leaves in the log: START, END and REPORT exactly as Lambda writes them, and the 4 KB tail."""

from __future__ import annotations

import math
from dataclasses import dataclass

TAIL_BYTES = 4096
"""Invoke with LogType=Tail returns the last 4 KB of the log (API reference, Invoke, X-Amz-Log-Result)."""


class LogTail:
    """The last 4 KB of whatever was written. Memory use does not grow with what a handler prints."""

    def __init__(self) -> None:
        self._kept = b""

    def write(self, data: bytes) -> None:
        self._kept = (self._kept + data[-TAIL_BYTES:])[-TAIL_BYTES:]

    def write_line(self, line: str) -> None:
        """Add a platform line; it starts on a line of its own even where the handler printed no newline."""
        if self._kept and not self._kept.endswith(b"\n"):
            self.write(b"\n")
        self.write(line.encode() + b"\n")

    def read(self) -> bytes:
        return self._kept

    def clear(self) -> None:
        self._kept = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a REPORT or INIT_REPORT says that something went wrong."""

    status: str
    error_type: str | None = None

    def fields(self) -> tuple[str, ...]:
        status = f"Status: {self.status}"
        return (status,) if self.error_type is None else (status, f"Error Type: {self.error_type}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a REPORT line reports. ``init_ms`` and ``restore_ms`` are None for a warm start."""

    request_id: str
    duration_ms: float
    memory_mb: int
    max_memory_used_mb: int
    init_ms: float | None = None
    restore_ms: float | None = None
    failure: Failure | None = None
    """What the platform calls a failure; the handler's own exception is none and not shown in text."""
    handler_failure: Failure | None = None

    @property
    def billed_ms(self) -> int:
        """Duration and, since 2025-08-01, init, or the billed part of a restore, up to the next millisecond."""
        extra_ms = round(self.init_ms or 0.0, 2) + (self.billed_restore_ms or 0)
        return math.ceil(round(self.duration_ms, 2) + extra_ms - 1e-6)

    @property
    def billed_restore_ms(self) -> int | None:
        return None if self.restore_ms is None else math.ceil(self.restore_ms)


def start_line(request_id: str, version: str) -> str:
    return f"START RequestId: {request_id} Version: {version}"


def end_line(request_id: str) -> str:
    return f"END RequestId: {request_id}"


def report_line(measured: Measured) -> str:
    fields = [
        f"REPORT RequestId: {measured.request_id}",
        f"Duration: {measured.duration_ms:.2f} ms",
        f"Billed Duration: {measured.billed_ms} ms",
        f"Memory Size: {measured.memory_mb} MB",
        f"Max Memory Used: {measured.max_memory_used_mb} MB",
    ]
    if measured.init_ms is not None:
        fields.append(f"Init Duration: {measured.init_ms:.2f} ms")
    if measured.restore_ms is not None:
        fields.append(f"Restore Duration: {measured.restore_ms:.2f} ms")
        fields.append(f"Billed Restore Duration: {measured.billed_restore_ms} ms")
    if measured.failure is not None:
        fields.extend(measured.failure.fields())
    return "\t".join(fields) + "\t"


def init_report_line(init_ms: float, phase: str, failure: Failure) -> str:
    """Written only where an init failed. ``phase`` is ``init``, or ``invoke`` for the attempt inside the call."""
    return "\t".join([f"INIT_REPORT Init Duration: {init_ms:.2f} ms", f"Phase: {phase}", *failure.fields()])
