"""From the lines of a log to a report: how often cold starts are met, what idle time does, what headroom is left."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tuner import codec
from tuner.model import (
    Architecture,
    Cell,
    ColdSource,
    ColdStartReport,
    FunctionSnapshot,
    Outcome,
    Sample,
)
from tuner.pricing import price_for
from tuner.render.json import render_json
from tuner.reporting.cold_logs import (
    MOST_WARM_KEPT,
    LogReading,
    build_log_report,
    idle_gaps,
    kept_samples,
    log_facts,
    scan_usd,
)

X86 = Architecture.X86_64
FUNCTION = FunctionSnapshot(
    name="thumbnail",
    arn="arn:aws:lambda:eu-central-1:123456789012:function:thumbnail",
    region="eu-central-1",
    runtime="python3.13",
    package_type="Zip",
    architecture=X86,
    memory_mb=512,
    timeout_s=3,
    code_sha256="m7tOs8tPpT0AeDcVJrtGkXc0mZ8n1J0vQy9c4W2sK1E=",
    revision_id=None,
    state="Active",
    last_update_status="Successful",
    versions=(),
)


def sample(
    second: float,
    *,
    environment: str | None = "a",
    cold: bool = False,
    duration_ms: float = 20.0,
    memory_mb: int = 512,
) -> Sample:
    init_ms = 300.0 if cold else None
    minutes, seconds = divmod(second, 60)
    hours, minutes = divmod(int(minutes), 60)
    return Sample(
        sequence=int(second * 10) + 1,
        block=1,
        wave=int(second * 10) + 1,
        cell=Cell(memory_mb, X86),
        version="$LATEST",
        started_at=f"2026-11-20T{hours:02d}:{minutes:02d}:{seconds:06.3f}+00:00",
        client_ms=duration_ms + (init_ms or 0),
        outcome=Outcome.OK,
        duration_ms=duration_ms,
        billed_ms=duration_ms + (init_ms or 0),
        init_ms=init_ms,
        max_memory_used_mb=104,
        environment=environment,
    )


def reading(samples: tuple[Sample, ...]) -> LogReading:
    return LogReading(
        function=FUNCTION,
        log_group="/aws/lambda/thumbnail",
        samples=samples,
        since="2026-11-20 00:00 UTC",
        until="2026-11-21 00:00 UTC",
        rows_dropped=2,
        bytes_scanned=3_000_000_000,
        estimated_bytes=2_000_000_000,
        seconds=4.2,
        prices=(price_for("eu-central-1", X86),),
        command="tuner cold-start thumbnail --from-logs",
        run_id="20261121T000000-abcdef",
        created_at="2026-11-21T00:00:00+00:00",
    )


def day() -> tuple[Sample, ...]:
    """A call a minute for ten hours, one in fifty on a new environment."""
    return tuple(
        sample(60.0 * minute, cold=minute % 50 == 0, environment=f"e{minute // 50}") for minute in range(600)
    )


def test_the_report_of_a_log_has_the_real_share_of_cold_starts() -> None:
    report = build_log_report(reading(day()))
    (cell,) = report.cells
    assert report.source is ColdSource.LOGS
    assert cell.cold_fraction is not None
    assert cell.cold_fraction.point == pytest.approx(0.02)
    assert (cell.counts.cold, cell.counts.warm) == (12, 588)
    (economics,) = report.economics
    assert economics.cold is not None
    assert economics.cold.cold_fraction == pytest.approx(0.02)


def test_it_is_read_back_as_it_was_written() -> None:
    report = build_log_report(reading(day()))
    assert codec.decode(render_json(report), ColdStartReport) == report


def test_nothing_was_invoked_and_the_scan_is_what_was_spent() -> None:
    spend = build_log_report(reading(day())).spend
    assert (spend.invocations, spend.usd, spend.estimated_usd) == (0, Decimal("0.015"), Decimal("0.01"))


def test_headroom_is_what_the_longest_and_the_largest_invocation_left() -> None:
    found = log_facts(reading((sample(0), replace(sample(9, duration_ms=2100), max_memory_used_mb=400))))
    assert (found.memory_headroom_mb, found.timeout_headroom_ms) == (112, 900)
    assert found.rows_dropped == 2


def test_headroom_of_another_memory_size_says_nothing_of_todays() -> None:
    found = log_facts(reading((sample(0, memory_mb=1024),)))
    assert (found.memory_headroom_mb, found.timeout_headroom_ms) == (None, None)


def test_a_changed_memory_size_is_said_and_kept_apart() -> None:
    report = build_log_report(reading((*day(), *(sample(40_000 + s, memory_mb=1024) for s in range(9)))))
    assert [cell.memory_mb for cell in report.cells] == [512, 1024]
    assert "memory-changed" in {notice.code for notice in report.notices}


def test_gaps_are_counted_from_the_end_of_the_call_before() -> None:
    calls = (sample(0, cold=True), sample(10.32), sample(100.34), sample(400.36, cold=True, environment="b"))
    found = idle_gaps(calls)
    assert found is not None
    assert (found.n_cold, found.n_warm) == (1, 2)
    assert found.before_cold_p50_s == pytest.approx(300.0)
    assert found.before_warm_p50_s == pytest.approx((10.0 + 90.0) / 2)
    assert found.before_warm_max_s == pytest.approx(90.0)


def test_a_cold_start_while_another_call_runs_came_from_concurrency_not_from_idling() -> None:
    found = idle_gaps((sample(0, duration_ms=5000), sample(1, cold=True, environment="b")))
    assert found is not None
    assert found.before_cold_p50_s == 0


def test_without_names_of_environments_no_gap_is_known() -> None:
    assert idle_gaps((sample(0, environment=None), sample(9, environment=None))) is None


def test_a_report_keeps_every_cold_start_and_warm_calls_enough_to_draw() -> None:
    calls = tuple(sample(second, cold=second % 100 == 0) for second in range(5000))
    kept = kept_samples(calls)
    assert sum(one.cold for one in kept) == 50
    assert MOST_WARM_KEPT / 2 < sum(not one.cold for one in kept) <= MOST_WARM_KEPT


def test_scanning_a_gigabyte_costs_half_a_cent() -> None:
    assert scan_usd(1_000_000_000) == Decimal("0.005")


def test_what_to_do_is_said_for_a_log_not_for_a_study() -> None:
    remedies = {notice.code: notice.remedy for notice in build_log_report(reading(day())).notices}
    assert "--since 30d" in (remedies["not-estimable"] or "")
    assert not any("-n" in (remedy or "").split() or "--wave" in (remedy or "") for remedy in remedies.values())
