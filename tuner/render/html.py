"""The report as one HTML page that needs nothing else: no script, no network, readable wherever it is opened.

This module chooses what the page says; ``templates/`` chooses how it looks. Every text is made harmless on its way
in (``text.plain``, then jinja2's autoescape), and the page's own policy forbids everything but its one style.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from tuner.model import (
    Cell,
    CurveFit,
    CurvePoint,
    Distribution,
    EngineKind,
    Estimate,
    Outcome,
    Price,
    Recommendation,
    Report,
    Sample,
)
from tuner.render.figures import (
    NOTHING,
    coefficient,
    environments,
    excludes,
    ms_range,
    not_estimable_note,
    percent,
    percentile,
    ratio_range,
    usd_per_million,
    usd_range,
)
from tuner.render.text import count, join_and, plain, without_account_ids
from tuner.render.wording import (
    GOALS,
    LOCAL_REMARK,
    Mark,
    cell_name,
    cost_versus_current,
    headline,
    marks,
    proposed_cell,
    spend_sentence,
    status_words,
)
from tuner.units import format_ms, format_ratio, format_usd

_TEMPLATES = "templates"
_NUMBER_AND_UNIT = re.compile(r"(?<=[\dn=]) (?=(?:%|ms|s|min|MB|=|\d+)(?!\w))")
_EMPHASISED = (Mark.RECOMMENDED, Mark.LEADING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One table cell: a value, its interval, and its share of the column's largest value where a bar helps."""

    value: str
    detail: str | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    name: str
    value: str
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    name: str
    value: str
    code: bool = False


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
class ColdRow:
    name: str
    n: int
    mean: Figure
    p50: Figure
    p95: Figure
    p99: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class FitText:
    architecture: str
    a: str
    b: str
    p: str
    cap_mb: int
    error: str
    n: int
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    name: str
    total: int
    cold: int
    outcomes: tuple[int, ...]


_EMPTY = Figure(value=NOTHING)


def render_html(report: Report) -> str:
    """The page of a report. The same report gives the same bytes; account ids never appear on it."""
    style = files(__package__).joinpath(_TEMPLATES, "report.css").read_text(encoding="utf-8")
    page = _environment().get_template("report.html.jinja")
    outcomes = _outcomes(report.samples)
    return page.render(
        report=report,
        target=report.target,
        local=report.target.engine is EngineKind.LOCAL,
        local_remark=LOCAL_REMARK,
        style=Markup(style),  # noqa: S704 - our own file, nothing of the report in it
        style_hash=_sha256(style),
        headline=headline(report),
        recommendation=report.recommendation,
        decided=report.recommendation is not None and report.recommendation.decided,
        tiles=tuple(_tiles(report.recommendation, report)) if report.recommendation else (),
        rows=tuple(_curve_rows(report)),
        row_notes=tuple(_row_notes(report)),
        fits=tuple(map(_fit_text, report.fits)),
        cold=tuple(_cold_rows(report)),
        cold_note=not_estimable_note(point.init_ms for point in report.curve if point.init_ms),
        spend=spend_sentence(report.spend, report.target.engine),
        outcomes=tuple(outcome.value.replace("_", " ") for outcome in outcomes),
        samples=tuple(_sample_rows(report, outcomes)),
        sample_total=count(len(report.samples), "sample"),
        facts=tuple(_facts(report)),
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tuner.render", _TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["capitalized"] = _capitalized
    environment.filters["unbroken"] = _unbroken
    return environment


def _harmless(value: Any) -> Any:
    """Every text that the template writes passes here before it is escaped; Markup is the page's own."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return without_account_ids(plain(value))
    return value


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _unbroken(text: str) -> str:
    """Numbers kept on one line with their units. Not for text that somebody may copy into a shell."""
    return _NUMBER_AND_UNIT.sub("\u00a0", text)


def _sha256(style: str) -> Markup:
    """The hash of the style element's text, as the content security policy wants it (base64 is safe in HTML)."""
    digest = hashlib.sha256(style.encode()).digest()
    return Markup(base64.b64encode(digest).decode())  # noqa: S704 - base64 of a digest


def _tiles(recommendation: Recommendation, report: Report) -> Iterator[Tile]:
    versus = recommendation.versus_current
    proposed = cell_name(proposed_cell(recommendation), report)
    if versus is not None and versus.cost_ratio is not None:
        yield _ratio_tile(f"Cost at {proposed}, against now", versus.cost_ratio)
    if versus is not None and versus.duration_ratio is not None:
        yield _ratio_tile(f"Mean duration at {proposed}, against now", versus.duration_ratio)
    if recommendation.confidence is not None:
        yield Tile(name="Confidence", value=percent(recommendation.confidence), detail=GOALS[recommendation.strategy])
    if recommendation.pareto:
        names = [cell_name(cell, report) for cell in recommendation.pareto]
        yield Tile(name="Pareto set", value=count(len(names), "size"), detail=join_and(names))


def _ratio_tile(name: str, ratio: Estimate) -> Tile:
    detail = ratio_range(ratio) if ratio.estimable else "interval not estimable"
    shown = excludes(ratio, 1)
    return Tile(
        name=name,
        value=format_ratio(ratio.point) if shown else f"~{format_ratio(ratio.point)}",
        detail=f"{detail}, n = {ratio.n}" if shown else f"{detail}, n = {ratio.n}: no difference shown",
    )


def _curve_rows(report: Report) -> Iterator[CurveRow]:
    most_ms = max((point.duration_ms.mean.point for point in report.curve if point.duration_ms), default=0)
    most_usd = max((p.cost_usd_per_million.point for p in report.curve if p.cost_usd_per_million), default=0)
    for point, found in zip(report.curve, marks(report), strict=True):
        duration, cost = point.duration_ms, point.cost_usd_per_million
        yield CurveRow(
            name=cell_name(point.cell, report),
            marks=found,
            emphasis=next((mark for mark in found if mark in _EMPHASISED), None),
            status=status_words(point.status),
            mean=_ms(duration.mean, of=most_ms) if duration else _EMPTY,
            p50=_percentile(duration.p50) if duration else _EMPTY,
            p95=_percentile(duration.p95) if duration else _EMPTY,
            p99=_percentile(duration.p99) if duration else _EMPTY,
            cost=_usd(cost, of=most_usd) if cost else _EMPTY,
            versus=cost_versus_current(point, report),
            n=point.n,
            environments=environments(point),
            errors=point.errors,
            billed=_ms(point.billed_ms.mean) if point.billed_ms else _EMPTY,
            memory_used=NOTHING if point.max_memory_used_mb is None else f"{point.max_memory_used_mb} MB",
        )


def _ms(estimate: Estimate, *, of: float = 0) -> Figure:
    return Figure(value=format_ms(estimate.point), detail=ms_range(estimate), share=_share(estimate.point, of))


def _usd(estimate: Estimate, *, of: float) -> Figure:
    return Figure(value=format_usd(estimate.point), detail=usd_range(estimate), share=_share(estimate.point, of))


def _percentile(estimate: Estimate) -> Figure:
    return Figure(value=percentile(estimate), detail=ms_range(estimate) if estimate.estimable else None)


def _share(value: float, of: float) -> float | None:
    return round(value / of, 3) if of > 0 else None


def _row_notes(report: Report) -> Iterator[str]:
    if any(cost_versus_current(point, report).startswith("~") for point in report.curve):
        yield "~ cannot be told from the current size: the intervals overlap."
    note = not_estimable_note(point.duration_ms for point in report.curve if point.duration_ms)
    if note:
        yield note


def _fit_text(fit: CurveFit) -> FitText:
    return FitText(
        architecture=fit.architecture,
        a=coefficient(fit.a_ms),
        b=coefficient(fit.b),
        p=f"{fit.p:.2f}",
        cap_mb=fit.cap_mb,
        error=f"{fit.residual_percent:.1f} %",
        n=fit.n,
        method=_capitalized(fit.method),
    )


def _cold_rows(report: Report) -> Iterator[ColdRow]:
    for point in report.curve:
        if point.init_ms is not None:
            init = point.init_ms
            yield ColdRow(
                name=cell_name(point.cell, report),
                n=init.mean.n,
                mean=_ms(init.mean),
                p50=_percentile(init.p50),
                p95=_percentile(init.p95),
                p99=_percentile(init.p99),
            )


def _outcomes(samples: Iterable[Sample]) -> tuple[Outcome, ...]:
    """The outcomes that occurred, in the order of the model."""
    seen = {sample.outcome for sample in samples}
    return tuple(outcome for outcome in Outcome if outcome in seen)


def _sample_rows(report: Report, outcomes: tuple[Outcome, ...]) -> Iterator[SampleRow]:
    by_cell: dict[Cell, list[Sample]] = {}
    for sample in report.samples:
        by_cell.setdefault(sample.cell, []).append(sample)
    for cell in sorted(by_cell):
        rows = by_cell[cell]
        ended = Counter(sample.outcome for sample in rows)
        yield SampleRow(
            name=cell_name(cell, report),
            total=len(rows),
            cold=sum(sample.cold for sample in rows),
            outcomes=tuple(ended[outcome] for outcome in outcomes),
        )


def _facts(report: Report) -> Iterator[Fact]:
    how = report.measurement
    yield Fact(name="Command", value=how.command, code=True)
    yield Fact(name="Sampling", value=how.sampling)
    yield Fact(name="Waves", value=f"{how.wave_size} invocations in flight together, {count(how.blocks, 'block')}")
    yield Fact(name="Seed", value=str(report.seed))
    yield from _place(report)
    for price in how.prices:
        yield Fact(name=f"Price, {price.architecture}", value=_price(price))
    for name, methods in _methods(report.curve):
        yield Fact(name=f"Method, {name}", value="; ".join(methods))
    yield Fact(name="Payload", value=f"SHA-256 {how.payload_sha256[:16]}", code=True)
    yield Fact(name="Run", value=report.run_id, code=True)
    yield Fact(name="Created", value=report.created_at)
    yield Fact(name="Version", value=f"tuner {report.tool_version}, report schema {report.schema_version}")


def _place(report: Report) -> Iterator[Fact]:
    local = report.target.engine is EngineKind.LOCAL
    yield Fact(name="Engine", value="embedded Lambda (local)" if local else f"AWS Lambda, {report.target.region}")
    if report.measurement.host is not None:
        yield Fact(name="Host", value=report.measurement.host)
    if report.measurement.throttle is not None:
        yield Fact(name="CPU limit", value=report.measurement.throttle)


def _price(price: Price) -> str:
    rates = f"${price.usd_per_gb_s:f} per GB-second, {usd_per_million(price.usd_per_request)} per million requests"
    return f"{rates} ({price.region}, as of {price.as_of}; {price.source})"


def _methods(points: Iterable[CurvePoint]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """How each kind of number was made: the distinct methods over all sizes."""
    rows = tuple(points)
    durations = [point.duration_ms for point in rows if point.duration_ms]
    kinds: tuple[tuple[str, Iterable[Estimate]], ...] = (
        ("mean duration", (row.mean for row in durations)),
        ("percentiles", _percentiles(durations)),
        ("cost", (point.cost_usd_per_million for point in rows if point.cost_usd_per_million)),
    )
    for name, estimates in kinds:
        methods = tuple(dict.fromkeys(estimate.method for estimate in estimates))
        if methods:
            yield name, methods


def _percentiles(rows: Iterable[Distribution]) -> Iterator[Estimate]:
    for row in rows:
        yield from (row.p50, row.p95, row.p99)
