"""However a run ends, the function is as it was, and neither hook nor handler is left."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.effects.running import Account, environment, journal_lines, make_account, samples, tuner, wait_until
from tuner.local.launcher import EmbeddedLambda

LONG = ("--memory", "256,1024", "-n", "500", "--sampling", "fixed", "--payload", '{"wait_s": 0.1}')
SECONDS = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("server"), region="eu-central-1", state_delay_ms=60) as running:
        yield running


@pytest.fixture
def account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    yield from make_account(server, tmp_path)


def closed(state: Path) -> bool:
    lines = journal_lines(state)
    return bool(lines) and '"closed"' in lines[-1]


def ended(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG) != (0, 0)


def test_a_terminal_that_is_closed_ends_the_run_and_undoes_it(account: Account, tmp_path: Path) -> None:
    """Nothing can be printed any more, in the middle of the clean-up as well."""
    before = account.fingerprint()
    command = account.command(*LONG, "--report", str(tmp_path / "r.json"))
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, environment(account.state))
    wait_until(lambda: samples(account.state) > 3)
    os.close(terminal)
    wait_until(lambda: ended(pid), SECONDS)
    assert account.fingerprint() == before
    assert closed(account.state)
    assert (tmp_path / "r.json").exists()


def test_under_nohup_a_run_goes_on_when_the_terminal_is_closed(account: Account) -> None:
    process = subprocess.Popen(
        ["nohup", *account.command(*LONG)],
        env=environment(account.state),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: samples(account.state) > 3)
    process.send_signal(signal.SIGHUP)
    seen = samples(account.state)
    wait_until(lambda: samples(account.state) > seen + 10)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 130


def hook_processes(register: Path) -> list[int]:
    """Those that a hook has written down and that still run."""
    numbers = [int(line) for line in register.read_text().split()] if register.exists() else []
    return [number for number in numbers if Path(f"/proc/{number}").exists() and not is_zombie(number)]


def is_zombie(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_hook_survives_its_run(account: Account, tmp_path: Path, number: signal.Signals) -> None:
    before, register, hook = account.fingerprint(), tmp_path / "register", tmp_path / "hook.sh"
    hook.write_text(f"sleep 300 & echo $! >> {register}\necho $$ >> {register}\nwait\n")
    process = account.start(*LONG, "--before", f"sh {hook}")
    wait_until(lambda: len(hook_processes(register)) >= 2)
    process.send_signal(number)
    process.communicate(timeout=SECONDS)
    assert process.returncode == (-signal.SIGKILL if number is signal.SIGKILL else 130)
    wait_until(lambda: hook_processes(register) == [])
    subprocess.run(tuner("recover"), env=environment(account.state), check=True, capture_output=True)
    assert account.fingerprint() == before
