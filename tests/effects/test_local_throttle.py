"""The fallback without any rights: stop and continue, and a watchdog for memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tuner.local.launcher import EmbeddedLambda
from tuner.local.processes import start_time

BURN = (
    "import os, time\ndef handler(event, context):\n"
    "    end = time.process_time() + 0.06\n    while time.process_time() < end: pass\n    return os.getpid()"
)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("state"), throttle="signals", state_delay_ms=20) as running:
        yield running


def test_signals_stretch_cpu_time_by_the_memory_size(
    deploy: Callable[..., str], publish: Callable[..., str], calm_ms: Callable[..., float]
) -> None:
    name = deploy(BURN)
    small, large = publish(name, memory_mb=442), publish(name, memory_mb=1769)
    assert 2.5 < calm_ms(name, small) / calm_ms(name, large) < 6


def test_the_watchdog_ends_a_handler_that_wants_too_much_memory(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy(
        "import time\ndef handler(event, context):\n    x = b'x' * (300 << 20)\n    time.sleep(5)", MemorySize=128
    )
    assert "Status: error\tError Type: Runtime.OutOfMemory" in invoke(name).report


def test_no_process_is_left_stopped_when_its_version_is_deleted(
    client: Any, deploy: Callable[..., str], publish: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy(BURN, MemorySize=128)
    version = publish(name)
    pid = invoke(name, Qualifier=version).payload
    client.delete_function(FunctionName=name, Qualifier=version)
    invoke(name)
    assert start_time(pid) is None


def test_a_timeout_ends_a_throttled_handler(deploy: Callable[..., str], invoke: Callable[..., Any]) -> None:
    name = deploy("def handler(event, context):\n    while True: pass", MemorySize=128, Timeout=1)
    assert invoke(name).report.endswith("Status: timeout\t")
