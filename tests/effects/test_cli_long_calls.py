"""A run of calls that take minutes, interrupted: whatever carries them, it ends now."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.effects.running import Account, make_account, wait_until
from tuner.local.launcher import EmbeddedLambda

MINUTES = '{"wait_s": 600}'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path / "server", region="eu-central-1") as running:
        yield running


@pytest.fixture
def account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    yield from make_account(server, tmp_path)


@pytest.mark.parametrize("transport", ["boto3", "async"])
def test_an_interrupted_run_does_not_wait_for_its_calls(
    account: Account, server: EmbeddedLambda, transport: str
) -> None:
    account.client.update_function_configuration(FunctionName="mine", Timeout=900)
    before = account.fingerprint()
    sizes = ("--memory", "512,1024", "-n", "2", "--max-cost", "9")
    running = account.start("--transport", transport, "--payload", MINUTES, *sizes)
    questions = 1
    wait_until(lambda: server.faults_met()["calls"].get("Invoke", 0) > questions, seconds=60)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert account.fingerprint() == before
