"""How often what a search says of its limits is wrong: ``python -m benchmarks.search --limits``.

Every world gets limits by its truth: one that some sizes keep and the best does not, one that the best keeps, one
that none keeps, one within 3 % of what the best takes. The best is the cheapest size where durations are limited, and
the fastest where cost is (``--strategy speed``): the cheapest would always keep that. Plan, sampling and proposal are
those of the command.

The truth of a size is what the world's own environments and calls give over thousands of draws: a statement speaks of
what could have been drawn, which of a trace is the half that a search sees. Drift is taken at a random moment.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import product

import numpy as np

from benchmarks.policies import PowerTuning
from benchmarks.search_tables import NEAR, wilson
from benchmarks.worlds import REGION, Fleet, World
from tuner.model import (
    AccountLimits,
    Block,
    BudgetQuantity,
    BudgetStatus,
    Cell,
    DurationLimit,
    EngineKind,
    FunctionSnapshot,
    Plan,
    RunRequest,
    Sample,
    SamplingKind,
    Statistic,
    Strategy,
)
from tuner.planning.plan import make_plan, sampling_of
from tuner.planning.proposal import propose
from tuner.pricing import cost_per_million_usd, total_cost_usd

ENVIRONMENTS, CALLS_EACH = 1000, 4
"""Behind each truth: a mean to some 0.2 %, a p95 to some 0.5 %."""
CLEARLY = 0.97
"""A size keeps a limit clearly where it takes at most this share of it."""
APART = 1.05
"""What keeps a limit and what does not lie so far from it, unless the limit is borderline."""
BORDER = 0.03
GRID_CALLS = 10
QUANTITIES = (BudgetQuantity.MEAN, BudgetQuantity.P95, BudgetQuantity.COST_PER_MILLION)


class Case(StrEnum):
    SOME = "some keep it"
    BEST = "best keeps it"
    NONE = "none keeps it"
    BORDERLINE = "borderline"


class Ending(StrEnum):
    """What a run says of its limit in the end."""

    MET = "shown"
    OPEN = "not shown"
    NONE = "no size keeps it"


@dataclass(frozen=True, slots=True)
class Known:
    """What warm calls at a size truly take."""

    mean_ms: float
    p95_ms: float
    cost_usd: float

    def of(self, quantity: BudgetQuantity) -> float:
        return {
            BudgetQuantity.MEAN: self.mean_ms,
            BudgetQuantity.P95: self.p95_ms,
            BudgetQuantity.COST_PER_MILLION: self.cost_usd,
        }[quantity]


@dataclass(frozen=True, slots=True)
class Truths:
    """The truth of a world, drawn where it is asked for: the curve that ``World.truth`` knows says where to ask."""

    world: World
    _known: dict[int, Known] = field(default_factory=dict)

    def at(self, memory_mb: int) -> Known:
        if memory_mb not in self._known:
            self._known[memory_mb] = _drawn(self.world, memory_mb)
        return self._known[memory_mb]

    def order(self, quantity: BudgetQuantity) -> list[int]:
        """Sizes by their cost or by their duration, least first; of equal ones the smaller."""
        value = self._rough_cost if quantity is BudgetQuantity.COST_PER_MILLION else self._rough_ms
        return sorted(self.world.truth, key=lambda size: (round(value(size), 9), size))

    def least(self, quantity: BudgetQuantity) -> float:
        return min(self.at(size).of(quantity) for size in self.order(quantity)[:3])

    def best(self, quantity: BudgetQuantity, at_most: float = math.inf) -> int | None:
        """The best size among those that keep a limit; None where none does."""
        for size in self.order(_objective(quantity)):
            hopeless = quantity is not BudgetQuantity.COST_PER_MILLION and self._rough_ms(size) > at_most * APART
            if not hopeless and self.at(size).of(quantity) <= at_most:
                return size
        return None

    def _rough_cost(self, memory_mb: int) -> float:
        traced = self.world.kind == "trace"  # the other half of a trace may be another curve
        return self.at(memory_mb).cost_usd if traced else self.world.truth[memory_mb].cost_usd

    def _rough_ms(self, memory_mb: int) -> float:
        offset, by_ms = (cost_per_million_usd(ms, memory_mb, self.world.price) for ms in (0.0, 1.0))
        return (self._rough_cost(memory_mb) - offset) / (by_ms - offset) - 0.5


def _drawn(world: World, memory_mb: int) -> Known:
    rng = np.random.default_rng(54321)  # the same luck at every size, so that differences are exact
    started = (world.start(memory_mb, rng) for _ in range(ENVIRONMENTS))
    calls = np.array([call.warm(rng, rng.random()) for call in started for _ in range(CALLS_EACH)]).round(2)
    return Known(
        mean_ms=float(calls.mean()),
        p95_ms=float(np.quantile(calls, 0.95)),
        cost_usd=cost_per_million_usd(float(np.ceil(calls).mean()), memory_mb, world.price),
    )


def _objective(limited: BudgetQuantity) -> BudgetQuantity:
    """What is minimised under a limit."""
    costs = limited is BudgetQuantity.COST_PER_MILLION
    return BudgetQuantity.MEAN if costs else BudgetQuantity.COST_PER_MILLION


@dataclass(frozen=True, slots=True)
class Asked:
    """A limit, in ms or in USD per million calls."""

    quantity: BudgetQuantity
    case: Case
    at_most: float


def limit_for(truths: Truths, quantity: BudgetQuantity, case: Case, rng: np.random.Generator) -> Asked:
    """A limit of this case. Where the best size is about as good as any, no limit lies between: it is borderline."""
    best = truths.best(quantity)
    if best is None:
        raise ValueError(f"{truths.world.name} has no sizes")
    value, least = truths.at(best).of(quantity), truths.least(quantity)
    low, high = math.log(least * APART), math.log(value / APART)
    if case is Case.SOME and low < high:
        return Asked(quantity, case, math.exp(rng.uniform(low, high)))
    if case is Case.BEST:
        return Asked(quantity, case, value * rng.uniform(APART, 2))
    if case is Case.NONE:
        return Asked(quantity, case, least * rng.uniform(0.5, 1 / APART))
    return Asked(quantity, Case.BORDERLINE, value * rng.uniform(1 - BORDER, 1 + BORDER))


@dataclass(frozen=True, slots=True)
class LimitRun:
    """One search under one limit. ``regret`` is beyond the best size that keeps it, None without one of both."""

    world: str
    seed: int
    asked: Asked
    ending: Ending
    memory_mb: int | None
    keeps: bool
    """Whether the recommended size truly keeps the limit."""
    feasible: bool
    clearly_feasible: bool
    regret: float | None
    calls: int
    usd: float
    grid_calls: int
    grid_usd: float

    @property
    def wrongly_shown(self) -> bool:
        return self.ending is Ending.MET and not self.keeps

    @property
    def wrongly_none(self) -> bool:
        return self.ending is Ending.NONE and self.clearly_feasible


class RenewableFleet(Fleet):
    """A fleet that gives a block new versions, and so new environments, where it asks for them."""

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, seed)
        self._versions: dict[Cell, str] = {}

    def block(self, block: Block) -> None:
        for cell in block.cells if block.fresh else ():
            self._environments.pop(cell, None)
            self._versions[cell] = f"{cell.memory_mb}, block {block.number}"
        before = len(self.samples)
        for wave in block.waves:
            self.run(wave, block.number)
        self.samples[before:] = [self._on_its_version(sample) for sample in self.samples[before:]]

    def _on_its_version(self, sample: Sample) -> Sample:
        return replace(sample, version=self._versions.get(sample.cell, sample.version))


def search(world: World, asked: Asked, seed: int) -> tuple[Ending, int | None, tuple[Sample, ...]]:
    """What the command would say of this world, and the calls that it made."""
    plan = _plan(world, asked, seed)
    policy, fleet = sampling_of(plan), RenewableFleet(world, seed)
    while isinstance(block := policy.next_block(fleet.samples), Block):
        fleet.block(block)
    proposal = propose(plan, fleet.samples)
    found = proposal.recommendation
    if found is None:
        return Ending.NONE, None, tuple(fleet.samples)
    proposed = Cell(found.memory_mb, found.architecture)
    met = any(check.cell == proposed and check.status is BudgetStatus.MET for check in proposal.limits)
    return Ending.MET if met else Ending.OPEN, found.memory_mb, tuple(fleet.samples)


def _plan(world: World, asked: Asked, seed: int) -> Plan:
    costs = asked.quantity is BudgetQuantity.COST_PER_MILLION
    duration = None if costs else DurationLimit(statistic=Statistic(asked.quantity.value), limit_ms=asked.at_most)
    request = RunRequest(
        function="simulated",
        engine=EngineKind.AWS,
        memory_mb=tuple(cell.memory_mb for cell in world.cells),
        sampling=SamplingKind.ADAPTIVE,
        seed=seed + 1,
        wave_size=world.largest_wave,
        strategy=Strategy.SPEED if costs else Strategy.COST,
        max_duration=duration,
        max_cost_usd_per_million=asked.at_most if costs else None,
    )
    function, prices = _function(world), {world.price.architecture: world.price}
    account = AccountLimits(concurrent_executions=1000, unreserved_concurrent_executions=1000)
    return make_plan(request, function, account, prices, run_id="simulated")


def _function(world: World) -> FunctionSnapshot:
    return FunctionSnapshot(
        name="simulated",
        arn=f"arn:aws:lambda:{REGION}:123456789012:function:simulated",
        region=REGION,
        runtime="python3.13",
        package_type="Zip",
        architecture=world.price.architecture,
        memory_mb=world.cells[-1].memory_mb,
        timeout_s=900,
        code_sha256="simulated",
        revision_id=None,
        state="Active",
        last_update_status="Successful",
        versions=(),
    )


def run(truths: Truths, asked: Asked, seed: int) -> LimitRun:
    world = truths.world
    ending, memory_mb, samples = search(world, asked, seed)
    grid = _grid(world, seed)
    best = truths.best(asked.quantity, asked.at_most)
    objective = _objective(asked.quantity)
    regret = None
    if memory_mb is not None and best is not None:
        regret = max(0.0, truths.at(memory_mb).of(objective) / truths.at(best).of(objective) - 1)
    return LimitRun(
        world=world.name,
        seed=seed,
        asked=asked,
        ending=ending,
        memory_mb=memory_mb,
        keeps=memory_mb is not None and truths.at(memory_mb).of(asked.quantity) <= asked.at_most,
        feasible=best is not None,
        clearly_feasible=truths.least(asked.quantity) <= CLEARLY * asked.at_most,
        regret=regret,
        calls=len(samples),
        usd=_usd(samples, world),
        grid_calls=len(grid),
        grid_usd=_usd(grid, world),
    )


def _grid(world: World, seed: int) -> tuple[Sample, ...]:
    """The calls of a power-tuning grid, which knows nothing of limits."""
    fleet = RenewableFleet(world, seed)
    block = PowerTuning(world.cells, world.price, GRID_CALLS).next_block(())
    if isinstance(block, Block):
        fleet.block(block)
    return tuple(fleet.samples)


def _usd(samples: Sequence[Sample], world: World) -> float:
    return float(total_cost_usd(samples, {world.price.architecture: world.price}).usd)


def evaluate(
    worlds_of: Callable[[int], Iterable[World]],
    seeds: Sequence[int],
    quantities: Sequence[BudgetQuantity] = QUANTITIES,
) -> list[LimitRun]:
    """Every world with one limit of each quantity; the cases take turns from world to world and seed to seed."""
    runs, cases = [], tuple(Case)
    for seed in seeds:
        for number, world in enumerate(worlds_of(seed)):
            truths = Truths(world)
            for turn, quantity in enumerate(quantities):
                rng = np.random.default_rng([seed, number, turn])
                case = cases[(seed + number + turn) % len(cases)]
                runs.append(run(truths, limit_for(truths, quantity, case, rng), seed))
    return runs


@dataclass(frozen=True, slots=True)
class Share:
    """A share of runs with its 95 % interval (Wilson)."""

    hits: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.hits / self.of, self.of)

    def __str__(self) -> str:
        if not self.of:
            return "-"
        low, high = self.interval
        return f"{self.hits}/{self.of} {self.hits / self.of:.3f} [{low:.2f} {high:.2f}]"


@dataclass(frozen=True, slots=True)
class LimitRow:
    """Runs taken together; regret of those with a recommendation in a world where some size keeps the limit."""

    label: str
    runs: int
    wrongly_shown: Share
    """Of all runs."""
    shown: int
    wrongly_none: Share
    """Of those where a size clearly keeps the limit."""
    left_open: Share
    """Of those where a size keeps the limit: no recommendation that is shown to."""
    calls_of_open: float | None
    mean_regret: float | None
    p95_regret: float | None
    within_5_percent: float | None
    calls: float
    calls_to_grid: float
    usd_to_grid: float


def summarise(label: str, runs: Sequence[LimitRun]) -> LimitRow:
    feasible = [r for r in runs if r.feasible]
    clearly = [r for r in runs if r.clearly_feasible]
    unshown = [r for r in feasible if r.ending is not Ending.MET]
    regrets = np.array([r.regret for r in runs if r.regret is not None])
    return LimitRow(
        label=label,
        runs=len(runs),
        wrongly_shown=Share(sum(r.wrongly_shown for r in runs), len(runs)),
        shown=sum(r.ending is Ending.MET for r in runs),
        wrongly_none=Share(sum(r.wrongly_none for r in clearly), len(clearly)),
        left_open=Share(len(unshown), len(feasible)),
        calls_of_open=float(np.mean([r.calls for r in unshown])) if unshown else None,
        mean_regret=float(regrets.mean()) if regrets.size else None,
        p95_regret=float(np.quantile(regrets, 0.95)) if regrets.size else None,
        within_5_percent=float((regrets <= NEAR).mean()) if regrets.size else None,
        calls=float(np.mean([r.calls for r in runs])),
        calls_to_grid=sum(r.calls for r in runs) / sum(r.grid_calls for r in runs),
        usd_to_grid=float(np.mean([r.usd for r in runs]) / np.mean([r.grid_usd for r in runs])),
    )


def table(runs: Sequence[LimitRun]) -> list[LimitRow]:
    """A row for each quantity and case, then for each quantity, each case and all."""
    rows = []
    for quantity, case in product((*QUANTITIES, None), (*Case, None)):
        mine = [r for r in runs if quantity in (None, r.asked.quantity) and case in (None, r.asked.case)]
        if mine:
            rows.append(summarise(f"{quantity or 'all'}, {case or 'all'}", mine))
    return rows


def show(rows: Sequence[LimitRow]) -> None:
    shares = "".join(f"{title:28}" for title in ("shown, but wrong", "none, but one does", "left open"))
    figures = "".join(f"{title:>8}" for title in ("calls", "regret", "p95", "<=5 %", "calls", "vs PT10", "USD"))
    print(f"{'limit':38}{'runs':>5}{'shown':>6}  {shares}{figures}")
    for row in rows:
        print(
            f"{row.label:38}{row.runs:5}{row.shown:6}  {row.wrongly_shown!s:28}{row.wrongly_none!s:28}"
            f"{row.left_open!s:28}{_plain(row.calls_of_open, '.0f'):>8}{_plain(row.mean_regret, '.2%'):>8}"
            f"{_plain(row.p95_regret, '.1%'):>8}{_plain(row.within_5_percent, '.3f'):>8}{row.calls:8.1f}"
            f"{row.calls_to_grid:8.2f}{row.usd_to_grid:8.2f}"
        )


def _plain(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def main(worlds_of: Callable[[int], Iterable[World]], seeds: Sequence[int]) -> int:
    runs = evaluate(worlds_of, seeds)
    show(table(runs))
    for r in runs:
        if r.wrongly_shown or r.wrongly_none:
            said = f"{r.ending} after {r.calls} calls"
            print(f"wrong: {r.world}, seed {r.seed}: {r.asked.quantity}, {r.asked.case}: {said}")
    return 0
