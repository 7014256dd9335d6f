"""`tuner run --sampling adaptive` as a process, on the embedded Lambda."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.effects.running import Account, make_account
from tuner import codec
from tuner.local.launcher import EmbeddedLambda
from tuner.model import CurveStatus, Report


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("server"), region="eu-central-1") as running:
        yield running


@pytest.fixture
def account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    yield from make_account(server, tmp_path)


def test_a_search_measures_few_of_many_sizes_and_predicts_others(account: Account, tmp_path: Path) -> None:
    before = account.fingerprint()
    done = account.run("--sampling", "adaptive", "--memory", "256..1024", "--output", "json",
                       "--report", str(tmp_path / "r.html"), "--yes")  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = codec.decode(done.stdout, Report)
    measured = {point.memory_mb for point in report.curve if point.status is CurveStatus.MEASURED}
    predicted = [point for point in report.curve if point.status is CurveStatus.PREDICTED]
    assert report.recommendation is not None
    assert report.recommendation.memory_mb in measured
    assert predicted
    assert all(point.n == 0 for point in predicted)
    assert report.spend.invocations <= 60
    assert "adaptive" in report.measurement.sampling
    assert "predicted" in (tmp_path / "r.html").read_text()
    assert account.fingerprint() == before


def test_a_confidence_that_says_too_little_is_refused(account: Account) -> None:
    done = account.run("--sampling", "adaptive", "--memory", "256..1024", "--confidence", "30%")
    assert done.returncode == 2
    assert "--confidence from 50% to 99%" in done.stderr
