"""The plan of a gate: two sides that can be compared, and what finding out may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tuner.errors import CannotTuneError, InvalidMeasurementError
from tuner.model import (
    AccountLimits,
    Arm,
    Cell,
    Copy,
    EngineKind,
    FunctionSnapshot,
    GatePolicy,
    Notice,
    Plan,
    Price,
    RunRequest,
    Sample,
    Severity,
    SpendRange,
    Variant,
)
from tuner.planning.gate import gate_sampling
from tuner.planning.plan import check_tunable, copy_name, usable_concurrency
from tuner.planning.sampling import SamplingPolicy
from tuner.pricing import invocation_cost_usd, worst_case_usd

LARGEST_RENEWED_WAVE = 10
"""Environments that a block brings where it brings new ones: the first look is made after as many."""
LOCAL_WAVE = 2
"""A machine has few cores: more environments at once would wait for one another. Smaller blocks are more blocks, too,
and on a machine that does other work as well the spread between blocks is what decides."""
ASYMMETRIC = 0.5
"""Difference in the share of cold starts among the first calls of two sides that is more than chance."""
_VARIANTS: tuple[Variant, Variant] = ("base", "head")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What is compared, before it is planned."""

    base: FunctionSnapshot | None
    """None where a stored report takes its place."""
    head: FunctionSnapshot
    disposable: bool = False
    """They were made for this run."""
    any_runtime: bool = False
    """The runtime may differ: it is what the change is about."""

    @property
    def arms(self) -> tuple[Arm, ...]:
        head = Arm(variant="head", function=self.head, disposable=self.disposable)
        if self.base is None:
            return (head,)
        return (Arm(variant="base", function=self.base, disposable=self.disposable), head)


def check_comparable(sides: Sides, *, own_memory: bool) -> None:
    """InvalidMeasurementError where the two sides differ in more than their code.

    ``own_memory``: each side is invoked with the memory it has.
    """
    differing = [
        f"{name} ({before} and {now})"
        for name, before, now in _conditions(sides, own_memory=own_memory)
        if before != now
    ]
    if differing:
        raise InvalidMeasurementError(
            f"Base and head differ in {', '.join(differing)}: a difference between them would say nothing about "
            "the code.",
            hint=_hint(sides, own_memory=own_memory),
        )


def make_gate_plan(
    request: RunRequest,
    sides: Sides,
    limits: AccountLimits | None,
    price: Price,
    *,
    policy: GatePolicy,
    run_id: str,
    notices: tuple[Notice, ...] = (),
) -> Plan:
    """Check that the sides can be compared and say what that takes.

    ``request.memory_mb`` empty: the memory they have. Raises InvalidMeasurementError where they differ in more than
    their code, CannotTuneError for kinds of functions that cannot be measured, or not now.
    """
    as_they_are = not (sides.disposable or request.clone)
    check_comparable(sides, own_memory=as_they_are or not request.memory_mb)
    sizes = request.memory_mb or (sides.head.memory_mb,)
    if as_they_are and sizes != (sides.head.memory_mb,):
        raise CannotTuneError(
            f"{sides.head.name} is invoked as it is, with {sides.head.memory_mb} MB.",
            hint="Leave --memory out, or add --clone to measure temporary copies at other sizes.",
        )
    plan = _plan(request, sides, price, sizes=sizes, run_id=run_id, wave_size=_wave(request, sides, limits))
    calls = gate_sampling(plan, policy).most_calls
    return replace(
        plan,
        expected_invocations=calls,
        expected_spend=_spend(plan, policy, calls),
        notices=(*notices, *_notices(sides)),
    )


@dataclass(frozen=True, slots=True)
class GatePolicyOf:
    """The sampling of a gate's plan, as the engine asks for it."""

    policy: GatePolicy

    def __call__(self, plan: Plan) -> SamplingPolicy:
        return gate_sampling(plan, self.policy)


def gate_copies(request: RunRequest, sides: Sides, run_id: str) -> tuple[Copy, ...]:
    """A temporary copy for each side with ``--clone``, none otherwise."""
    if not request.clone or sides.disposable:
        return ()
    return tuple(
        Copy(name=_copy_name(arm, run_id), architecture=arm.function.architecture, variant=arm.variant)
        for arm in sides.arms
    )


def _plan(
    request: RunRequest, sides: Sides, price: Price, *, sizes: Sequence[int], run_id: str, wave_size: int
) -> Plan:
    architecture, variants = sides.head.architecture, [arm.variant for arm in sides.arms]
    return Plan(
        run_id=run_id,
        request=replace(request, memory_mb=tuple(sizes)),
        # Whoever waits for an answer waits for the slower side.
        function=replace(sides.head, timeout_s=max(arm.function.timeout_s for arm in sides.arms)),
        cells=tuple(Cell(size, architecture, variant) for size in sizes for variant in variants),
        prices=(price,),
        wave_size=wave_size,
        # One wave after the other: base and head take turns, and nothing of ours competes with either.
        max_in_flight=wave_size,
        expected_invocations=0,
        expected_spend=SpendRange(low_usd=Decimal(0), high_usd=Decimal(0)),
        copies=gate_copies(request, sides, run_id),
        arms=sides.arms,
    )


def _wave(request: RunRequest, sides: Sides, limits: AccountLimits | None) -> int:
    renewed = sides.disposable or request.clone
    functions = [arm.function for arm in sides.arms]
    available = min(usable_concurrency(request, f, limits, on_copies=request.clone) for f in functions)
    for function in functions:
        check_tunable(function, available)
    if request.wave_size is not None:
        return min(request.wave_size, available)
    if request.engine is EngineKind.LOCAL:
        return min(available, LOCAL_WAVE)
    return min(available, LARGEST_RENEWED_WAVE) if renewed else available


def _spend(plan: Plan, policy: GatePolicy, calls: int) -> SpendRange:
    """From the first look, every call billed a millisecond, to all the looks, every call running into its timeout."""
    price = plan.prices[0]
    sizes = plan.request.memory_mb
    fewest = 2 * policy.environments[0] * (1 + policy.warm_calls)
    each_size, timeout_s = calls // len(sizes), max(arm.function.timeout_s for arm in plan.arms)
    low = sum((fewest * invocation_cost_usd(1, size, price) for size in sizes), Decimal(0))
    high = sum(
        (worst_case_usd(each_size, timeout_s, size, price, cold_starts=each_size // 2) for size in sizes), Decimal(0)
    )
    return SpendRange(low_usd=low, high_usd=high)


def _conditions(sides: Sides, *, own_memory: bool) -> list[tuple[str, object, object]]:
    base, head = sides.base, sides.head
    if base is None:
        return []
    conditions: list[tuple[str, object, object]] = [
        ("architecture", base.architecture.value, head.architecture.value),
        ("package type", base.package_type, head.package_type),
        ("region", base.region, head.region),
    ]
    if own_memory:
        conditions.append(("memory", f"{base.memory_mb} MB", f"{head.memory_mb} MB"))
    if not sides.any_runtime:
        conditions.append(("runtime", base.runtime, head.runtime))
    return conditions


def _hint(sides: Sides, *, own_memory: bool) -> str:
    base, head = sides.base or sides.head, sides.head
    if base.architecture is not head.architecture:
        return "Compare architectures with `tuner run --arch x86_64,arm64`; give the gate two of the same."
    if own_memory and base.memory_mb != head.memory_mb:
        return f"Add --clone --memory {head.memory_mb} to measure copies of both at one size."
    if base.runtime != head.runtime:
        return "Add --any-runtime if the new runtime is the change to be judged."
    return "Give two versions that differ in their code only."


def _notices(sides: Sides) -> tuple[Notice, ...]:
    base, head = sides.base, sides.head
    if base is None:
        return ()
    notices = []
    if base.code_sha256 == head.code_sha256:
        notices.append(
            Notice(
                code="same-code",
                severity=Severity.INFO,
                message="Base and head are the same code: what differs can only be configuration or chance.",
            )
        )
    if base.runtime != head.runtime:
        notices.append(
            Notice(
                code="runtime-differs",
                severity=Severity.WARNING,
                message=f"The runtimes differ ({base.runtime} and {head.runtime}): a difference may be theirs.",
            )
        )
    if base.timeout_s != head.timeout_s:
        notices.append(
            Notice(
                code="timeout-differs",
                severity=Severity.INFO,
                message=f"The timeouts differ: {base.timeout_s} s and {head.timeout_s} s.",
            )
        )
    return tuple(notices)


def _copy_name(arm: Arm, run_id: str) -> str:
    """Both sides may be the same function: the run's part of the name tells the sides apart."""
    return copy_name(arm.function.name, f"{run_id}{arm.variant[0]}", arm.function.architecture)


def changed_arms(before: FunctionSnapshot, now: FunctionSnapshot, variant: Variant) -> tuple[str, ...]:
    """What of a side changed while it was measured, as a sentence: then nothing can be compared."""
    if now.code_sha256 != before.code_sha256:
        return (f"the code of {variant} changed during the measurement: somebody deployed it",)
    if now.memory_mb != before.memory_mb:
        return (f"the memory of {variant} changed from {before.memory_mb} to {now.memory_mb} MB meanwhile",)
    if now.runtime != before.runtime:
        return (f"the runtime of {variant} changed from {before.runtime} to {now.runtime} meanwhile",)
    return ()


def revised_notices(before: FunctionSnapshot, now: FunctionSnapshot, variant: Variant) -> tuple[Notice, ...]:
    """A new revision without new code: environment variables may have changed, or only a version was published."""
    if None in (before.revision_id, now.revision_id) or before.revision_id == now.revision_id:
        return ()
    return (
        Notice(
            code="revision-changed",
            severity=Severity.WARNING,
            message=f"Somebody changed or published {before.name} ({variant}) during the measurement; code, memory "
            "and runtime stayed the same.",
            remedy="If its environment variables or layers changed, run this again.",
        ),
    )


def asymmetry_notices(samples: Sequence[Sample], plan: Plan) -> tuple[Notice, ...]:
    """One side had environments already when the other had none: it serves other traffic, or did a moment ago."""
    if plan.copies or len(plan.arms) < 2 or any(arm.disposable for arm in plan.arms):
        return ()
    cold = {variant: _cold_share(samples, variant) for variant in _VARIANTS}
    if abs(cold["base"] - cold["head"]) < ASYMMETRIC:
        return ()
    warmer = min(_VARIANTS, key=lambda variant: cold[variant])
    return (
        Notice(
            code="warm-pool",
            severity=Severity.WARNING,
            message=f"{warmer} had warm environments already ({cold[warmer]:.0%} of its first calls were cold, "
            f"{max(cold.values()):.0%} of the other side's): it has traffic of its own.",
            remedy="Add --clone to measure both on fresh environments.",
        ),
    )


def _cold_share(samples: Sequence[Sample], variant: Variant) -> float:
    """Of the first wave."""
    ours = [sample for sample in samples if sample.cell.variant == variant]
    first = [sample for sample in ours if sample.wave == min(other.wave for other in ours)]
    return sum(sample.cold for sample in first) / len(first) if first else 0.0
