"""How the level of all sizes moved while the run went on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from tuner.render.charts.chart import Chart, Spec, framed, label_fields
from tuner.render.palette import BLUE, SOFT
from tuner.render.samples import BlockLevel
from tuner.units import format_ratio

FEWEST_BLOCKS = 3
"""Fewer blocks show no course over time."""


def drift_chart(levels: Sequence[BlockLevel]) -> Chart:
    return Chart(
        name="noise",
        title="Noise over the run",
        description=(
            "Each block of the run, in the order in which they ran: the median of its warm durations, each relative "
            "to the median of its own size, with a bar over the middle 80 %. A level line shows no "
            "drift. In a run of named sizes all of them take part in every block, so that a drift hits them alike; a "
            "search measures other sizes in each block, and a step may be one of those."
        ),
        spec=partial(_spec, tuple(levels)),
    )


def _spec(levels: Sequence[BlockLevel], width: int) -> Spec:
    x: Spec = {
        "field": "block",
        "type": "quantitative",
        "scale": {"nice": False, "padding": 12, "zero": False},
        "axis": {"title": "Block", "format": "d", "tickMinStep": 1, "tickCount": min(len(levels), 12)},
    }
    label = "(datum.value > 0 ? '+' : '') + format(datum.value, '.1~%')"
    y: Spec = {
        "type": "quantitative",
        "scale": {"zero": False, "nice": True},
        "axis": {"title": "Relative to the median of the size", "labelExpr": label, "tickCount": 5},
    }
    body = {
        "data": {"name": "blocks"},
        "width": width,
        "height": 150,
        "layer": [
            {"mark": {"type": "rule", "stroke": SOFT, "strokeDash": [2, 3]}, "encoding": {"y": {"datum": 0}}},
            {
                "mark": {"type": "rule", "stroke": BLUE, "strokeWidth": 2, "opacity": 0.55},
                "encoding": {"x": x, "y": {**y, "field": "p10"}, "y2": {"field": "p90"}},
            },
            {
                "mark": {"type": "point", "filled": True, "fill": BLUE, "size": 60, "opacity": 1},
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "p50"},
                    "tooltip": label_fields(
                        ("where", "Block"), ("p50_words", "Median"), ("range", "Middle 80 %"), ("n", "Samples")
                    ),
                },
            },
        ],
    }
    return framed(body, blocks=tuple(_rows(levels)))


def _rows(levels: Sequence[BlockLevel]) -> Iterator[Spec]:
    for level in levels:
        single = level.first == level.last
        yield {
            "block": (level.first + level.last) / 2 + 1,
            "p10": round(level.p10 - 1, 5),
            "p50": round(level.p50 - 1, 5),
            "p90": round(level.p90 - 1, 5),
            "where": str(level.first + 1) if single else f"{level.first + 1} to {level.last + 1}",
            "p50_words": format_ratio(level.p50),
            "range": f"{format_ratio(level.p10)} to {format_ratio(level.p90)}",
            "n": f"{level.n:,}",
        }
