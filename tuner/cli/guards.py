"""What keeps a change of a function from beginning: a run that has not cleaned up, IAM, and the cost of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Protocol

from tuner.aws.control import LambdaControlPlane
from tuner.cli.ask import agreed, askable
from tuner.cli.display import columns, wants_color
from tuner.cli.state import runs_folder
from tuner.engine import recovery
from tuner.engine.preflight import preflight
from tuner.errors import TargetError
from tuner.model import EngineKind, FunctionSnapshot, Plan
from tuner.units import format_usd


class PlanRenderer(Protocol):
    def __call__(self, plan: Plan, *, width: int, color: bool) -> str: ...


def refuse_unfinished(function: FunctionSnapshot, endpoint_url: str | None) -> None:
    recovery.refuse_unfinished(function, runs_folder(), endpoint_url=endpoint_url)


async def checked(plan: Plan, control: LambdaControlPlane) -> Plan:
    """``plan`` with what is to be known before its first change. Raises where IAM would refuse one of them."""
    if plan.request.engine is EngineKind.LOCAL:
        return plan
    known = plan.notices  # of a plan that is resumed
    found = await preflight(control, plan)
    return replace(plan, notices=(*known, *(notice for notice in found if notice not in known)))


def agree(plan: Plan, *, yes: bool, quiet: bool, render: PlanRenderer) -> None:
    """Say what the run will do and cost; above --max-cost ask, or stop when nobody can be asked."""
    if not quiet:
        print(render(plan, width=columns(), color=wants_color(sys.stderr)), end="", file=sys.stderr)
    allowed_usd = plan.request.max_cost_usd
    if plan.request.engine is EngineKind.LOCAL or yes or plan.expected_spend.high_usd <= allowed_usd:
        return
    question = (
        f"If every call runs into the timeout of {plan.function.timeout_s} s this costs up to "
        f"{format_usd(plan.expected_spend.high_usd)}; it stops at --max-cost {format_usd(allowed_usd)}."
    )
    if not askable():
        raise TargetError(question, hint="Add --yes to run under that limit, or raise --max-cost.")
    if not agreed(f"{question} Go on?"):
        raise TargetError("Nothing was run.", hint="Use fewer sizes or samples, or a larger --max-cost.")
