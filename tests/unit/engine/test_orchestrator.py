"""A run publishes, measures and puts the function back, on every way out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes import FakeLambda, Killed, plan, price
from tuner.engine import recovery
from tuner.engine.disk import LOCAL_DISK, Disk
from tuner.engine.dispatcher import Sending
from tuner.engine.journal import Journal, read_journal, unfinished_journals
from tuner.engine.observer import Silent
from tuner.engine.orchestrator import Connection, RunPorts, RunResult, execute
from tuner.engine.ports import SamplingPolicy
from tuner.engine.store import RunStore
from tuner.engine.undo import undo
from tuner.errors import CleanUpIncompleteError, ForeignChangeError, InvocationLostError, TargetError
from tuner.inputs.payload_set import PayloadSet, WeightedPayload
from tuner.model import Architecture, Block, Copy, Outcome, Plan, Sample, Stop
from tuner.planning.sampling import FixedSampling

CALLS_OF_A_RUN = 30
CALLS_OF_A_CLONE_RUN = 24


def policy_of(made: Plan) -> FixedSampling:
    return FixedSampling(
        cells=made.cells,
        samples_per_size=made.request.samples_per_size,
        wave_size=made.wave_size,
        seed=made.request.seed,
    )


async def run(
    fake: FakeLambda,
    runs: Path,
    made: Plan,
    policy: SamplingPolicy | None = None,
    *,
    payloads: PayloadSet | None = None,
    earlier: tuple[Sample, ...] = (),
    disk: Disk = LOCAL_DISK,
    endpoint_url: str | None = None,
) -> RunResult:
    return await execute(
        made,
        sending=Sending(payloads=payloads or PayloadSet.single(b"{}"), seed=1),
        policy_of=(lambda _: policy) if policy is not None else policy_of,
        earlier=earlier,
        store=RunStore.create(runs, made.run_id, disk),
        ports=RunPorts(control=fake, invoker=fake, observer=Silent(), poll_interval_s=0.001),
        connection=Connection(profile=None, endpoint_url=endpoint_url, pid=1),
    )


async def recover(fake: FakeLambda, runs: Path) -> None:
    fake.dead, fake.die_at, fake.fail_at = False, None, None
    done = await recovery.recover(runs, lambda journal: undo(fake, journal, poll_interval_s=0.001))
    assert [one.error for one in done if one.error is not None] == []


async def test_a_run_takes_its_samples_and_leaves_the_function_as_it_was(tmp_path: Path) -> None:
    fake = FakeLambda()
    before = fake.fingerprint()
    result = await run(fake, tmp_path, plan((128, 1024), samples=4, wave=2))
    assert len(result.samples) == 12
    assert {sample.outcome for sample in result.samples} == {Outcome.OK}
    assert fake.fingerprint() == before
    assert unfinished_journals(tmp_path) == []


async def test_latest_is_restored_before_the_second_block(tmp_path: Path) -> None:
    fake = FakeLambda()
    changed_at_block = []

    class LookAtLatest:
        def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
            changed_at_block.append(fake.mine.memory_mb)
            return policy_of(plan()).next_block(samples)

    await run(fake, tmp_path, plan(), LookAtLatest())
    memory_changes = [call for call in fake.calls if call.startswith("set_memory")]
    assert sorted(memory_changes[:2]) == ["set_memory 1024", "set_memory 128"]
    assert memory_changes[2:] == ["set_memory 512"]
    assert changed_at_block == [512] * len(changed_at_block)


async def test_measuring_begins_while_the_next_size_is_still_being_published(tmp_path: Path) -> None:
    fake = FakeLambda()
    await run(fake, tmp_path, plan((128, 256, 1024, 2048), samples=1, wave=1))
    first_invocation = next(i for i, call in enumerate(fake.calls) if call.startswith("invoke"))
    last_publication = max(i for i, call in enumerate(fake.calls) if call == "publish")
    assert first_invocation < last_publication


async def test_the_current_size_is_published_without_changing_the_function(tmp_path: Path) -> None:
    fake = FakeLambda()
    await run(fake, tmp_path, plan((512,)))
    assert not any(call.startswith("set_memory") for call in fake.calls)


async def test_a_run_needs_fewer_than_six_control_plane_calls_a_size(tmp_path: Path) -> None:
    fake = FakeLambda()
    sizes = tuple(range(128, 1408, 128))
    await run(fake, tmp_path, plan(sizes, samples=2, wave=1))
    control = [call for call in fake.calls if not call.startswith("invoke")]
    assert len(control) < 6 * len(sizes)


async def test_every_sample_is_on_disk_as_it_was_returned(tmp_path: Path) -> None:
    made = plan()
    result = await run(FakeLambda(), tmp_path, made)
    rows = RunStore(tmp_path / made.run_id).read_samples()
    assert sorted(rows, key=lambda sample: sample.sequence) == list(result.samples)


@pytest.mark.parametrize("step", range(1, CALLS_OF_A_RUN + 1))
async def test_an_error_at_any_call_leaves_the_function_as_it_was(tmp_path: Path, step: int) -> None:
    fake = FakeLambda(fail_at=step)
    before = fake.fingerprint()
    try:
        result = await run(fake, tmp_path, plan())
    except CleanUpIncompleteError:
        await recover(fake, tmp_path)
    else:
        assert isinstance(result.failure, TargetError)
    assert fake.fingerprint() == before


async def test_an_incomplete_clean_up_names_the_command_that_completes_it(tmp_path: Path) -> None:
    with pytest.raises(CleanUpIncompleteError) as raised:
        await run(FakeLambda(fail_at=CALLS_OF_A_RUN), tmp_path, plan())
    assert "`tuner recover`" in raised.value.hint


@pytest.mark.parametrize("step", range(1, CALLS_OF_A_RUN + 1))
async def test_after_a_kill_at_any_call_recovery_restores_the_function(tmp_path: Path, step: int) -> None:
    fake = FakeLambda(die_at=step)
    before = fake.fingerprint()
    with pytest.raises(BaseException) as death:
        await run(fake, tmp_path, plan())
    assert isinstance(death.value, Killed) or death.group_contains(Killed)
    await recover(fake, tmp_path)
    assert fake.fingerprint() == before


async def test_the_steps_above_cover_every_call_of_a_run(tmp_path: Path) -> None:
    fake = FakeLambda()
    await run(fake, tmp_path, plan())
    assert len(fake.calls) == CALLS_OF_A_RUN


async def test_cancelling_ends_the_measurement_but_not_the_clean_up(tmp_path: Path) -> None:
    fake = FakeLambda()
    before = fake.fingerprint()

    class CancelOnSecondBlock:
        def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
            if samples:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            return policy_of(plan()).next_block(samples)

    result = await run(fake, tmp_path, plan(), CancelOnSecondBlock())
    assert result.interrupted
    assert len(result.samples) == 4
    assert fake.fingerprint() == before


async def test_a_deployment_during_the_run_wins_and_ends_it(tmp_path: Path) -> None:
    fake = FakeLambda()

    class DeployWhenMeasuring:
        def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
            made = plan((256,) if not samples else (2048,), samples=2, wave=2)
            if samples:
                fake.deploy(memory_mb=640)
            return policy_of(made).next_block([s for s in samples if s.cell in made.cells])

    result = await run(fake, tmp_path, plan((256, 2048)), DeployWhenMeasuring())
    assert isinstance(result.failure, ForeignChangeError)
    assert fake.mine.memory_mb == 640
    assert sorted(fake.mine.versions) == ["1", "2"]


async def test_a_size_set_by_somebody_else_after_the_restore_is_not_taken_back(tmp_path: Path) -> None:
    fake = FakeLambda()

    class DeployTheSameSize:
        def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
            if samples:
                fake.deploy(memory_mb=1024)
            return policy_of(plan()).next_block(samples)

    await run(fake, tmp_path, plan(), DeployTheSameSize())
    assert fake.mine.memory_mb == 1024


async def test_the_run_stops_at_its_budget_and_says_so(tmp_path: Path) -> None:
    made = plan((128,), samples=1000, wave=2, max_cost_usd=Decimal("0.000005"))
    result = await run(FakeLambda(), tmp_path, made)
    assert [notice.code for notice in result.notices] == ["budget-reached"]
    assert 0 < len(result.samples) < 100


async def test_throttled_invocations_are_repeated_and_never_sampled(tmp_path: Path) -> None:
    fake = FakeLambda(throttle_first=3)
    result = await run(fake, tmp_path, plan((512,), samples=2, wave=2))
    assert len(result.samples) == fake.invocations == 4


async def test_an_answer_without_a_log_tail_is_unreported_and_has_no_duration(tmp_path: Path) -> None:
    result = await run(FakeLambda(log_tail=None), tmp_path, plan((512,), samples=2, wave=2))
    assert {sample.outcome for sample in result.samples} == {Outcome.UNREPORTED}
    assert {sample.duration_ms for sample in result.samples} == {None}


async def test_the_journal_is_written_before_the_mutation_it_undoes(tmp_path: Path) -> None:
    """Killed inside the very first mutation, the journal already knows it."""
    fake = FakeLambda()
    await run(fake, tmp_path, plan((128,), samples=1, wave=1))
    first = next(i for i, call in enumerate(fake.calls, start=1) if call.startswith("set_memory"))
    runs = tmp_path / "again"
    with pytest.raises(Killed):
        await run(FakeLambda(die_at=first), runs, plan((128,), samples=1, wave=1))
    (record,) = unfinished_journals(runs)
    assert record.memory is not None
    assert record.memory.ours_mb == {128}


async def test_a_live_journal_is_not_taken_over(tmp_path: Path) -> None:
    made = plan()
    checked = []

    class LookAtTheJournal:
        def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
            path = tmp_path / made.run_id / "journal.jsonl"
            with pytest.raises(TargetError, match="still going on"):
                Journal.reopen(path)
            checked.append(read_journal(path))
            return Stop(reason="enough")

    await run(FakeLambda(), tmp_path, made, LookAtTheJournal())
    assert len(checked) == 1


def with_copy(made: Plan, architecture: Architecture = Architecture.X86_64) -> Plan:
    cells = tuple(replace(cell, architecture=architecture) for cell in made.cells)
    return replace(
        made,
        cells=cells,
        prices=(price(architecture),),
        copies=(Copy(name="tuner-thumbnail-abc", architecture=architecture),),
    )


async def test_a_clone_run_never_touches_the_function(tmp_path: Path) -> None:
    fake = FakeLambda()
    revision = fake.mine.revision_id
    result = await run(fake, tmp_path, with_copy(plan()))
    assert len(result.samples) == 12
    assert fake.mine.revision_id == revision
    assert fake.mine.invoked.total() == 0
    assert fake.copies == {}


async def test_a_function_that_has_the_name_of_the_copy_already_is_neither_measured_nor_deleted(
    tmp_path: Path,
) -> None:
    fake = FakeLambda(foreign_copies=frozenset({"tuner-thumbnail-abc"}))
    result = await run(fake, tmp_path, with_copy(plan()))
    assert isinstance(result.failure, TargetError)
    assert [call for call in fake.calls if call.startswith(("publish", "set_memory", "invoke"))] == []


@pytest.mark.parametrize("step", range(1, CALLS_OF_A_CLONE_RUN + 1))
async def test_after_a_kill_at_any_call_of_a_clone_run_recovery_removes_the_copy(tmp_path: Path, step: int) -> None:
    fake = FakeLambda(die_at=step)
    before = fake.fingerprint()
    with pytest.raises(BaseException) as death:
        await run(fake, tmp_path, with_copy(plan()))
    assert isinstance(death.value, Killed) or death.group_contains(Killed)
    await recover(fake, tmp_path)
    assert fake.fingerprint() == before


async def test_the_steps_above_cover_every_call_of_a_clone_run(tmp_path: Path) -> None:
    fake = FakeLambda()
    await run(fake, tmp_path, with_copy(plan()))
    assert len(fake.calls) == CALLS_OF_A_CLONE_RUN


async def test_code_that_cannot_start_on_the_other_architecture_is_not_portable_and_not_measured(
    tmp_path: Path,
) -> None:
    fake = FakeLambda(import_error_on=Architecture.ARM64)
    result = await run(fake, tmp_path, with_copy(plan(), Architecture.ARM64))
    assert [notice.code for notice in result.notices] == ["not-portable"]
    assert "_native" in result.notices[0].message
    assert result.samples == ()
    assert result.cells == ()
    assert fake.copies == {}


async def test_a_resumed_run_takes_only_what_is_missing(tmp_path: Path) -> None:
    made = plan((128, 1024), samples=4, wave=2)
    whole = await run(FakeLambda(), tmp_path / "whole", made)
    half = tuple(sample for sample in whole.samples if sample.block <= 2)
    fake = FakeLambda()
    result = await run(fake, tmp_path, made, earlier=half)
    assert result.samples[: len(half)] == half
    assert [sample.sequence for sample in result.samples] == list(range(1, len(result.samples) + 1))
    warm = [sample for sample in result.samples if not sample.cold]
    assert len(warm) == 8
    assert fake.invocations == len(result.samples) - len(half)


async def test_the_budget_counts_what_an_earlier_attempt_spent(tmp_path: Path) -> None:
    made = plan((128,), samples=50, wave=2, max_invocations=20)
    first = await run(FakeLambda(), tmp_path / "first", made)
    assert len(first.samples) == 20
    again = await run(FakeLambda(), tmp_path, made, earlier=first.samples)
    assert again.samples == first.samples
    assert [notice.code for notice in again.notices] == ["budget-reached"]


async def test_a_run_out_of_time_starts_nothing_more(tmp_path: Path) -> None:
    result = await run(FakeLambda(), tmp_path, plan((128,), samples=4, wave=2, max_time_s=0.0))
    assert result.samples == ()
    assert [notice.code for notice in result.notices] == ["budget-reached"]


async def test_before_any_cost_is_known_only_one_wave_is_in_flight(tmp_path: Path) -> None:
    """Four sizes, room for two waves: a budget of nothing is exceeded by one wave, not by two."""
    made = plan((128, 256, 512, 1024), samples=4, wave=2, max_cost_usd=Decimal("0.0000001"))
    result = await run(FakeLambda(), tmp_path, made)
    assert len(result.samples) == 2


async def test_payloads_are_chosen_by_weight_and_their_placeholders_filled_in(tmp_path: Path) -> None:
    payloads = PayloadSet((WeightedPayload(b'{"kind":"often"}', 3), WeightedPayload(b'{"kind":"${index}"}', 1)))
    fake = FakeLambda()
    await run(fake, tmp_path, plan((128,), samples=398, wave=20), payloads=payloads)
    often = sum(data == b'{"kind":"often"}' for data in fake.sent)
    assert 0.7 < often / len(fake.sent) < 0.8
    assert not any(b"${" in data for data in fake.sent)
    assert len({data for data in fake.sent if data != b'{"kind":"often"}'}) == len(fake.sent) - often


async def test_a_refused_change_is_repeated_when_nobody_else_changed_anything(tmp_path: Path) -> None:
    fake = FakeLambda(conflicts=3)
    before = fake.fingerprint()
    result = await run(fake, tmp_path, plan())
    assert result.failure is None
    assert len(result.samples) == 12
    assert fake.fingerprint() == before


async def test_a_change_that_is_always_refused_ends_the_run_and_leaves_the_function(tmp_path: Path) -> None:
    fake = FakeLambda(conflicts=13)
    before = fake.fingerprint()
    result = await run(fake, tmp_path, plan())
    assert isinstance(result.failure, ForeignChangeError)
    assert fake.fingerprint() == before


async def test_a_lost_invocation_is_a_row_and_what_is_missing_is_measured_again(tmp_path: Path) -> None:
    fake = FakeLambda(lose=frozenset({5, 9}))
    result = await run(fake, tmp_path, plan((128, 1024), samples=6, wave=3))
    lost = [sample for sample in result.samples if sample.outcome is Outcome.LOST]
    warm = [sample for sample in result.samples if sample.outcome is Outcome.OK and not sample.cold]
    assert len(lost) == 2
    assert len(warm) >= 12
    assert fake.invocations == len(result.samples)


async def test_when_most_invocations_are_lost_the_run_ends_with_the_reason(tmp_path: Path) -> None:
    fake = FakeLambda(lose=frozenset(range(1, 100)))
    result = await run(fake, tmp_path, plan((128, 1024), samples=6, wave=3))
    assert isinstance(result.failure, InvocationLostError)
    assert len(result.samples) <= 12
