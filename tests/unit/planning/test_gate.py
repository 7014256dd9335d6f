"""What a gate measures next."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.gate_worlds import cell
from tests.fakes import plan as make_plan
from tests.fakes import snapshot as make_snapshot
from tests.unit.statistics.gate.measured import NOISY, PAIR, gate, sampling
from tuner.model import Architecture, Arm, Block, Cell, Copy, GatePolicy, Stop
from tuner.planning.gate import GateSampling, gate_sampling, pairs_of
from tuner.statistics.gate.sequence import Opponents

OTHER = Opponents(*(replace(side, memory_mb=512) for side in (PAIR.base, PAIR.head)))


def test_a_block_alternates_base_and_head_as_abba() -> None:
    block = sampling(GatePolicy()).next_block(())
    assert isinstance(block, Block)
    sides = "".join(wave.cell.variant[0] for wave in block.waves)
    assert sides in {"bhhbbhhbbh", "hbbhhbbhhb"}
    assert block.fresh
    assert {wave.size for wave in block.waves} == {5}


def test_which_side_begins_is_drawn_for_each_block() -> None:
    samples = gate(1.05, world=NOISY, seed=3).samples
    first = {s.block: s.cell.variant for s in reversed(samples)}
    assert len(set(first.values())) == 2
    assert 3 <= Counter(first.values())["base"] <= len(first) - 3


def test_both_sides_get_the_same_calls() -> None:
    counts = Counter(sample.cell.variant for sample in gate(1.2).samples)
    assert counts["base"] == counts["head"]


def test_the_same_samples_give_the_same_blocks() -> None:
    samples = gate(1.05, world=NOISY, seed=3).samples
    for last in range(1, max(s.block for s in samples)):
        so_far = tuple(s for s in samples if s.block <= last)
        following = sampling(GatePolicy()).next_block(so_far)
        assert isinstance(following, Block)
        assert following == sampling(GatePolicy()).next_block(so_far)
        ran = [s for s in samples if s.block == last + 1]
        assert sum(wave.size for wave in following.waves) == len(ran)


def test_it_never_takes_more_calls_than_it_says() -> None:
    measured = gate(1.07, world=NOISY, seed=3)
    assert len(measured.samples) <= measured.sampling.most_calls == 800


def test_a_size_that_is_decided_is_not_measured_further() -> None:
    both = replace(sampling(GatePolicy()), pairs=(OTHER, PAIR))
    decided = tuple(replace(s, cell=replace(s.cell, memory_mb=512)) for s in gate(1.0).samples)
    block = both.next_block(decided)
    assert isinstance(block, Block)
    assert {wave.cell for wave in block.waves} == {PAIR.base, PAIR.head}


def test_several_sizes_share_their_blocks() -> None:
    block = replace(sampling(GatePolicy()), pairs=(OTHER, PAIR)).next_block(())
    assert isinstance(block, Block)
    assert len({wave.cell for wave in block.waves[:4]}) == 4


def test_it_stops_and_says_how() -> None:
    measured = gate(1.0)
    assert measured.sampling.next_block(measured.samples) == Stop(reason="decided")
    open_end = gate(1.05, world=NOISY, seed=3)
    assert open_end.sampling.next_block(open_end.samples) == Stop(reason="undecided at the last look")


def test_a_confirmation_asks_for_fresh_environments_also_where_the_sides_are_invoked_as_they_are() -> None:
    measured = gate(1.3, renewable=False)
    first = tuple(s for s in measured.samples if s.block == 1)
    block = measured.sampling.next_block(first)
    assert isinstance(block, Block)
    assert block.fresh
    opening = measured.sampling.next_block(())
    assert isinstance(opening, Block)
    assert not opening.fresh


def test_against_a_stored_base_only_head_is_called() -> None:
    steps = replace(sampling(GatePolicy()), head_only=True)
    blocks = steps.blocks_to_next_look(())
    assert not isinstance(blocks, Stop)
    assert {wave.cell for block in blocks for wave in block.waves} == {PAIR.head}
    assert sum(wave.size for block in blocks for wave in block.waves) == steps.most_calls == 300


@pytest.mark.parametrize(("copied", "renewable"), [((), False), (("base",), False), (("base", "head"), True)])
def test_sides_are_renewable_where_both_have_a_copy(copied: tuple[str, ...], *, renewable: bool) -> None:
    plan = replace(
        make_plan(),
        cells=(PAIR.base, PAIR.head),
        arms=(Arm(variant="base", function=make_snapshot()), Arm(variant="head", function=make_snapshot())),
        copies=tuple(
            Copy(name="copy", architecture=Architecture.X86_64, variant="base" if name == "base" else "head")
            for name in copied
        ),
    )
    found = gate_sampling(plan, GatePolicy())
    assert isinstance(found, GateSampling)
    assert found.renewable is renewable
    assert found.pairs == (PAIR,)


def test_a_size_with_one_side_only_is_no_pair_unless_base_is_stored() -> None:
    cells: tuple[Cell, ...] = (cell("head"),)
    assert pairs_of(cells) == ()
    assert pairs_of(cells, head_only=True) == (PAIR,)
