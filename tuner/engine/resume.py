"""Going on with a run that ended early: its plan holds, its samples count, nothing is paid twice."""

from __future__ import annotations

from dataclasses import replace

from tuner.engine.store import RunStore
from tuner.errors import UsageError
from tuner.model import FunctionSnapshot, Plan, Sample


def resumed(store: RunStore, function: FunctionSnapshot, payload_sha256: str) -> tuple[Plan, tuple[Sample, ...]]:
    """The stored plan on the function as it is now, with the samples taken so far.

    Raises UsageError when new samples would not be comparable: another function, other code, another payload.
    """
    plan = store.read_plan()
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
