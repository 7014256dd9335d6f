"""Head against base as intervals, one line a metric, with the margin beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tuner.model import Estimate, MetricStatus
from tuner.render.charts.chart import Chart, Spec, framed, label_fields
from tuner.render.figures import ratio_range
from tuner.render.palette import BLUE, GREEN, INK, ORANGE, RED, SOFT
from tuner.render.text import printable
from tuner.units import format_ratio

MOST_LINES = 60
"""Of more nothing could be read."""
_ROW_PX = 40

_SHOWN = {
    MetricStatus.PASS: ("pass", GREEN, "circle"),
    MetricStatus.IMPROVEMENT: ("improvement", BLUE, "triangle-left"),
    MetricStatus.REGRESSION: ("regression", RED, "triangle-right"),
    MetricStatus.INCONCLUSIVE: ("inconclusive", ORANGE, "square"),
    MetricStatus.UNKNOWN: ("unknown", SOFT, "cross"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestLine:
    """One ratio head / base and the margin that it was held against."""

    name: str
    ratio: Estimate
    margin: float
    status: MetricStatus


def forest_chart(lines: Sequence[ForestLine]) -> Chart:
    shown = tuple(lines[:MOST_LINES])
    left = f" {len(lines) - len(shown)} more are in the table." if len(lines) > len(shown) else ""
    return Chart(
        name="forest",
        title="Change of each metric",
        description=(
            "Each line is a metric: the point is how much larger it is in head than in base, the bar its interval. "
            "The dashed line is no change, the short mark the margin that is allowed. Green is shown where the whole "
            f"bar lies left of its mark, red where it lies right of it.{left}"
        ),
        spec=partial(_spec, shown),
    )


def _spec(lines: Sequence[ForestLine], width: int) -> Spec:
    # Names stand above their lines: beside them they would take half of a phone's width.
    y: Spec = {
        "field": "row",
        "type": "nominal",
        "sort": [str(number) for number, _ in enumerate(lines)],
        "axis": None,
    }
    x: Spec = {
        "field": "percent",
        "type": "quantitative",
        "scale": {"nice": True, "zero": True},
        "axis": {
            "title": "Head against base, %",
            "grid": True,
            "format": "+.3~r",
            "tickCount": 7 if width > 400 else 4,
        },
    }
    used = list(dict.fromkeys(_SHOWN[line.status] for line in lines))
    status: Spec = {
        "color": _scale(used, 1),
        "shape": _scale(used, 2),
    }
    layers: list[Spec] = [
        {
            "mark": {"type": "text", "align": "left", "baseline": "bottom", "dy": -6},
            "encoding": {"x": {"value": 2}, "y": y, "text": {"field": "name", "type": "nominal"}},
        },
        {
            "mark": {"type": "rule", "stroke": INK, "strokeDash": [4, 4], "strokeWidth": 1},
            "encoding": {"x": {"datum": 0, "type": "quantitative"}},
        },
        {
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "strokeWidth": 3},
            "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": _scale(used, 1)},
        },
        {
            "mark": {"type": "tick", "thickness": 2, "size": 18, "color": INK},
            "encoding": {"x": {**x, "field": "margin"}, "y": y},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
            "encoding": {
                "x": x,
                "y": y,
                **status,
                "tooltip": label_fields(("name", "Metric"), ("change", "Head against base"), ("verdict", "Status")),
            },
        },
    ]
    body: Spec = {
        "data": {"name": "lines"},
        "width": width,
        "height": {"step": _ROW_PX},
        "layer": layers,
    }
    return framed(body, lines=[_row(number, line) for number, line in enumerate(lines)])


def _row(number: int, line: ForestLine) -> Spec:
    ratio = line.ratio
    return {
        "row": str(number),
        "name": printable(line.name, longest=44),
        "percent": round((ratio.point - 1) * 100, 3),
        "low": None if ratio.low is None else round((ratio.low - 1) * 100, 3),
        "high": None if ratio.high is None else round((ratio.high - 1) * 100, 3),
        "margin": round(line.margin * 100, 3),
        "verdict": _SHOWN[line.status][0],
        "change": f"{format_ratio(ratio.point)} ({ratio_range(ratio)})",
    }


def _scale(used: Sequence[tuple[str, str, str]], column: int) -> Spec:
    return {
        "field": "verdict",
        "type": "nominal",
        "scale": {"domain": [one[0] for one in used], "range": [one[column] for one in used]},
    }
