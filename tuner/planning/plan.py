"""The plan: what a run will do and what it may cost, before anything is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tuner.errors import CannotTuneError, UsageError
from tuner.model import (
    AccountLimits,
    Architecture,
    Cell,
    Copy,
    EngineKind,
    FunctionSnapshot,
    Notice,
    Plan,
    Price,
    RunRequest,
    SamplingKind,
    Severity,
    SpendRange,
)
from tuner.planning.sampling import FixedSampling, SamplingPolicy, default_wave_size
from tuner.pricing import invocation_cost_usd

LARGEST_ADAPTIVE_WAVE = 6
MOST_ADAPTIVE_CALLS = 60
"""For each architecture: in simulation more calls hardly change what is recommended (docs/search.md)."""
FEWEST_ADAPTIVE_CALLS = 12
COPY_PREFIX = "tuner-"
CAUTIOUS_CONCURRENCY = 10
"""What an account surely has: the least that new ones are given."""
CONCURRENCY_SHARE = 0.5
"""A tuning run never takes more than this share of the concurrency that production could need."""


def make_plan(
    request: RunRequest,
    function: FunctionSnapshot,
    limits: AccountLimits | None,
    prices: Mapping[Architecture, Price],
    *,
    run_id: str,
    notices: tuple[Notice, ...] = (),
) -> Plan:
    """Check that the function can be tuned and say what that takes.

    ``prices`` covers ``architectures_of(request, function)``. Raises CannotTuneError for kinds of functions whose
    memory cannot be tuned or not now, UsageError for a wave that can never be in flight.
    """
    copies = plan_copies(request, function, run_id)
    available = usable_concurrency(request, function, limits, on_copies=bool(copies))
    check_tunable(function, available)
    wave_size = request.wave_size or usual_wave_size(request, available)
    if wave_size > available:
        raise UsageError(
            f"A wave of {wave_size} invocations does not fit the {available} that may be in flight here.",
            hint=f"Use --wave {available} or less.",
        )
    architectures = architectures_of(request, function)
    cells = tuple(Cell(size, architecture) for architecture in architectures for size in request.memory_mb)
    invocations = expected_invocations(request, cells, wave_size)
    return Plan(
        run_id=run_id,
        request=request,
        function=function,
        cells=cells,
        prices=tuple(prices[architecture] for architecture in architectures),
        wave_size=wave_size,
        # The embedded Lambda has few cores: waves side by side would only wait for one another.
        max_in_flight=wave_size if request.engine is EngineKind.LOCAL else available,
        expected_invocations=invocations,
        expected_spend=expected_spend(request, cells, invocations, prices, timeout_s=function.timeout_s),
        copies=copies,
        notices=(*notices, *_notices(function, limits)),
    )


def architectures_of(request: RunRequest, function: FunctionSnapshot) -> tuple[Architecture, ...]:
    """What was asked for, else the function's own."""
    return tuple(sorted(set(request.architectures))) or (function.architecture,)


def plan_copies(request: RunRequest, function: FunctionSnapshot, run_id: str) -> tuple[Copy, ...]:
    """The temporary copies a run needs: of everything with ``--clone``, else of architectures not the function's.

    Raises CannotTuneError where a copy cannot be what is asked for.
    """
    wanted = architectures_of(request, function)
    other = [architecture for architecture in wanted if architecture is not function.architecture]
    if other and function.package_type == "Image":
        raise CannotTuneError(
            f"{function.name} is a container image for {function.architecture}: it cannot run on {other[0]}.",
            hint="Deploy an image for that architecture as a function of its own and tune that one.",
        )
    if function.qualifier not in (None, "$LATEST") and not request.clone:
        raise CannotTuneError(
            f"{function.qualifier} of {function.name} is published: its memory size cannot be changed any more.",
            hint="Add --clone to measure a temporary copy of it, or leave the qualifier out to tune $LATEST.",
        )
    copied = wanted if request.clone else other
    return tuple(
        Copy(name=copy_name(function.name, run_id, architecture), architecture=architecture)
        for architecture in copied
    )


def copy_name(function: str, run_id: str, architecture: Architecture) -> str:
    """``tuner-<name>-<id>``, within Lambda's 64 characters."""
    ending = f"-{run_id.rpartition('-')[2]}-{'arm' if architecture is Architecture.ARM64 else 'x86'}"
    return f"{COPY_PREFIX}{function[: 64 - len(COPY_PREFIX) - len(ending)]}{ending}"


def usable_concurrency(
    request: RunRequest, function: FunctionSnapshot, limits: AccountLimits | None, *, on_copies: bool
) -> int:
    """How many invocations may be in flight: on AWS half of what there is, so that production keeps its share."""
    reserved = None if on_copies else function.reserved_concurrency
    unreserved = CAUTIOUS_CONCURRENCY if limits is None else limits.unreserved_concurrent_executions
    available = unreserved if reserved is None else reserved
    if request.engine is EngineKind.LOCAL or available < 2:
        return available
    return int(available * CONCURRENCY_SHARE)


def usual_wave_size(request: RunRequest, available_concurrency: int) -> int:
    """How many invocations to overlap where the user does not say."""
    if request.sampling is SamplingKind.ADAPTIVE:
        return max(1, min(LARGEST_ADAPTIVE_WAVE, available_concurrency))
    return default_wave_size(request.samples_per_size, available_concurrency)


def sampling_of(plan: Plan) -> SamplingPolicy:
    """The sampling policy that a plan was made for."""
    if plan.request.sampling is SamplingKind.ADAPTIVE:
        from tuner.planning.adaptive import adaptive_sampling  # noqa: PLC0415  (numpy, for a search only)

        return adaptive_sampling(plan)
    return FixedSampling(
        cells=plan.cells,
        samples_per_size=plan.request.samples_per_size,
        wave_size=plan.wave_size,
        seed=plan.request.seed,
    )


def expected_invocations(request: RunRequest, cells: Sequence[Cell], wave_size: int) -> int:
    """Calls of a run in which nothing fails: exactly for a fixed run, at most for an adaptive one."""
    if request.sampling is SamplingKind.ADAPTIVE:
        return most_adaptive_calls(request, architectures=len({cell.architecture for cell in cells}))
    return len(cells) * (wave_size + request.samples_per_size)


def most_adaptive_calls(request: RunRequest, *, architectures: int) -> int:
    """Where a search ends undecided."""
    most = MOST_ADAPTIVE_CALLS * max(1, architectures)
    return most if request.max_invocations is None else min(most, request.max_invocations)


def expected_spend(
    request: RunRequest,
    cells: Sequence[Cell],
    invocations: int,
    prices: Mapping[Architecture, Price],
    *,
    timeout_s: int,
) -> SpendRange:
    """From one billed millisecond a call to every call running into the timeout: nothing is known of the
    durations before the first invocation, and these two bounds need no guess.

    An adaptive run may make all its calls at the cheapest size or at the dearest one.
    """

    def each(billed_ms: int) -> list[Decimal]:
        return [invocation_cost_usd(billed_ms, cell.memory_mb, prices[cell.architecture]) for cell in cells]

    low, high = each(1), each(timeout_s * 1000)
    if not cells:
        return SpendRange(low_usd=Decimal(0), high_usd=Decimal(0))
    if request.sampling is SamplingKind.ADAPTIVE:
        return SpendRange(low_usd=FEWEST_ADAPTIVE_CALLS * min(low), high_usd=invocations * max(high))
    calls_per_cell = invocations // len(cells)
    return SpendRange(low_usd=calls_per_cell * sum(low, Decimal(0)), high_usd=calls_per_cell * sum(high, Decimal(0)))


def check_tunable(function: FunctionSnapshot, concurrency: int) -> None:
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
    if concurrency < 1:
        raise CannotTuneError(
            f"{function.name} has no concurrency to be invoked with: {function.reserved_concurrency} is reserved.",
            hint="Raise its reserved concurrency or remove the reservation, or add --clone.",
        )


def _notices(function: FunctionSnapshot, limits: AccountLimits | None) -> tuple[Notice, ...]:
    notices = []
    if function.snap_start:
        notices.append(
            Notice(
                code="snapstart",
                severity=Severity.WARNING,
                message="SnapStart is on: every published version makes a snapshot, which takes minutes, and its "
                "cache is billed for at least three hours a version outside Java.",
                remedy="Use few sizes, for example --memory 512,1024,1769.",
            )
        )
    if limits is None:
        notices.append(
            Notice(
                code="concurrency-unknown",
                severity=Severity.INFO,
                message="The account's concurrency could not be read; the run keeps to that of a new account, "
                f"{CAUTIOUS_CONCURRENCY}.",
                remedy="Allow lambda:GetAccountSettings for a quicker run.",
            )
        )
    return tuple(notices)
