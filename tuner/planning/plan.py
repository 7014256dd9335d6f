"""The plan: what a run will do and what it may cost, before anything is touched."""

from __future__ import annotations

import math
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
    Sample,
    SamplingKind,
    Severity,
    SpendRange,
    Statistic,
)
from tuner.planning.sampling import FixedSampling, SamplingPolicy, default_wave_size
from tuner.pricing import invocation_cost_usd, worst_case_usd

LARGEST_ADAPTIVE_WAVE = 6
LARGEST_LOCAL_WAVE = 10
"""The calls of a wider one would mostly wait for a core."""
LOCAL_ENVIRONMENTS = 256
"""As many does the embedded Lambda keep. Where the sizes of a run need more, every call would be a cold start."""
MOST_ADAPTIVE_CALLS = {EngineKind.AWS: 60, EngineKind.LOCAL: 240}
"""For each architecture: in simulation more calls hardly change what is recommended (docs/search.md). On the embedded
Lambda they cost nothing and are noisier."""
FEWEST_ADAPTIVE_CALLS = 12
SHOWING_CALLS = {Statistic.MEAN: 60, Statistic.P50: 60, Statistic.P95: 300, Statistic.P99: 1200}
LARGEST_SHOWING_WAVE = 20
CONFIRMED_SIZES = 3
CONFIRMING_WAVES = 3
"""A cold one and two warm: with one the spread between environments could not be told from that between calls."""
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
    architectures = architectures_of(request, function)
    cells = tuple(Cell(size, architecture) for architecture in architectures for size in request.memory_mb)
    wave_size = request.wave_size or usual_wave_size(request, available, cells=len(cells))
    if wave_size > available:
        raise UsageError(
            f"A wave of {wave_size} invocations does not fit the {available} that may be in flight here.",
            hint=f"Use --wave {available} or less.",
        )
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
        expected_spend=expected_spend(request, cells, invocations, prices, function=function, wave_size=wave_size),
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


def usual_wave_size(request: RunRequest, available_concurrency: int, *, cells: int) -> int:
    """How many invocations to overlap where the user does not say."""
    if request.sampling is SamplingKind.ADAPTIVE:
        return max(1, min(LARGEST_ADAPTIVE_WAVE, available_concurrency))
    if request.engine is EngineKind.LOCAL:
        kept = max(1, LOCAL_ENVIRONMENTS // cells)
        available_concurrency = min(available_concurrency, LARGEST_LOCAL_WAVE, kept)
    return default_wave_size(request.samples_per_size, available_concurrency)


def sampling_of(plan: Plan) -> SamplingPolicy:
    """The sampling policy that a plan was made for."""
    if plan.request.cold_starts is not None:
        from tuner.planning.cold_start import cold_start_sampling  # noqa: PLC0415  (that module builds on this one)

        return cold_start_sampling(plan)
    choosing = _choosing(plan)
    if not plan.request.confirm:
        return choosing
    from tuner.planning.confirmation import ConfirmedSampling  # noqa: PLC0415  (numpy, for a confirmation only)

    return ConfirmedSampling(choosing=choosing, plan=plan)


def stages_of(plan: Plan, samples: Sequence[Sample]) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """The samples that chose a size, and those that only confirm it."""
    if not plan.request.confirm:
        return tuple(samples), ()
    from tuner.planning.confirmation import stages  # noqa: PLC0415

    found = stages(_choosing(plan), samples)
    return found.choosing, found.confirming


def _choosing(plan: Plan) -> SamplingPolicy:
    if plan.request.sampling is SamplingKind.ADAPTIVE:
        from tuner.planning.adaptive import search_of  # noqa: PLC0415  (numpy, for a search only)

        return search_of(plan)
    return FixedSampling(
        cells=plan.cells,
        samples_per_size=plan.request.samples_per_size,
        wave_size=plan.wave_size,
        seed=plan.request.seed,
    )


def expected_invocations(request: RunRequest, cells: Sequence[Cell], wave_size: int) -> int:
    """Calls of a run in which nothing fails: exactly for a fixed run, at most for an adaptive one, and with what a
    confirmation takes at most."""
    confirming = confirming_calls(request, wave_size)
    if request.sampling is SamplingKind.ADAPTIVE:
        architectures = len({cell.architecture for cell in cells})
        return most_choosing_calls(request, architectures=architectures, wave_size=wave_size) + confirming
    return len(cells) * (wave_size + request.samples_per_size) + confirming


def confirming_calls(request: RunRequest, wave_size: int) -> int:
    """Winner, rival and current size, in a cold wave and two warm ones; as far as the calls allowed leave room."""
    calls = CONFIRMED_SIZES * wave_size * CONFIRMING_WAVES if request.confirm else 0
    spare = math.inf if request.max_invocations is None else request.max_invocations - FEWEST_ADAPTIVE_CALLS
    return calls if calls <= spare else 0


def most_adaptive_calls(request: RunRequest, *, architectures: int, wave_size: int) -> int:
    """Where a search ends undecided. Who allows a number of calls may allow more than usual: ties take many."""
    if request.max_invocations is None:
        return MOST_ADAPTIVE_CALLS[request.engine] * max(1, architectures)
    return request.max_invocations - confirming_calls(request, wave_size)


def most_choosing_calls(request: RunRequest, *, architectures: int, wave_size: int) -> int:
    """The search, and what it takes to show that limits hold."""
    searching = most_adaptive_calls(request, architectures=architectures, wave_size=wave_size)
    most = searching + showing_calls(request)
    if request.max_invocations is None:
        return most
    return min(most, request.max_invocations - confirming_calls(request, wave_size))


def showing_calls(request: RunRequest) -> int:
    """Further calls of a search at the size it found, to show that a limit holds there: 59 and 299 independent ones
    for p95 and p99, and calls that share environments are worth less."""
    calls = 0 if request.max_cost_usd_per_million is None else SHOWING_CALLS[Statistic.MEAN]
    return calls if request.max_duration is None else max(calls, SHOWING_CALLS[request.max_duration.statistic])


def expected_spend(
    request: RunRequest,
    cells: Sequence[Cell],
    invocations: int,
    prices: Mapping[Architecture, Price],
    *,
    function: FunctionSnapshot,
    wave_size: int,
) -> SpendRange:
    """From one billed millisecond a call to every call running into the timeout after the longest init: nothing is
    known of the durations before the first invocation, and these two bounds need no guess. A timeout ends its
    environment, so that where every call times out every call may be cold.

    A search may make all calls at the cheapest size or at the dearest one, and so may a confirmation, which has the
    current size among its own.
    """
    if not cells:
        return SpendRange(low_usd=Decimal(0), high_usd=Decimal(0))

    def least(cell: Cell) -> Decimal:
        return invocation_cost_usd(1, cell.memory_mb, prices[cell.architecture])

    def most(cell: Cell) -> Decimal:
        price = prices[cell.architecture]
        return worst_case_usd(1, function.timeout_s, cell.memory_mb, price, cold_starts=1)

    current = [Cell(function.memory_mb, a) for a in architectures_of(request, function) if request.confirm]
    cheapest, dearest = min(map(least, cells)), max(map(most, (*cells, *current)))
    if request.sampling is SamplingKind.ADAPTIVE:
        return SpendRange(low_usd=FEWEST_ADAPTIVE_CALLS * cheapest, high_usd=invocations * dearest)
    confirming = confirming_calls(request, wave_size)
    calls_per_cell = (invocations - confirming) // len(cells)
    return SpendRange(
        low_usd=calls_per_cell * sum(map(least, cells), Decimal(0)) + confirming * cheapest,
        high_usd=calls_per_cell * sum(map(most, cells), Decimal(0)) + confirming * dearest,
    )


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
