"""The curve of a report, or of anything else that has sizes, durations and costs, as charts and tables want it.

A chart does not know reports: a run, several reports beside each other and a Power Tuning result all become series.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from tuner.model import Architecture, Cell, CurveFit, CurvePoint, CurveStatus, Estimate, Price, Report
from tuner.pricing import cost_per_million_usd
from tuner.render.palette import BLUE, GREEN, INK, ORANGE, PURPLE, SERIES, SOFT
from tuner.render.samples import CellSamples
from tuner.render.text import printable
from tuner.render.wording import current_cell, proposed_cell, several_architectures, status_words

STAR = "M0,-1L0.24,-0.32L0.95,-0.31L0.38,0.12L0.59,0.81L0,0.4L-0.59,0.81L-0.38,0.12L-0.95,-0.31L-0.24,-0.32Z"
_SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", STAR)
_FIT_POINTS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A kind of point in a legend: told apart by shape and colour, hollow where the value was not measured."""

    name: str
    colour: str
    shape: str
    hollow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value with its interval, both in the unit of its place; no bounds where none are known."""

    point: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One size of one series. ``cold_cost`` is the cost of a million cold invocations, where any was seen."""

    memory_mb: int
    series: str
    group: Group
    duration_ms: Reading | None
    cost: Reading | None
    cold_cost: float | None = None
    n: int | None = None
    status: str = "measured"
    remark: str = ""
    pareto: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A curve between the dots: a fit, or straight segments where nothing was fitted."""

    series: str
    colour: str
    fitted: bool
    points: tuple[tuple[float, float | None, float | None], ...]
    """Memory in MB, duration in ms, cost of a million invocations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveView:
    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]
    currency: str = "USD"
    calls: str = "warm invocations"
    """What the costs are of."""

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups that occur, in the order of their first dot."""
        return tuple(dict.fromkeys(dot.group for dot in self.dots))

    @property
    def drawable(self) -> bool:
        """Whether there is anything to draw: a chart without a value would be empty."""
        return any(dot.cost or dot.duration_ms for dot in self.dots)

    @property
    def knows_cold_cost(self) -> bool:
        return any(dot.cold_cost is not None for dot in self.dots)


def reading(estimate: Estimate | None) -> Reading | None:
    return Reading(point=estimate.point, low=estimate.low, high=estimate.high) if estimate is not None else None


def curve_of_report(report: Report, cells: Sequence[CellSamples]) -> CurveView:
    """The curve of one run: measured, predicted, current and recommended told apart, fits as lines."""
    share = report.measurement.cold_fraction
    # Where costs hold their share of cold calls already, the page has none to add.
    cold = {} if share else _cold_costs(cells, report.measurement.prices)
    dots = tuple(_dot(point, report, cold) for point in report.curve)
    calls = f"invocations, {share * 100:.3g} % of them cold" if share else "warm invocations"
    return CurveView(dots=_legend_order(dots), lines=tuple(_fit_lines(report)), calls=calls)


def curve_of_reports(named: Sequence[tuple[str, Report]]) -> CurveView:
    """Several runs overlaid, each architecture of each a series of its own."""
    dots: list[Dot] = []
    lines: list[Line] = []
    for name, architecture, points in _series_of(named):
        label = name if architecture is None else f"{name}, {architecture}"
        here = tuple(_series_dot(point, label, len(lines)) for point in points)
        dots += here
        lines.append(joined(here))
    return CurveView(dots=tuple(dots), lines=tuple(lines))


def series_group(name: str, index: int) -> Group:
    """The look of a compared series. After six, colours and shapes come again in other pairs."""
    shape = _SHAPES[(index + index // len(_SHAPES)) % len(_SHAPES)]
    return Group(name=name, colour=SERIES[index % len(SERIES)], shape=shape)


def joined(dots: Sequence[Dot]) -> Line:
    """Straight segments between the dots of a series: nothing is interpolated."""
    points = ((float(d.memory_mb), d.duration_ms.point, d.cost.point) for d in dots if d.duration_ms and d.cost)
    return Line(series=dots[0].group.name, colour=dots[0].group.colour, fitted=False, points=tuple(points))


def _series_of(
    named: Sequence[tuple[str, Report]],
) -> Iterator[tuple[str, Architecture | None, tuple[CurvePoint, ...]]]:
    for name, report in named:
        architectures = sorted({point.architecture for point in report.curve})
        for architecture in architectures:
            points = tuple(point for point in report.curve if point.architecture is architecture)
            yield printable(name), architecture if len(architectures) > 1 else None, points


def _series_dot(point: CurvePoint, label: str, index: int) -> Dot:
    return Dot(
        memory_mb=point.memory_mb,
        series=label,
        group=series_group(label, index),
        duration_ms=reading(point.duration_ms.mean if point.duration_ms else None),
        cost=reading(point.cost_usd_per_million),
        n=point.n,
        status=status_words(point.status),
    )


def _dot(point: CurvePoint, report: Report, cold: Mapping[Cell, float]) -> Dot:
    recommendation = report.recommendation
    return Dot(
        memory_mb=point.memory_mb,
        series=point.architecture,
        group=_role(point, report),
        duration_ms=reading(point.duration_ms.mean if point.duration_ms else None),
        cost=reading(point.cost_usd_per_million),
        cold_cost=cold.get(point.cell),
        n=point.n,
        status=status_words(point.status),
        remark=_remark(point, report),
        pareto=recommendation is not None and point.cell in recommendation.pareto,
    )


def _remark(point: CurvePoint, report: Report) -> str:
    recommendation = report.recommendation
    words = []
    if recommendation is not None and point.cell == proposed_cell(recommendation):
        words.append("recommended" if recommendation.decided else "leading, not decided")
    elif recommendation is not None and point.cell in recommendation.tied:
        words.append("tied")
    if point.cell == current_cell(report):
        words.append("current")
    return ", ".join((*words, status_words(point.status)))


def _role(point: CurvePoint, report: Report) -> Group:
    """What a point is, in the order of what the reader looks for: recommended, current, measured or predicted."""
    hollow = point.status is CurveStatus.PREDICTED
    recommendation = report.recommendation
    if recommendation is not None and point.cell == proposed_cell(recommendation):
        name = "recommended" if recommendation.decided else "leading, not decided"
        return Group(name=name, colour=GREEN, shape=STAR, hollow=hollow or not recommendation.decided)
    if point.cell == current_cell(report):
        return Group(name="current", colour=INK, shape="square", hollow=hollow)
    name = "predicted" if hollow else "measured"
    colour, shape = (PURPLE, "diamond") if hollow else (BLUE, "circle")
    if several_architectures(report):
        name = f"{name}, {point.architecture}"
        colour = _architecture_colour(point.architecture, colour)
        shape = "triangle-up" if point.architecture is Architecture.ARM64 and not hollow else shape
    return Group(name=name, colour=colour, shape=shape, hollow=hollow)


def _architecture_colour(architecture: Architecture, otherwise: str) -> str:
    return ORANGE if architecture is Architecture.ARM64 else otherwise


def _legend_order(dots: tuple[Dot, ...]) -> tuple[Dot, ...]:
    """Ordinary points first, so that the ones to look for are drawn over them and come last in the legend."""
    order = {SOFT: 0, BLUE: 1, ORANGE: 2, PURPLE: 3, INK: 4, GREEN: 5}
    return tuple(sorted(dots, key=lambda dot: (order[dot.group.colour], dot.memory_mb)))


def _fit_lines(report: Report) -> Iterator[Line]:
    prices = {price.architecture: price for price in report.measurement.prices}
    for fit in report.fits:
        sizes = [point.memory_mb for point in report.curve if point.architecture is fit.architecture]
        if sizes:
            colour = _architecture_colour(fit.architecture, SOFT)
            points = tuple(_fit_points(fit, min(sizes), max(sizes), prices.get(fit.architecture)))
            yield Line(series=fit.architecture, colour=colour, fitted=True, points=points)


def _fit_points(
    fit: CurveFit, low_mb: int, high_mb: int, price: Price | None
) -> Iterator[tuple[float, float, float | None]]:
    """The fit on a geometric grid. Billed durations are rounded up, so they are half a ms longer on average."""
    ratio = high_mb / low_mb
    for index in range(_FIT_POINTS + 1):
        memory_mb = low_mb * ratio ** (index / _FIT_POINTS)
        duration_ms = fit.a_ms + fit.b / min(memory_mb, fit.cap_mb) ** fit.p
        usd = _cost_between(duration_ms + 0.5, memory_mb, price) if price else None
        yield round(memory_mb, 2), round(duration_ms, 4), usd


def _cost_between(billed_ms: float, memory_mb: float, price: Price) -> float:
    gb_seconds = billed_ms * memory_mb / 1_024_000
    return round(1e6 * (gb_seconds * float(price.usd_per_gb_s) + float(price.usd_per_request)), 6)


def _cold_costs(cells: Iterable[CellSamples], prices: Iterable[Price]) -> dict[Cell, float]:
    """Cost of a million cold invocations: the mean of what the cold ones of the run were billed, init included."""
    by_architecture = {price.architecture: price for price in prices}
    return {
        here.cell: cost_per_million_usd(fmean(here.cold_billed_ms), here.cell.memory_mb, price)
        for here in cells
        if here.cold_billed_ms and (price := by_architecture.get(here.cell.architecture))
    }
