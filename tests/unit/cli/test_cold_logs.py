"""``tuner cold-start --from-logs`` as it is typed, with recorded answers of Lambda and CloudWatch Logs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from typer.testing import CliRunner

from tuner import codec
from tuner.aws.insights import LogInsights, LogRead
from tuner.aws.session import AwsAccess
from tuner.cli.app import app
from tuner.errors import InvalidMeasurementError, TargetError, TunerError, UsageError
from tuner.inputs.cold_logs import LogRow
from tuner.model import ColdStartReport

NOW_S = int(time.time())
KEYS: dict[str, Any] = {"region_name": "eu-central-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
CONFIGURATION = {
    "FunctionName": "thumbnail",
    "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:thumbnail",
    "Runtime": "python3.13",
    "PackageType": "Zip",
    "MemorySize": 512,
    "Timeout": 3,
    "CodeSha256": "m7tOs8tPpT0AeDcVJrtGkXc0mZ8n1J0vQy9c4W2sK1E=",
    "Architectures": ["arm64"],
    "Version": "$LATEST",
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/teams/images"},
}


class Service:
    """Lambda and CloudWatch Logs, as two stubs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lambda_client, self.logs_client = boto3.client("lambda", **KEYS), boto3.client("logs", **KEYS)
        self.functions, self.logs = Stubber(self.lambda_client), Stubber(self.logs_client)
        monkeypatch.setattr(AwsAccess, "control_client", lambda access: self.lambda_client)
        monkeypatch.setattr(AwsAccess, "logs_client", lambda access: self.logs_client)

    def function(self, **changes: Any) -> None:
        self.functions.add_response("get_function_configuration", {**CONFIGURATION, **changes})

    def query(self, rows: list[Any], *, contains: str = "", scanned: float = 5e6) -> None:
        self.logs.add_response("start_query", {"queryId": "q"}, expected_params=_query(contains))
        answer = {"results": rows, "status": "Complete", "statistics": {"bytesScanned": scanned}}
        self.logs.add_response("get_query_results", answer, {"queryId": "q"})

    def estimate(self, size_bytes: int) -> None:
        self.query([[{"field": "estimatedBytes", "value": str(size_bytes)}]], scanned=0)


def _query(contains: str) -> dict[str, Any]:
    return {"logGroupName": ANY, "startTime": ANY, "endTime": ANY, "queryString": _Containing(contains)}


@dataclass(frozen=True)
class _Containing:
    """Equal to every text that has it in it."""

    part: str

    def __eq__(self, other: object) -> bool:
        return self.part in str(other)

    def __hash__(self) -> int:
        return hash(self.part)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Service]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    found = Service(monkeypatch)
    with found.functions, found.logs:
        yield found


def row(seconds_ago: int, *, cold: bool, environment: str = "e1") -> list[dict[str, str]]:
    at = datetime.fromtimestamp(NOW_S - seconds_ago, UTC)
    fields = {
        "@timestamp": f"{at:%Y-%m-%d %H:%M:%S}.000",
        "@logStream": f"2026/11/20/thumbnail[$LATEST]{environment}",
        "@message": _line(seconds_ago, cold=cold),
        "@ptr": str(seconds_ago),
    }
    return [{"field": name, "value": value} for name, value in fields.items()]


def _line(number: int, *, cold: bool) -> str:
    init = "Init Duration: 312.40 ms\t" if cold else ""
    return (
        f"REPORT RequestId: 00000000-0000-4000-8000-{number:012d}\tDuration: 24.00 ms\tBilled Duration: "
        f"{337 if cold else 24} ms\tMemory Size: 512 MB\tMax Memory Used: 104 MB\t{init}"
    )


def rows() -> list[Any]:
    return [row(10 + 30 * number, cold=number % 20 == 0, environment=f"e{number // 20}") for number in range(100)]


def tuner(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["cold-start", "thumbnail", "--from-logs", "--since", "1h", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def test_the_report_of_a_log_is_printed_and_written(service: Service, tmp_path: Path) -> None:
    service.function()
    service.estimate(7_000_000)
    service.query(rows(), contains="platform.report")
    done = tuner("--report", str(tmp_path / "r.json"), "--report", str(tmp_path / "r.html"))
    assert "A cold start takes 336 ms at 512 MB" in done.stdout
    assert "5 % of 100 invocations met a cold start" in " ".join(done.stdout.split())
    assert "about 7.00 MB to scan, $0.000035" in done.stderr
    report = codec.decode((tmp_path / "r.json").read_bytes(), ColdStartReport)
    assert report.logs is not None
    assert (report.logs.log_group, report.logs.invocations) == ("/teams/images", 100)
    assert report.logs.idle is not None
    assert "In production" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_json_goes_to_standard_output_alone(service: Service) -> None:
    service.function()
    service.estimate(7_000_000)
    service.query(rows())
    assert json.loads(tuner("--output", "json").stdout)["source"] == "logs"


def test_only_streams_of_the_function_are_read_in_a_log_group_that_it_shares(service: Service) -> None:
    service.function()
    service.estimate(7_000_000)
    service.query(rows(), contains=r"filter @logStream like /\/thumbnail\[/")
    tuner()


def test_above_the_limit_nobody_is_charged_unasked(service: Service) -> None:
    service.function()
    service.estimate(900_000_000_000)
    with pytest.raises(TargetError, match=r"\$4\.50") as refused:
        tuner("--max-cost", "0.10")
    assert "--yes" in refused.value.hint
    service.logs.assert_no_pending_responses()


def test_an_unknown_size_is_said_and_the_limit_holds_all_the_same(service: Service) -> None:
    service.function()
    service.logs.add_client_error("start_query", service_error_code="MalformedQueryException")
    service.query(rows())
    assert "is not known" in tuner().stderr


def test_ctrl_c_gives_a_report_of_the_newest_part_of_the_period(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.function()
    service.estimate(7_000_000)
    newest = [
        LogRow(datetime.fromtimestamp(NOW_S - 10 * n, UTC), f"s[$LATEST]{n}", _line(n, cold=True)) for n in range(9)
    ]

    def interrupted(*arguments: object, **options: object) -> Iterator[LogRead]:
        yield LogRead(rows=newest, since_s=NOW_S - 100, bytes_scanned=1000)
        raise KeyboardInterrupt

    monkeypatch.setattr(LogInsights, "read", interrupted)
    done = tuner("--output", "json", code=130)
    notices = {notice["code"] for notice in json.loads(done.stdout)["notices"]}
    assert "period-shortened" in notices
    assert "Interrupted: the report holds what was read." in done.stderr


def test_an_empty_log_is_an_error_with_a_next_step(service: Service) -> None:
    service.function()
    service.estimate(0)
    service.query([])
    with pytest.raises(InvalidMeasurementError, match="no REPORT line of thumbnail in the last 1h") as refused:
        tuner()
    assert "SystemLogLevel" in refused.value.hint


def test_a_missing_function_is_an_error_with_a_next_step(service: Service) -> None:
    service.functions.add_client_error("get_function_configuration", service_error_code="ResourceNotFoundException")
    with pytest.raises(TunerError, match="thumbnail") as refused:
        tuner()
    assert refused.value.exit_code == 8


@pytest.mark.parametrize(
    "wrong",
    [
        ("--local",),
        ("--memory", "512"),
        ("--arch", "arm64"),
        ("--precision", "p95:5%"),
        ("--payload", "{}"),
        ("--clone",),
    ],
)
def test_options_that_choose_what_is_measured_have_no_meaning_for_a_log(wrong: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=wrong[0]):
        tuner(*wrong)


def test_a_period_is_read_as_people_write_it(service: Service) -> None:
    with pytest.raises(UsageError, match="less than a minute"):
        tuner("--since", "30s")
    with pytest.raises(UsageError, match="not a span"):
        tuner("--since", "a week")
