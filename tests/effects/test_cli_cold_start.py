"""`tuner cold-start` as a process, on the embedded Lambda: real cold starts, counted right, nothing left behind."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.cold_start_local import measure
from tests.effects.running import Account, environment, journal_lines, make_account, samples, tuner, wait_until
from tuner import codec
from tuner.local.launcher import EmbeddedLambda
from tuner.model import Architecture, ColdStartReport, StartKind

SLOW_START = """
import time
time.sleep(0.05)

def handler(event, context):
    time.sleep(event.get("wait_s", 0.01))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("server"), region="eu-central-1", state_delay_ms=20) as running:
        yield running


@pytest.fixture
def account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    yield from make_account(server, tmp_path)


def command(account: Account, *arguments: str) -> list[str]:
    return tuner("cold-start", "mine", "--endpoint-url", account.endpoint_url, "--yes", *arguments)


def run(account: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(account, *arguments),
        env=environment(account.state),
        cwd=account.state.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def local(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "handler.py").write_text(SLOW_START)
    return subprocess.run(
        tuner("cold-start", str(folder), "--local", *arguments),
        env=environment(tmp_path / "state"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_first_calls_of_a_version_are_a_batch_of_cold_starts_and_the_function_is_as_it_was(
    account: Account, tmp_path: Path
) -> None:
    before = account.fingerprint()
    done = run(
        account, "--memory", "256", "-n", "4", "--wave", "2", "--warm", "1", "--payload", '{"wait_s": 0.3}',
        "--output", "json", "--report", str(tmp_path / "r.json"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = codec.decode(done.stdout, ColdStartReport)
    (cell,) = report.cells
    assert (cell.counts.cold, cell.counts.batches, cell.counts.warm) == (4, 2, 2)
    assert cell.counts.initialised_ahead + cell.counts.reused + cell.counts.failed + cell.counts.unreported == 0
    assert "few-batches" in {notice.code for notice in report.notices}
    assert (tmp_path / "r.json").read_text() == done.stdout
    assert account.fingerprint() == before
    assert '"closed"' in journal_lines(account.state)[-1]


def test_without_sizes_the_function_is_studied_as_it_is(account: Account) -> None:
    done = run(account, "-n", "1", "--warm", "0", "--output", "json", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert [cell.memory_mb for cell in codec.decode(done.stdout, ColdStartReport).cells] == [512]


def test_ctrl_c_leaves_the_function_as_it_was_and_a_report_of_what_there_is(account: Account, tmp_path: Path) -> None:
    before = account.fingerprint()
    process = subprocess.Popen(
        command(account, "--memory", "256,512", "-n", "500", "--report", str(tmp_path / "r.json")),
        env=environment(account.state),
        cwd=account.state.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: samples(account.state) > 1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "as it was" in errors
    assert account.fingerprint() == before
    report = codec.decode((tmp_path / "r.json").read_bytes(), ColdStartReport)
    assert report.spend.invocations > 1
    codes = {notice.code for notice in report.notices}
    assert {"interrupted", "fewer-cold-starts"} <= codes


def test_an_interrupted_study_goes_on_where_it_ended(account: Account, tmp_path: Path) -> None:
    first = run(account, "--memory", "256", "-n", "2", "--max-invocations", "2", "--report", str(tmp_path / "a.json"))
    assert first.returncode == 0, first.stderr
    begun = codec.decode((tmp_path / "a.json").read_bytes(), ColdStartReport)
    (path,) = account.state.glob("runs/*/plan.json")
    plan = json.loads(path.read_text())
    plan["request"]["max_invocations"] = None
    path.write_text(json.dumps(plan))
    again = run(account, "--resume", begun.run_id, "--output", "json")
    assert again.returncode == 0, again.stderr
    report = codec.decode(again.stdout, ColdStartReport)
    (cell,) = report.cells
    assert cell.counts.cold == 2
    assert report.samples[: len(begun.samples)] == begun.samples


def test_a_budget_ends_the_study_and_is_said(account: Account) -> None:
    done = run(account, "--memory", "256", "-n", "50", "--wave", "2", "--max-invocations", "5", "--output", "json")
    assert done.returncode == 0, done.stderr
    report = codec.decode(done.stdout, ColdStartReport)
    assert report.spend.invocations == 4
    assert {"budget-reached", "fewer-cold-starts"} <= {notice.code for notice in report.notices}


def test_a_function_that_always_fails_is_an_invalid_measurement(account: Account) -> None:
    before = account.fingerprint()
    done = run(account, "--memory", "256", "-n", "20", "--wave", "10", "--payload", '{"fail": "Broken"}')
    assert done.returncode == 6
    assert "Every invocation failed" in done.stderr
    assert account.fingerprint() == before


def test_code_that_cannot_run_on_the_other_architecture_is_said_not_to_be_portable(account: Account) -> None:
    done = run(account, "--arch", "arm64", "-n", "2")
    assert done.returncode == 6
    assert "Not portable to arm64" in done.stderr


def test_the_copy_for_the_other_architecture_is_gone_afterwards(tmp_path: Path) -> None:
    simulation = tmp_path / "arm.json"
    simulation.write_text(json.dumps({"arm64_speed": 0.8}))
    with EmbeddedLambda(tmp_path / "server", region="eu-central-1", simulation=simulation) as running:
        for account in make_account(running, tmp_path):
            before = account.fingerprint()
            done = run(account, "--arch", "x86_64,arm64", "-n", "2", "--wave", "2", "--warm", "0", "--output", "json")
            assert done.returncode == 0, done.stderr
            report = codec.decode(done.stdout, ColdStartReport)
            assert [cell.counts.cold + cell.counts.reused for cell in report.cells] == [2, 2]
            assert [found["FunctionName"] for found in account.client.list_functions()["Functions"]] == ["mine"]
            assert account.fingerprint() == before


def test_it_says_what_it_will_publish_and_what_that_may_cost_before_it_begins(account: Account) -> None:
    done = subprocess.run(
        [word for word in command(account, "--memory", "256", "-n", "200", "--max-cost", "0.001") if word != "--yes"],
        env=environment(account.state),
        cwd=account.state.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 8
    assert "published and deleted again" in done.stderr
    assert "AWS allows 15" in " ".join(done.stderr.split())
    assert "--yes" in done.stderr
    assert samples(account.state) == 0


def test_a_restore_is_reported_as_one(tmp_path: Path) -> None:
    simulation = tmp_path / "snapshots.json"
    simulation.write_text(json.dumps({"restore_ms": 180}))
    done = local(tmp_path, "-n", "2", "--simulate", str(simulation), "--output", "json")
    assert done.returncode == 0, done.stderr
    (cell,) = codec.decode(done.stdout, ColdStartReport).cells
    assert cell.start_kind is StartKind.RESTORE
    assert cell.start_ms is not None
    assert cell.start_ms.p50.point == 180
    assert cell.hello_world is None


def test_a_local_study_has_the_right_counts_and_what_is_simulated_says_so_everywhere(tmp_path: Path) -> None:
    simulation = tmp_path / "arm.json"
    simulation.write_text(json.dumps({"arm64_speed": 0.8}))
    files = [tmp_path / name for name in ("r.json", "r.html", "r.md")]
    reports = [word for path in files for word in ("--report", str(path))]
    done = local(tmp_path, "-n", "6", "--arch", "x86_64,arm64", "--simulate", str(simulation), *reports)
    assert done.returncode == 0, done.stderr
    report = codec.decode(files[0].read_bytes(), ColdStartReport)
    assert {cell.architecture for cell in report.cells} == set(Architecture)
    for cell in report.cells:
        assert (cell.counts.cold, cell.counts.batches, cell.counts.warm) == (6, 6, 6)
        assert cell.total_ms is not None
        assert cell.total_ms.p50.estimable
        assert not cell.total_ms.p95.estimable
    for text in (done.stdout, *(path.read_text(encoding="utf-8") for path in files[1:])):
        assert "LOCAL" in text
        assert "arm64 (simulated)" in text.replace("\\(", "(").replace("\\)", ")")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--memory", "128..3008:64"), "over and over"),
        (("--precision", "p97±5%"), "is not a precision"),
        (("--cold-fraction", "150%"), "outside"),
        (("--arch", "riscv"), "is no architecture"),
    ],
)
def test_options_that_mean_nothing_are_refused_before_anything_happens(
    account: Account, arguments: tuple[str, ...], said: str
) -> None:
    done = run(account, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not account.state.exists() or samples(account.state) == 0


def test_counts_and_inits_agree_with_what_the_handlers_saw_themselves(tmp_path: Path) -> None:
    """The 10 % line is for a quiet machine: `python -m benchmarks.cold_start_local`. Here only what never depends on
    it: who started, and that the reported init contains what the handler's own clock saw."""
    result = measure(tmp_path, 4, sizes_mb=(512,))
    assert result.left_behind == ()
    for cell in result.cells:
        assert cell.cold == 4
        assert cell.environments == cell.cold + cell.initialised_ahead
        assert cell.warm == cell.environments
        assert cell.others == 0
        assert cell.init_p50_ms > 100
