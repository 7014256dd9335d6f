"""`tuner run` with copies, budgets and resumption, as a process on the embedded Lambda."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.effects.running import Account, environment, make_account, samples, tuner, wait_until, warm_calls
from tuner import codec
from tuner.local.launcher import EmbeddedLambda
from tuner.model import Report, Sample

SLOW = '{"wait_s": 0.1}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("server"), region="eu-central-1", state_delay_ms=60) as running:
        yield running


@pytest.fixture
def account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    yield from make_account(server, tmp_path)


def functions(account: Account) -> list[str]:
    return [function["FunctionName"] for function in account.client.list_functions()["Functions"]]


def report_of(done: subprocess.CompletedProcess[str]) -> Report:
    return codec.decode(done.stdout, Report)


def rows(account: Account) -> list[Sample]:
    (path,) = account.state.glob("runs/*/samples.jsonl")
    return [codec.decode(line, Sample) for line in path.read_bytes().splitlines()]


def run_id(account: Account) -> str:
    (folder,) = (account.state / "runs").iterdir()
    return folder.name


def test_a_clone_run_measures_a_copy_and_removes_it(account: Account, tmp_path: Path) -> None:
    before = account.fingerprint(), account.revision()
    done = account.run(
        "--clone", "--memory", "256,1024", "-n", "3", "--output", "json", "--report", str(tmp_path / "r.json")
    )
    assert done.returncode == 0, done.stderr
    assert warm_calls(report_of(done)) == {256: 3, 1024: 3}
    assert (account.fingerprint(), account.revision()) == before
    assert functions(account) == ["mine"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_clone_run_that_is_ended_leaves_no_copy_after_recover(account: Account, number: signal.Signals) -> None:
    before = account.fingerprint()
    process = account.start("--clone", "--memory", "256,1024", "-n", "500", "--payload", SLOW)
    wait_until(lambda: samples(account.state) > 3)
    assert len(functions(account)) == 2
    process.send_signal(number)
    process.communicate(timeout=30)
    subprocess.run(tuner("recover"), env=environment(account.state), check=True, capture_output=True)
    assert functions(account) == ["mine"]
    assert account.fingerprint() == before


def test_copies_and_versions_of_another_machine_are_found_by_their_marks(account: Account, tmp_path: Path) -> None:
    """The journal is on the other machine: here there is none."""
    before = account.fingerprint()
    for machine, arguments in ((tmp_path / "one", ("--clone",)), (tmp_path / "two", ())):
        killed = replace(account, state=machine)
        process = killed.start(*arguments, "--memory", "256", "-n", "500", "--payload", SLOW)
        wait_until(lambda killed=killed: samples(killed.state) > 3)  # type: ignore[misc]
        process.kill()
        process.communicate()
    assert len(functions(account)) == 2
    elsewhere = environment(tmp_path / "other machine")
    refused = subprocess.run(account.command("--memory", "256"), env=elsewhere, capture_output=True, text=True)
    assert refused.returncode == 8
    assert "tuner recover mine" in refused.stderr
    recover = tuner("recover", "mine", "--copies", "--endpoint-url", account.endpoint_url)
    subprocess.run(recover, env=elsewhere, check=True, capture_output=True)
    assert functions(account) == ["mine"]
    assert account.fingerprint() == before


def test_an_interrupted_run_is_resumed_without_repeating_a_sample(account: Account, tmp_path: Path) -> None:
    arguments = ("--memory", "256,1024", "-n", "12", "--wave", "3", "--sampling", "fixed", "--payload", SLOW)
    process = account.start(*arguments, "--report", str(tmp_path / "first.json"))
    wait_until(lambda: samples(account.state) >= 9)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    first = rows(account)
    done = account.run(
        *arguments, "--resume", run_id(account), "--output", "json", "--report", str(tmp_path / "second.json")
    )
    assert done.returncode == 0, done.stderr
    report = report_of(done)
    assert warm_calls(report) == {256: 12, 1024: 12}
    assert set(first) <= set(report.samples)
    assert len({sample.request_id for sample in report.samples}) == len(report.samples)
    assert report.spend.invocations == len(report.samples)


def test_a_run_is_not_resumed_with_another_payload(account: Account, tmp_path: Path) -> None:
    account.run("--memory", "256", "-n", "1", "--report", str(tmp_path / "r.json"))
    done = account.run("--memory", "256", "-n", "1", "--resume", run_id(account), "--payload", SLOW)
    assert done.returncode == 2
    assert "payload" in done.stderr


@pytest.mark.parametrize(
    ("limit", "most"),
    [(("--max-invocations", "10"), 10), (("--max-cost", "0.000003"), 12), (("--max-time", "5s"), 400)],
)
def test_a_budget_ends_the_run_and_the_report_says_so(
    account: Account, tmp_path: Path, limit: tuple[str, str], most: int
) -> None:
    before = account.fingerprint()
    done = account.run(
        "--memory", "256,1024", "-n", "500", "--wave", "2", *limit, "--output", "json",
        "--report", str(tmp_path / "r.json"),
    )  # fmt: skip
    report = report_of(done)
    assert "budget-reached" in {notice.code for notice in report.notices}
    assert 0 < len(report.samples) <= most
    assert account.fingerprint() == before


def test_a_run_that_ends_after_its_cold_starts_says_so(account: Account, tmp_path: Path) -> None:
    few = ("--memory", "256", "-n", "20", "--wave", "2", "--max-invocations", "2", "--payload", SLOW)
    done = account.run(*few, "--report", str(tmp_path / "r.json"))
    assert done.returncode == 6
    assert "All 2 successful invocations were cold starts" in done.stderr
    assert "--max-time" in done.stderr


def test_a_report_on_a_full_disk_is_said_after_the_function_was_put_back(account: Account, tmp_path: Path) -> None:
    before = account.fingerprint()
    full, kept = tmp_path / "full.html", tmp_path / "r.json"
    full.symlink_to("/dev/full")
    done = account.run("--memory", "256", "-n", "2", "--report", str(full), "--report", str(kept))
    assert done.returncode == 8
    assert f"Not written: {full} (No space left on device)." in done.stderr
    assert "Traceback" not in done.stderr
    assert account.fingerprint() == before
    assert codec.decode(kept.read_bytes(), Report).samples
    assert "256 MB" in done.stdout


def test_a_hook_may_change_the_event_and_an_expected_error_counts_as_success(
    account: Account, tmp_path: Path
) -> None:
    hook = f'{sys.executable} -c "print(\'{{\\"fail\\": \\"Expected\\"}}\')"'
    arguments = (
        "--memory",
        "256",
        "-n",
        "2",
        "--before",
        hook,
        "--output",
        "json",
        "--report",
        str(tmp_path / "r.json"),
    )
    assert account.run(*arguments).returncode == 6
    done = account.run(*arguments, "--expect-error", "Expected")
    assert done.returncode == 0, done.stderr
    assert report_of(done).curve[0].errors == 0


def test_ten_sizes_take_fewer_than_eight_control_plane_calls_a_size(tmp_path: Path) -> None:
    """Measured by the service itself, at its usual pace of settling. See also test_cli_control_calls."""
    sizes = [128 * step for step in range(1, 11)]
    with EmbeddedLambda(tmp_path / "server", region="eu-central-1", state_delay_ms=60) as server:
        for account in make_account(server, tmp_path):
            before = calls(server)
            done = account.run("--memory", ",".join(map(str, sizes)), "-n", "2", "--report", str(tmp_path / "r.json"))
            assert done.returncode == 0, done.stderr
            made = {name: count - before.get(name, 0) for name, count in calls(server).items()}
    control = sum(count for name, count in made.items() if name != "Invoke")
    assert control < 8 * len(sizes), str(made)


def calls(server: EmbeddedLambda) -> dict[str, int]:
    return dict(server.faults_met()["calls"])


def test_traffic_on_latest_is_said_before_the_run(account: Account, tmp_path: Path) -> None:
    account.client.create_alias(FunctionName="mine", Name="live", FunctionVersion="$LATEST")
    done = account.run("--memory", "256", "-n", "1", "--output", "json", "--report", str(tmp_path / "r.json"))
    (notice,) = [notice for notice in report_of(done).notices if notice.code == "live-traffic"]
    assert "the alias live" in notice.message
    assert "--clone" in (notice.remedy or "")
