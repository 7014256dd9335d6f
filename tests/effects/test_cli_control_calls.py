"""How much of the control plane a run uses: AWS allows 15 calls a second to a whole account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.effects.running import Account, make_account
from tuner.local.launcher import EmbeddedLambda

SIZES = (128, 200, 256, 300, 400, 500, 600, 700, 800, 900)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path / "server", region="eu-central-1") as running:
        yield running


@pytest.fixture
def account(server: EmbeddedLambda, tmp_path: Path) -> Iterator[Account]:
    yield from make_account(server, tmp_path)


def test_a_run_of_ten_sizes_makes_few_control_plane_calls_a_size(account: Account, server: EmbeddedLambda) -> None:
    """Set, publish, delete; GetFunction has a quota of its own, 100 a second (Lambda quotas, "API requests")."""
    before = server.faults_met()["calls"]
    done = account.run("--memory", ",".join(map(str, SIZES)), "-n", "2")
    assert done.returncode == 0, done.stderr
    after = server.faults_met()["calls"]
    calls = {name: count - before.get(name, 0) for name, count in after.items() if name != "Invoke"}
    looks = calls.pop("GetFunction")
    assert sum(calls.values()) < 5 * len(SIZES), calls
    assert looks < 4 * len(SIZES)
