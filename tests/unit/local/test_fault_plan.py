"""Which calls a plan lets go wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuner.errors import UsageError
from tuner.local.fault_plan import Chooser, FaultPlan, PlanError, parse_fault_plan, read_fault_plan


def plan_of(*rules: dict[str, Any], seed: int = 1) -> FaultPlan:
    return parse_fault_plan({"seed": seed, "faults": list(rules)})


def met_by(plan: FaultPlan, *operations: str) -> list[int]:
    """Positions, from 1, of the calls that meet a fault."""
    chooser = Chooser(plan)
    return [number for number, operation in enumerate(operations, 1) if chooser.next(operation)]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [([1, 4], [1, 4]), ("2-3", [2, 3]), ("5-", [5, 6]), ("1, 5-6", [1, 5, 6]), ("2", [2]), ([], [])],
)
def test_calls_are_counted_from_one(calls: object, expected: list[int]) -> None:
    assert met_by(plan_of({"fault": "throttle", "calls": calls}), *["Invoke"] * 6) == expected


def test_a_rule_counts_the_calls_of_its_own_operation() -> None:
    plan = plan_of({"fault": "throttle", "operation": "PublishVersion", "calls": [2]})
    assert met_by(plan, "PublishVersion", "Invoke", "Invoke", "PublishVersion", "PublishVersion") == [4]


def test_a_rule_for_every_operation_counts_every_call() -> None:
    assert met_by(plan_of({"fault": "expired-credentials", "calls": "3-"}), "A", "B", "C", "D") == [3, 4]


def test_a_limit_ends_a_rule() -> None:
    assert met_by(plan_of({"fault": "error", "limit": 2}), *["Invoke"] * 5) == [1, 2]


def test_chance_is_the_same_for_the_same_seed_and_about_its_share() -> None:
    rule = {"fault": "error", "probability": 0.25}
    first, again, other = (met_by(plan_of(rule, seed=seed), *["Invoke"] * 2000) for seed in (3, 3, 4))
    assert first == again != other
    assert 500 - 80 < len(first) < 500 + 80, "4 standard deviations: fails once in 15,000 seeds"


def test_another_rule_does_not_move_the_draws() -> None:
    rule = {"fault": "error", "operation": "Invoke", "probability": 0.5}
    quiet = {"fault": "latency", "operation": "GetFunction", "probability": 0.5}
    assert met_by(plan_of(rule), *["Invoke"] * 50) == met_by(plan_of(rule, quiet), *["Invoke"] * 50)


def test_what_was_applied_is_remembered_with_the_number_of_its_call() -> None:
    chooser = Chooser(plan_of({"fault": "drop", "operation": "Invoke", "calls": [2]}))
    for operation in ("Invoke", "GetFunction", "Invoke"):
        chooser.next(operation)
    assert [(applied.operation, applied.call, applied.fault) for applied in chooser.applied] == [
        ("Invoke", 2, "drop")
    ]
    assert chooser.calls == {"Invoke": 2, "GetFunction": 1}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a plan is an object"),
        ({"faults": [], "sede": 1}, "the plan: sede is not known"),
        ({"faults": [], "seed": "x"}, "seed must be"),
        ({"faults": ["throttle"]}, "rule 1: fault must be one of"),
        ({"faults": [{"fault": "latency", "seconds": 1}]}, r"rule 1 \(latency\): seconds is not known; there are ms"),
        ({"faults": [{"fault": "latency", "ms": "1"}]}, "ms cannot be '1'"),
        ({"faults": [{"fault": "latency", "ms": -1}]}, "ms cannot be -1"),
        ({"faults": [{"fault": "error", "status": 404}]}, "status must be one of 500, 502, 503, 504"),
        ({"faults": [{"fault": "drop", "when": "during"}]}, "when must be one of before, after"),
        ({"faults": [{"fault": "drop", "probability": 2}]}, "probability must be between"),
        ({"faults": [{"fault": "drop", "limit": -1}]}, "limit must be"),
        ({"faults": [{"fault": "drop", "operation": 1}]}, "operation must be"),
        ({"faults": [{"fault": "drop", "calls": "x-3"}]}, "calls must be like"),
        ({"faults": [{"fault": "drop", "calls": [0]}]}, "calls must be like"),
        ({"faults": [{"fault": "missing-tail", "ms": 1}]}, "there are no options"),
    ],
)
def test_a_mistake_in_a_plan_is_named(value: object, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        parse_fault_plan(value)


def test_a_header_that_asks_for_patience_can_be_left_out() -> None:
    assert plan_of({"fault": "throttle", "retry_after_s": None}).rules[0].fault.retry_after_s is None  # type: ignore[union-attr]


@pytest.mark.parametrize("content", [None, "{", json.dumps({"faults": 1})])
def test_a_file_that_is_no_plan_is_a_usage_error(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "plan.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match=r"plan\.json"):
        read_fault_plan(file)
