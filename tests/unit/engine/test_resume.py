"""What may go on where an earlier attempt ended, and what may not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import plan, snapshot
from tuner.engine.resume import Command, resumed
from tuner.engine.store import RunStore
from tuner.errors import UsageError
from tuner.model import Arm, ColdStartGoal, Plan

RUN = plan()
STUDY = replace(RUN, request=replace(RUN.request, cold_starts=ColdStartGoal()))
GATE = replace(RUN, arms=(Arm(variant="head", function=snapshot()),))


def stored(folder: Path, made: Plan) -> RunStore:
    store = RunStore.create(folder, made.run_id)
    store.write_plan(made)
    return store


@pytest.mark.parametrize(("made", "command"), [(RUN, "run"), (STUDY, "cold-start"), (GATE, "gate")])
def test_a_plan_is_resumed_by_the_command_that_made_it(tmp_path: Path, made: Plan, command: Command) -> None:
    store = stored(tmp_path, made)
    assert resumed(store, made.function, made.request.payload_sha256, command=command) == (made, ())


@pytest.mark.parametrize(("made", "maker"), [(STUDY, "cold-start"), (GATE, "gate")])
def test_another_command_refuses_it_and_names_the_right_one(tmp_path: Path, made: Plan, maker: str) -> None:
    with pytest.raises(UsageError, match=f"`tuner {maker}`, not by `tuner run`"):
        resumed(stored(tmp_path, made), made.function, made.request.payload_sha256, command="run")


@pytest.mark.parametrize(
    ("changes", "difference"), [({"name": "other"}, "it measured"), ({"code_sha256": "other"}, "code has changed")]
)
def test_samples_of_something_else_are_not_added_to(tmp_path: Path, changes: dict[str, str], difference: str) -> None:
    store, now = stored(tmp_path, RUN), snapshot(**changes)
    with pytest.raises(UsageError, match=difference):
        resumed(store, now, RUN.request.payload_sha256, command="run")
