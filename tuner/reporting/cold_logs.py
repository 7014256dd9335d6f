"""From the REPORT lines of production to their report: real cold starts, how often they are met, what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from tuner import __version__
from tuner.model import (
    SCHEMA_VERSION,
    Cell,
    ColdSource,
    ColdStartReport,
    CurrentConfiguration,
    EngineKind,
    FunctionSnapshot,
    IdleGaps,
    LogFacts,
    Measurement,
    Notice,
    Price,
    Sample,
    Severity,
    Spend,
    Target,
)
from tuner.reporting.cold_start import cold_results

USD_PER_GB_SCANNED = Decimal("0.005")
"""CloudWatch Logs Insights in us-east-1 (AWS CloudWatch pricing); other regions charge a little more."""
MOST_WARM_KEPT = 1000
"""Warm samples that a report keeps: enough to draw, the figures come from all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """What was read, and how it was asked for."""

    function: FunctionSnapshot
    log_group: str
    samples: tuple[Sample, ...]
    since: str
    until: str
    rows_dropped: int
    bytes_scanned: int
    estimated_bytes: int | None
    seconds: float
    prices: tuple[Price, ...]
    command: str
    run_id: str
    created_at: str
    cold_fraction: float | None = None
    notices: tuple[Notice, ...] = ()


def scan_usd(size_bytes: int) -> Decimal:
    """Price of scanning that many bytes in US dollars."""
    return Decimal(size_bytes) / 1_000_000_000 * USD_PER_GB_SCANNED


def build_log_report(reading: LogReading) -> ColdStartReport:
    """The report of a log. Cells are the memory sizes that its lines show."""
    target = _target(reading.function)
    cells = sorted({sample.cell for sample in reading.samples})
    results = cold_results(
        reading.samples,
        cells,
        target,
        reading.prices,
        source=ColdSource.LOGS,
        cold_fraction=reading.cold_fraction,
    )
    return ColdStartReport(
        schema_version=SCHEMA_VERSION,
        kind="cold-start",
        tool_version=__version__,
        created_at=reading.created_at,
        run_id=reading.run_id,
        seed=0,
        target=target,
        source=ColdSource.LOGS,
        cells=results.cells,
        differences=results.differences,
        economics=results.economics,
        spend=_spend(reading),
        measurement=_measurement(reading),
        notices=(*reading.notices, *_several_sizes(cells), *map(_for_a_log, results.notices)),
        samples=kept_samples(reading.samples),
        logs=log_facts(reading),
    )


def log_facts(reading: LogReading) -> LogFacts:
    """Headroom is that of the configuration today: lines of other memory sizes do not count."""
    function = reading.function
    current = [sample for sample in reading.samples if sample.cell.memory_mb == function.memory_mb]
    peaks = [sample.max_memory_used_mb for sample in current if sample.max_memory_used_mb is not None]
    longest = [sample.duration_ms for sample in current if sample.duration_ms is not None]
    return LogFacts(
        since=reading.since,
        until=reading.until,
        log_group=reading.log_group,
        invocations=len(reading.samples),
        memory_headroom_mb=function.memory_mb - max(peaks) if peaks else None,
        timeout_headroom_ms=max(function.timeout_s * 1000 - max(longest), 0.0) if longest else None,
        idle=idle_gaps(reading.samples),
        bytes_scanned=reading.bytes_scanned,
        scan_usd=scan_usd(reading.bytes_scanned),
        rows_dropped=reading.rows_dropped,
    )


def idle_gaps(samples: Sequence[Sample]) -> IdleGaps | None:
    """Time without any call of the function before a cold start, and on its own environment before a warm call.

    A cold start while others run follows no gap: it counts as 0 s, for it came from concurrency. None where the log
    names no environments.
    """
    before_cold: list[float] = []
    before_warm: list[float] = []
    ends: dict[str, datetime] = {}
    last_end: datetime | None = None
    for sample in sorted(samples, key=lambda sample: sample.started_at):
        if sample.environment is None:
            continue
        started = datetime.fromisoformat(sample.started_at)
        ended = started + timedelta(milliseconds=sample.client_ms)
        previous = last_end if sample.cold else ends.get(sample.environment)
        if previous is not None:
            (before_cold if sample.cold else before_warm).append(max((started - previous).total_seconds(), 0.0))
        ends[sample.environment] = ended
        last_end = ended if last_end is None else max(last_end, ended)
    if not before_cold and not before_warm:
        return None
    return IdleGaps(
        n_cold=len(before_cold),
        before_cold_p50_s=median(before_cold) if before_cold else None,
        n_warm=len(before_warm),
        before_warm_p50_s=median(before_warm) if before_warm else None,
        before_warm_max_s=max(before_warm, default=None),
    )


def kept_samples(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """All cold starts, and of the other calls at most ``MOST_WARM_KEPT``, evenly over the period."""
    warm = [sample for sample in samples if not sample.cold]
    step = max(1, -(-len(warm) // MOST_WARM_KEPT))
    kept = {sample.sequence for sample in warm[::step]}
    return tuple(sample for sample in samples if sample.cold or sample.sequence in kept)


def _target(function: FunctionSnapshot) -> Target:
    return Target(
        function=function.name,
        region=function.region,
        engine=EngineKind.AWS,
        runtime=function.runtime,
        package_type=function.package_type,
        current=CurrentConfiguration(memory_mb=function.memory_mb, architecture=function.architecture),
        code_sha256=function.code_sha256,
    )


def _spend(reading: LogReading) -> Spend:
    return Spend(
        invocations=0,
        cold_invocations=0,
        usd=scan_usd(reading.bytes_scanned),
        estimated_usd=scan_usd(reading.estimated_bytes or 0),
        seconds=round(reading.seconds, 3),
    )


def _measurement(reading: LogReading) -> Measurement:
    return Measurement(
        command=reading.command,
        sampling="every REPORT line of the period",
        wave_size=0,
        blocks=0,
        payload_sha256="",
        prices=reading.prices,
    )


_REMEDIES = {
    "not-estimable": "Read a longer period, for example --since 30d, or force cold starts: leave --from-logs out.",
    "batches-differ": None,
    "failed-invocations": "Look at these invocations in the log.",
    "reused-environments": None,
}
"""What to do about a notice where nothing is forced."""


def _for_a_log(notice: Notice) -> Notice:
    return replace(notice, remedy=_REMEDIES[notice.code]) if notice.code in _REMEDIES else notice


def _several_sizes(cells: Sequence[Cell]) -> Iterator[Notice]:
    if len(cells) > 1:
        sizes = ", ".join(f"{cell.memory_mb}" for cell in cells)
        yield Notice(
            code="memory-changed",
            severity=Severity.INFO,
            message=f"The function had several memory sizes in this time: {sizes} MB. They are kept apart; what "
            "differs between them may have other causes, for nobody assigned the calls to them.",
            remedy="Force cold starts at both sizes to compare them: tuner cold-start FUNCTION --memory ...",
        )
