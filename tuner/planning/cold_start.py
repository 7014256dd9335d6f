"""A cold-start study as data: how many batches of how many first calls, and what to do next, from the samples.

Every cold start is a first call of a version published for it. A batch is one such version and the calls that are
made of it at once: more calls a batch save publishing, more batches make intervals honest, because what is started
together resembles each other.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tuner.errors import UsageError
from tuner.model import (
    AccountLimits,
    Architecture,
    Block,
    Cell,
    ColdStartGoal,
    EngineKind,
    FunctionSnapshot,
    Notice,
    Outcome,
    Plan,
    Precision,
    Price,
    RunRequest,
    Sample,
    Severity,
    SpendRange,
    Stop,
    Wave,
)
from tuner.planning.plan import make_plan, plan_copies, usable_concurrency
from tuner.planning.sampling import too_many_errors
from tuner.pricing import invocation_cost_usd, snap_start_price_for, snap_start_study_usd, worst_case_usd
from tuner.units import parse_percent

LARGEST_BATCH = 10
ENOUGH_BATCHES = ((368, 80), (90, 40), (72, 72), (45, 30), (36, 36), (0, 12))
"""From how many cold starts on how many batches are wanted: those that the highest percentile then takes. Where the
cold starts are only just enough for it, each must be a batch of its own (``tuner.statistics.cold.batches``)."""
SNAP_START_BATCHES = 10
"""Each version takes minutes to make a snapshot and is billed for hours: fewer versions, and no high percentiles."""
USUAL_FOR_PRECISION = 200
"""Cold starts that a precision takes at least, for the size of its batches."""
FEWEST_TO_JUDGE = 10
"""Calls after which a cell may be given up."""
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


def parse_precision(text: str) -> Precision:
    """``p95±5%`` (or ``p95+-5%``, ``p95:5%``): the interval of the total's p95 is to reach from -5 % to +5 %."""
    name, _, width = text.replace("+-", "±").replace(":", "±").replace(" ", "").partition("±")
    half_width = parse_percent(width) if width else 0.0
    if name not in QUANTILES or half_width <= 0:
        raise UsageError(
            f"{text!r} is not a precision.", hint="Write it like p95±5%: one of p50, p90, p95, p99 and a percentage."
        )
    return Precision(quantile=QUANTILES[name], half_width=half_width)


def batch_size(starts_per_cell: int, available: int, *, engine: EngineKind, snap_start: bool) -> int:
    """How many first calls to make of one version at once.

    On the embedded Lambda one: inits side by side would wait for each other on the few cores of a machine.
    """
    if engine is EngineKind.LOCAL:
        return 1
    if snap_start:
        return max(1, min(math.ceil(starts_per_cell / SNAP_START_BATCHES), available))
    batches = next(batches for starts, batches in ENOUGH_BATCHES if starts_per_cell >= starts)
    return max(1, min(starts_per_cell // batches, LARGEST_BATCH, available))


def plan_cold_starts(
    request: RunRequest,
    function: FunctionSnapshot,
    limits: AccountLimits | None,
    prices: Mapping[Architecture, Price],
    *,
    run_id: str,
    notices: tuple[Notice, ...] = (),
) -> Plan:
    """The plan of the study that ``request.cold_starts`` asks for; ``plan.wave_size`` is the size of a batch.

    Raises what ``make_plan`` raises, and UsageError for a study of no cold starts.
    """
    goal = goal_of(request)
    on_copies = bool(plan_copies(request, function, run_id))
    available = usable_concurrency(request, function, limits, on_copies=on_copies)
    starts = goal.starts_per_cell if goal.precision is None else max(goal.starts_per_cell, USUAL_FOR_PRECISION)
    size = request.wave_size or batch_size(starts, available, engine=request.engine, snap_start=function.snap_start)
    plan = make_plan(replace(request, wave_size=size), function, limits, prices, run_id=run_id, notices=notices)
    planned = replace(plan, request=request, expected_invocations=_invocations(goal, len(plan.cells), size))
    return replace(
        planned,
        expected_spend=_expected_spend(planned, prices),
        notices=(*plan.notices, *_notices(planned)),
    )


def goal_of(request: RunRequest) -> ColdStartGoal:
    goal = request.cold_starts
    if goal is None or goal.starts_per_cell < 1:
        raise UsageError("A study of cold starts needs at least one of them.", hint="Add -n 200.")
    return goal


def versions_of(plan: Plan) -> int:
    """Versions that the study publishes and deletes again, where nothing fails."""
    return len(plan.cells) * math.ceil(goal_of(plan.request).starts_per_cell / plan.wave_size)


def snapshots_usd(function: FunctionSnapshot, versions: Mapping[Cell, int]) -> Decimal:
    """What SnapStart charges for keeping versions, by cell: no REPORT line shows it. 0 where it is off or free."""
    price = snap_start_price_for(function.region, function.runtime) if function.snap_start else None
    if price is None:
        return Decimal(0)
    return sum((snap_start_study_usd(count, cell.memory_mb, price) for cell, count in versions.items()), Decimal(0))


def cold_start_sampling(plan: Plan) -> ColdStartSampling:
    """The sampling policy of a plan made here."""
    goal = goal_of(plan.request)
    return ColdStartSampling(
        cells=plan.cells,
        starts_per_cell=goal.starts_per_cell,
        batch_size=plan.wave_size,
        warm_per_batch=min(goal.warm_per_batch, plan.wave_size),
        precision=goal.precision,
        seed=plan.request.seed,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStartSampling:
    """Rounds over all cells in random order: a batch of first calls at each, then a wave on the same versions.

    A cell is given up when more than a tenth of its calls fail, when ten calls show no cold start, or after twice the
    batches that its cold starts should have taken.
    """

    cells: tuple[Cell, ...]
    starts_per_cell: int
    batch_size: int
    warm_per_batch: int
    precision: Precision | None
    seed: int

    def next_block(self, samples: Sequence[Sample]) -> Block | Stop:
        number = 1 + max((sample.block for sample in samples), default=0)
        warm = self._warm_waves(samples, number)
        waves = warm or self._cold_waves(samples)
        if not waves:
            return Stop(reason=self._reason)
        random.Random(f"{self.seed}/{number}").shuffle(waves)  # noqa: S311 - an order, not a secret
        return Block(number=number, waves=tuple(waves), fresh=not warm)

    @property
    def _reason(self) -> str:
        wanted = f"its {self.starts_per_cell} cold starts"
        if self.precision is not None:
            wanted += f" and p{self.precision.quantile * 100:g} to within {self.precision.half_width:.1%}"
        return f"every cell has {wanted}, or was given up"

    def _warm_waves(self, samples: Sequence[Sample], number: int) -> list[Wave]:
        """A wave on each version that the last block saw for the first time."""
        last = [sample for sample in samples if sample.block == number - 1]
        known = {(sample.cell, sample.version) for sample in samples if sample.block < number - 1}
        fresh = {
            sample.cell
            for sample in last
            if (sample.cell, sample.version) not in known and sample.outcome is Outcome.OK
        }
        return [Wave(cell=cell, size=self.warm_per_batch) for cell in sorted(fresh) if self.warm_per_batch]

    def _cold_waves(self, samples: Sequence[Sample]) -> list[Wave]:
        by_cell: dict[Cell, list[Sample]] = {cell: [] for cell in self.cells}
        for sample in samples:
            by_cell.get(sample.cell, []).append(sample)
        sizes = {cell: self._next_batch(cell, own) for cell, own in by_cell.items()}
        return [Wave(cell=cell, size=size) for cell, size in sizes.items() if size > 0]

    def _next_batch(self, cell: Cell, samples: list[Sample]) -> int:
        cold = sum(sample.cold and sample.outcome is Outcome.OK for sample in samples)
        if len(samples) >= FEWEST_TO_JUDGE and (too_many_errors(samples) or self._hopeless(samples, cold)):
            return 0
        missing = self.starts_per_cell - cold
        if missing > 0:
            return min(self.batch_size, missing)
        return self.batch_size if self._too_wide(cell, samples) else 0

    def _hopeless(self, samples: Sequence[Sample], cold: int) -> bool:
        batches = len({sample.version for sample in samples})
        return cold == 0 or batches * self.batch_size >= 2 * max(self.starts_per_cell, cold) + self.batch_size

    def _too_wide(self, cell: Cell, samples: Sequence[Sample]) -> bool:
        if self.precision is None:
            return False
        from tuner.statistics.cold.precision import reached  # noqa: PLC0415  (numpy, only where it is asked for)

        return not reached(self.precision, cell, samples)


def _invocations(goal: ColdStartGoal, cells: int, size: int) -> int:
    """Calls of a study in which nothing fails; with a precision the fewest that it takes."""
    batches = math.ceil(goal.starts_per_cell / size)
    return cells * (goal.starts_per_cell + batches * min(goal.warm_per_batch, size))


def _expected_spend(plan: Plan, prices: Mapping[Architecture, Price]) -> SpendRange:
    """From one billed millisecond a call to every call running into the timeout after 10 s of init: a timeout ends
    its environment, so that the call after it may be cold again.

    A study that goes on until a precision is reached may take all that it is allowed.
    """
    goal, function = goal_of(plan.request), plan.function
    calls = plan.expected_invocations // max(len(plan.cells), 1)
    each = versions_of(plan) // max(len(plan.cells), 1)
    low = high = snapshots_usd(function, dict.fromkeys(plan.cells, each))
    for cell in plan.cells:
        price = prices[cell.architecture]
        low += calls * invocation_cost_usd(1, cell.memory_mb, price)
        high += worst_case_usd(calls, function.timeout_s, cell.memory_mb, price, cold_starts=calls)
    return SpendRange(low_usd=low, high_usd=max(high, plan.request.max_cost_usd) if goal.precision else high)


def _notices(plan: Plan) -> tuple[Notice, ...]:
    goal = goal_of(plan.request)
    batches = math.ceil(goal.starts_per_cell / plan.wave_size)
    wanted = next(batches for starts, batches in ENOUGH_BATCHES if goal.starts_per_cell >= starts)
    if batches >= min(wanted, goal.starts_per_cell) or goal.precision is not None:
        return ()
    return (
        Notice(
            code="few-batches",
            severity=Severity.WARNING,
            message=f"{goal.starts_per_cell} cold starts in {batches} batches: what starts together resembles each "
            f"other, so the highest percentiles will have no interval (that takes {wanted} batches).",
            remedy=None if plan.function.snap_start else f"Use --wave {max(1, goal.starts_per_cell // wanted)}.",
        ),
    )
