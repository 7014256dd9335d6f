"""The rows of a report's tables, as ready words: shared by the page and by Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from tuner.model import CurvePoint, Distribution, Estimate, Outcome, Report
from tuner.render.figures import (
    NOTHING,
    environments,
    ms_range,
    not_estimable_note,
    percentile,
    usd_range,
)
from tuner.render.samples import BlockLevel, CellSamples
from tuner.render.text import count
from tuner.render.wording import Mark, cell_name, cost_versus_current, marks, status_words, versus_note
from tuner.units import format_ms, format_probability, format_ratio, format_usd

_MOST_RIVALS = 3
_EMPHASISED = (Mark.RECOMMENDED, Mark.LEADING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One table cell: a value and its interval."""

    value: str
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveRow:
    name: str
    marks: tuple[Mark, ...]
    emphasis: Mark | None
    status: str
    mean: Figure
    p50: Figure
    p95: Figure
    p99: Figure
    cost: Figure
    versus: str
    n: int
    environments: str
    errors: int
    billed: Figure
    memory_used: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoRow:
    name: str
    mean: Figure
    cost: Figure
    beaten_by: str
    probability: str
    """P(no measured size beats it in both), where the report knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadRow:
    """Extremes and variation of the warm durations of a size, beside the middle of the distribution."""

    name: str
    n: int
    lowest: str
    median: str
    highest: str
    variation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdRow:
    name: str
    n: int
    mean: Figure
    p50: Figure
    p95: Figure
    p99: Figure
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRow:
    name: str
    n: int
    median: str
    span: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    name: str
    total: int
    cold: int
    outcomes: tuple[int, ...]


_EMPTY = Figure(value=NOTHING)


def curve_rows(report: Report) -> tuple[CurveRow, ...]:
    return tuple(_curve_row(point, found, report) for point, found in zip(report.curve, marks(report), strict=True))


def curve_notes(report: Report) -> tuple[str, ...]:
    """What the signs in the table of the curve mean."""
    return tuple(_curve_notes(report))


def pareto_rows(report: Report) -> tuple[ParetoRow, ...]:
    """Every size with a cost and a duration, and which size beats it in both by point estimates."""
    known = [point for point in report.curve if point.duration_ms and point.cost_usd_per_million]
    return tuple(_pareto_row(point, known, report) for point in known)


def spread_rows(cells: Sequence[CellSamples], report: Report) -> tuple[SpreadRow, ...]:
    return tuple(_spread_row(here, report) for here in cells if here.warm_ms)


def cold_rows(cells: Sequence[CellSamples], report: Report) -> tuple[ColdRow, ...]:
    first = {here.cell: here.first_ms for here in cells}
    return tuple(
        _cold_row(point, point.init_ms, first.get(point.cell, []), report) for point in report.curve if point.init_ms
    )


def block_rows(levels: Sequence[BlockLevel]) -> tuple[BlockRow, ...]:
    return tuple(
        BlockRow(
            name=str(level.first + 1) if level.first == level.last else f"{level.first + 1} to {level.last + 1}",
            n=level.n,
            median=format_ratio(level.p50),
            span=f"{format_ratio(level.p10)} to {format_ratio(level.p90)}",
        )
        for level in levels
    )


def outcomes_seen(cells: Sequence[CellSamples]) -> tuple[Outcome, ...]:
    """The outcomes that occurred, in the order of the model."""
    seen: Counter[Outcome] = Counter()
    for here in cells:
        seen.update(here.outcomes)
    return tuple(outcome for outcome in Outcome if seen[outcome])


def sample_rows(cells: Sequence[CellSamples], report: Report) -> tuple[SampleRow, ...]:
    outcomes = outcomes_seen(cells)
    return tuple(
        SampleRow(
            name=cell_name(here.cell, report),
            total=here.total,
            cold=here.cold,
            outcomes=tuple(here.outcomes[outcome] for outcome in outcomes),
        )
        for here in cells
    )


def _curve_row(point: CurvePoint, found: tuple[Mark, ...], report: Report) -> CurveRow:
    duration, cost = point.duration_ms, point.cost_usd_per_million
    return CurveRow(
        name=cell_name(point.cell, report),
        marks=found,
        emphasis=next((mark for mark in found if mark in _EMPHASISED), None),
        status=status_words(point.status),
        mean=_ms(duration.mean) if duration else _EMPTY,
        p50=_percentile(duration.p50) if duration else _EMPTY,
        p95=_percentile(duration.p95) if duration else _EMPTY,
        p99=_percentile(duration.p99) if duration else _EMPTY,
        cost=Figure(value=format_usd(cost.point), detail=usd_range(cost)) if cost else _EMPTY,
        versus=cost_versus_current(point, report),
        n=point.n,
        environments=environments(point),
        errors=point.errors,
        billed=_ms(point.billed_ms.mean) if point.billed_ms else _EMPTY,
        memory_used=NOTHING if point.max_memory_used_mb is None else f"{point.max_memory_used_mb} MB",
    )


def _curve_notes(report: Report) -> Iterator[str]:
    if any(cost_versus_current(point, report).startswith("~") for point in report.curve):
        yield "~ cannot be told from the current size."
    versus = versus_note(report)
    if versus:
        yield versus
    note = not_estimable_note(point.duration_ms for point in report.curve if point.duration_ms)
    if note:
        yield note


def _pareto_row(point: CurvePoint, known: Sequence[CurvePoint], report: Report) -> ParetoRow:
    row = _curve_row(point, (), report)
    better = [other for other in known if _beats(other, point)]
    better.sort(key=_cost_and_duration)
    names = ", ".join(cell_name(other.cell, report) for other in better[:_MOST_RIVALS])
    more = f" and {count(len(better) - _MOST_RIVALS, 'other')}" if len(better) > _MOST_RIVALS else ""
    beaten_by = f"{names}{more}" if better else "none"
    probability = _pareto_probability(point, report)
    return ParetoRow(name=row.name, mean=row.mean, cost=row.cost, beaten_by=beaten_by, probability=probability)


def _pareto_probability(point: CurvePoint, report: Report) -> str:
    recommendation = report.recommendation
    if recommendation is None or len(recommendation.pareto_probability) != len(recommendation.pareto):
        return NOTHING
    known = dict(zip(recommendation.pareto, recommendation.pareto_probability, strict=True))
    return format_probability(known[point.cell]) if point.cell in known else NOTHING


def _beats(one: CurvePoint, other: CurvePoint) -> bool:
    """Whether ``one`` is at least as good in both and better in one, by points."""
    (one_usd, one_ms), (other_usd, other_ms) = _cost_and_duration(one), _cost_and_duration(other)
    return one_usd <= other_usd and one_ms <= other_ms and (one_usd, one_ms) != (other_usd, other_ms)


def _cost_and_duration(point: CurvePoint) -> tuple[float, float]:
    if point.cost_usd_per_million is None or point.duration_ms is None:
        raise ValueError("a size without cost or duration has no place in the Pareto view")
    return point.cost_usd_per_million.point, point.duration_ms.mean.point


def _spread_row(here: CellSamples, report: Report) -> SpreadRow:
    middle, variation = here.middle_ms, here.variation
    return SpreadRow(
        name=cell_name(here.cell, report),
        n=len(here.warm_ms),
        lowest=format_ms(min(here.warm_ms)),
        median=NOTHING if middle is None else format_ms(middle),
        highest=format_ms(max(here.warm_ms)),
        variation=NOTHING if variation is None else f"{variation * 100:.1f} %",
    )


def _cold_row(point: CurvePoint, init: Distribution, first_ms: Sequence[float], report: Report) -> ColdRow:
    return ColdRow(
        name=cell_name(point.cell, report),
        n=init.mean.n,
        mean=_ms(init.mean),
        p50=_percentile(init.p50),
        p95=_percentile(init.p95),
        p99=_percentile(init.p99),
        first=format_ms(fmean(first_ms)) if first_ms else NOTHING,
    )


def _ms(estimate: Estimate) -> Figure:
    return Figure(value=format_ms(estimate.point), detail=ms_range(estimate))


def _percentile(estimate: Estimate) -> Figure:
    return Figure(value=percentile(estimate), detail=ms_range(estimate) if estimate.estimable else None)
