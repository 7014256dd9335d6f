"""`tuner run` in an account that may not use every memory size, as new ones may not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.effects.running import Account, make_account
from tuner import codec
from tuner.local.launcher import EmbeddedLambda
from tuner.model import CurveStatus, Report


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    simulation = tmp_path / "simulation.json"
    simulation.write_text(json.dumps({"memory_quota_mb": 1024}))
    with EmbeddedLambda(tmp_path / "server", region="eu-central-1", simulation=simulation) as server:
        assert server.about["simulated"] == ["a memory quota of 1024 MB"]
        yield from make_account(server, tmp_path)


@pytest.mark.parametrize("where", [(), ("--clone",)])
def test_sizes_beyond_the_quota_are_left_out_and_the_others_measured(
    account: Account, where: tuple[str, ...]
) -> None:
    before = account.fingerprint()
    done = account.run("--sampling", "fixed", "--memory", "128,1024,2048,3008", "-n", "2", "--output", "json", *where)
    assert done.returncode == 0, done.stderr
    report = codec.decode(done.stdout, Report)
    measured = [point.memory_mb for point in report.curve if point.status is CurveStatus.MEASURED]
    assert measured == [128, 1024]
    refused = [notice.message for notice in report.notices if notice.code == "memory-quota"]
    assert [message[: len("This account may not use 2048 MB")] for message in refused] == [
        "This account may not use 2048 MB",
        "This account may not use 3008 MB",
    ]
    assert account.fingerprint() == before


def test_a_search_proposes_ties_with_and_predicts_no_size_beyond_the_quota(account: Account) -> None:
    done = account.run("--memory", "128..3008", "--output", "json")
    assert done.returncode == 0, done.stderr
    report = codec.decode(done.stdout, Report)
    assert "memory-quota" in {notice.code for notice in report.notices}
    assert report.recommendation is not None
    named = {point.memory_mb for point in report.curve} | {cell.memory_mb for cell in report.recommendation.tied}
    assert max(named) <= 1024


def test_a_run_of_which_no_size_is_allowed_says_why(account: Account) -> None:
    before = account.fingerprint()
    done = account.run("--memory", "2048,3008", "-n", "2")
    assert done.returncode == 8, done.stdout + done.stderr
    assert "Error: This account may not use 2048 MB" in done.stderr
    assert account.fingerprint() == before


def test_a_function_without_concurrency_is_refused_before_anything_is_changed_and_its_copy_can_be_measured(
    account: Account,
) -> None:
    account.client.put_function_concurrency(FunctionName="mine", ReservedConcurrentExecutions=0)
    before = account.fingerprint(), account.revision()
    refused = account.run("--memory", "128,1024", "-n", "2")
    assert refused.returncode == 8, refused.stderr
    assert "0 is reserved" in refused.stderr
    assert (account.fingerprint(), account.revision()) == before
    measured = account.run("--clone", "--memory", "128,1024", "-n", "2")
    assert measured.returncode == 0, measured.stderr
    assert (account.fingerprint(), account.revision()) == before
