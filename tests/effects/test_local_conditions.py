"""What a server says about the place, how true its limit is, and what it only pretends."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.effects.conftest import ROLE, RUNTIME, lambda_client, zip_of
from tuner.errors import UsageError
from tuner.local.host import architecture
from tuner.local.launcher import EmbeddedLambda
from tuner.local.wakefulness import LATENCY_DEVICE

OTHER = "arm64" if architecture() == "x86_64" else "x86_64"
Pretend = Callable[..., tuple[EmbeddedLambda, Any]]


@pytest.fixture
def pretend(tmp_path: Path) -> Iterator[Pretend]:
    running: list[EmbeddedLambda] = []

    def start(**simulation: Any) -> tuple[EmbeddedLambda, Any]:
        file = tmp_path / "simulation.json"
        file.write_text(json.dumps(simulation))
        server = EmbeddedLambda(tmp_path / "state", state_delay_ms=0, simulation=file)
        server.start()
        running.append(server)
        return server, lambda_client(server.endpoint_url)

    yield start
    for server in running:
        server.stop()


def create(client: Any, **settings: Any) -> None:
    package = zip_of(app="def handler(event, context): return 42")
    client.create_function(
        FunctionName="f", Runtime=RUNTIME, Role=ROLE, Handler="app.handler", Code={"ZipFile": package}, **settings
    )


def test_a_calibration_says_how_true_the_limit_is(tmp_path: Path) -> None:
    with EmbeddedLambda(tmp_path / "state", calibrate=True) as server:
        found = server.about["calibration"]
    if server.about["mechanism"].startswith("none"):
        assert found["trustworthy"] is False
        return
    assert [size["memory_mb"] for size in found["sizes"]] == [128, 512]
    worst = max(abs(size["error_percent"]) for size in found["sizes"])
    assert found["trustworthy"] == (worst <= found["most_error_percent"])


def test_an_unlimited_machine_is_not_called_trustworthy(tmp_path: Path) -> None:
    with EmbeddedLambda(tmp_path / "state", calibrate=True, throttle="none") as server:
        assert server.about["calibration"]["trustworthy"] is False


def test_without_being_asked_nothing_is_calibrated_or_pretended(embedded: EmbeddedLambda) -> None:
    assert embedded.about["calibration"] is None
    assert embedded.about["simulated"] == []


def test_every_answer_names_its_environment_and_whether_it_was_disturbed(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy("def handler(event, context): return 1")
    first, second = invoke(name), invoke(name)
    assert first.environment == second.environment
    assert first.disturbed in (True, False)


def test_another_architecture_is_refused_unless_its_speed_is_declared(pretend: Pretend, client: Any) -> None:
    with pytest.raises(ClientError, match=f"{OTHER} cannot run here: this machine has {architecture()}"):
        create(client, Architectures=[OTHER])
    server, pretending = pretend(arm64_speed=0.85)
    create(pretending, Architectures=[OTHER])
    assert pretending.invoke(FunctionName="f")["Payload"].read() == b"42"
    assert server.about["simulated"] == ["arm64 at 0.85 of this machine's speed"]


def test_a_pretended_network_delays_every_answer(pretend: Pretend) -> None:
    _, client = pretend(network_ms=100)
    started_s = time.monotonic()
    client.list_functions()
    assert time.monotonic() - started_s >= 0.1


def test_a_pretended_restore_replaces_the_init_of_published_versions(pretend: Pretend) -> None:
    import base64

    _, client = pretend(restore_ms=180.5)
    create(client)
    version = client.publish_version(FunctionName="f")["Version"]
    tails = [
        base64.b64decode(client.invoke(FunctionName="f", Qualifier=qualifier, LogType="Tail")["LogResult"]).decode()
        for qualifier in (version, "$LATEST", version)
    ]
    assert "RESTORE_REPORT Restore Duration: 180.50 ms" in tails[0]
    assert "Restore Duration: 180.50 ms\tBilled Restore Duration: 181 ms" in tails[0]
    assert "Init Duration" not in tails[0]
    assert "Init Duration" in tails[1]
    assert "Restore" not in tails[2]


def test_a_wrong_simulation_is_refused_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "simulation.json"
    file.write_text('{"arm64_speed": 1.2}')
    with pytest.raises(UsageError, match="a speed is a share of this machine's"):
        EmbeddedLambda(tmp_path / "state", simulation=file)


def test_a_rested_handler_gets_one_quota_for_each_period(
    embedded: EmbeddedLambda, deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    """17 ms of CPU at 600 MB are two quotas of 6.8 ms and a rest: 43.4 ms. With a slice for nothing they are 34."""
    if not embedded.about["mechanism"].startswith("cgroup"):
        pytest.skip("only control groups have periods of their own")
    name = deploy(
        "import time\ndef handler(event, context):\n    end = time.thread_time() + 0.017\n"
        "    while time.thread_time() < end: pass",
        MemorySize=600,
    )
    invoke(name)
    durations_ms = []
    for _ in range(9):
        time.sleep(0.06)
        durations_ms.append(invoke(name).ms("Duration"))
    assert statistics.median(durations_ms) > 39


def test_cores_are_kept_awake_while_calls_are_made(
    embedded: EmbeddedLambda, deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    if not embedded.about["cores_kept_awake"]:
        pytest.skip("this user may not say so")
    invoke(deploy("def handler(event, context): pass"))
    files = [link.readlink() for link in Path(f"/proc/{embedded.pid}/fd").iterdir() if link.is_symlink()]
    assert files.count(LATENCY_DEVICE) == 1
