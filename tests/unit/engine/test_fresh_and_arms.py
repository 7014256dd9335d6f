"""Fresh blocks run on versions of their own; the arms of a comparison are left exactly as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.fakes import FakeLambda, Killed, plan, snapshot
from tests.unit.engine.test_orchestrator import recover, run
from tuner.model import Arm, Block, Cell, Copy, Plan, Sample, Stop, Variant, Wave

CALLS_OF_A_FRESH_RUN = 48


@dataclass(frozen=True)
class Blocks:
    """A policy that asks for these blocks, one after the other."""

    blocks: tuple[Block, ...]

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
        done = max((sample.block for sample in samples), default=0)
        return next((block for block in self.blocks if block.number > done), Stop(reason="enough"))


def fresh_blocks(cells: Sequence[Cell], count: int, size: int = 2) -> Blocks:
    waves = tuple(Wave(cell=cell, size=size) for cell in cells)
    return Blocks(tuple(Block(number=number + 1, waves=waves, fresh=True) for number in range(count)))


def versions_by_block(samples: Sequence[Sample], cell: Cell) -> list[set[str]]:
    blocks = sorted({sample.block for sample in samples})
    return [{s.version for s in samples if s.block == block and s.cell == cell} for block in blocks]


@pytest.mark.parametrize("sizes", [(128, 1024), (512,), (128,)], ids=["two", "current", "one"])
async def test_every_fresh_block_has_versions_of_its_own(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    fake, made = FakeLambda(), plan(sizes)
    before = fake.fingerprint()
    result = await run(fake, tmp_path, made, fresh_blocks(made.cells, 3))
    assert result.failure is None
    assert all(sample.cold for sample in result.samples)
    for cell in made.cells:
        found = versions_by_block(result.samples, cell)
        assert all(len(versions) == 1 for versions in found)
        assert len(set.union(*found)) == 3
    assert fake.fingerprint() == before


async def test_a_version_of_the_users_own_is_never_taken_for_a_fresh_one(tmp_path: Path) -> None:
    released = snapshot(versions=("1", "2"))
    fake = FakeLambda(function=released)
    made = replace(plan((released.memory_mb,)), function=released)
    result = await run(fake, tmp_path, made, fresh_blocks(made.cells, 1))
    assert {sample.version for sample in result.samples}.isdisjoint(released.versions)
    assert set(fake.mine.versions) == {"1", "2"}


@pytest.mark.parametrize("step", range(1, CALLS_OF_A_FRESH_RUN + 1))
async def test_after_a_kill_at_any_call_of_fresh_blocks_recovery_restores_the_function(
    tmp_path: Path, step: int
) -> None:
    fake, made = FakeLambda(die_at=step), plan((512,))
    before = fake.fingerprint()
    with pytest.raises(BaseException) as death:
        await run(fake, tmp_path, made, fresh_blocks(made.cells, 3))
    assert isinstance(death.value, Killed) or death.group_contains(Killed)
    await recover(fake, tmp_path)
    assert fake.fingerprint() == before


async def test_the_steps_above_cover_every_call_of_fresh_blocks(tmp_path: Path) -> None:
    fake, made = FakeLambda(), plan((512,))
    await run(fake, tmp_path, made, fresh_blocks(made.cells, 3))
    assert len(fake.calls) == CALLS_OF_A_FRESH_RUN


def compared(*, disposable: bool = False, copies: tuple[Copy, ...] = ()) -> Plan:
    made = plan((512,))
    cells = [replace(made.cells[0], variant=variant) for variant in ("base", "head")]
    base, head = snapshot(qualifier="1", versions=("1",)), snapshot(versions=("1",))
    arms = (
        Arm(variant="base", function=base, disposable=disposable),
        Arm(variant="head", function=head, disposable=disposable),
    )
    return replace(made, cells=tuple(cells), arms=arms, copies=copies)


async def test_arms_are_invoked_as_they_are_and_nothing_is_changed(tmp_path: Path) -> None:
    fake, made = FakeLambda(function=snapshot(versions=("1",))), compared()
    result = await run(fake, tmp_path, made, fresh_blocks(made.cells, 2))
    assert {(s.cell.variant, s.version) for s in result.samples} == {("base", "1"), ("head", "$LATEST")}
    assert {call.split()[0] for call in fake.calls} == {"invoke"}


@pytest.mark.parametrize("variant", ["base", "head"])
async def test_an_arm_with_a_copy_is_measured_on_fresh_versions_of_the_copy(tmp_path: Path, variant: Variant) -> None:
    fake = FakeLambda(function=snapshot(versions=("1",)))
    made = compared()
    copy = Copy(name="tuner-thumbnail-copy", architecture=made.cells[0].architecture, variant=variant)
    made = replace(made, copies=(copy,))
    before = fake.fingerprint()
    result = await run(fake, tmp_path, made, fresh_blocks(made.cells, 2))
    cell = replace(made.cells[0], variant=variant)
    assert versions_by_block(result.samples, cell) == [{"1"}, {"3"}]
    assert fake.fingerprint() == before
