"""The wish for awake cores: said once, kept while calls are made, taken back afterwards, and never in the way."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tuner.local.wakefulness import PATIENCE_S, Wakefulness


@pytest.fixture
def device(tmp_path: Path) -> Path:
    file = tmp_path / "cpu_dma_latency"
    file.touch()
    return file


def opened(file: Path) -> int:
    """How many descriptors of this process are open on ``file``: the kernel keeps the wish as long as one is."""
    links = (link for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return sum(link.readlink() == file for link in links)


def test_a_call_asks_for_no_latency_at_all_and_only_once(device: Path) -> None:
    wakefulness = Wakefulness(device)
    assert wakefulness.possible
    wakefulness.ask(100.0)
    wakefulness.ask(101.0)
    assert device.read_bytes() == struct.pack("i", 0)
    assert opened(device) == 1
    wakefulness.give_up()
    assert opened(device) == 0


def test_cores_may_sleep_a_while_after_the_last_call_and_are_woken_again(device: Path) -> None:
    wakefulness = Wakefulness(device)
    wakefulness.ask(100.0)
    wakefulness.ask(103.0)
    wakefulness.give_up_after_a_while(103.0 + 0.9 * PATIENCE_S)
    assert opened(device) == 1
    wakefulness.give_up_after_a_while(103.0 + PATIENCE_S)
    wakefulness.give_up_after_a_while(104.0 + PATIENCE_S)
    assert opened(device) == 0
    wakefulness.ask(200.0)
    assert opened(device) == 1
    wakefulness.give_up()


def test_who_may_not_ask_makes_calls_all_the_same(tmp_path: Path) -> None:
    wakefulness = Wakefulness(tmp_path / "missing")
    assert not wakefulness.possible
    wakefulness.ask(100.0)
    wakefulness.give_up_after_a_while(100.0 + PATIENCE_S)
    wakefulness.give_up()
