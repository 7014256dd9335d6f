"""`tuner run --verbose` and `--apply` as processes on the embedded Lambda."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.effects.running import Account, environment, make_account, tuner
from tuner import codec
from tuner.local.launcher import EmbeddedLambda
from tuner.model import ColdStartReport, Report

ONE = re.compile(
    r"^\d\d:\d\d:\d\d\.\d{3} 256 MB x86_64 version \d+: "
    r"ok, [\d.]+ ms, billed \d+ ms,( init [\d.]+ ms,)? request \S+$",
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("server"), region="eu-central-1", state_delay_ms=20) as running:
        yield running


@pytest.fixture
def account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    yield from make_account(server, tmp_path)


def memory_mb(account: Account) -> int:
    return int(account.client.get_function_configuration(FunctionName="mine")["MemorySize"])


def run(account: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
    return account.run(*arguments, cwd=account.state.parent)


def test_each_invocation_has_a_line_and_no_line_has_the_payload(account: Account) -> None:
    done = run(
        account, "--memory", "256", "-n", "4", "--verbose", "--payload", '{"wait_s": 0.03, "name": "planted"}',
        "--output", "json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = codec.decode(done.stdout, Report)
    assert len(ONE.findall(done.stderr)) == report.spend.invocations
    assert "planted" not in done.stderr
    assert re.search(r"^256 MB x86_64 is version \d+$", done.stderr, re.MULTILINE)
    assert "boto3" in done.stderr


def test_cold_starts_have_their_lines_too(account: Account) -> None:
    done = subprocess.run(
        tuner(
            "cold-start", "mine", "--endpoint-url", account.endpoint_url, "--yes", "--memory", "256", "-n", "2",
            "--wave", "2", "--warm", "1", "--verbose", "--output", "json",
        ),
        env=environment(account.state), cwd=account.state.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = codec.decode(done.stdout, ColdStartReport)
    assert len(ONE.findall(done.stderr)) == report.spend.invocations
    assert "init" in done.stderr


def test_quiet_and_verbose_contradict_each_other(account: Account) -> None:
    done = run(account, "--quiet", "--verbose")
    assert done.returncode == 2
    assert "Leave one of them out" in done.stderr


def test_the_error_of_a_run_where_all_failed_names_the_first_request(account: Account) -> None:
    done = run(account, "--memory", "256", "-n", "2", "--verbose", "--payload", '{"fail": "Bad"}')
    assert done.returncode == 6
    (first, *_) = re.findall(r"function_error \(Bad\), .* request (\S+)$", done.stderr, re.MULTILINE)
    assert f"the first, request {first}, with Bad" in done.stderr


def test_a_decided_size_is_set_and_the_report_has_standard_output_for_itself(account: Account) -> None:
    done = run(account, "--memory", "256,1024", "-n", "6", "--apply", "--output", "json")
    assert done.returncode == 0, done.stderr
    report = codec.decode(done.stdout, Report)
    assert report.recommendation is not None
    assert report.recommendation.memory_mb == 256
    assert "- MemorySize: 512\n+ MemorySize: 256\n" in done.stderr
    assert "mine has 256 MB now; it had 512 MB" in done.stderr
    assert memory_mb(account) == 256


def test_limits_that_are_not_kept_leave_the_function_alone_and_keep_the_exit_code(account: Account) -> None:
    before = account.fingerprint()
    done = run(account, "--memory", "256", "-n", "8", "--apply", "--max-duration", "mean<=1ms")
    assert done.returncode == 5, done.stderr
    assert "Not applied: " in done.stderr
    assert account.fingerprint() == before
