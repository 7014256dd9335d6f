"""The distribution of each size: histograms one above the other, each around its own median."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from math import ceil, floor

from tuner.model import Cell
from tuner.render.charts.chart import Chart, Spec, framed, label_fields
from tuner.render.palette import BLUE, GREEN, INK, LINE, SOFT
from tuner.render.samples import Spread
from tuner.units import format_ms

_ROW_PX = 34
_TALLEST = 0.86
_STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_MOST_TICKS = 8

_JOINED: list[Spec] = [
    {
        "lookup": "base",
        "from": {
            "data": {"name": "rows"},
            "key": "base",
            "fields": ["where", "median", "total", "fullest", "colour"],
        },
    },
    {"calculate": f"datum.base - {_TALLEST} * datum.k / datum.fullest", "as": "top"},
    {
        "calculate": "format(datum.low * datum.median, ',.3~r') + ' to ' + "
        "format(datum.high * datum.median, ',.3~r') + ' ms'",
        "as": "range",
    },
    {"calculate": "format(datum.k, ',') + ' of ' + format(datum.total, ',')", "as": "count"},
]
"""A bin is four numbers: what it shares with its row is looked up there."""


def spread_chart(rows: Sequence[Spread], names: Sequence[str], proposed: Cell | None) -> Chart:
    """Distributions share one scale, the ratio to the median of the size, so that their shapes can be compared."""
    beyond = sum(row.beyond for row in rows)
    total = sum(row.n for row in rows)
    outside = (
        f" {beyond:,} of {total:,} samples lie outside the frame; the table has their extremes." if beyond else ""
    )
    return Chart(
        name="distribution",
        title="Distribution at each size",
        description=(
            "A histogram of the warm durations of each size, relative to the median of that size: two humps are two "
            "kinds of hosts or of work, a long right side is a tail. Heights are scaled to the fullest bin of a row."
            f"{outside}"
        ),
        spec=partial(_spec, tuple(rows), tuple(names), proposed),
    )


def _spec(rows: Sequence[Spread], names: Sequence[str], proposed: Cell | None, width: int) -> Spec:
    labels = " : ".join(f"datum.value == {index + 0.5} ? '{name}'" for index, name in enumerate(names))
    y_axis = {
        "values": [index + 0.5 for index in range(len(rows))],
        "labelExpr": f"{labels} : ''",
        "title": None,
        "grid": False,
        "labelLimit": 130,
    }
    x_axis = {
        "title": "Duration relative to the median of the size",
        "labelExpr": _percent_label(),
        "values": _ticks(_domain(rows, width)),
    }
    x: Spec = {
        "field": "low",
        "type": "quantitative",
        "scale": {"type": "log", "nice": False, "domain": _domain(rows, width)},
        "axis": x_axis,
    }
    y: Spec = {
        "field": "base",
        "type": "quantitative",
        "scale": {"domain": [len(rows), 0], "nice": False},
        "axis": y_axis,
    }
    body = {
        "width": width,
        "height": _ROW_PX * len(rows),
        "layer": [
            {
                "data": {"name": "rows"},
                "mark": {"type": "rule", "stroke": LINE},
                "encoding": {"y": {**y, "field": "base"}},
            },
            {
                "data": {"values": [{"one": 1}]},
                "mark": {"type": "rule", "stroke": SOFT, "strokeDash": [2, 3]},
                "encoding": {"x": {**x, "field": "one"}},
            },
            {
                "data": {"name": "bins"},
                "transform": _JOINED,
                "mark": {"type": "rect"},
                "encoding": {
                    "x": x,
                    "x2": {"field": "high"},
                    "y": y,
                    "y2": {"field": "top"},
                    "fill": {"field": "colour", "type": "nominal", "scale": None},
                    "tooltip": label_fields(("where", "Size"), ("range", "Duration"), ("count", "Samples")),
                },
            },
            *_counts(y, width),
        ],
    }
    return framed(body, rows=tuple(_row_values(rows, names, proposed)), bins=tuple(_bin_values(rows)))


def _counts(y: Spec, width: int) -> Iterator[Spec]:
    if width > 400:
        yield {
            "data": {"name": "rows"},
            "mark": {"type": "text", "align": "right", "dx": -4, "fill": INK},
            "encoding": {"x": {"value": width}, "y": {**y, "field": "label"}, "text": {"field": "words"}},
        }


def _percent_label() -> str:
    return "(datum.value > 1 ? '+' : '') + format(datum.value - 1, '.1~%')"


def _domain(rows: Sequence[Spread], width: int) -> list[float]:
    """All bins, and where there is room for words free space for them on the right."""
    edges = [edge for row in rows for found in row.bins for edge in (found.low, found.high)]
    low, high = min((*edges, 0.99)), max((*edges, 1.01))
    room = 0.3 if width > 400 else 0.03
    return [round(low * (low / high) ** 0.02, 5), round(high * (high / low) ** room, 5)]


def _ticks(domain: list[float]) -> list[float]:
    """Round percentages over the domain: a log scale of less than an octave would not find them itself."""
    low, high = domain
    step = next((step for step in _STEPS if (high - low) / step <= _MOST_TICKS), _STEPS[-1])
    first, last = ceil((low - 1) / step), floor((high - 1) / step)
    return [round(1 + index * step, 4) for index in range(first, last + 1)]


def _row_values(rows: Sequence[Spread], names: Sequence[str], proposed: Cell | None) -> Iterator[Spec]:
    for index, (row, name) in enumerate(zip(rows, names, strict=True)):
        yield {
            "base": index + 1,
            "label": index + 0.35,
            "where": name,
            "median": row.median_ms,
            "total": row.n,
            "fullest": max((found.count for found in row.bins), default=1),
            "colour": GREEN if row.cell == proposed else BLUE,
            "words": f"n = {row.n:,}, median {format_ms(row.median_ms)}",
        }


def _bin_values(rows: Sequence[Spread]) -> Iterator[Spec]:
    for index, row in enumerate(rows):
        for found in row.bins:
            low, high = round(found.low, 4), round(found.high, 4)
            yield {"base": index + 1, "low": low, "high": high, "k": found.count}
