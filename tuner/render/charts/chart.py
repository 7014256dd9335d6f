"""What a chart is, and the look that all charts share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tuner.render.palette import INK, LINE, SOFT

VEGA_LITE = "6.4"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

Spec = dict[str, Any]

WIDE = 800
"""Width of the plots in px on a desk or on A4; the axes take about 70 more."""
NARROW = 262
"""The same on a phone."""

MS_LABEL = "datum.value < 1000 ? format(datum.value, ',.4~r') + ' ms' : format(datum.value / 1000, ',.4~r') + ' s'"

_SIZE_TICKS = (128, 256, 512, 1024, 1769, 3008, 5120, 10240)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A figure: a slug for ids and file names, words for those who do not see it, and how to draw it.

    ``spec`` gives the Vega-Lite specification for a width of the plot in px.
    """

    name: str
    title: str
    description: str
    spec: Callable[[int], Spec]
    controls: tuple[str, ...] = ()
    """What a reader may change where scripts run: ``memory-scale``, ``value-scale``, ``volume``, ``cold``."""
    groups: tuple[str, ...] = ()
    """Series that can be shown and hidden."""


def framed(body: Spec, **datasets: Sequence[Spec]) -> Spec:
    """A complete specification around ``body``: schema, data and the look."""
    return {
        "$schema": SCHEMA,
        "background": None,
        "datasets": {name: list(rows) for name, rows in datasets.items()},
        **body,
        "config": _CONFIG,
    }


def memory_axis(sizes: Iterable[int], *, title: str | None = "Memory, MB (log scale)", labels: bool = True) -> Spec:
    """Memory on a log scale, with ticks where AWS users expect them."""
    known = sorted(set(sizes))
    low, high = known[0] / 1.12, known[-1] * 1.12
    ticks = [size for size in _SIZE_TICKS if low <= size <= high]
    return {
        "field": "memory_mb",
        "type": "quantitative",
        "scale": {"type": "log", "base": 2, "domain": [round(low, 1), round(high, 1)], "nice": False},
        "axis": {
            "title": title,
            "values": ticks if len(ticks) > 2 else known,
            "format": "d",
            "labels": labels,
            "ticks": labels,
            "labelOverlap": "greedy",
        },
    }


def shown_groups() -> Spec:
    """Keeps the rows of the series that the reader has not hidden."""
    return {"filter": "indexof(hidden, datum.group) < 0"}


def hidden_param() -> Spec:
    return {"name": "hidden", "value": []}


def label_fields(*fields: tuple[str, str]) -> list[Spec]:
    """A tooltip of ready words: pairs of field and title."""
    return [{"field": name, "type": "nominal", "title": title} for name, title in fields]


_CONFIG: Spec = {
    "font": "Liberation Sans, Arial, Helvetica, sans-serif",
    "aria": False,
    "mark": {"aria": False},
    "view": {"stroke": None},
    "axis": {
        "labelColor": SOFT,
        "titleColor": INK,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "bold",
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "titlePadding": 8,
    },
    "axisX": {"grid": False},
    "axisY": {
        "titleAngle": 0,
        "titleAlign": "left",
        "titleAnchor": "end",
        "titleBaseline": "bottom",
        "titleX": -56,
        "titleY": -10,
        "domain": False,
        "ticks": False,
    },
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "symbolSize": 90,
        "orient": "top",
        "title": None,
        "labelLimit": 260,
        "offset": 30,
    },
    "text": {"color": INK, "fontSize": 12},
}
