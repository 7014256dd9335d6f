"""How a report's numbers came about, as pairs of a name and words: shared by the page and by Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tuner.model import (
    ColdStartReport,
    CurveFit,
    CurvePoint,
    Distribution,
    EngineKind,
    Estimate,
    Measurement,
    Price,
    Report,
)
from tuner.render.figures import coefficient, usd_per_million
from tuner.render.redact import LEFT_OUT
from tuner.render.text import count

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    name: str
    value: str
    code: bool = False


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


def facts(report: Report) -> tuple[Fact, ...]:
    """Enough to judge the numbers and to repeat them."""
    return tuple(measurement_facts(report, _methods(report.curve)))


def fit_text(fit: CurveFit) -> FitText:
    return FitText(
        architecture=fit.architecture,
        a=coefficient(fit.a_ms),
        b=coefficient(fit.b),
        p=f"{fit.p:.2f}",
        cap_mb=fit.cap_mb,
        error=f"{fit.residual_percent:.1f} %",
        n=fit.n,
        method=fit.method[:1].upper() + fit.method[1:],
    )


def measurement_facts(
    report: Report | ColdStartReport, methods: Iterable[tuple[str, Sequence[str]]]
) -> Iterator[Fact]:
    """What reports of every measurement have: the command, the place, the prices, and how numbers were made."""
    how = report.measurement
    yield Fact(name="Command", value=how.command, code=True)
    yield Fact(name="Sampling", value=how.sampling)
    if how.wave_size:  # else a log was read, and nothing sent
        yield Fact(name="Waves", value=waves(how))
    if isinstance(report, Report):  # a study of cold starts counts nothing else
        yield Fact(name="Cold calls", value=_cold_calls(how.cold_fraction))
    yield Fact(name="Seed", value=str(report.seed))
    yield from _place(report)
    for price in how.prices:
        yield Fact(name=f"Price, {price.architecture}", value=_price(price))
    for name, found in methods:
        yield Fact(name=f"Method, {name}", value="; ".join(found))
    if how.payload_sha256 not in ("", LEFT_OUT):
        yield Fact(name="Payload", value=f"SHA-256 {how.payload_sha256[:16]}", code=True)
    yield Fact(name="Run", value=report.run_id, code=True)
    yield Fact(name="Created", value=report.created_at)
    yield Fact(name="Version", value=f"tuner {report.tool_version}, report schema {report.schema_version}")


def _place(report: Report | ColdStartReport) -> Iterator[Fact]:
    local = report.target.engine is EngineKind.LOCAL
    yield Fact(name="Engine", value="embedded Lambda (local)" if local else f"AWS Lambda, {report.target.region}")
    if report.measurement.host is not None:
        yield Fact(name="Host", value=report.measurement.host)
    if report.measurement.throttle is not None:
        yield Fact(name="CPU limit", value=report.measurement.throttle)


def waves(how: Measurement) -> str:
    return f"{count(how.wave_size, 'invocation')} in flight together, {count(how.blocks, 'block')}"


def _cold_calls(cold_fraction: float | None) -> str:
    if cold_fraction is None:
        return "none counted in costs (--cold-fraction)"
    return f"{cold_fraction * 100:.3g} % of the calls, counted in costs and in what the strategy compares"


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
        methods = distinct(estimate.method for estimate in estimates)
        if methods:
            yield name, methods


def distinct(methods: Iterable[str]) -> tuple[str, ...]:
    """Each method once: those that differ in their numbers alone become one, with dots where the numbers differ."""
    forms: dict[str, set[str]] = {}
    for method in methods:
        forms.setdefault(_NUMBER.sub("…", method), set()).add(method)
    return tuple(next(iter(found)) if len(found) == 1 else form for form, found in forms.items())


def _percentiles(rows: Iterable[Distribution]) -> Iterator[Estimate]:
    for row in rows:
        yield from (row.p50, row.p95, row.p99)
