"""Quantile plot of cold starts: how long the share of them takes that a reader asks about, the tail drawn out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from tuner.model import Cell, ColdDistribution, Estimate
from tuner.render.charts.chart import MS_LABEL, Chart, Spec, framed, label_fields
from tuner.render.cold_view import ColdSeries, Panel
from tuner.render.figures import ms_range
from tuner.units import format_ms

QUANTILES = (0.5, 0.9, 0.95, 0.99)

_HEIGHT = 190
_MOST_STEPS = 150
_TICK_LABEL = "datum.value == 1 ? 'min' : 'p' + format(100 * (1 - datum.value), '.3~r')"


def quantile_chart(panels: Sequence[Panel], known: Mapping[Cell, ColdDistribution], *, what: str) -> Chart:
    """``known`` are the totals' distributions; ``what`` comes before the first invocation, in a word."""
    return Chart(
        name="cold-quantiles",
        title=f"Cold starts: {what} and first invocation together",
        description=(
            "Each line shows how long the given share of cold starts took at most: above p95 stands the time that "
            "95 % of them kept to. The axis is drawn out towards the slow end. Points with bars are percentiles with "
            "their 95 % intervals; where a percentile has no interval there is no point."
        ),
        spec=partial(_spec, tuple(panels), dict(known)),
    )


def _spec(panels: Sequence[Panel], known: Mapping[Cell, ColdDistribution], width: int) -> Spec:
    lines = [row for number, panel in enumerate(panels) for row in _lines(number, panel)]
    points = [row for number, panel in enumerate(panels) for row in _points(number, panel, known)]
    least = min((row["beyond"] for row in lines), default=0.01)
    bodies = [_panel(number, panel, width, least) for number, panel in enumerate(panels)]
    body: Spec = bodies[0] if len(bodies) == 1 else {"vconcat": bodies, "spacing": 26}
    return framed(body, lines=lines, points=points)


def _panel(number: int, panel: Panel, width: int, least: float) -> Spec:
    x: Spec = {
        "field": "beyond",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [1, min(least, 0.009)], "nice": False},
        "axis": {
            "title": "Share of cold starts that took no longer",
            "values": [1, 0.5, 0.25, 0.1, 0.05, 0.01],
            "labelExpr": _TICK_LABEL,
        },
    }
    y: Spec = {
        "field": "ms",
        "type": "quantitative",
        "scale": {"zero": False, "nice": True},
        "axis": {"title": panel.title or "Time", "labelExpr": MS_LABEL, "tickCount": 5},
    }
    colour = colour_of(panel.series)
    only = {"filter": f"datum.panel == {number}"}
    return {
        "width": width,
        "height": _HEIGHT,
        "layer": [
            {
                "data": {"name": "lines"},
                "transform": [only],
                "mark": {"type": "line", "strokeWidth": 2, "interpolate": "step-after"},
                "encoding": {"x": x, "y": y, "color": colour, "strokeDash": dash_of(panel.series)},
            },
            {
                "data": {"name": "points"},
                "transform": [only],
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour},
            },
            {
                "data": {"name": "points"},
                "transform": [only],
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": colour,
                    "tooltip": label_fields(
                        ("series", "Where"), ("name", "Percentile"), ("words", "Time"), ("n", "Cold starts")
                    ),
                },
            },
        ],
    }


def colour_of(series: Sequence[ColdSeries]) -> Spec:
    """The colour channel of a panel, with its legend."""
    names = [one.label for one in series]
    scale = {"domain": names, "range": [one.colour for one in series]}
    legend = {"columns": 2, "symbolType": "stroke", "symbolStrokeWidth": 3}
    return {"field": "series", "type": "nominal", "scale": scale, "legend": legend}


def dash_of(series: Sequence[ColdSeries]) -> Spec:
    scale = {"domain": [one.label for one in series], "range": [list(one.dash) for one in series]}
    return {"field": "series", "type": "nominal", "scale": scale, "legend": {"columns": 2, "symbolType": "stroke"}}


def _lines(number: int, panel: Panel) -> Iterator[Spec]:
    for one in panel.series:
        ordered = sorted(one.total_ms)
        for rank in _ranks(len(ordered)):
            beyond = (len(ordered) - rank) / len(ordered)
            yield {"panel": number, "series": one.label, "beyond": round(beyond, 5), "ms": round(ordered[rank], 2)}


def _ranks(n: int) -> list[int]:
    """All of few; of many evenly spaced ones and all of the slow tail."""
    if n <= _MOST_STEPS:
        return list(range(n))
    tail = n - _MOST_STEPS // 3
    return sorted({*(round(step * tail / (_MOST_STEPS // 2)) for step in range(_MOST_STEPS // 2)), *range(tail, n)})


def _points(number: int, panel: Panel, known: Mapping[Cell, ColdDistribution]) -> Iterator[Spec]:
    for one in panel.series:
        distribution = known.get(one.cell)
        for quantile in QUANTILES if distribution else ():
            estimate = distribution.at(quantile) if distribution else None
            if estimate is not None and estimate.estimable:
                yield {"panel": number, "series": one.label, **_point(quantile, estimate)}


def _point(quantile: float, estimate: Estimate) -> Spec:
    return {
        "beyond": round(1 - quantile, 4),
        "ms": round(estimate.point, 2),
        "low": estimate.low,
        "high": estimate.high,
        "name": f"p{quantile * 100:g}",
        "words": f"{format_ms(estimate.point)} ({ms_range(estimate)})",
        "n": str(estimate.n),
    }
