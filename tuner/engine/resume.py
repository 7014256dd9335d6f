"""Going on with a run that ended early: its plan holds, its samples count, nothing is paid twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from tuner.engine.store import RunStore
from tuner.errors import UsageError
from tuner.model import FunctionSnapshot, Plan, Sample

Command = Literal["run", "cold-start", "gate"]


def resumed(
    store: RunStore, function: FunctionSnapshot, payload_sha256: str, *, command: Command
) -> tuple[Plan, tuple[Sample, ...]]:
    """The stored plan on the function as it is now, with the samples taken so far.

    Raises UsageError when it is the plan of another command, or when new samples would not be comparable: another
    function, other code, another payload.
    """
    plan = store.read_plan()
    if _command_of(plan) != command:
        raise UsageError(
            f"{plan.run_id} was begun by `tuner {_command_of(plan)}`, not by `tuner {command}`.",
            hint="Give --resume to that command, or leave it out to start afresh.",
        )
    before = plan.function
    differences = {
        f"it measured {before.name}": before.name != function.name,
        "the function's code has changed": before.code_sha256 != function.code_sha256,
        "the function's architecture has changed": before.architecture is not function.architecture,
        "the payload is another": plan.request.payload_sha256 != payload_sha256,
    }
    for difference, true in differences.items():
        if true:
            raise UsageError(
                f"The run {plan.run_id} cannot be resumed: {difference}.",
                hint="Give the same FUNCTION and --payload, or leave --resume out to start afresh.",
            )
    return replace(plan, function=function), store.read_samples()


def _command_of(plan: Plan) -> Command:
    if plan.arms:
        return "gate"
    return "run" if plan.request.cold_starts is None else "cold-start"
