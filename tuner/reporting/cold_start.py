"""From cold starts to their report: of a study that forced them, and the part that a log has in common with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tuner import __version__
from tuner.model import (
    SCHEMA_VERSION,
    Architecture,
    Cell,
    ColdCell,
    ColdDifference,
    ColdEconomics,
    ColdSource,
    ColdStartReport,
    EngineKind,
    Notice,
    Plan,
    Price,
    Sample,
    StartKind,
    Target,
)
from tuner.planning.cold_start import goal_of, snapshots_usd
from tuner.pricing import provisioned_price_for, snap_start_price_for, total_cost_usd
from tuner.reporting.cold_notices import cold_notices, study_notices
from tuner.reporting.hello_world import hello_world
from tuner.reporting.parts import (
    RunFacts,
    disturbed_notices,
    engine_notices,
    measurement_of,
    spend_of,
    target_of,
    unpriced_notices,
)
from tuner.statistics.cold.cells import cold_cell
from tuner.statistics.cold.differences import differences
from tuner.statistics.cold.economics import economics
from tuner.statistics.cold.recognition import recognise

ASSUMED_COLD_FRACTION = 0.01
"""Where nobody says: cold starts are "under 1 % of invocations" (AWS Compute Blog, 2025-04-29)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdResults:
    """What samples tell about cold starts, wherever they come from."""

    cells: tuple[ColdCell, ...]
    differences: tuple[ColdDifference, ...]
    economics: tuple[ColdEconomics, ...]
    notices: tuple[Notice, ...]


def build_cold_start_report(plan: Plan, samples: tuple[Sample, ...], facts: RunFacts) -> ColdStartReport:
    """The report of a study, also of one that ended early: it says what its samples can say and no more."""
    results = cold_results(
        samples,
        plan.cells,
        target_of(plan),
        plan.prices,
        source=ColdSource.FORCED,
        cold_fraction=plan.request.cold_fraction,
    )
    total = total_cost_usd(samples, {price.architecture: price for price in plan.prices})
    return ColdStartReport(
        schema_version=SCHEMA_VERSION,
        kind="cold-start",
        tool_version=__version__,
        created_at=facts.created_at,
        run_id=plan.run_id,
        seed=plan.request.seed,
        target=target_of(plan),
        source=ColdSource.FORCED,
        cells=results.cells,
        differences=results.differences,
        economics=results.economics,
        spend=spend_of(
            samples,
            facts,
            usd=total.usd + snapshots_usd(plan.function, _versions(samples)),
            estimated_usd=plan.expected_spend.high_usd,
        ),
        measurement=measurement_of(plan, facts),
        notices=(
            *engine_notices(plan.request.engine),
            *plan.notices,
            *facts.notices,
            *study_notices(results.cells, goal_of(plan.request), seconds=facts.seconds),
            *results.notices,
            *unpriced_notices(total.unpriced),
            *disturbed_notices(samples),
        ),
        samples=samples,
    )


def cold_results(
    samples: Iterable[Sample],
    cells: Sequence[Cell],
    target: Target,
    prices: Sequence[Price],
    *,
    source: ColdSource,
    cold_fraction: float | None = None,
) -> ColdResults:
    """Cells, differences, economics and notices.

    Costs are at ``cold_fraction``, where that is None at the one a log shows, else at an assumed 1 %, which a notice
    then says.
    """
    measured = tuple(_compared(cold_cell(group), target) for group in recognise(samples, cells, source))
    price_of = {price.architecture: price for price in prices}
    costs = tuple(_economics(cell, target, price_of, cold_fraction) for cell in measured)
    return ColdResults(
        cells=measured,
        differences=differences(measured),
        economics=costs,
        notices=cold_notices(measured, costs, assumed_fraction=_assumed(measured, cold_fraction)),
    )


def _compared(cell: ColdCell, target: Target) -> ColdCell:
    """With the published init of a function that does nothing beside its own; neither a restore nor this machine is
    compared with it."""
    if cell.start_kind is not StartKind.INIT or cell.start_ms is None or target.engine is EngineKind.LOCAL:
        return cell
    published = hello_world(
        target.runtime,
        target.package_type,
        cell.architecture,
        cell.memory_mb,
        init_p50_ms=cell.start_ms.p50.point,
    )
    return replace(cell, hello_world=published)


def _economics(
    cell: ColdCell, target: Target, price_of: Mapping[Architecture, Price], cold_fraction: float | None
) -> ColdEconomics:
    return economics(
        cell,
        price_of.get(cell.architecture),
        cold_fraction=_fraction(cell, cold_fraction),
        provisioned=provisioned_price_for(target.region, cell.architecture),
        snap_start=snap_start_price_for(target.region, target.runtime),
    )


def _fraction(cell: ColdCell, given: float | None) -> float:
    if given is not None:
        return given
    return ASSUMED_COLD_FRACTION if cell.cold_fraction is None else cell.cold_fraction.point


def _assumed(cells: Sequence[ColdCell], given: float | None) -> float | None:
    assumed = given is None and any(cell.cold_fraction is None for cell in cells)
    return ASSUMED_COLD_FRACTION if assumed else None


def _versions(samples: Iterable[Sample]) -> Mapping[Cell, int]:
    return Counter(cell for cell, _ in {(sample.cell, sample.version) for sample in samples})
