"""Runs beside others, in virtual time: nothing that is not ours is touched, and nothing of ours is left.

``python -m benchmarks.simulation`` plays any number of schedules; these are the ones that broke version 0.1.0, a few
more, and proof that the simulation finds what it is there to find.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from simulation import process
from simulation.play import NAME, play
from simulation.schedule import Schedule, draw
from tuner.engine import undo

BROKE_0_1_0 = json.loads((Path(__file__).parent / "broke_0_1_0.json").read_text())
FEW = 400


@pytest.mark.parametrize("case", BROKE_0_1_0, ids=lambda case: f"{case['name']} ({case['seed']})")
def test_what_broke_a_promise_once_does_not_any_more(case: dict[str, object]) -> None:
    played = play(msgspec.convert(case["schedule"], Schedule))
    assert played.broken == (), "\n".join(played.trace)


def test_no_promise_is_broken_whoever_acts_at_the_same_time() -> None:
    """The seeds are fixed; CI plays 20,000 more."""
    broken = {seed: found for seed in range(FEW) if (found := play(draw(seed)).broken)}
    assert broken == {}


def test_the_same_seed_plays_the_same_schedule() -> None:
    first, second = play(draw(7)), play(draw(7))
    assert first.trace == second.trace
    assert len(first.trace) > 20


def broken_in(seeds: range) -> set[str]:
    return {words for seed in seeds for words in play(draw(seed)).broken}


def test_an_undo_that_goes_by_numbers_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def any_version(self: process.Process, function: str, version: str, *, description: str) -> None:
        del description
        number = int(version)
        await self._change("DeleteFunction", lambda: self.service.delete_version(NAME, number, owner=self.name))

    monkeypatch.setattr(process.Process, "delete_version", any_version)
    assert any(words.startswith("version ") for words in broken_in(range(100)))


def test_an_undo_that_forgets_the_memory_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forget(*_: object, **__: object) -> None: ...

    monkeypatch.setattr(undo, "restore_memory", forget)
    assert any(words.startswith("memory is") for words in broken_in(range(200)))


def test_a_service_that_forgets_marks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines see each other by their marks alone."""

    async def mark(self: process.Process, arn: str, run_id: str, memory_mb: int) -> None:
        del self, arn, run_id, memory_mb

    monkeypatch.setattr(process.Process, "mark", mark)
    monkeypatch.setattr(process, "_marks", lambda _function: _Everything())
    assert any(words.startswith("memory is") for words in broken_in(range(600)))


class _Everything(frozenset[str]):
    """Marks of whoever looks, and of nobody else."""

    def __contains__(self, item: object) -> bool:
        return True

    def __len__(self) -> int:
        return 1
