"""The two sides of a comparison take turns: in the order of the block, one wave after the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.fakes import FakeLambda, plan, snapshot
from tests.unit.engine.test_fresh_and_arms import Blocks
from tests.unit.engine.test_orchestrator import run
from tuner.model import Arm, Block, Wave

TURNS = ("base", "head", "head", "base", "base", "head")


async def test_waves_of_a_comparison_never_overlap_and_keep_their_order(tmp_path: Path) -> None:
    made = plan((512,))
    base, head = (replace(made.cells[0], variant=variant) for variant in ("base", "head"))
    arms = (Arm(variant="base", function=snapshot(qualifier="1")), Arm(variant="head", function=snapshot()))
    made = replace(made, cells=(base, head), arms=arms, max_in_flight=100)
    waves = tuple(Wave(cell=base if turn == "base" else head, size=2) for turn in TURNS)
    result = await run(FakeLambda(), tmp_path, made, Blocks((Block(number=1, waves=waves),)))
    by_wave = {sample.wave: sample.cell.variant for sample in result.samples}
    assert [by_wave[wave] for wave in sorted(by_wave)] == list(TURNS)


async def test_a_budget_that_ends_one_side_ends_the_block(tmp_path: Path) -> None:
    made = plan((512,), max_invocations=5)
    base, head = (replace(made.cells[0], variant=variant) for variant in ("base", "head"))
    arms = (Arm(variant="base", function=snapshot(qualifier="1")), Arm(variant="head", function=snapshot()))
    made = replace(made, cells=(base, head), arms=arms)
    waves = (Wave(cell=base, size=2), Wave(cell=head, size=4), Wave(cell=base, size=2))
    result = await run(FakeLambda(), tmp_path, made, Blocks((Block(number=1, waves=waves),)))
    assert {sample.cell.variant for sample in result.samples} == {"base"}
    assert len(result.samples) == 2
    assert "budget-reached" in {notice.code for notice in result.notices}
