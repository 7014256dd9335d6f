"""The plan: what a run will do and what it may cost, before anything is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tuner.errors import CannotTuneError, UsageError
from tuner.model import (
    AccountLimits,
    Architecture,
    Cell,
    EngineKind,
    FunctionSnapshot,
    Notice,
    Plan,
    Price,
    RunRequest,
    Severity,
    SpendRange,
)
from tuner.planning.sampling import FixedSampling, default_wave_size
from tuner.pricing import invocation_cost_usd

CONCURRENCY_SHARE = 0.5
"""A tuning run never takes more than this share of the concurrency that production could need."""


def make_plan(
    request: RunRequest,
    function: FunctionSnapshot,
    limits: AccountLimits,
    prices: Mapping[Architecture, Price],
    *,
    run_id: str,
    notices: tuple[Notice, ...] = (),
) -> Plan:
    """Check that the function can be tuned and say what that takes.

    Raises CannotTuneError for kinds of functions whose memory cannot be tuned or not now, UsageError for a wave
    that can never be in flight.
    """
    check_tunable(function, limits)
    available = _usable_concurrency(request.engine, limits)
    wave_size = request.wave_size or default_wave_size(request.samples_per_size, available)
    if wave_size > available:
        raise UsageError(
            f"A wave of {wave_size} invocations does not fit the {available} that may be in flight here.",
            hint=f"Use --wave {available} or less.",
        )
    cells = tuple(Cell(memory_mb, function.architecture) for memory_mb in request.memory_mb)
    sampling = FixedSampling(
        cells=cells, samples_per_size=request.samples_per_size, wave_size=wave_size, seed=request.seed
    )
    return Plan(
        run_id=run_id,
        request=request,
        function=function,
        cells=cells,
        prices=tuple(prices[architecture] for architecture in sorted({cell.architecture for cell in cells})),
        wave_size=wave_size,
        # The embedded Lambda has few cores: waves side by side would only wait for one another.
        max_in_flight=wave_size if request.engine is EngineKind.LOCAL else available,
        expected_invocations=sampling.expected_invocations,
        expected_spend=expected_spend(cells, sampling, prices, timeout_s=function.timeout_s),
        notices=(*notices, *_notices(function)),
    )


def sampling_of(plan: Plan) -> FixedSampling:
    """The sampling policy that a plan was made for."""
    return FixedSampling(
        cells=plan.cells,
        samples_per_size=plan.request.samples_per_size,
        wave_size=plan.wave_size,
        seed=plan.request.seed,
    )


def expected_spend(
    cells: Sequence[Cell], sampling: FixedSampling, prices: Mapping[Architecture, Price], *, timeout_s: int
) -> SpendRange:
    """From one billed millisecond a call to every call running into the timeout: nothing is known of the
    durations before the first invocation, and these two bounds need no guess."""
    calls_per_cell = sampling.expected_invocations // max(1, len(cells))

    def total(billed_ms: int) -> Decimal:
        return sum(
            (calls_per_cell * invocation_cost_usd(billed_ms, cell.memory_mb, prices[cell.architecture]))
            for cell in cells
        ) or Decimal(0)

    return SpendRange(low_usd=total(1), high_usd=total(timeout_s * 1000))


def check_tunable(function: FunctionSnapshot, limits: AccountLimits) -> None:
    """Refuse what cannot be tuned, with the reason and what to do instead."""
    if function.managed_instances:
        raise CannotTuneError(
            f"{function.name} runs on Lambda Managed Instances: it is billed by instance, not by memory and time.",
            hint="Size its capacity provider by throughput instead.",
        )
    if function.durable:
        raise CannotTuneError(
            f"{function.name} is a durable function: one execution is many invocations.",
            hint="Tune the functions it calls.",
        )
    if function.state not in (None, "Active", "Inactive"):
        raise CannotTuneError(
            f"{function.name} is in state {function.state} and cannot be invoked.",
            hint="Bring it to Active (see its StateReason in the console), then run this again.",
        )
    if function.last_update_status == "InProgress":
        raise CannotTuneError(
            f"An update of {function.name} is in progress.",
            hint="Wait until the deployment has ended, then run this again.",
        )
    if limits.available_concurrency < 1:
        raise CannotTuneError(
            f"{function.name} has no concurrency left to be invoked with (reserved: {limits.reserved_for_function}).",
            hint="Raise its reserved concurrency or remove the reservation, then run this again.",
        )


def _usable_concurrency(engine: EngineKind, limits: AccountLimits) -> int:
    if engine is EngineKind.LOCAL:
        return limits.available_concurrency
    return max(1, int(limits.available_concurrency * CONCURRENCY_SHARE))


def _notices(function: FunctionSnapshot) -> tuple[Notice, ...]:
    if not function.snap_start:
        return ()
    return (
        Notice(
            code="snapstart",
            severity=Severity.WARNING,
            message="SnapStart is on: every published version makes a snapshot, which takes minutes, and its "
            "cache is billed for at least three hours a version outside Java.",
            remedy="Use few sizes, for example --memory 512,1024,1769.",
        ),
    )
