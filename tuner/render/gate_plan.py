"""What a gate will do and may cost, before anything is done."""

from __future__ import annotations

from collections.abc import Iterator

from tuner.model import Arm, EngineKind, Plan
from tuner.render.document import Column, Document, Section, Table
from tuner.render.terminal import render_document
from tuner.render.text import join_and
from tuner.render.wording import LOCAL_REMARK
from tuner.units import format_usd


def render_gate_plan(plan: Plan, *, width: int, color: bool) -> str:
    """The plan as text of at most ``width`` columns."""
    return render_document(gate_plan_document(plan), width=width, color=color)


def gate_plan_document(plan: Plan) -> Document:
    function = plan.function
    where = f"{function.region}, {function.runtime or function.package_type}, {function.architecture}"
    table = Table(
        caption="", columns=(Column(title="", words=True), Column(title="", words=True)), rows=tuple(_rows(plan))
    )
    return Document(
        title=f"Gate for {function.name}",
        subtitle=where,
        answer=" against ".join(_side(arm) for arm in reversed(plan.arms)),
        open=True,
        paragraphs=(),
        sections=(Section(slug="plan", heading="", tables=(table,)),),
        notices=plan.notices,
        local=LOCAL_REMARK if plan.request.engine is EngineKind.LOCAL else "",
    )


def _rows(plan: Plan) -> Iterator[tuple[str, str]]:
    spend, limit = plan.expected_spend, plan.request.max_cost_usd
    span = f"{format_usd(spend.low_usd)} to {format_usd(spend.high_usd)}"
    yield "Memory", f"{join_and(str(size) for size in plan.request.memory_mb)} MB"
    yield "Calls", f"at most {plan.expected_invocations:,}, {plan.wave_size} at once; fewer where it is plain"
    if plan.request.engine is EngineKind.LOCAL:
        yield "Spend", f"nothing; on AWS {span}"
    else:
        yield "Spend", f"{span} (stops at {format_usd(limit)})"
    yield "Changes", _changes(plan)


def _side(arm: Arm) -> str:
    function = arm.function
    name = function.name if function.qualifier is None else f"{function.name}:{function.qualifier}"
    return f"{name} ({arm.variant})"


def _changes(plan: Plan) -> str:
    if plan.request.engine is EngineKind.LOCAL:
        return "none: both sides exist on this machine only"
    if plan.copies:
        return f"{len(plan.copies)} temporary copies are made, and deleted at the end"
    return "none: both sides are invoked as they are"
