"""`tuner run` as a process, on the embedded Lambda: whatever happens to it, the function is as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.effects.running import (
    Account,
    environment,
    journal_lines,
    make_account,
    samples,
    tuner,
    wait_until,
    warm_calls,
)
from tuner import codec
from tuner.local.launcher import EmbeddedLambda
from tuner.local.processes import ServerIdentity
from tuner.model import Outcome, Report

ROOT = Path(__file__).resolve().parents[2]
CONTROL_GROUPS = [Path("/sys/fs/cgroup") / part for part in ("", "cpu", "cpuacct", "memory", "cpu,cpuacct")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    """Updates take long enough here for a signal to arrive in the middle of one."""
    with EmbeddedLambda(tmp_path_factory.mktemp("server"), region="eu-central-1", state_delay_ms=150) as running:
        yield running


@pytest.fixture
def account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    yield from make_account(server, tmp_path)


def processes_of(state: Path) -> list[str]:
    """Command lines of processes that have to do with ``state``."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid():
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                variables = (folder / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if f"{state}/local" in command + variables:
                found.append(command)
    return found


def control_groups() -> set[Path]:
    """Groups of servers that are gone. Those of living ones belong to somebody else on this machine."""
    found = {group for root in CONTROL_GROUPS if root.is_dir() for group in root.glob("tuner-*")}
    return {group for group in found if (of := ServerIdentity.parse(group.name)) is not None and of.known_dead()}


def test_a_successful_run_reports_and_leaves_the_function_as_it_was(account: Account, tmp_path: Path) -> None:
    before = account.fingerprint()
    report_file = tmp_path / "out" / "report.json"
    done = account.run("--memory", "256,1024", "-n", "6", "--output", "json", "--report", str(report_file))
    assert done.returncode == 0, done.stderr
    report = codec.decode(done.stdout, Report)
    assert warm_calls(report) == {256: 6, 1024: 6}
    assert [point.errors for point in report.curve] == [0, 0]
    assert report.recommendation is not None
    assert report.recommendation.memory_mb == 256
    assert report_file.read_text() == done.stdout
    assert account.fingerprint() == before


def test_secrets_and_payloads_appear_in_no_file_and_no_output(account: Account, tmp_path: Path) -> None:
    done = account.run(
        "--memory", "256", "-n", "2", "--payload", '{"token": "planted-payload"}',
        "--report", str(tmp_path / "r.json"), "--report", str(tmp_path / "r.html"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    written = [path for root in (account.state, tmp_path) for path in root.glob("**/*.*") if path.is_file()]
    texts = [done.stdout, done.stderr, *(p.read_text(errors="replace") for p in written if p.name != "handler.py")]
    assert len(texts) >= 6
    assert not [text for text in texts for planted in ("planted-",) if planted in text]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["publishing", "measuring"])
def test_a_signal_ends_the_run_and_undoes_it(account: Account, number: signal.Signals, moment: str) -> None:
    before = account.fingerprint()
    process = account.start("--memory", "256,1024", "-n", "500", "--payload", '{"wait_s": 0.2}')
    if moment == "publishing":
        wait_until(lambda: any("publication" in line for line in journal_lines(account.state)))
    else:
        wait_until(lambda: samples(account.state) > 3)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "as it was" in errors
    assert account.fingerprint() == before
    assert '"closed"' in journal_lines(account.state)[-1]


@pytest.mark.parametrize("entries", [2, 3, 4, 5, 7])
def test_after_kill_9_recover_undoes_the_run(account: Account, entries: int) -> None:
    before = account.fingerprint()
    process = account.start("--memory", "256,1024", "-n", "500", "--payload", '{"wait_s": 0.2}')
    wait_until(
        lambda: len(journal_lines(account.state)) >= min(entries, 6) and (entries < 7 or samples(account.state) > 3)
    )
    process.kill()
    process.communicate()
    refused = account.run("--memory", "256")
    assert refused.returncode == 8
    assert "tuner recover" in refused.stderr
    recovered = subprocess.run(tuner("recover"), env=environment(account.state), capture_output=True, text=True)
    assert recovered.returncode == 0, recovered.stderr
    assert "is undone" in recovered.stdout
    assert account.fingerprint() == before
    again = subprocess.run(tuner("recover"), env=environment(account.state), capture_output=True, text=True)
    assert "No run is left to recover" in again.stdout


def test_recover_leaves_a_live_run_alone(account: Account) -> None:
    process = account.start("--memory", "256", "-n", "500", "--payload", '{"wait_s": 0.1}')
    wait_until(lambda: samples(account.state) > 3)
    recovered = subprocess.run(tuner("recover"), env=environment(account.state), capture_output=True, text=True)
    seen = samples(account.state)
    assert "still going on" in recovered.stdout
    wait_until(lambda: samples(account.state) > seen)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


def local_run(state: Path, folder: Path, *arguments: str) -> list[str]:
    return tuner("run", str(folder), "--local", "--memory", "256,512", *arguments)


def test_a_local_run_leaves_no_process_no_control_group_and_no_folder(tmp_path: Path) -> None:
    state, groups = tmp_path / "state", control_groups()
    done = subprocess.run(
        local_run(state, ROOT / "examples" / "wait", "-n", "3", "--report", str(tmp_path / "r.json")),
        env=environment(state), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "LOCAL" in done.stdout
    assert processes_of(state) == []
    assert control_groups() <= groups
    assert list((state / "local").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_local_run_that_is_ended_leaves_nothing_after_recover(tmp_path: Path, number: signal.Signals) -> None:
    state, groups = tmp_path / "state", control_groups()
    process = subprocess.Popen(
        local_run(state, ROOT / "examples" / "password-hash", "-n", "500"),
        env=environment(state), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    wait_until(lambda: samples(state) > 3)
    assert processes_of(state)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == (-9 if number is signal.SIGKILL else 130)
    subprocess.run(tuner("recover"), env=environment(state), check=True, capture_output=True)
    wait_until(lambda: processes_of(state) == [])
    assert control_groups() <= groups
    assert list((state / "local").iterdir()) == []


FAILING_HANDLERS = {
    "crashes": ("import os\ndef handler(event, context):\n    os._exit(3)\n", 6, "Runtime.ExitError"),
    "raises": ("def handler(event, context):\n    raise KeyError('which')\n", 6, "KeyError"),
    "hangs": ("import time\ndef handler(event, context):\n    time.sleep(99)\n", 6, "timed out"),
    "returns-non-json": ("def handler(event, context):\n    return {1, 2}\n", 6, "Runtime.MarshalError"),
    "imports-nothing": ("import absent\ndef handler(event, context):\n    pass\n", 6, "Runtime.ImportModuleError"),
    "prints-10-mb": ("def handler(event, context):\n    print('x' * 10_000_000)\n", 0, ""),
}


@pytest.mark.parametrize("case", FAILING_HANDLERS)
def test_a_handler_that_misbehaves_gets_a_clear_answer_and_leaves_nothing(tmp_path: Path, case: str) -> None:
    source, code, words = FAILING_HANDLERS[case]
    folder, state, groups = tmp_path / case, tmp_path / "state", control_groups()
    folder.mkdir()
    (folder / "handler.py").write_text(source)
    done = subprocess.run(
        local_run(state, folder, "-n", "3", "--timeout", "1", "--report", str(tmp_path / "r.json")),
        env=environment(state), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert processes_of(state) == []
    assert control_groups() <= groups
    written = json.loads((tmp_path / "r.json").read_text())
    outcomes = {sample["outcome"] for sample in written["samples"]}
    assert (outcomes == {Outcome.OK.value}) == (code == 0)


def test_a_size_at_which_the_function_runs_out_of_memory_does_not_end_the_run(tmp_path: Path) -> None:
    folder, state = tmp_path / "hungry", tmp_path / "state"
    folder.mkdir()
    (folder / "handler.py").write_text("def handler(event, context):\n    return len(bytearray(200_000_000))\n")
    done = subprocess.run(
        tuner("run", str(folder), "--local", "--memory", "128,512", "-n", "3", "--output", "json",
              "--report", str(tmp_path / "r.json")),
        env=environment(state), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = codec.decode(done.stdout, Report)
    assert {point.memory_mb: point.status.value for point in report.curve} == {128: "out_of_memory", 512: "measured"}
    assert report.recommendation is not None
    assert report.recommendation.memory_mb == 512
