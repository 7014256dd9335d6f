from __future__ import annotations

import math
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from tuner.model import InvocationReport
from tuner.telemetry import classify, parse_log_tail

OURS = "8d5958b5-559f-43f3-b278-b71dd7dd0e01"

FRAGMENTS = st.sampled_from(
    [
        *'{}[]",:\\\n\t 0123456789.',
        *(
            "REPORT",
            "INIT_REPORT",
            "RESTORE_REPORT",
            " RequestId: ",
            OURS,
            "END RequestId: ",
            "Duration: ",
            "Billed ",
        ),
        *(
            "Memory Size: ",
            "Max Memory Used: ",
            "Init ",
            "Restore ",
            " ms",
            " MB",
            "Status: ",
            "timeout",
            "Error Type: ",
        ),
        *(
            "XRAY TraceId: ",
            "INFO",
            "1e999",
            "-5",
            '"type":"platform.report"',
            '"record":',
            '"metrics":',
            '"durationMs":',
        ),
        *('{"type":"platform.report","record":{"requestId":"other","metrics":{"durationMs":5}}}', "\u2028", "\ud800"),
    ]
)
HOSTILE_TEXT = st.one_of(st.text(), st.lists(FRAGMENTS, max_size=60).map("".join))

NUMBERS = st.integers(0, 10**8).map(lambda hundredths: hundredths / 100)
IDS = st.uuids().map(str)


def numbers_of(report: InvocationReport) -> list[float]:
    values = [getattr(report, field.name) for field in fields(report)]
    return [value for value in values if isinstance(value, int | float)]


@given(HOSTILE_TEXT, st.none() | st.just(OURS) | st.text(max_size=5))
def test_no_text_makes_the_parser_raise_or_invent_a_number_beyond_reason(text: str, request_id: str | None) -> None:
    report = parse_log_tail(text, request_id)
    if report is None:
        return
    assert all(math.isfinite(number) and number >= 0 for number in numbers_of(report))
    assert report.record != "REPORT" or request_id in (None, report.request_id)


@given(HOSTILE_TEXT, IDS, NUMBERS, st.integers(1, 10**6), st.none() | NUMBERS, st.sampled_from(["\t", " ", "   "]))
def test_a_report_line_is_read_after_any_text(
    before: str, request_id: str, duration: float, billed: int, init: float | None, separator: str
) -> None:
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration:.2f} ms",
        f"Billed Duration: {billed} ms",
        "Memory Size: 128 MB",
        "Max Memory Used: 66 MB",
        *([f"Init Duration: {init:.2f} ms"] if init is not None else []),
    ]
    assert parse_log_tail(before + "\n" + separator.join(parts) + "\n", request_id) == InvocationReport(
        request_id=request_id,
        duration_ms=duration,
        billed_duration_ms=billed,
        memory_size_mb=128,
        max_memory_used_mb=66,
        init_duration_ms=init,
    )


@given(
    st.none() | st.builds(InvocationReport, duration_ms=st.none() | NUMBERS, status=st.none() | st.text(max_size=8)),
    st.sampled_from([None, "Handled", "Unhandled"]),
    st.binary(),
)
def test_no_body_makes_the_classification_raise(
    report: InvocationReport | None, function_error: str | None, payload: bytes
) -> None:
    _, _, message = classify(report, function_error, payload)
    assert message is None or len(message) <= 300


@given(st.lists(FRAGMENTS.filter(lambda part: '"' not in part and "\\" not in part), max_size=60).map("".join))
def test_a_text_without_quotes_is_read_the_quick_way_as_the_thorough_way_reads_it(text: str) -> None:
    assert parse_log_tail(text) == parse_log_tail('""\n' + text)
