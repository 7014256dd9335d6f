"""`tuner run` as it is by default, a search, and `tuner plan`, as processes on the embedded Lambda."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.effects.running import Account, calm_calls, environment, make_account, tuner
from tuner import codec
from tuner.local.launcher import EmbeddedLambda
from tuner.model import CurveStatus, Plan, Report, SamplingKind


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("server"), region="eu-central-1") as running:
        yield running


@pytest.fixture
def account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    yield from make_account(server, tmp_path)


def test_a_search_measures_few_of_many_sizes_and_predicts_others(account: Account, tmp_path: Path) -> None:
    before = account.fingerprint()
    done = account.run("--memory", "256..1024", "--output", "json", "--report", str(tmp_path / "r.html"))
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


def test_a_confirmed_search_leaves_nothing_behind_and_takes_its_figures_from_fresh_environments(
    account: Account, tmp_path: Path
) -> None:
    before = account.fingerprint()
    done = account.run("--memory", "256..1024", "--confirm", "--wave", "3", "--output", "json",
                       "--report", str(tmp_path / "r.json"))  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = codec.decode(done.stdout, Report)
    found = report.recommendation
    assert found is not None
    assert found.confirmed
    point = next(p for p in report.curve if p.memory_mb == found.memory_mb)
    last = [s for s in report.samples if s.cell == point.cell and s.block > max(x.block for x in report.samples) - 3]
    warm = [s for s in last if not s.cold]
    assert len(warm) == 6
    assert point.n == calm_calls(warm)
    assert {s.version for s in last}.isdisjoint({s.version for s in report.samples if s not in last})
    assert "confirmed on fresh environments" in report.measurement.sampling
    assert account.fingerprint() == before


@pytest.mark.parametrize("sampling", [(), ("-n", "12")])
def test_a_limit_that_no_size_keeps_ends_with_exit_code_5_and_a_report(
    account: Account, sampling: tuple[str, ...]
) -> None:
    """The calls are long, so that hardly any waits for a CPU of this machine so long that it is not counted."""
    done = account.run(
        "--memory", "256..1024", "--payload", '{"wait_s": 0.5}', "--max-duration", "p50<=100ms", *sampling
    )
    assert done.returncode == 5, done.stderr
    assert "No size keeps the limits" in done.stdout
    assert "p50 <= 100 ms" in " ".join(done.stdout.split())


def test_a_limit_that_too_few_calls_cannot_show_ends_with_exit_code_4(account: Account) -> None:
    done = account.run("--memory", "256,1024", "-n", "6", "--max-duration", "p95<=4s")
    assert done.returncode == 4, done.stderr
    assert "needs 59" in " ".join(done.stdout.split())


def test_a_kept_limit_and_a_share_of_cold_calls_are_stated(account: Account, tmp_path: Path) -> None:
    page = tmp_path / "r.md"
    done = account.run("--memory", "256,1024", "-n", "12", "--max-duration", "mean<=4s",
                       "--max-cost-per-million", "$90", "--cold-fraction", "2%", "--report", str(page))  # fmt: skip
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert "Limit mean <= 4.00 s" in words
    assert "kept" in words
    assert "2 % of the calls, counted in costs" in page.read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--confidence", "30%"), "--confidence from 50% to 99%"),
        (("--sampling", "adaptive", "-n", "20"), "--sampling fixed"),
        (("--max-duration", "p42<=1s"), "p95<=250ms"),
        (("--max-cost-per-million", "cheap"), "$0.05"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(account: Account, options: tuple[str, ...], said: str) -> None:
    done = account.run("--memory", "256..1024", *options)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_plan_says_what_a_run_would_do_and_does_nothing(account: Account, tmp_path: Path) -> None:
    before, revision, file = account.fingerprint(), account.revision(), tmp_path / "plan.json"
    command = tuner("plan", "mine", "--endpoint-url", account.endpoint_url, "--memory", "256..1024", "--confirm",
                    "--max-duration", "p95<=1s", "--out", str(file))  # fmt: skip
    done = _run(command, account.state)
    assert done.returncode == 0, done.stderr
    plan = codec.decode(file.read_bytes(), Plan)
    assert plan.request.sampling is SamplingKind.ADAPTIVE
    assert plan.request.confirm
    assert f"{plan.expected_invocations:,}" in done.stdout
    assert "Confirmation" in done.stdout
    assert "p95 of a warm call <= 1.00 s" in done.stdout
    assert (account.fingerprint(), account.revision()) == (before, revision)
    assert not list(account.state.glob("runs/*"))


def test_a_plan_prints_itself_as_json_and_takes_a_folder(account: Account, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    done = _run(
        tuner("plan", str(folder), "--local", "--memory", "128,256", "-n", "5", "--output", "json"), account.state
    )
    assert done.returncode == 0, done.stderr
    plan = codec.decode(done.stdout, Plan)
    assert [cell.memory_mb for cell in plan.cells] == [128, 256]
    assert json.loads(done.stdout)["request"]["sampling"] == "fixed"


def _run(command: list[str], state: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment(state), capture_output=True, text=True)
