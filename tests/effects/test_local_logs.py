"""The log in both formats, from init to report."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tuner.model import Outcome
from tuner.telemetry import classify, parse_log_tail

Deploy = Callable[..., str]
ANSWER = "def handler(event, context): return event.get('answer', 42)"
JSON = {"LogFormat": "JSON", "SystemLogLevel": "DEBUG", "ApplicationLogLevel": "INFO"}


def events(log: str) -> dict[str, Any]:
    """Platform events of a tail by their type; the last of each."""
    decoded = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return {event["type"]: event["record"] for event in decoded if "type" in event}


def test_the_json_format_reports_what_the_text_format_does(deploy: Deploy, invoke: Callable[..., Any]) -> None:
    call = invoke(deploy(ANSWER, LoggingConfig=JSON, MemorySize=512))
    seen = events(call.log)
    assert list(seen) == [
        "platform.initStart",
        "platform.initReport",
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
    ]
    report = seen["platform.report"]
    assert (report["requestId"], report["status"]) == (call.request_id, "success")
    assert report["metrics"]["memorySizeMB"] == 512
    assert report["metrics"]["initDurationMs"] == seen["platform.initReport"]["metrics"]["durationMs"]


def test_our_own_parser_reads_it(deploy: Deploy, invoke: Callable[..., Any]) -> None:
    call = invoke(deploy(ANSWER, LoggingConfig={"LogFormat": "JSON"}, MemorySize=512))
    report = parse_log_tail(call.log, request_id=call.request_id)
    assert report is not None
    assert report.memory_size_mb == 512
    assert report.init_duration_ms is not None
    assert report.billed_duration_ms is not None


@pytest.mark.parametrize(
    ("level", "kinds"),
    [("INFO", ["platform.start", "platform.report"]), ("WARN", [])],
)
def test_the_system_level_hides_what_is_below_it(
    deploy: Deploy, invoke: Callable[..., Any], level: str, kinds: list[str]
) -> None:
    name = deploy(ANSWER, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": level})
    assert list(events(invoke(name).log)) == kinds


def test_a_failure_is_reported_also_at_the_highest_level(deploy: Deploy, invoke: Callable[..., Any]) -> None:
    source = "def handler(event, context): raise ValueError('no')"
    name = deploy(source, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "WARN"})
    report = events(invoke(name).log)["platform.report"]
    assert (report["status"], report["errorType"]) == ("error", "ValueError")


def test_the_handlers_own_logs_are_json_and_filtered_too(deploy: Deploy, invoke: Callable[..., Any]) -> None:
    name = deploy(
        "import logging\ndef handler(event, context):\n"
        "    logging.getLogger().warning('seen')\n    logging.getLogger().info('hidden')",
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN"},
    )
    log = invoke(name).log
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["message"] for line in lines if line.get("level") == "WARNING"] == ["seen"]
    assert "hidden" not in log


@pytest.mark.parametrize(
    "logging",
    [{"LogFormat": "XML"}, {"LogFormat": "JSON", "SystemLogLevel": "TRACE"}, {"SystemLogLevel": "INFO"}],
)
def test_a_logging_configuration_that_lambda_refuses_is_refused(deploy: Deploy, logging: dict[str, str]) -> None:
    with pytest.raises(ClientError):
        deploy(ANSWER, LoggingConfig=logging)


def test_an_init_that_takes_ten_seconds_is_ended_and_run_again_inside_the_call(
    deploy: Deploy, invoke: Callable[..., Any]
) -> None:
    """On Lambda: INIT_REPORT with 9,999 ms and a timeout, then a REPORT without Init Duration and a long Duration."""
    marker = "import os, pathlib, time\nfile = pathlib.Path(os.environ['TMPDIR'], 'seen')\n"
    wait = "time.sleep(60 if not file.exists() and not file.write_text('') else 0.3)\n"
    call = invoke(deploy(marker + wait + ANSWER, Timeout=20))
    assert call.payload == 42
    init = next(line for line in call.log.splitlines() if line.startswith("INIT_REPORT"))
    assert 9_900 < float(init.split("Init Duration: ")[1].split(" ms")[0]) < 10_500
    assert init.endswith("Phase: init\tStatus: timeout")
    assert not call.cold
    assert call.ms("Duration") > 300


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        ("raise KeyError('TABLE')\ndef handler(event, context): return 1", Outcome.INIT_ERROR),
        ("raise SystemExit(3)\ndef handler(event, context): return 1", Outcome.INIT_ERROR),
        ("def handler(event, context): raise KeyError('TABLE')", Outcome.FUNCTION_ERROR),
    ],
)
def test_an_exception_of_an_init_is_told_from_one_of_the_handler(
    deploy: Deploy, invoke: Callable[..., Any], source: str, outcome: Outcome, log_format: str
) -> None:
    answered = invoke(deploy(source, LoggingConfig={"LogFormat": log_format}))
    report = parse_log_tail(answered.log, answered.request_id)
    assert report is not None
    assert classify(report, answered.error, json.dumps(answered.payload).encode())[0] is outcome
