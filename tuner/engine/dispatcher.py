"""Waves: invocations in flight together on one version, each answer turned into a sample."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tuner.engine.observer import Observer
from tuner.engine.ports import Hooks, InvocationResult, Invoker, LogLookup, Throttled
from tuner.errors import InvalidMeasurementError, InvocationLostError
from tuner.inputs.payload_set import PayloadSet
from tuner.model import InvocationReport, Outcome, Sample, Wave
from tuner.telemetry import classify, parse_log_tail

LONGEST_BACKOFF_S = 20.0
FEW_LOST = 5
MOST_LOST = 0.1
"""More lost than a few and a tenth of the answered ones: the network or the service is not fit to measure."""
MOST_THROTTLES = 50
"""About ten minutes of being refused: somebody else uses all concurrency and waiting longer will not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One invocation to make, numbered before it starts."""

    sequence: int
    block: int
    wave_number: int
    wave: Wave
    function: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What every invocation of a run has in common."""

    payloads: PayloadSet
    seed: int
    expected_errors: frozenset[str] = frozenset()
    hooks: Hooks | None = None
    log_lookup: LogLookup | None = None


class Dispatcher:
    """Runs waves on published versions. ``on_sample`` is called as each answer arrives.

    ``after`` are the samples of an earlier attempt at the run: numbers go on where they ended.
    """

    def __init__(
        self,
        sending: Sending,
        invoker: Invoker,
        observer: Observer,
        on_sample: Callable[[Sample], None],
        *,
        after: tuple[Sample, ...] = (),
    ) -> None:
        self._sending = sending
        self._invoker = invoker
        self._observer = observer
        self._on_sample = on_sample
        self._lost = self._answered = 0
        self._rng = random.Random(sending.seed)  # noqa: S311 - jitter, not a secret
        self._sequence: Iterator[int] = itertools.count(1 + max((s.sequence for s in after), default=0))
        self._wave_numbers: Iterator[int] = itertools.count(1 + max((s.wave for s in after), default=0))

    async def run_wave(self, wave: Wave, function: str, version: str, *, block: int) -> None:
        """Invoke ``wave.size`` times at once. Throttled calls wait and are repeated, never sampled."""
        number = next(self._wave_numbers)
        async with asyncio.TaskGroup() as group:
            for _ in range(wave.size):
                call = _Call(
                    sequence=next(self._sequence),
                    block=block,
                    wave_number=number,
                    wave=wave,
                    function=function,
                    version=version,
                )
                group.create_task(self._sample(call))

    async def _sample(self, call: _Call) -> None:
        payload = self._sending.payloads.event(
            call.sequence, seed=self._sending.seed, now=datetime.now(UTC), uuid=str(uuid.uuid4())
        )
        hooks = self._sending.hooks
        if hooks is not None:
            payload = await hooks.before(payload)
        began_s, began_at = time.perf_counter(), datetime.now(UTC)
        try:
            started_at, result = await self._invoke(call, payload)
        except InvocationLostError as error:
            self._on_lost(call, error, began_at, client_ms=(time.perf_counter() - began_s) * 1000)
            return
        if hooks is not None:
            await hooks.after(result.payload)
        self._answered += 1
        report = await self._report(call, started_at, result)
        self._on_sample(_to_sample(call, started_at, result, report, self._sending.expected_errors))

    def _on_lost(self, call: _Call, error: InvocationLostError, at: datetime, *, client_ms: float) -> None:
        """A lost invocation is a row of its own, so that what it may have cost is not forgotten. It is not repeated:
        the policy asks for what is missing. When little else comes back, the run ends."""
        self._lost += 1
        told = {"error_type": error.slug, "error_message": error.message}
        self._on_sample(_row(call, at, client_ms=client_ms, outcome=Outcome.LOST, **told))
        if self._lost > max(FEW_LOST, MOST_LOST * self._answered):
            raise error

    async def _invoke(self, call: _Call, payload: bytes) -> tuple[datetime, InvocationResult]:
        reason = ""
        for attempt in range(MOST_THROTTLES):
            started_at = datetime.now(UTC)
            try:
                return started_at, await self._invoker.invoke(call.function, call.version, payload)
            except Throttled as refusal:
                wait_s = self._backoff_s(attempt, refusal.retry_after_s)
                reason = refusal.reason
                self._observer.throttled(reason, wait_s)
                await asyncio.sleep(wait_s)
        raise InvalidMeasurementError(
            f"Lambda refused an invocation {MOST_THROTTLES} times, the last time with: {reason}.",
            hint="Is the concurrency used up by others? Then run this at another time, or with a smaller --wave.",
        )

    async def _report(self, call: _Call, started_at: datetime, result: InvocationResult) -> InvocationReport | None:
        """What the log says: from the tail that came along, else from the log itself where we may read it."""
        report = None if result.log_tail is None else parse_log_tail(result.log_tail, result.request_id)
        lookup = self._sending.log_lookup
        if (report is not None and report.record == "REPORT") or lookup is None or result.request_id is None:
            return report
        found = await lookup.report_line(call.function, result.request_id, started_at)
        return report if found is None else parse_log_tail(found, result.request_id)

    def _backoff_s(self, attempt: int, retry_after_s: float | None) -> float:
        """Full jitter over an exponentially growing window, never below what the service asked for."""
        window = min(LONGEST_BACKOFF_S, 0.1 * 2 ** min(attempt, 10))
        return max(retry_after_s or 0.0, self._rng.uniform(0, window))


def _row(call: _Call, at: datetime, *, client_ms: float, outcome: Outcome, **answered: Any) -> Sample:
    """What is known of every invocation that was sent, and of those that were ``answered``."""
    return Sample(
        sequence=call.sequence,
        block=call.block,
        wave=call.wave_number,
        cell=call.wave.cell,
        version=call.version,
        started_at=at.isoformat(timespec="milliseconds"),
        client_ms=round(client_ms, 3),
        outcome=outcome,
        **answered,
    )


def _to_sample(
    call: _Call,
    started_at: datetime,
    result: InvocationResult,
    report: InvocationReport | None,
    expected_errors: frozenset[str],
) -> Sample:
    outcome, error_type, error_message = classify(report, result.function_error, result.payload)
    reported = report is not None and report.record == "REPORT"
    measured = report if report is not None and reported else InvocationReport()
    if outcome is Outcome.FUNCTION_ERROR and error_type in expected_errors:
        outcome = Outcome.OK
    if outcome is Outcome.OK and not reported:
        outcome = Outcome.UNREPORTED
    return _row(
        call,
        started_at,
        client_ms=result.client_ms,
        outcome=outcome,
        request_id=result.request_id,
        duration_ms=measured.duration_ms,
        billed_ms=measured.billed_duration_ms,
        init_ms=measured.init_duration_ms,
        restore_ms=measured.restore_duration_ms,
        max_memory_used_mb=measured.max_memory_used_mb,
        environment=result.environment,
        disturbed=result.disturbed,
        error_type=error_type,
        error_message=error_message,
    )
