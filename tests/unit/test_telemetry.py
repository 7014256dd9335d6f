from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tuner.model import InvocationReport, Outcome
from tuner.telemetry import classify, parse_log_tail

LINES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "report_lines.json").read_bytes())["lines"]

KEYS = {
    "record": "record",
    "requestId": "request_id",
    "durationMs": "duration_ms",
    "billedDurationMs": "billed_duration_ms",
    "memorySizeMB": "memory_size_mb",
    "maxMemoryUsedMB": "max_memory_used_mb",
    "initDurationMs": "init_duration_ms",
    "restoreDurationMs": "restore_duration_ms",
    "billedRestoreDurationMs": "billed_restore_duration_ms",
    "status": "status",
    "errorType": "error_type",
    "xrayTraceId": "xray_trace_id",
}

OURS = "8d5958b5-559f-43f3-b278-b71dd7dd0e01"
OTHER = "c2ed54f2-0eb5-4f28-bb56-6ba3a8f0c7a9"


def report_line(request_id: str = OURS, duration: str = "8.40", rest: str = "") -> str:
    return (
        f"REPORT RequestId: {request_id}\tDuration: {duration} ms\tBilled Duration: 9 ms\t"
        f"Memory Size: 128 MB\tMax Memory Used: 66 MB\t{rest}\n"
    )


def report_event(request_id: str = OURS, duration: float = 8.4, **metrics: float) -> str:
    record = {"requestId": request_id, "metrics": {"durationMs": duration, **metrics}, "status": "success"}
    return json.dumps({"time": "2026-10-08T06:53:49.256Z", "type": "platform.report", "record": record}) + "\n"


def duration_of(text: str, request_id: str | None = None) -> float | None:
    report = parse_log_tail(text, request_id)
    return report.duration_ms if report else None


# Lines that were seen in the wild.


@pytest.mark.parametrize("line", LINES, ids=[f"{number}: {line['kind']}" for number, line in enumerate(LINES)])
def test_every_collected_line_gives_its_numbers_and_nothing_else(line: dict[str, Any]) -> None:
    expected = line["expected"]
    report = parse_log_tail(line["line"])
    if expected["record"] not in {"REPORT", "INIT_REPORT", "RESTORE_REPORT"}:
        assert report is None
        return
    assert report is not None
    assert {key: getattr(report, name) for key, name in KEYS.items()} == {key: expected.get(key) for key in KEYS}


@pytest.mark.parametrize(
    "line", [line for line in LINES if line["expected"].get("requestId")], ids=lambda x: x["kind"]
)
def test_every_collected_line_is_found_by_its_own_id_and_by_no_other(line: dict[str, Any]) -> None:
    assert parse_log_tail(line["line"], line["expected"]["requestId"]) == parse_log_tail(line["line"])
    assert parse_log_tail(line["line"], OTHER) is None


# Which REPORT is read.


def test_among_several_reports_the_one_with_the_id_is_read() -> None:
    tail = report_line(OURS, "1.00") + report_line(OTHER, "2.00")
    assert duration_of(tail, OURS) == 1.0
    assert duration_of(tail, OTHER) == 2.0


def test_without_an_id_the_last_report_is_read() -> None:
    assert duration_of(report_line(OURS, "1.00") + report_event(OTHER, 2.0)) == 2.0


def test_a_retried_event_repeats_its_id_and_the_last_attempt_counts() -> None:
    assert duration_of(report_line(OURS, "1.00") + report_line(OURS, "3.00"), OURS) == 3.0


def test_a_report_whose_id_was_removed_is_not_taken_for_the_one_that_was_asked_for() -> None:
    removed = "REPORT RequestId: Duration: 5.00 ms\tBilled Duration: 5 ms\n"
    assert parse_log_tail(removed, OURS) is None
    assert duration_of(removed) == 5.0


def test_a_removed_id_before_a_longer_label_is_not_read_as_the_id() -> None:
    report = parse_log_tail("REPORT RequestId: \tInit Duration: 0.31 ms\tDuration: 5.00 ms\n")
    assert report == InvocationReport(init_duration_ms=0.31, duration_ms=5.0)


def test_an_id_without_a_separator_after_it_is_still_read() -> None:
    report = parse_log_tail(f"REPORT RequestId: {OURS}Duration: 5.00 msBilled Duration: 5 msMemory Size: 128 MB")
    assert report == InvocationReport(request_id=OURS, duration_ms=5.0, billed_duration_ms=5.0, memory_size_mb=128)


def test_an_id_that_runs_into_the_next_label_is_unknown_and_the_numbers_are_not() -> None:
    assert parse_log_tail("REPORT RequestId: xxxxDuration: 5.00 ms\n") == InvocationReport(duration_ms=5.0)


def test_an_init_report_beside_somebody_elses_report_is_not_returned_for_ours() -> None:
    assert parse_log_tail("INIT_REPORT Init Duration: 83.58 ms\tPhase: init\n" + report_line(OTHER), OURS) is None


def test_an_init_report_alone_is_returned_as_what_it_is() -> None:
    tail = "INIT_REPORT Init Duration: 9999.79 ms\tPhase: init\tStatus: timeout\n"
    assert parse_log_tail(tail, OURS) == InvocationReport(
        record="INIT_REPORT", init_duration_ms=9999.79, status="timeout"
    )


def test_the_last_of_several_init_reports_is_returned() -> None:
    tail = (
        "INIT_REPORT Init Duration: 9999.79 ms\tPhase: init\tStatus: timeout\n"
        "INIT_REPORT Init Duration: 488.22 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n"
    )
    assert parse_log_tail(tail) == InvocationReport(
        record="INIT_REPORT", init_duration_ms=488.22, status="error", error_type="Runtime.ExitError"
    )


def test_the_init_duration_of_an_init_report_never_enters_the_report() -> None:
    for separator in ("\n", " "):
        tail = report_line().rstrip("\n") + separator + "INIT_REPORT Init Duration: 83.58 ms\tStatus: error\n"
        report = parse_log_tail(tail, OURS)
        assert report is not None
        assert (report.init_duration_ms, report.status) == (None, None)


@pytest.mark.parametrize("text", ["", "\n", "hello world", f"START RequestId: {OURS} Version: 7\n", "{}", "REPORT"])
def test_a_tail_without_any_record_says_nothing(text: str) -> None:
    assert parse_log_tail(text) is None


# Where the tail begins and ends.


def test_a_tail_may_begin_in_the_middle_of_a_line_or_of_a_document() -> None:
    whole = report_event(OTHER, 77.0) + "Duration: 5 ms {\n" + report_event(OURS, 8.4)
    heads = range(len(report_event(OTHER, 77.0)))
    assert {duration_of(whole[cut:], OURS) for cut in heads} == {8.4}


def test_a_pretty_printed_document_is_read_after_the_rest_of_another_one() -> None:
    pretty = json.dumps(json.loads(report_event()), indent=4)
    whole = pretty.replace(OURS, OTHER) + "\n" + pretty
    assert {duration_of(whole[cut:], OURS) for cut in range(len(pretty))} == {8.4}


def test_whatever_is_cut_from_the_end_no_number_is_invented() -> None:
    line = report_line(rest="Init Duration: 413.61 ms\tStatus: timeout\tError Type: Runtime.ExitError")
    whole = parse_log_tail(line)
    for end in range(len(line)):
        report = parse_log_tail(line[:end])
        if report is None:
            continue
        for name in set(KEYS.values()) - {"request_id", "error_type"}:
            assert getattr(report, name) in (None, getattr(whole, name))


def test_a_cut_init_report_is_not_taken_for_a_report() -> None:
    assert parse_log_tail("REPORT Init Duration: 83.58 ms\tPhase: invoke\tStatus: error\n") is None


def test_a_cut_trace_id_is_absent() -> None:
    xray = "XRAY TraceId: 1-6ac7c67a-1c0aa43118a5d54708c0da61\tSegmentId: 2d54219895e821dd\tSampled: true\t\n"
    whole = parse_log_tail(report_line() + xray)
    assert whole is not None
    assert whole.xray_trace_id == "1-6ac7c67a-1c0aa43118a5d54708c0da61"
    cut = parse_log_tail(report_line() + xray[:40])
    assert cut is not None
    assert cut.xray_trace_id is None


# What imitates a record.


@pytest.mark.parametrize(
    "imitation",
    [
        "Duration: 5 ms\n",
        "Billed Duration: 5 ms Memory Size: 3008 MB Init Duration: 7 ms\n",
        "REPORT RequestId: {id}\tDuration: 5 ms\tBilled Duration: 5 ms\tInit Duration: 7 ms\n",
        "2026-10-08T06:53:49.256Z\t{id}\tINFO\tREPORT RequestId: {id}\tDuration: 5 ms\n",
        '{{"level":"INFO","message":"REPORT RequestId: {id}\\tDuration: 5 ms"}}\n',
        '{{"message":{{"type":"platform.report","record":{{"requestId":"{id}","metrics":{{"durationMs":5}}}}}}}}\n',
        '{{"type":"platform.report","record":{{"requestId":"{id}","metrics":{{"durationMs":5}}}}}}\n',
        '{{"type":"platform.runtimeDone","record":{{"requestId":"{id}","metrics":{{"durationMs":5}}}}}}\n',
        '{{"type":"platform.initReport","record":{{"phase":"init","metrics":{{"durationMs":5}}}}}}\n',
    ],
)
@pytest.mark.parametrize("real", [report_line(), report_event()])
@pytest.mark.parametrize("request_id", [OURS, None])
def test_what_the_function_prints_before_the_report_changes_nothing(
    imitation: str, real: str, request_id: str | None
) -> None:
    assert parse_log_tail(imitation.format(id=OURS) + real, request_id) == parse_log_tail(real, request_id)


@pytest.mark.parametrize(
    "imitation",
    [
        f"2026-10-08T06:53:49.256Z\t{OURS}\tINFO\tREPORT RequestId: {OURS}\tDuration: 5 ms\n",
        f"[ERROR] REPORT RequestId: {OURS} Duration: 5 ms\n",
        f'{{"message":"REPORT RequestId: {OURS} Duration: 5 ms"}}\n',
        f'ssage":"REPORT RequestId: {OURS} Duration: 5 ms"}}\n',
        f'{{"message":"REPORT RequestId: {OURS} Duration: 5 ms\n',
        f'{{"message":{{"type":"platform.report","record":{{"requestId":"{OURS}","metrics":{{"durationMs":5}}}}}}}}\n',
        f'{{"type":"platform.runtimeDone","record":{{"requestId":"{OURS}","metrics":{{"durationMs":5}}}}}}\n',
        '{"m":"{\\"type\\":\\"platform.report\\",\\"record\\":{\\"metrics\\":{\\"durationMs\\":5}}}"}\n',
    ],
)
def test_an_imitation_alone_is_no_report(imitation: str) -> None:
    assert parse_log_tail(imitation) is None


def test_an_extension_that_writes_after_the_report_changes_nothing() -> None:
    real = parse_log_tail(report_line(), OURS)
    for after in ("Init Duration: 5 ms\n", f"sent REPORT RequestId: {OURS} Duration: 5 ms\n", "Status: error\n"):
        assert parse_log_tail(report_line() + after, OURS) == real


def test_after_a_blank_line_nothing_belongs_to_the_report() -> None:
    line = report_line().replace("\t", " ")
    assert parse_log_tail(line + "\nInit Duration: 5 ms\n") == parse_log_tail(line)


def test_the_first_of_two_equal_fields_counts() -> None:
    assert duration_of(report_line(rest="Duration: 5 ms")) == 8.4


def test_a_word_that_ends_like_a_record_is_none() -> None:
    assert parse_log_tail(f"MY_REPORT RequestId: {OURS} Duration: 5 ms\n") is None


def test_an_init_report_keeps_only_its_own_fields() -> None:
    tail = "INIT_REPORT Init Duration: 83.58 ms Duration: 5 ms Billed Duration: 5 ms\n"
    assert parse_log_tail(tail) == InvocationReport(record="INIT_REPORT", init_duration_ms=83.58)


def test_rewritten_labels_are_not_the_duration() -> None:
    line = f"REPORT RequestId: {OURS}\tRuntime Duration: 5 ms\tPost Runtime Duration: 6 ms\tMemory Size: 128 MB\n"
    assert parse_log_tail(line) == InvocationReport(request_id=OURS, memory_size_mb=128)


# How records are laid out.


@pytest.mark.parametrize("separator", ["\t", " ", "    ", "", "\u00a0", " \t "])
def test_any_separator_will_do(separator: str) -> None:
    assert parse_log_tail(report_line().replace("\t", separator)) == parse_log_tail(report_line())


def test_an_error_type_may_run_into_the_trace() -> None:
    xray = "XRAY TraceId: 1-6ac7c67a-1c0aa43118a5d54708c0da61\tSegmentId: 2d54219895e821dd\tSampled: true"
    report = parse_log_tail(report_line(rest="Status: errorError Type: Runtime.ExitError" + xray))
    assert report is not None
    assert (report.status, report.error_type) == ("error", "Runtime.ExitError")
    assert report.xray_trace_id == "1-6ac7c67a-1c0aa43118a5d54708c0da61"


@pytest.mark.parametrize("separator", range(4))
def test_a_report_may_be_wrapped_at_any_separator(separator: int) -> None:
    parts = report_line(rest="Init Duration: 413.61 ms").replace("\t", " ").split(" ms ")
    wrapped = " ms \n  ".join([" ms ".join(parts[: separator + 1]), " ms ".join(parts[separator + 1 :])])
    assert parse_log_tail(wrapped) == parse_log_tail(" ms ".join(parts))


def test_a_label_may_be_wrapped_too_and_lines_may_end_as_on_windows() -> None:
    line = report_line().replace("\t", " ").replace("Max Memory", "Max\r\nMemory")
    assert parse_log_tail(line) == parse_log_tail(report_line())


@pytest.mark.parametrize(
    "prefix",
    [
        "2022-12-20T01:00:02.500-08:00 ",
        "2023/06/02/[$LATEST]88ab219a63d343d294d0a9947e8ab36a 2023-06-02T11:27:25.060000 ",
        "lambda-1  | ",
        "> ",
        "done",
        '{"level":"debug","text":"flushed"}',
        f"START RequestId: {OURS} Version: 3 [INFO] hello END RequestId: {OURS} ",
    ],
)
def test_something_may_stand_before_a_report_on_its_line(prefix: str) -> None:
    assert parse_log_tail(prefix + report_line(), OURS) == parse_log_tail(report_line(), OURS)


@pytest.mark.parametrize(
    "noise", ["Log level set to info.", 'a 5" disk ', 'he said "{', "oops {\n", '{"cut":"\n', '{"a":1\n']
)
def test_a_json_report_is_read_after_noise(noise: str) -> None:
    assert duration_of(noise + report_event(), OURS) == 8.4


def test_a_json_report_is_read_out_of_an_array() -> None:
    other = json.dumps({"type": "platform.test", "record": {"metrics": {"durationMs": 1.0}}})
    assert duration_of(f"[\n {report_event()},\n {other}\n]", OURS) == 8.4


def test_the_trace_of_a_json_report_is_read() -> None:
    event = json.loads(report_event())
    trace = "Root=1-6ac7c67a-1c0aa43118a5d54708c0da61;Parent=2d54219895e821dd;Sampled=1"
    event["record"]["tracing"] = {"type": "X-Amzn-Trace-Id", "value": trace}
    report = parse_log_tail(json.dumps(event))
    assert report is not None
    assert report.xray_trace_id == "1-6ac7c67a-1c0aa43118a5d54708c0da61"


@pytest.mark.parametrize(("event", "record"), [("initReport", "INIT_REPORT"), ("restoreReport", "RESTORE_REPORT")])
def test_init_and_restore_events_keep_their_duration_apart(event: str, record: str) -> None:
    line = {"type": f"platform.{event}", "record": {"status": "success", "metrics": {"durationMs": 125.5}}}
    report = parse_log_tail(json.dumps(line))
    assert report is not None
    assert (report.record, report.duration_ms) == (record, None)
    assert 125.5 in (report.init_duration_ms, report.restore_duration_ms)


# Numbers.


@pytest.mark.parametrize("nonsense", ["1e999", "-5", "NaN", "inf", "1.2.3", "1,5", "", "9" * 400, "٣"])
def test_a_number_that_makes_no_sense_is_absent(nonsense: str) -> None:
    report = parse_log_tail(report_line(duration=nonsense))
    assert report is not None
    assert (report.duration_ms, report.billed_duration_ms) == (None, 9.0)


@pytest.mark.parametrize("nonsense", ["1e999", "-5", "NaN", "Infinity", "true", '"8.4"', "null", "[8]", "9" * 400])
def test_a_json_number_that_makes_no_sense_is_absent(nonsense: str) -> None:
    report = parse_log_tail(report_event(billedDurationMs=9).replace("8.4", nonsense))
    assert report is not None
    assert (report.duration_ms, report.billed_duration_ms) == (None, 9.0)


def test_a_number_whose_unit_only_begins_like_ms_is_absent() -> None:
    assert parse_log_tail(f"REPORT RequestId: {OURS}\tDuration: 5 msec\n") is None


def test_zero_is_a_number_and_absent_is_none() -> None:
    report = parse_log_tail(f"REPORT RequestId: {OURS}\tDuration: 0.00 ms\n")
    assert report == InvocationReport(request_id=OURS, duration_ms=0.0)


def test_a_unit_that_does_not_fit_makes_the_number_absent() -> None:
    line = f"REPORT RequestId: {OURS}\tDuration: 5 MB\tMemory Size: 128 ms\tBilled Duration: 9 ms\n"
    assert parse_log_tail(line) == InvocationReport(request_id=OURS, billed_duration_ms=9.0)


@pytest.mark.parametrize("record", ["null", "[]", '"x"', "{}", '{"metrics":[]}', '{"requestId":"x","metrics":7}'])
def test_an_event_without_content_says_nothing(record: str) -> None:
    assert parse_log_tail(f'{{"type":"platform.report","record":{record}}}') is None


HOSTILE = {
    "open braces": "{" * 500_000,
    "nested objects": '{"a":' * 100_000,
    "nested events": '{"type":"platform.report","record":' * 12_000 + "1" + "}" * 12_000,
    "quotes": '"' * 500_000,
    "escaped quotes": '\\"' * 250_000,
    "escaped quotes in a bad string": '"' + '\\"' * 250_000 + '"x',
    "quoted escapes": '"\\"' * 150_000,
    "heads": "REPORT RequestId: " * 25_000,
    "reports on one line": "REPORT RequestId: a\tDuration: 1 ms " * 12_000,
    "capitalised words": "REPORT RequestId: a " + "Aa " * 150_000,
    "labels": "REPORT RequestId: a " + "Duration: " * 50_000,
    "digits": "REPORT RequestId: a Duration: " + "9" * 500_000,
    "spaces": ("REPORT" + " " * 5_000) * 100,
    "error type": "REPORT RequestId: a Error Type: " + "a." * 250_000,
    "line breaks": "REPORT RequestId: a" + "\n" * 500_000 + "Duration: 5 ms",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_takes_linear_time(text: str) -> None:
    # Half a megabyte takes well under a second; anything quadratic would take minutes.
    started = time.perf_counter()
    parse_log_tail(text, OURS)
    assert time.perf_counter() - started < 20


# How an invocation ended.

OK = InvocationReport(
    request_id=OURS, duration_ms=8.4, billed_duration_ms=9, memory_size_mb=128, max_memory_used_mb=66
)
FULL = InvocationReport(request_id=OURS, duration_ms=8.4, memory_size_mb=128, max_memory_used_mb=128)


def with_status(status: str, error_type: str | None = None) -> InvocationReport:
    return InvocationReport(request_id=OURS, duration_ms=8.4, status=status, error_type=error_type)


def body(error_type: str | None, message: str | None = None) -> bytes:
    fields = {"errorType": error_type, "errorMessage": message}
    return json.dumps({key: value for key, value in fields.items() if value is not None}).encode()


KILLED = f"RequestId: {OURS} Error: Runtime exited with error: signal: killed"
TIMED_OUT = f"2026-10-08T06:53:49.256Z {OURS} Task timed out after 3.00 seconds"


@pytest.mark.parametrize(
    ("report", "function_error", "payload", "outcome"),
    [
        pytest.param(OK, None, b'"done"', Outcome.OK, id="an answer with a report"),
        pytest.param(with_status("success"), None, b"", Outcome.OK, id="a report that says success"),
        pytest.param(
            OK, None, body("Oops", "returned, not raised"), Outcome.OK, id="a result that looks like an error"
        ),
        pytest.param(None, None, b'"done"', Outcome.UNREPORTED, id="an answer without a report"),
        pytest.param(
            InvocationReport(memory_size_mb=128), None, b"1", Outcome.UNREPORTED, id="a report without duration"
        ),
        pytest.param(
            InvocationReport(record="INIT_REPORT", init_duration_ms=80.0),
            None,
            b"1",
            Outcome.UNREPORTED,
            id="only an init",
        ),
        pytest.param(OK, "Unhandled", body("KeyError", "'x'"), Outcome.FUNCTION_ERROR, id="an exception"),
        pytest.param(OK, "Handled", body(None, "no"), Outcome.FUNCTION_ERROR, id="the old header value"),
        pytest.param(None, "Unhandled", b"not json", Outcome.FUNCTION_ERROR, id="an error without a body"),
        pytest.param(with_status("timeout"), None, b"", Outcome.TIMEOUT, id="only the report says timeout"),
        pytest.param(OK, "Unhandled", body(None, TIMED_OUT), Outcome.TIMEOUT, id="old-style timeout"),
        pytest.param(None, "Unhandled", body(None, TIMED_OUT), Outcome.TIMEOUT, id="old-style timeout, no report"),
        pytest.param(OK, "Unhandled", body("Sandbox.Timedout", TIMED_OUT), Outcome.TIMEOUT, id="platform timeout"),
        pytest.param(OK, "Unhandled", body("TimeoutError", "x"), Outcome.FUNCTION_ERROR, id="the handler's timeout"),
        pytest.param(
            OK,
            "Unhandled",
            body("TimeoutError", TIMED_OUT),
            Outcome.FUNCTION_ERROR,
            id="the handler quotes a timeout",
        ),
        pytest.param(
            with_status("error"),
            "Unhandled",
            body(None, TIMED_OUT),
            Outcome.FUNCTION_ERROR,
            id="the report knows better",
        ),
        pytest.param(
            with_status("error", "Runtime.OutOfMemory"), "Unhandled", b"", Outcome.OUT_OF_MEMORY, id="out of memory"
        ),
        pytest.param(
            FULL, "Unhandled", body("Runtime.OutOfMemory", "x"), Outcome.OUT_OF_MEMORY, id="the body says so"
        ),
        pytest.param(
            FULL, "Unhandled", body("Runtime.ExitError", KILLED), Outcome.OUT_OF_MEMORY, id="killed when full"
        ),
        pytest.param(
            OK, "Unhandled", body("Runtime.ExitError", KILLED), Outcome.FUNCTION_ERROR, id="killed with room"
        ),
        pytest.param(
            None, "Unhandled", body("Runtime.ExitError", KILLED), Outcome.FUNCTION_ERROR, id="killed, unknown"
        ),
        pytest.param(
            FULL, "Unhandled", body("MemoryError", "x"), Outcome.FUNCTION_ERROR, id="the handler's MemoryError"
        ),
        pytest.param(
            OK, "Unhandled", body("Runtime.ImportModuleError", "x"), Outcome.INIT_ERROR, id="import error, old style"
        ),
        pytest.param(
            with_status("error", "Runtime.UserCodeSyntaxError"),
            "Unhandled",
            b"",
            Outcome.INIT_ERROR,
            id="syntax error",
        ),
        pytest.param(
            InvocationReport(record="INIT_REPORT", status="error", error_type="Runtime.ExitError"),
            "Unhandled",
            b"",
            Outcome.INIT_ERROR,
            id="the init failed and nothing else is known",
        ),
        pytest.param(
            with_status("error", "Extension.Crash"), None, b"", Outcome.FUNCTION_ERROR, id="extension crash"
        ),
    ],
)
def test_an_outcome_follows_from_what_the_platform_says(
    report: InvocationReport | None, function_error: str | None, payload: bytes, outcome: Outcome
) -> None:
    assert classify(report, function_error, payload)[0] is outcome


def test_the_error_type_of_the_body_is_preferred_and_the_report_fills_in() -> None:
    assert classify(with_status("error", "Runtime.Unknown"), "Unhandled", body("KeyError", "x"))[1] == "KeyError"
    assert classify(with_status("error", "Runtime.ExitError"), "Unhandled", b"")[1] == "Runtime.ExitError"


def test_without_an_error_header_the_body_is_the_functions_result_and_not_read() -> None:
    assert classify(with_status("timeout"), None, body("KeyError", "x")) == (Outcome.TIMEOUT, None, None)


def test_a_long_message_is_shortened_to_one_line_of_300_characters() -> None:
    _, _, message = classify(OK, "Unhandled", body("KeyError", "two\nlines " + "x" * 1000))
    assert message is not None
    assert len(message) == 300
    assert message.startswith("two lines xxx")
    assert message.endswith("…")


@pytest.mark.parametrize("payload", [b"", b"\xff\xfe", b"[]", b'{"errorType": 5}', b"[" * 100_000, b"9" * 10_000])
def test_a_body_that_is_no_error_object_leaves_type_and_message_unknown(payload: bytes) -> None:
    assert classify(OK, "Unhandled", payload) == (Outcome.FUNCTION_ERROR, None, None)


REPORTED = f"REPORT RequestId: {OURS}\tDuration: 95.78 ms\tBilled Duration: 96 ms\tMemory Size: 512 MB\t"
INIT_IN_INVOKE = "INIT_REPORT Init Duration: 83.58 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.Unknown\n"
INIT_REPEATED = "INIT_REPORT Init Duration: 83.58 ms\tPhase: init\tStatus: error\tError Type: Runtime.Unknown\n"


def json_init(phase: str) -> str:
    record = {"phase": phase, "status": "error", "metrics": {"durationMs": 83.58}}
    return json.dumps({"type": "platform.initReport", "record": record}) + "\n"


@pytest.mark.parametrize(
    "tail",
    [
        INIT_REPEATED + INIT_IN_INVOKE + f"START RequestId: {OURS}\nEND RequestId: {OURS}\n{REPORTED}\n",
        REPORTED + "\n" + INIT_IN_INVOKE,
        INIT_IN_INVOKE.replace("\t", "  ") + REPORTED,
        json_init("init") + json_init("invoke") + REPORTED,
    ],
)
def test_a_plain_exception_of_an_init_is_told_by_the_init_report_beside_the_report(tail: str) -> None:
    report = parse_log_tail(tail, OURS)
    assert report is not None
    assert report.init_duration_ms is None, "the INIT_REPORT's duration is not the REPORT's"
    assert classify(report, "Unhandled", body("KeyError", "'TABLE'"))[0] is Outcome.INIT_ERROR


@pytest.mark.parametrize(
    "tail",
    [
        INIT_REPEATED + REPORTED,
        json_init("init") + REPORTED,
        "INIT_REPORT Init Duration: 9999.79 ms\tPhase: init\tStatus: timeout\n" + REPORTED,
        f"they told me {INIT_IN_INVOKE}{REPORTED}",
        REPORTED,
    ],
)
def test_an_error_after_an_init_that_succeeded_at_last_is_the_handlers(tail: str) -> None:
    assert classify(parse_log_tail(tail, OURS), "Unhandled", body("KeyError", "x"))[0] is Outcome.FUNCTION_ERROR


@pytest.mark.parametrize(
    ("request_id", "outcome"),
    [("", Outcome.INIT_ERROR), (OURS, Outcome.FUNCTION_ERROR), (None, Outcome.FUNCTION_ERROR)],
)
def test_an_error_that_python_raised_before_any_request_is_an_init_error(
    request_id: str | None, outcome: Outcome
) -> None:
    said = {"errorType": "KeyError", "errorMessage": "'TABLE'", "requestId": request_id}
    assert classify(OK, "Unhandled", json.dumps(said).encode())[0] is outcome


def test_a_repeated_init_that_ran_into_the_timeout_is_a_timeout() -> None:
    tail = INIT_IN_INVOKE.replace("error\tError Type: Runtime.Unknown", "timeout") + REPORTED + "Status: timeout\n"
    assert classify(parse_log_tail(tail, OURS), "Unhandled", b"{}")[0] is Outcome.TIMEOUT
