"""Rows of CloudWatch Logs Insights as samples, in the shapes that Lambda writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tuner.inputs.cold_logs import LogRow, LogSource, samples_of
from tuner.model import Architecture, Cell, Outcome

X86 = Architecture.X86_64
STREAM = "2026/11/20/[7]0123456789abcdef0123456789abcdef"
COLD = (
    "REPORT RequestId: 3d4144a8-1a2b-4c3d-8e9f-000000000001\tDuration: 93.10 ms\tBilled Duration: 406 ms\t"
    "Memory Size: 512 MB\tMax Memory Used: 104 MB\tInit Duration: 312.40 ms\t\n"
)
WARM = (
    "REPORT RequestId: 3d4144a8-1a2b-4c3d-8e9f-000000000002\tDuration: 24.00 ms\tBilled Duration: 24 ms\t"
    "Memory Size: 512 MB\tMax Memory Used: 105 MB\t\n"
    "XRAY TraceId: 1-5f-00\tSegmentId: 00\tSampled: true\t\n"
)
RESTORED = (
    "REPORT RequestId: 3d4144a8-1a2b-4c3d-8e9f-000000000003\tDuration: 149.53 ms\tBilled Duration: 313 ms\t"
    "Memory Size: 512 MB\tMax Memory Used: 104 MB\tRestore Duration: 581.20 ms\tBilled Restore Duration: 163 ms\t\n"
)
TIMED_OUT = (
    "REPORT RequestId: 3d4144a8-1a2b-4c3d-8e9f-000000000004\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\t"
    "Memory Size: 512 MB\tMax Memory Used: 104 MB\tStatus: timeout\t\n"
)


def json_report(**metrics: float) -> str:
    return json.dumps(
        {
            "time": "2026-11-20T10:00:00.000Z",
            "type": "platform.report",
            "record": {"requestId": "3d4144a8-1a2b-4c3d-8e9f-000000000005", "metrics": metrics, "status": "success"},
        }
    )


def row(message: str, at: str = "2026-11-20 10:00:00.500", stream: str = STREAM) -> LogRow:
    found = LogRow.read({"@timestamp": at, "@logStream": stream, "@message": message, "@ptr": at})
    assert found is not None
    return found


def one(message: str, **where: Any) -> Any:
    (sample,) = samples_of([row(message, **where)], X86).samples
    return sample


def test_a_cold_line_is_a_cold_sample_that_began_before_it_was_written() -> None:
    sample = one(COLD)
    assert sample.cold
    assert (sample.init_ms, sample.duration_ms, sample.billed_ms) == (312.4, 93.1, 406)
    assert sample.cell == Cell(512, X86)
    assert sample.version == "7"
    assert sample.environment == STREAM
    assert sample.started_at == "2026-11-20T10:00:00.094+00:00"


def test_a_line_with_a_trace_on_a_second_line_is_read_too() -> None:
    sample = one(WARM)
    assert not sample.cold
    assert sample.max_memory_used_mb == 105


def test_a_restore_is_a_cold_start_of_its_own_kind() -> None:
    sample = one(RESTORED)
    assert sample.cold
    assert (sample.init_ms, sample.restore_ms) == (None, 581.2)


def test_events_of_the_json_format_say_the_same() -> None:
    sample = one(
        json_report(
            durationMs=93.1, billedDurationMs=406, memorySizeMB=512, maxMemoryUsedMB=104, initDurationMs=312.4
        )
    )
    assert (sample.init_ms, sample.duration_ms, sample.billed_ms) == (312.4, 93.1, 406)


def test_a_timeout_is_an_outcome_and_no_duration_to_count() -> None:
    assert one(TIMED_OUT).outcome is Outcome.TIMEOUT


@pytest.mark.parametrize(
    "message", ["REPORT RequestId: 3d4144a8\tDuration: 93", "hello", json_report(durationMs=125.46), "{}"]
)
def test_rows_without_the_numbers_are_counted_and_not_guessed(message: str) -> None:
    found = samples_of([row(message), row(WARM)], X86)
    assert (len(found.samples), found.dropped) == (1, 1)


def test_samples_come_in_the_order_in_which_they_began_each_a_wave_of_its_own() -> None:
    later, earlier = row(WARM, at="2026-11-20 11:00:00.000"), row(COLD, at="2026-11-20 09:00:00.000")
    found = samples_of([later, earlier], X86).samples
    assert [(sample.sequence, sample.wave, sample.cold) for sample in found] == [(1, 1, True), (2, 2, False)]


def test_a_changed_memory_size_is_a_cell_of_its_own() -> None:
    found = samples_of([row(WARM), row(WARM.replace("Size: 512", "Size: 1024"))], X86).samples
    assert {sample.cell.memory_mb for sample in found} == {512, 1024}


@pytest.mark.parametrize("missing", ["@timestamp", "@message"])
def test_a_row_without_time_or_message_is_no_row(missing: str) -> None:
    fields = {"@timestamp": "2026-11-20 10:00:00.500", "@message": WARM}
    assert LogRow.read(fields) is not None
    assert LogRow.read({name: value for name, value in fields.items() if name != missing}) is None
    assert LogRow.read({**fields, "@timestamp": "yesterday"}) is None


def test_the_query_asks_for_lines_of_the_platform_and_no_others() -> None:
    query = LogSource(group="/aws/lambda/thumbnail", function="thumbnail").query()
    assert 'filter @message like /^REPORT RequestId: / or type = "platform.report"' in query
    assert query.count("filter") == 1


def test_in_a_shared_log_group_only_streams_of_the_function_count() -> None:
    query = LogSource(group="/teams/images", function="thumbnail").query()
    assert r"filter @logStream like /\/thumbnail\[/" in query


def test_a_version_is_found_by_its_streams() -> None:
    own = LogSource(group="/aws/lambda/thumbnail", function="thumbnail", version="7").query()
    shared = LogSource(group="/teams/images", function="thumbnail", version="7").query()
    assert r"filter @logStream like /\[7\]/" in own
    assert r"filter @logStream like /\/thumbnail\[7\]/" in shared


def test_the_estimate_asks_about_the_same_query_and_comes_last() -> None:
    source = LogSource(group="/aws/lambda/thumbnail", function="thumbnail")
    assert source.estimate_query() == f"{source.query()} | estimate"
