"""Setting a recommended memory size: one guarded change, and nothing over somebody else's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes import ARN, snapshot
from tuner.engine.apply import apply_memory
from tuner.engine.ports import Conflicted, LatestConfiguration
from tuner.errors import ForeignChangeError, TargetError

FOUND = LatestConfiguration(arn=ARN, memory_mb=512, revision_id="r1", code_sha256="sha", settled=True)


class Function:
    """``$LATEST`` with its revision; ``refusals`` say what happens at the next changes instead of them."""

    def __init__(self, *refusals: str) -> None:
        self.now = FOUND
        self.refusals = list(refusals)
        self.changes: list[tuple[int, str | None]] = []

    async def latest(self, function: str) -> LatestConfiguration:
        return self.now

    async def set_memory(self, function: str, memory_mb: int, *, revision_id: str | None) -> None:
        self.changes.append((memory_mb, revision_id))
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal == "deployed":
            self.now = replace(self.now, code_sha256="other", revision_id="r2")
        elif refusal == "resized":
            self.now = replace(self.now, memory_mb=2048, revision_id="r2")
        elif refusal == "done before":
            self.now = replace(self.now, memory_mb=memory_mb, revision_id="r2")
        elif refusal == "tagged":
            self.now = replace(self.now, revision_id="r2")
        if refusal is not None or revision_id != self.now.revision_id:
            raise Conflicted("an update is in progress")
        self.now = replace(self.now, memory_mb=memory_mb, revision_id="r9")


async def apply(function: Function) -> LatestConfiguration:
    return await apply_memory(function, snapshot().name, FOUND, 1024, poll_interval_s=0.001)  # type: ignore[arg-type]


async def test_the_change_is_guarded_by_the_revision_that_was_looked_at() -> None:
    function = Function()
    assert (await apply(function)).memory_mb == 1024
    assert function.changes == [(1024, "r1")]


async def test_an_update_in_progress_is_waited_for() -> None:
    function = Function("busy", "busy")
    assert (await apply(function)).memory_mb == 1024
    assert len(function.changes) == 3


async def test_a_new_revision_of_the_same_code_and_memory_is_taken_up() -> None:
    function = Function("tagged")
    assert (await apply(function)).memory_mb == 1024
    assert function.changes == [(1024, "r1"), (1024, "r2")]


@pytest.mark.parametrize("refusal", ["deployed", "resized"])
async def test_whoever_deploys_meanwhile_wins(refusal: str) -> None:
    function = Function(refusal)
    with pytest.raises(ForeignChangeError, match="Somebody else"):
        await apply(function)
    assert len(function.changes) == 1
    assert function.now.memory_mb in (512, 2048)


async def test_an_attempt_whose_answer_was_lost_is_not_made_again() -> None:
    function = Function("done before")
    assert (await apply(function)).memory_mb == 1024
    assert len(function.changes) == 1


async def test_a_service_that_goes_on_refusing_is_given_up_with_its_words() -> None:
    function = Function(*["busy"] * 20)
    with pytest.raises(TargetError, match="an update is in progress"):
        await apply(function)
    assert function.now == FOUND
