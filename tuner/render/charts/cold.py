"""Init durations against memory: every cold start that was seen, and the mean with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from tuner.model import Architecture, Cell, CurvePoint
from tuner.render.charts.chart import MS_LABEL, Chart, Spec, framed, label_fields, memory_axis
from tuner.render.charts.curve import words
from tuner.render.curves import reading
from tuner.render.palette import BLUE, INK, ORANGE
from tuner.render.samples import CellSamples, thinned
from tuner.units import format_ms

_MOST_TICKS = 25


def cold_chart(points: Sequence[CurvePoint], cells: Sequence[CellSamples], names: Mapping[Cell, str]) -> Chart:
    """``points`` are those with an init duration."""
    return Chart(
        name="cold-starts",
        title="Init duration of cold starts",
        description=(
            "Ticks are cold starts (at most 25 a size, evenly spaced by rank), diamonds their means with 95 % "
            "intervals where they are known. Init duration is kept apart from the durations above."
        ),
        spec=partial(_spec, tuple(points), tuple(cells), dict(names)),
        controls=("memory-scale", "value-scale"),
    )


def _spec(points: Sequence[CurvePoint], cells: Sequence[CellSamples], names: Mapping[Cell, str], width: int) -> Spec:
    y: Spec = {
        "field": "ms",
        "type": "quantitative",
        "scale": {"zero": True, "nice": True},
        "axis": {"title": "Init duration", "labelExpr": MS_LABEL, "tickCount": 5},
    }
    colour: Spec = {"field": "colour", "type": "nominal", "scale": None}
    body = {
        "width": width,
        "height": 190,
        "encoding": {"x": memory_axis([point.memory_mb for point in points])},
        "layer": [
            {
                "data": {"name": "starts"},
                "mark": {"type": "tick", "orient": "horizontal", "size": 18, "thickness": 1.5, "opacity": 0.45},
                "encoding": {
                    "y": y,
                    "fill": colour,
                    "tooltip": label_fields(("where", "Size"), ("words", "Init duration")),
                },
            },
            {
                "data": {"name": "means"},
                "transform": [{"filter": "isValid(datum.low)"}],
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}, "stroke": {"value": INK}},
            },
            {
                "data": {"name": "means"},
                "mark": {"type": "point", "shape": "diamond", "filled": True, "size": 80, "opacity": 1},
                "encoding": {
                    "y": y,
                    "fill": {"value": INK},
                    "tooltip": label_fields(("where", "Size"), ("words", "Mean init"), ("n", "Cold starts")),
                },
            },
        ],
    }
    here = [found for found in cells if found.init_ms]
    return framed(body, starts=tuple(_starts(here, names)), means=tuple(_means(points, names)))


def _starts(cells: Sequence[CellSamples], names: Mapping[Cell, str]) -> Iterator[Spec]:
    for found in cells:
        for value in thinned(found.init_ms, _MOST_TICKS):
            yield {
                "memory_mb": found.cell.memory_mb,
                "ms": value,
                "colour": ORANGE if found.cell.architecture is Architecture.ARM64 else BLUE,
                "where": names[found.cell],
                "words": format_ms(value),
            }


def _means(points: Sequence[CurvePoint], names: Mapping[Cell, str]) -> Iterator[Spec]:
    for point in points:
        if point.init_ms is not None:
            mean = point.init_ms.mean
            yield {
                "memory_mb": point.memory_mb,
                "ms": mean.point,
                "low": mean.low,
                "high": mean.high,
                "where": names[point.cell],
                "words": words(reading(mean), format_ms),
                "n": str(mean.n),
            }
