"""A cold-start study is planned in batches, and goes on until every cell has what was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes import limits, price, snapshot
from tests.unit.statistics.cold.factory import first_call
from tuner.errors import UsageError
from tuner.model import (
    Architecture,
    Block,
    Cell,
    ColdStartGoal,
    EngineKind,
    FunctionSnapshot,
    Outcome,
    Plan,
    Precision,
    RunRequest,
    Sample,
    Stop,
)
from tuner.planning.cold_start import (
    ColdStartSampling,
    batch_size,
    cold_start_sampling,
    parse_precision,
    plan_cold_starts,
    versions_of,
)

PRICES = {architecture: price(architecture) for architecture in Architecture}


def planned(
    starts: int = 200,
    *,
    function: FunctionSnapshot | None = None,
    engine: EngineKind = EngineKind.AWS,
    concurrency: int = 100,
    wave: int | None = None,
    goal: ColdStartGoal | None = None,
) -> Plan:
    request = RunRequest(
        function="thumbnail",
        engine=engine,
        memory_mb=(512, 1769),
        architectures=(Architecture.X86_64, Architecture.ARM64),
        wave_size=wave,
        cold_starts=goal or ColdStartGoal(starts_per_cell=starts),
    )
    return plan_cold_starts(
        request, function or snapshot(), limits(concurrency), PRICES, run_id="20261121T000000-abc"
    )


Answer = Callable[[int, bool], dict[str, object]]


def cold_if_fresh(_: int, fresh: bool) -> dict[str, object]:
    return {} if fresh else {"init_ms": None, "client_ms": 60.0, "billed_ms": 50.0}


def carried_out(
    policy: ColdStartSampling, answer: Answer = cold_if_fresh, *, most_blocks: int = 2000
) -> tuple[list[Block], list[Sample]]:
    """The study on a service that publishes a version for every wave of a fresh block."""
    blocks: list[Block] = []
    samples: list[Sample] = []
    version: dict[Cell, str] = {}
    while isinstance(block := policy.next_block(samples), Block):
        assert len(blocks) < most_blocks, "the study does not end"
        blocks.append(block)
        for wave_number, wave in enumerate(block.waves):
            if block.fresh:
                version[wave.cell] = f"{block.number}.{wave_number}"
            for _ in range(wave.size):
                sequence = len(samples) + 1
                changes = {
                    "block": block.number,
                    "wave": 100 * block.number + wave_number,
                    "cell": wave.cell,
                    "version": version[wave.cell],
                }
                samples.append(first_call(sequence, **changes, **answer(sequence, block.fresh)))  # type: ignore[arg-type]
    assert isinstance(block, Stop)
    assert block.reason
    return blocks, samples


@pytest.mark.parametrize(
    ("starts", "size"),
    [(6, 1), (12, 1), (24, 2), (36, 1), (60, 2), (80, 1), (100, 2), (200, 5), (400, 5), (1000, 10), (5000, 10)],
)
def test_batches_are_as_large_as_the_highest_percentile_allows(starts: int, size: int) -> None:
    assert batch_size(starts, 100, engine=EngineKind.AWS, snap_start=False) == size


def test_batches_fit_the_concurrency() -> None:
    assert batch_size(1000, 3, engine=EngineKind.AWS, snap_start=False) == 3
    assert planned(1000, concurrency=8).wave_size == 4, "half of what there is"


def test_locally_inits_run_one_at_a_time() -> None:
    plan = planned(engine=EngineKind.LOCAL)
    assert (plan.wave_size, plan.max_in_flight) == (1, 1)


def test_snapshots_are_few_because_each_takes_minutes() -> None:
    assert batch_size(200, 100, engine=EngineKind.AWS, snap_start=True) == 20


def test_the_plan_says_what_the_study_takes() -> None:
    """4 cells x (200 first calls + 40 batches x 4 warm ones) = 1440 invocations of 160 versions."""
    plan = planned()
    assert plan.expected_invocations == 1440
    assert versions_of(plan) == 160
    assert len(plan.copies) == 1
    assert plan.request.cold_starts == ColdStartGoal(starts_per_cell=200)


def test_the_spend_lies_between_one_millisecond_and_a_timeout_after_ten_seconds_of_init_for_every_call() -> None:
    gb_s, request = Decimal("0.0000166667"), Decimal("0.0000002")
    gb = 2 * (Decimal(512) + 1769) / 1024
    plan = planned()
    assert plan.expected_spend.low_usd == 360 * (gb * gb_s / 1000 + 4 * request)
    assert plan.expected_spend.high_usd == 360 * (gb * gb_s * 13 + 4 * request)


def test_the_cache_of_snapshots_is_part_of_the_spend() -> None:
    """2 x 10 versions at 0.5 GB and at 1769/1024 GB, three hours each."""
    function = snapshot(snap_start=True, region="us-east-1")
    with_cache, without = planned(function=function), planned(function=replace(function, runtime="java21"))
    cache = 20 * (Decimal(512) + 1769) / 1024 * 10_800 * Decimal("0.0000015046")
    assert with_cache.expected_spend.low_usd - without.expected_spend.low_usd == cache


def test_a_precision_may_spend_all_that_is_allowed() -> None:
    goal = ColdStartGoal(starts_per_cell=6, precision=Precision(quantile=0.95, half_width=0.05))
    assert planned(goal=goal).expected_spend.high_usd >= Decimal("0.10")
    assert planned(goal=goal).wave_size == 5


def test_too_few_batches_for_the_percentiles_are_announced() -> None:
    (notice,) = planned(wave=20).notices
    assert notice.code == "few-batches"
    assert notice.remedy == "Use --wave 5."
    assert planned().notices == ()


def test_a_wave_beyond_the_concurrency_is_refused() -> None:
    with pytest.raises(UsageError, match="does not fit"):
        planned(concurrency=10, wave=6)


def test_a_study_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError) as raised:
        planned(0)
    assert "-n" in raised.value.hint


def test_every_cell_gets_its_cold_starts_in_fresh_batches_and_warm_waves_beside() -> None:
    blocks, samples = carried_out(cold_start_sampling(planned(20)))
    cold = Counter(sample.cell for sample in samples if sample.cold)
    assert set(cold.values()) == {20}
    assert [block.fresh for block in blocks] == [True, False] * 20
    assert all({wave.cell for wave in block.waves} == set(planned(20).cells) for block in blocks)


def test_no_cell_has_two_waves_in_a_block_so_that_each_has_a_version_of_its_own() -> None:
    blocks, _ = carried_out(cold_start_sampling(planned(50)))
    assert all(len({wave.cell for wave in block.waves}) == len(block.waves) for block in blocks)


def test_cells_take_turns_in_an_order_that_the_seed_decides() -> None:
    policy = cold_start_sampling(planned(50))
    blocks, samples = carried_out(policy)
    orders = {tuple(wave.cell for wave in block.waves) for block in blocks}
    assert len(orders) > 5
    assert carried_out(policy) == (blocks, samples), "a replay asks for the same"
    assert carried_out(replace(policy, seed=2))[0] != blocks


def test_first_calls_without_an_init_are_made_up_for() -> None:
    def every_fifth_ahead(sequence: int, fresh: bool) -> dict[str, object]:
        return {"init_ms": None} if sequence % 5 == 0 else cold_if_fresh(sequence, fresh)

    _, samples = carried_out(cold_start_sampling(planned(20)), every_fifth_ahead)
    assert set(Counter(sample.cell for sample in samples if sample.cold).values()) == {20}


def test_without_warm_calls_all_blocks_are_fresh() -> None:
    goal = ColdStartGoal(starts_per_cell=12, warm_per_batch=0)
    blocks, samples = carried_out(cold_start_sampling(planned(goal=goal)))
    assert all(block.fresh for block in blocks)
    assert len(samples) == 48


@pytest.mark.parametrize(
    "hopeless",
    [
        {"init_ms": None},
        {"outcome": Outcome.INIT_ERROR, "init_ms": None},
        {"outcome": Outcome.LOST, "init_ms": None, "duration_ms": None},
    ],
)
def test_a_cell_that_never_starts_cold_is_given_up_soon(hopeless: dict[str, object]) -> None:
    _, samples = carried_out(cold_start_sampling(planned(200)), lambda _, __: hopeless)
    assert max(Counter(sample.cell for sample in samples).values()) <= 20


def test_a_cell_that_rarely_starts_cold_is_given_up_after_twice_its_batches() -> None:
    def rarely(sequence: int, fresh: bool) -> dict[str, object]:
        return {} if fresh and sequence % 10 == 0 else {"init_ms": None}

    goal = ColdStartGoal(starts_per_cell=100, warm_per_batch=0)
    _, samples = carried_out(cold_start_sampling(planned(goal=goal)), rarely)
    assert max(Counter(sample.cell for sample in samples).values()) <= 2 * 100 + 2


def test_a_single_failure_at_the_beginning_gives_nothing_up() -> None:
    def first_fails(sequence: int, fresh: bool) -> dict[str, object]:
        failed: dict[str, object] = {"outcome": Outcome.TIMEOUT, "init_ms": None}
        return failed if sequence == 1 else cold_if_fresh(sequence, fresh)

    _, samples = carried_out(cold_start_sampling(planned(20)), first_fails)
    assert set(Counter(s.cell for s in samples if s.cold).values()) == {20}


def test_a_precision_keeps_a_cell_going_until_its_interval_is_narrow() -> None:
    def noisy(sequence: int, fresh: bool) -> dict[str, object]:
        init_ms = 300.0 + 37 * (sequence * 7919 % 101) / 10
        return {"init_ms": init_ms, "billed_ms": 1000.0} if fresh else cold_if_fresh(sequence, fresh)

    def starts(half_width: float) -> int:
        precision = Precision(quantile=0.5, half_width=half_width)
        goal = ColdStartGoal(starts_per_cell=12, warm_per_batch=0, precision=precision)
        _, samples = carried_out(cold_start_sampling(planned(goal=goal)), noisy)
        return len(samples)

    assert 48 <= starts(0.2) < starts(0.05) < starts(0.03)


def test_a_resumed_study_goes_on_where_it_ended() -> None:
    policy = cold_start_sampling(planned(20))
    _, samples = carried_out(policy)
    half = [sample for sample in samples if sample.block <= 5]
    block = policy.next_block(half)
    assert isinstance(block, Block)
    assert (block.number, block.fresh) == (6, False)


@pytest.mark.parametrize(
    ("text", "quantile", "half_width"),
    [("p95±5%", 0.95, 0.05), ("p50 ± 2 %", 0.5, 0.02), ("p99+-10%", 0.99, 0.1), ("p90:0.05", 0.9, 0.05)],
)
def test_a_precision_is_read(text: str, quantile: float, half_width: float) -> None:
    assert parse_precision(text) == Precision(quantile=quantile, half_width=half_width)


@pytest.mark.parametrize("text", ["", "p95", "5%", "p42±5%", "p95±0%", "p95±x", "p95±100%"])
def test_what_is_no_precision_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_precision(text)
    assert "5%" in raised.value.hint


def test_order_of_arrival_does_not_change_what_comes_next() -> None:
    policy = cold_start_sampling(planned(20))
    _, samples = carried_out(policy)
    some: Sequence[Sample] = [sample for sample in samples if sample.block <= 4]
    assert policy.next_block(some) == policy.next_block(list(reversed(some)))
