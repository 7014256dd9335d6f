"""Somebody else acts on the function at the same time: what is theirs stays, and what is ours is undone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import ARN, FakeLambda, Killed, plan, snapshot
from tests.unit.engine.test_orchestrator import policy_of, recover, run
from tuner.engine import recovery
from tuner.engine.disk import AppendOnly, LocalDisk
from tuner.engine.journal import unfinished_journals
from tuner.engine.orchestrator import RunResult
from tuner.engine.ownership import version_description
from tuner.engine.ports import PublishedVersion
from tuner.engine.recovery import refuse_unfinished
from tuner.engine.store import RunStore
from tuner.engine.undo import delete_marked_versions, undo
from tuner.errors import (
    CleanUpIncompleteError,
    ForeignChangeError,
    OtherAccountError,
    RunInProgressError,
    TunerError,
)
from tuner.model import Block, EngineKind, FunctionTarget, Plan, Sample, Stop

OTHER_ACCOUNT = ARN.replace("123456789012", "999999999999")
RUN_IDS = ("20261121T000000-abc", "20261121T000000-def")


class Before:
    """The usual policy, and something that happens before one of its blocks."""

    def __init__(self, made: Plan, block: int, act: Callable[[], object]) -> None:
        self._policy = policy_of(made)
        self._block = block
        self._act = act

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
        step = self._policy.next_block(samples)
        if isinstance(step, Block) and step.number == self._block:
            self._act()
        return step


class ReleasedAt(FakeLambda):
    """A pipeline publishes ``$LATEST`` as soon as a run has given it this size."""

    release_at_mb = 1024

    async def set_memory(self, function: str, memory_mb: int, *, revision_id: str | None) -> None:
        await super().set_memory(function, memory_mb, revision_id=revision_id)
        if memory_mb == self.release_at_mb:
            self.release("release 7")


async def killed(fake: FakeLambda, runs: Path, made: Plan, *, at: str, nth: int = 1) -> None:
    """A run that is killed at the n-th call of that name, before or after it takes effect."""
    clean = FakeLambda()
    await run(clean, runs / "clean", made)
    places = [number for number, call in enumerate(clean.calls, start=1) if call.startswith(at)]
    fake.die_at = places[nth - 1]
    with pytest.raises(BaseException) as death:
        await run(fake, runs, made)
    assert isinstance(death.value, Killed) or death.group_contains(Killed)
    fake.dead, fake.die_at = False, None


# H1: a version is ours only if its description carries the id of this run.


async def test_a_version_that_a_pipeline_publishes_of_the_unchanged_function_survives(tmp_path: Path) -> None:
    """Publishing the size that the function has answers their version: it is measured, and stays."""
    fake, made = FakeLambda(), plan((512, 1024))
    numbers: list[str] = []
    result = await run(fake, tmp_path, made, Before(made, 1, lambda: numbers.append(fake.release("release 7"))))
    assert result.failure is None
    assert fake.mine.versions[numbers[0]].description == "release 7"
    assert sorted(fake.mine.versions) == ["1", "2", "3"]
    assert fake.mine.memory_mb == 512
    assert "delete_version 3" not in fake.calls


async def test_a_version_that_a_pipeline_publishes_while_the_function_has_our_size_survives(tmp_path: Path) -> None:
    fake = ReleasedAt()
    await run(fake, tmp_path, plan((128, 1024)))
    assert [v.version for v in fake.mine.versions.values() if v.description == "release 7"]
    assert not [v for v in fake.mine.versions.values() if v.description.startswith("tuner")]
    assert (fake.mine.memory_mb, fake.mine.marks) == (512, {})


@pytest.mark.parametrize("memory_mb", [512, 1024])
async def test_versions_of_a_function_made_again_between_a_kill_and_recover_survive(
    tmp_path: Path, memory_mb: int
) -> None:
    """Its versions have the numbers of ours and its memory may be the size we set last: it is another function."""
    fake = FakeLambda()
    await killed(fake, tmp_path, plan(), at="invoke", nth=5)
    assert {"3", "4"} <= set(fake.mine.versions)
    fake.recreate(memory_mb=memory_mb, releases=4)
    before = fake.fingerprint()
    await recover(fake, tmp_path)
    assert fake.fingerprint() == before
    assert unfinished_journals(tmp_path) == []


async def test_the_memory_of_a_function_made_again_with_the_size_we_set_last_stays(tmp_path: Path) -> None:
    """Killed before the size was given back: the journal says that 1,024 MB can only be ours."""
    fake = FakeLambda()
    await killed(fake, tmp_path, plan(), at="publish", nth=2)
    (record,) = unfinished_journals(tmp_path)
    assert record.memory is not None
    (ours_mb,) = record.memory.ours_mb
    fake.recreate(memory_mb=ours_mb, releases=4)
    before = fake.fingerprint()
    await recover(fake, tmp_path)
    assert fake.fingerprint() == before


# H3: an answer from another account changes nothing.


async def test_a_journal_of_another_account_undoes_nothing_and_stays_open(tmp_path: Path) -> None:
    """The same function name under other credentials is another function."""
    await killed(FakeLambda(), tmp_path, plan(), at="publish", nth=2)
    (record,) = unfinished_journals(tmp_path)
    assert record.memory is not None
    elsewhere = FakeLambda(function=snapshot(arn=OTHER_ACCOUNT))
    (elsewhere.mine.memory_mb,) = record.memory.ours_mb
    elsewhere.mine.marks[record.opened.run_id] = 512
    elsewhere.release(version_description(record.opened.run_id))
    before = elsewhere.fingerprint()
    (done,) = await recovery.recover(tmp_path, lambda journal: undo(elsewhere, journal, poll_interval_s=0.001))
    assert isinstance(done.error, OtherAccountError)
    assert "Nothing was changed" in done.error.hint
    assert elsewhere.fingerprint() == before
    assert len(unfinished_journals(tmp_path)) == 1


async def test_a_run_whose_second_answer_is_of_another_account_changes_nothing(tmp_path: Path) -> None:
    fake = FakeLambda(function=snapshot(arn=OTHER_ACCOUNT))
    result = await run_to_its_end(fake, tmp_path, plan())
    assert isinstance(result, OtherAccountError | CleanUpIncompleteError)
    assert not any(call.startswith(("set_memory", "publish", "delete")) for call in fake.calls)


# H4: only the size set last is ours.


async def test_a_deployment_after_a_kill_stays_also_with_a_size_that_the_run_had_set_before(tmp_path: Path) -> None:
    fake = FakeLambda()
    await killed(fake, tmp_path, plan((128, 1024)), at="publish", nth=2)
    (record,) = unfinished_journals(tmp_path)
    assert record.memory is not None
    assert fake.mine.memory_mb in record.memory.ours_mb
    (earlier_mb,) = {128, 1024} - {fake.mine.memory_mb}
    fake.deploy(memory_mb=earlier_mb)
    (done,) = await recovery.recover(tmp_path, lambda journal: undo(fake, journal, poll_interval_s=0.001))
    assert fake.mine.memory_mb == earlier_mb
    assert [notice.code for notice in done.notices] == [ForeignChangeError.slug]
    assert sorted(fake.mine.versions) == ["1", "2"]


# M4: a mark on the function tells machines of each other; one folder has one lock a function.


async def test_the_mark_is_on_the_function_before_its_memory_changes_and_off_at_the_end(tmp_path: Path) -> None:
    fake = FakeLambda()
    await run(fake, tmp_path, plan())
    changes = [call for call in fake.calls if call.startswith(("mark", "set_memory", "publish", "unmark"))]
    assert changes[0] == "unmark", "that tags may be removed is known first"
    assert (changes[1], changes[-1]) == ("mark", "unmark")
    assert fake.mine.marks == {}


async def test_a_function_that_another_machine_has_marked_meanwhile_is_left_alone(tmp_path: Path) -> None:
    fake = FakeLambda()
    fake.mine.marks[RUN_IDS[1]] = 512
    before = fake.fingerprint()
    result = await run(fake, tmp_path, plan())
    assert isinstance(result.failure, RunInProgressError)
    assert fake.fingerprint() == before
    assert not any(call.startswith("set_memory") for call in fake.calls)


async def run_to_its_end(fake: FakeLambda, runs: Path, made: Plan) -> RunResult | TunerError:
    """The result of a run, or what it raised."""
    try:
        result = await run(fake, runs, made)
    except TunerError as error:
        return error
    return result.failure or result


@pytest.mark.parametrize("wait", range(0, 60, 2))
async def test_two_machines_at_once_leave_the_function_as_it_was(tmp_path: Path, wait: int) -> None:
    """The second one looks at the function somewhere between the first one's steps."""
    fake = FakeLambda()
    before = fake.fingerprint()

    async def second() -> RunResult | TunerError:
        for _ in range(wait):
            await asyncio.sleep(0)
        seen = await fake.describe(FunctionTarget(name="thumbnail"))
        if seen.tuner_runs:
            return RunInProgressError("It carries the mark of another run.", hint="Wait for it.")
        made = plan((256, 2048))
        return await run_to_its_end(fake, tmp_path / "two", replace(made, run_id=RUN_IDS[1], function=seen))

    ends = await asyncio.gather(run_to_its_end(fake, tmp_path / "one", plan()), second())
    assert any(isinstance(end, RunInProgressError) for end in ends)
    assert fake.fingerprint() == before


async def test_of_two_runs_at_once_in_one_state_folder_one_is_refused_before_it_begins(tmp_path: Path) -> None:
    fake = FakeLambda()
    before = fake.fingerprint()
    ends = await asyncio.gather(
        *(run_to_its_end(fake, tmp_path / "runs", replace(plan(), run_id=run_id)) for run_id in RUN_IDS)
    )
    assert sorted(type(end).__name__ for end in ends) == ["RunInProgressError", "RunResult"]
    assert fake.calls.count("mark") == 1
    assert fake.fingerprint() == before


async def test_a_run_that_has_the_lock_and_no_journal_yet_keeps_a_second_one_away(tmp_path: Path) -> None:
    fake = FakeLambda()
    first = RunStore.create(tmp_path / "runs", RUN_IDS[0])
    with contextlib.closing(first.lock(ARN, None)):
        end = await run_to_its_end(fake, tmp_path / "runs", replace(plan(), run_id=RUN_IDS[1]))
    assert isinstance(end, RunInProgressError)
    assert fake.calls == []


class AnotherRunDies(LocalDisk):
    """While a run waits for its lock, another one on the function is killed."""

    def __init__(self, journal: Path, left: bytes) -> None:
        self._journal = journal
        self._left = left

    def open_locked(self, path: Path) -> AppendOnly:
        if path.suffix == ".lock":
            self._journal.parent.mkdir()
            self._journal.write_bytes(self._left)
        return super().open_locked(path)


async def test_a_run_that_died_just_before_the_lock_was_had_is_seen(tmp_path: Path) -> None:
    await killed(FakeLambda(), tmp_path / "other", plan(), at="publish")
    left = (tmp_path / "other" / plan().run_id / "journal.jsonl").read_bytes()
    fake, runs = FakeLambda(), tmp_path / "runs"
    disk = AnotherRunDies(runs / plan().run_id / "journal.jsonl", left)
    with pytest.raises(RunInProgressError, match="has not cleaned up"):
        await run(fake, runs, replace(plan(), run_id=RUN_IDS[1]), disk=disk)
    assert fake.calls == []


# M6: a step that fails does not stop the others.


async def test_an_alias_on_one_of_our_versions_stops_neither_the_memory_nor_the_other_versions(
    tmp_path: Path,
) -> None:
    fake, made = FakeLambda(), plan((128, 1024))
    with pytest.raises(CleanUpIncompleteError, match="version 3") as raised:
        await run(fake, tmp_path, made, Before(made, 2, lambda: fake.mine.aliases.update(live="3")))
    assert "tuner recover" in raised.value.hint
    assert fake.mine.memory_mb == 512
    assert sorted(fake.mine.versions) == ["1", "2", "3"]
    fake.mine.aliases["live"] = "2"
    await recover(fake, tmp_path)
    assert fake.fingerprint() == FakeLambda().fingerprint()


async def test_memory_that_cannot_be_given_back_stops_no_deletion_and_all_that_is_left_is_named(
    tmp_path: Path,
) -> None:
    fake = FakeLambda()
    await killed(fake, tmp_path, plan((128, 1024)), at="publish", nth=2)
    ours = [v.version for v in fake.mine.versions.values() if v.description.startswith("tuner run")]
    fake.mine.aliases["live"] = ours[0]
    fake.conflicts = 100
    (done,) = await recovery.recover(tmp_path, lambda journal: undo(fake, journal, poll_interval_s=0.0001))
    assert done.error is not None
    assert "memory" in done.error.message
    assert f"version {ours[0]}" in done.error.message
    assert set(fake.mine.versions) == {"1", "2", ours[0]}
    fake.conflicts, fake.mine.aliases = 0, {}
    await recover(fake, tmp_path)
    assert fake.fingerprint() == FakeLambda().fingerprint()


# M10: a description that begins like ours is not ours.


async def test_versions_that_only_begin_like_ours_are_left_alone(tmp_path: Path) -> None:
    fake = FakeLambda()
    theirs = ("tuner run by hand", "tuner run ", f"tuner run {RUN_IDS[0]} or so", "about the tuner run")
    for number, description in enumerate(theirs, start=3):
        fake.mine.versions[str(number)] = PublishedVersion(
            version=str(number), memory_mb=512, description=description
        )
    fake.mine.versions["9"] = PublishedVersion(
        version="9", memory_mb=512, description=version_description(RUN_IDS[0])
    )
    assert await delete_marked_versions(fake, ARN) == ("9",)
    assert sorted(fake.mine.versions) == ["1", "2", "3", "4", "5", "6"]


# M13: a function behind another endpoint is another function.


async def test_an_unfinished_run_behind_another_endpoint_blocks_nothing(tmp_path: Path) -> None:
    await killed(FakeLambda(), tmp_path, plan(), at="publish")
    refuse_unfinished(snapshot(), tmp_path, endpoint_url="http://127.0.0.1:4566")
    with pytest.raises(RunInProgressError):
        refuse_unfinished(snapshot(), tmp_path)


async def test_runs_on_functions_of_one_name_behind_two_endpoints_do_not_wait_for_each_other(tmp_path: Path) -> None:
    fakes = (FakeLambda(), FakeLambda())
    results = await asyncio.gather(
        *(
            run(
                fake,
                tmp_path / "runs",
                replace(plan(), run_id=run_id),
                endpoint_url=f"http://127.0.0.1:{4566 + number}",
            )
            for number, (fake, run_id) in enumerate(zip(fakes, RUN_IDS, strict=True))
        )
    )
    assert [result.failure for result in results] == [None, None]


async def test_a_private_server_needs_no_lock(tmp_path: Path) -> None:
    made = plan()
    local = replace(made, request=replace(made.request, engine=EngineKind.LOCAL))
    fakes = (FakeLambda(), FakeLambda())
    results = await asyncio.gather(
        *(
            run(fake, tmp_path / "runs", replace(local, run_id=run_id))
            for fake, run_id in zip(fakes, RUN_IDS, strict=True)
        )
    )
    assert [result.failure for result in results] == [None, None]
    assert not (tmp_path / "locks").exists()
