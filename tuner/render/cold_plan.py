"""What a cold-start study will do, in words, before it does anything."""

from __future__ import annotations

from collections.abc import Iterator

from tuner.model import ColdStartGoal, Plan
from tuner.planning.cold_start import versions_of
from tuner.render.text import count
from tuner.units import format_seconds

CALLS_PER_VERSION = 5
"""Change the memory size, wait for it, publish, wait for that, delete: the least that a version takes."""
CALLS_PER_SECOND = 12
"""What tuner keeps to, below the 15 control-plane calls a second that AWS allows a whole account."""


def study_rows(plan: Plan, goal: ColdStartGoal) -> Iterator[tuple[str, str]]:
    """Pairs of a name and what is said of it."""
    yield "Goal", _goal(plan, goal)
    yield "Versions", _versions(plan)
    yield "Invocations", _invocations(plan, goal)
    if len(plan.copies) < len({cell.architecture for cell in plan.cells}):
        now = plan.function.memory_mb
        yield "$LATEST", f"{now} MB now, and again {now} MB after each round of publishing"
    if plan.copies:
        names = ", ".join(copy.architecture.value for copy in plan.copies)
        yield "Copies", f"a temporary one for {names}, deleted at the end"


def sampling_words(plan: Plan, goal: ColdStartGoal) -> str:
    """How the samples were chosen, for a report."""
    until = f"; then until {_precision(goal)}" if goal.precision else ""
    return (
        f"{count(goal.starts_per_cell, 'cold start')} a cell, {_each(plan.wave_size)} on a version of its own, cells "
        f"in random order in each round{until}"
    )


def _goal(plan: Plan, goal: ColdStartGoal) -> str:
    cells = "" if len(plan.cells) == 1 else f" at each of {len(plan.cells)} conditions"
    until = f", then more until {_precision(goal)} or the budget ends" if goal.precision else ""
    return f"{count(goal.starts_per_cell, 'cold start')}{cells}{until}"


def _precision(goal: ColdStartGoal) -> str:
    if goal.precision is None:
        return ""
    return f"p{goal.precision.quantile * 100:g} is known to ±{goal.precision.half_width * 100:g} %"


def _versions(plan: Plan) -> str:
    """Publishing is what a study spends its time on: each version is good for one batch."""
    versions = versions_of(plan)
    pace = format_seconds(versions * CALLS_PER_VERSION / CALLS_PER_SECOND)
    return (
        f"about {versions:,} published and deleted again, {_each(plan.wave_size)} on each: {pace} or more at "
        f"{CALLS_PER_SECOND} control-plane calls a second (AWS allows 15)"
    )


def _each(batch: int) -> str:
    return "1 first call" if batch == 1 else f"{batch} first calls at once"


def _invocations(plan: Plan, goal: ColdStartGoal) -> str:
    warm = "" if goal.warm_per_batch else ", none of them warm"
    return f"about {plan.expected_invocations:,}{warm}, up to {plan.max_in_flight} of them at once"
