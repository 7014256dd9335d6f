"""The plan of a gate: who can be compared, what it touches, and what it may cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes import limits, price, sample, snapshot
from tests.gates import gated
from tuner.errors import CannotTuneError, InvalidMeasurementError
from tuner.model import (
    Architecture,
    Block,
    Cell,
    EngineKind,
    FunctionSnapshot,
    GatePolicy,
    Plan,
    RunRequest,
    Stop,
)
from tuner.planning.gate_plan import (
    GatePolicyOf,
    Sides,
    asymmetry_notices,
    changed_arms,
    make_gate_plan,
    revised_notices,
)

BASE, HEAD = snapshot(qualifier="7", code_sha256="old"), snapshot(code_sha256="new")


def planned(
    sides: Sides, *, sizes: tuple[int, ...] = (), clone: bool = False, engine: EngineKind = EngineKind.AWS
) -> Plan:
    request = RunRequest(function="thumbnail", engine=engine, memory_mb=sizes, clone=clone)
    return make_gate_plan(request, sides, limits(), price(), policy=GatePolicy(), run_id="20261121T000000-abc")


def test_two_versions_are_invoked_as_they_are_at_the_memory_they_have() -> None:
    plan = planned(Sides(base=BASE, head=HEAD))
    assert [(cell.memory_mb, cell.variant) for cell in plan.cells] == [(512, "base"), (512, "head")]
    assert not plan.copies
    assert [arm.function.qualifier for arm in plan.arms] == ["7", None]
    assert plan.max_in_flight == plan.wave_size


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"memory_mb": 1024}, "memory (1024 MB and 512 MB)"),
        ({"architecture": Architecture.ARM64}, "architecture (arm64 and x86_64)"),
        ({"runtime": "python3.12"}, "runtime (python3.12 and python3.13)"),
        ({"package_type": "Image"}, "package type"),
    ],
)
def test_sides_that_differ_in_more_than_their_code_are_refused_with_the_reason(
    change: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidMeasurementError) as caught:
        planned(Sides(base=replace(BASE, **change), head=HEAD))  # type: ignore[arg-type]
    assert words in caught.value.message


def test_another_runtime_may_be_the_change_that_is_judged() -> None:
    plan = planned(Sides(base=replace(BASE, runtime="python3.12"), head=HEAD, any_runtime=True))
    assert [notice.code for notice in plan.notices] == ["runtime-differs"]


def test_copies_are_measured_at_any_sizes_whatever_memory_the_sides_have() -> None:
    plan = planned(Sides(base=replace(BASE, memory_mb=128), head=HEAD), sizes=(256, 1024), clone=True)
    assert len(plan.cells) == 4
    assert [copy.variant for copy in plan.copies] == ["base", "head"]
    assert len({copy.name for copy in plan.copies}) == 2
    assert all(len(copy.name) <= 64 for copy in plan.copies)


def test_copies_of_functions_with_the_longest_names_have_names_of_their_own() -> None:
    long = replace(HEAD, name="x" * 64)
    plan = planned(Sides(base=replace(long, qualifier="7"), head=long), clone=True)
    assert len({copy.name for copy in plan.copies}) == 2
    assert all(len(copy.name) <= 64 for copy in plan.copies)


def test_other_sizes_without_copies_are_refused() -> None:
    with pytest.raises(CannotTuneError) as caught:
        planned(Sides(base=BASE, head=HEAD), sizes=(1024,))
    assert "--clone" in caught.value.hint


def test_the_same_code_on_both_sides_is_said() -> None:
    plan = planned(Sides(base=replace(BASE, code_sha256="new"), head=HEAD))
    assert [notice.code for notice in plan.notices] == ["same-code"]


def test_the_announced_spend_covers_every_call_running_into_the_slower_timeout() -> None:
    plan = planned(Sides(base=replace(BASE, timeout_s=9), head=HEAD))
    calls = plan.expected_invocations
    assert calls <= 2 * GatePolicy().max_calls
    rate = Decimal("0.0000166667") * 512 / 1024
    assert plan.expected_spend.high_usd >= calls * 9 * rate
    assert plan.expected_spend.low_usd > 0


def test_a_function_that_cannot_be_invoked_now_is_refused_on_either_side() -> None:
    for sides in (
        Sides(base=replace(BASE, state="Pending"), head=HEAD),
        Sides(base=BASE, head=replace(HEAD, managed_instances=True)),
    ):
        with pytest.raises(CannotTuneError):
            planned(sides)


def test_beside_a_stored_base_head_alone_is_called_and_nothing_is_looked_at_before_the_end() -> None:
    plan = planned(Sides(base=None, head=HEAD))
    sampling = GatePolicyOf(GatePolicy())(plan)
    done = [replace(sample(512), block=0)][:0]
    blocks = []
    while isinstance(step := sampling.next_block(done), Block):
        blocks.append(step)
        done.append(sample(512, block=step.number))
    assert {wave.cell.variant for block in blocks for wave in block.waves} == {"head"}
    assert sum(wave.size for block in blocks for wave in block.waves) == plan.expected_invocations
    assert isinstance(sampling.next_block(done), Stop)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code_sha256": "newer"}, "the code of head changed"),
        ({"memory_mb": 256}, "from 512 to 256 MB"),
        ({"runtime": "python3.14"}, "the runtime of head"),
    ],
)
def test_what_somebody_deploys_meanwhile_is_found(change: dict[str, object], words: str) -> None:
    now: FunctionSnapshot = replace(HEAD, **change)  # type: ignore[arg-type]
    (sentence,) = changed_arms(HEAD, now, "head")
    assert words in sentence
    assert changed_arms(HEAD, HEAD, "head") == ()


def test_a_new_revision_of_the_same_code_is_a_warning() -> None:
    assert [n.code for n in revised_notices(HEAD, replace(HEAD, revision_id="r1"), "head")] == ["revision-changed"]
    assert revised_notices(HEAD, replace(HEAD, revision_id=None), "head") == ()


def test_a_side_with_warm_environments_of_its_own_is_said() -> None:
    plan = planned(Sides(base=BASE, head=HEAD))
    warm = [sample(512, cell=Cell(512, Architecture.X86_64, "base"), wave=1, init_ms=None) for _ in range(10)]
    cold = [sample(512, cell=Cell(512, Architecture.X86_64, "head"), wave=2, init_ms=90.0) for _ in range(10)]
    (notice,) = asymmetry_notices([*warm, *cold], plan)
    assert notice.code == "warm-pool"
    assert "--clone" in (notice.remedy or "")
    assert asymmetry_notices(gated(calls=50).samples, plan) == ()
