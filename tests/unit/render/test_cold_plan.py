"""What a study says before it does anything: what it publishes, how long that takes, what it may cost."""

from __future__ import annotations

from decimal import Decimal

from tuner.model import (
    AccountLimits,
    Architecture,
    ColdStartGoal,
    EngineKind,
    FunctionSnapshot,
    Plan,
    Precision,
    RunRequest,
)
from tuner.planning.cold_start import ColdStartSampling, plan_cold_starts
from tuner.planning.plan import sampling_of
from tuner.pricing import price_for
from tuner.render.cold_plan import sampling_words
from tuner.render.terminal import render_plan

X86, ARM = Architecture.X86_64, Architecture.ARM64
FUNCTION = FunctionSnapshot(
    name="thumbnail",
    arn="arn:aws:lambda:eu-central-1:123456789012:function:thumbnail",
    region="eu-central-1",
    runtime="python3.13",
    package_type="Zip",
    architecture=X86,
    memory_mb=512,
    timeout_s=30,
    code_sha256="m7tOs8tPpT0AeDcVJrtGkXc0mZ8n1J0vQy9c4W2sK1E=",
    revision_id="1",
    state="Active",
    last_update_status="Successful",
    versions=(),
)
LIMITS = AccountLimits(concurrent_executions=1000, unreserved_concurrent_executions=1000)


def plan(*, starts: int = 200, architectures: tuple[Architecture, ...] = (X86, ARM), **goal: object) -> Plan:
    request = RunRequest(
        function="thumbnail",
        engine=EngineKind.AWS,
        memory_mb=(512, 1769),
        architectures=architectures,
        max_cost_usd=Decimal("0.10"),
        cold_starts=ColdStartGoal(starts_per_cell=starts, **goal),  # type: ignore[arg-type]
    )
    prices = {architecture: price_for("eu-central-1", architecture) for architecture in Architecture}
    return plan_cold_starts(request, FUNCTION, LIMITS, prices, run_id="20261121T093000-abcdef")


def shown(of: Plan, width: int = 80) -> str:
    return " ".join(render_plan(of, width=width, color=False).split())


def test_it_says_what_is_published_at_what_pace_and_that_it_is_deleted() -> None:
    text = shown(plan())
    assert "200 cold starts at each of 4 conditions" in text
    assert "about 160 published and deleted again, 5 first calls at once on each: 67 s or more" in text
    assert "12 control-plane calls a second (AWS allows 15)" in text


def test_it_says_the_most_that_it_can_cost_and_that_this_is_to_be_confirmed() -> None:
    text = shown(plan())
    assert "may exceed the limit of $0.10: to be confirmed first" in text


def test_the_other_architecture_is_a_copy_and_the_function_itself_is_given_back_its_memory() -> None:
    text = shown(plan())
    assert "a temporary one for arm64, deleted at the end" in text
    assert "512 MB now, and again 512 MB after each round" in text


def test_a_function_measured_on_copies_alone_is_not_said_to_be_touched() -> None:
    assert "$LATEST" not in shown(plan(architectures=(ARM,)))


def test_a_precision_is_a_goal_of_its_own() -> None:
    found = plan(precision=Precision(quantile=0.95, half_width=0.05))
    assert "then more until p95 is known to ±5 % or the budget ends" in shown(found)
    goal = found.request.cold_starts
    assert goal is not None
    assert sampling_words(found, goal).endswith("then until p95 is known to ±5 %")


def test_without_warm_calls_it_says_so() -> None:
    assert "none of them warm" in shown(plan(warm_per_batch=0))


def test_it_fits_a_narrow_terminal() -> None:
    assert max(map(len, render_plan(plan(), width=60, color=False).splitlines())) <= 60


def test_its_plan_is_executed_by_the_policy_of_cold_starts() -> None:
    assert isinstance(sampling_of(plan()), ColdStartSampling)
