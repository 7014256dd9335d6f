"""What Lambda itself writes to a function's log, in its two formats: lines of text, or one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tuner.local.log_tail import Failure, Measured, end_line, init_report_line, report_line, start_line

SYSTEM_LEVELS = ("DEBUG", "INFO", "WARN")


class PlatformLog(Protocol):
    """Each method returns the lines of one moment."""

    def init_start(self) -> tuple[str, ...]: ...

    def init_report(self, init_ms: float, phase: str, failure: Failure | None) -> tuple[str, ...]: ...

    def start(self, request_id: str, version: str) -> tuple[str, ...]: ...

    def report(self, measured: Measured) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class TextLog:
    runtime: str

    def init_start(self) -> tuple[str, ...]:
        return (f"INIT_START Runtime Version: {self.runtime} (embedded)",)

    def init_report(self, init_ms: float, phase: str, failure: Failure | None) -> tuple[str, ...]:
        """In text only a failed init is reported (AWS developer guide, execution environment lifecycle)."""
        return () if failure is None else (init_report_line(init_ms, phase, failure),)

    def start(self, request_id: str, version: str) -> tuple[str, ...]:
        return (start_line(request_id, version),)

    def report(self, measured: Measured) -> tuple[str, ...]:
        restored: tuple[str, ...] = ()
        if measured.restore_ms is not None:
            restored = (f"RESTORE_REPORT Restore Duration: {measured.restore_ms:.2f} ms",)
        return (*restored, end_line(measured.request_id), report_line(measured))


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLog:
    """Events of the Telemetry API's schema (lambda/latest/dg/telemetry-schema-reference), filtered by level.

    Levels as in lambda/latest/dg/monitoring-cloudwatchlogs-log-level: start is INFO; report is INFO for a success
    and WARN otherwise; runtimeDone and what concerns init are DEBUG, and WARN where they did not succeed.
    """

    runtime: str
    timestamp: Callable[[], str]
    level: str = "INFO"
    initialization: str = field(default="on-demand")

    def init_start(self) -> tuple[str, ...]:
        record = {"initializationType": self.initialization, "phase": "init", "runtimeVersion": self.runtime}
        return self._event("DEBUG", "platform.initStart", record)

    def init_report(self, init_ms: float, phase: str, failure: Failure | None) -> tuple[str, ...]:
        record = {"initializationType": self.initialization, "phase": phase, **_status(failure)}
        record["metrics"] = {"durationMs": round(init_ms, 3)}
        return self._event("DEBUG" if failure is None else "WARN", "platform.initReport", record)

    def start(self, request_id: str, version: str) -> tuple[str, ...]:
        return self._event("INFO", "platform.start", {"requestId": request_id, "version": version})

    def report(self, measured: Measured) -> tuple[str, ...]:
        failure = measured.failure or measured.handler_failure
        metrics = {
            "durationMs": round(measured.duration_ms, 3),
            "billedDurationMs": measured.billed_ms,
            "memorySizeMB": measured.memory_mb,
            "maxMemoryUsedMB": measured.max_memory_used_mb,
            "initDurationMs": _rounded(measured.init_ms),
            "restoreDurationMs": _rounded(measured.restore_ms),
            "billedRestoreDurationMs": measured.billed_restore_ms,
        }
        known = {name: value for name, value in metrics.items() if value is not None}
        record = {"requestId": measured.request_id, **_status(failure)}
        done = {**record, "metrics": {"durationMs": round(measured.duration_ms, 3)}}
        return self._event("DEBUG" if failure is None else "WARN", "platform.runtimeDone", done) + self._event(
            "INFO" if failure is None else "WARN", "platform.report", {**record, "metrics": known}
        )

    def _event(self, level: str, kind: str, record: Mapping[str, Any]) -> tuple[str, ...]:
        if SYSTEM_LEVELS.index(level) < SYSTEM_LEVELS.index(self.level):
            return ()
        event = {"time": self.timestamp(), "type": kind, "record": record}
        return (json.dumps(event, separators=(",", ":")),)


def _status(failure: Failure | None) -> dict[str, Any]:
    if failure is None:
        return {"status": "success"}
    return {"status": failure.status} | ({} if failure.error_type is None else {"errorType": failure.error_type})


def _rounded(value_ms: float | None) -> float | None:
    return None if value_ms is None else round(value_ms, 3)
