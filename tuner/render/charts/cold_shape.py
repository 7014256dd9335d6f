"""The shape of init durations, architectures over one another: two humps are two kinds of hosts, or of work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil

from tuner.render.charts.chart import MS_LABEL, Chart, Spec, framed, label_fields
from tuner.render.charts.cold_quantiles import colour_of
from tuner.render.cold_view import Panel
from tuner.render.samples import quantile
from tuner.units import format_ms

_HEIGHT = 130
_FEWEST_BINS, _MOST_BINS = 12, 48
_FRAME = 0.99
"""The slowest hundredth may stretch the axis no further than ``_STRETCH`` of the rest."""
_STRETCH = 1.25


def shape_chart(panels: Sequence[Panel], *, what: str) -> Chart:
    """``what`` names the quantity: init, or restore with SnapStart."""
    frame = _frame([value for panel in panels for one in panel.series for value in one.start_ms])
    beyond = sum(value > frame.high for panel in panels for one in panel.series for value in one.start_ms)
    outside = f" {beyond:,} slower ones lie outside the frame; the table has the longest." if beyond else ""
    return Chart(
        name="cold-shape",
        title=f"Distribution of {what} durations",
        description=(
            f"The share of cold starts whose {what} took that long, in bins of {format_ms(frame.step)}; upright "
            "lines are medians. Two humps are two kinds of hosts or of work, and no single number is typical then."
            f"{outside}"
        ),
        spec=partial(_spec, tuple(panels), frame, what),
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """The bins that all panels share, so that their shapes can be compared."""

    low: float
    high: float
    bins: int

    @property
    def step(self) -> float:
        return (self.high - self.low) / self.bins

    def shares(self, values: Sequence[float]) -> list[float]:
        counts = [0] * self.bins
        for value in values:
            if value <= self.high:
                counts[min(int((value - self.low) / self.step), self.bins - 1)] += 1
        return [count / len(values) for count in counts]


def _frame(values: Sequence[float]) -> _Frame:
    """Bins as wide as Freedman and Diaconis (1981) propose, over all but the slowest hundredth if that lies far."""
    ordered = sorted(values)
    low, most = ordered[0], ordered[-1]
    high = min(most, low + (quantile(ordered, _FRAME) - low) * _STRETCH)
    if high <= low:
        return _Frame(low * 0.95, low * 1.05 or 1.0, _FEWEST_BINS)
    width = 2 * (quantile(ordered, 0.75) - quantile(ordered, 0.25)) / len(ordered) ** (1 / 3)
    bins = ceil((high - low) / width) if width > 0 else _MOST_BINS
    return _Frame(low, high, max(_FEWEST_BINS, min(bins, _MOST_BINS)))


def _spec(panels: Sequence[Panel], frame: _Frame, what: str, width: int) -> Spec:
    last = len(panels) - 1
    bodies = [
        _panel(number, panel, frame, what if number == last else None, width) for number, panel in enumerate(panels)
    ]
    body: Spec = bodies[0] if len(bodies) == 1 else {"vconcat": bodies, "spacing": 26}
    return framed(
        body,
        bins=[row for number, panel in enumerate(panels) for row in _bins(number, panel, frame)],
        medians=[row for number, panel in enumerate(panels) for row in _medians(number, panel)],
    )


def _panel(number: int, panel: Panel, frame: _Frame, what: str | None, width: int) -> Spec:
    x: Spec = {
        "field": "low",
        "type": "quantitative",
        "scale": {"domain": [round(frame.low, 3), round(frame.high, 3)], "nice": False},
        "axis": {"title": f"{what.capitalize()} duration" if what else None, "labelExpr": MS_LABEL, "tickCount": 6},
    }
    y: Spec = {
        "field": "share",
        "type": "quantitative",
        "scale": {"zero": True, "nice": True},
        "stack": None,
        "axis": {"title": f"{panel.title}, share" if panel.title else "Share", "format": ".0%", "tickCount": 3},
    }
    colour, only = colour_of(panel.series), {"filter": f"datum.panel == {number}"}
    return {
        "width": width,
        "height": _HEIGHT,
        "layer": [
            {
                "data": {"name": "bins"},
                "transform": [only],
                "mark": {"type": "rect", "opacity": 0.4},
                "encoding": {
                    "x": x,
                    "x2": {"field": "high"},
                    "y": y,
                    "y2": {"datum": 0},
                    "color": colour,
                    "tooltip": label_fields(("series", "Where"), ("range", "Duration"), ("words", "Share")),
                },
            },
            {
                "data": {"name": "medians"},
                "transform": [only],
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    "x": {**x, "field": "ms"},
                    "color": colour,
                    "tooltip": label_fields(("series", "Where"), ("words", "Median")),
                },
            },
        ],
    }


def _bins(number: int, panel: Panel, frame: _Frame) -> Iterator[Spec]:
    for one in panel.series:
        for index, share in enumerate(frame.shares(one.start_ms)):
            low, high = frame.low + index * frame.step, frame.low + (index + 1) * frame.step
            if share:
                yield {
                    "panel": number,
                    "series": one.label,
                    "low": round(low, 3),
                    "high": round(high, 3),
                    "share": round(share, 4),
                    "range": f"{format_ms(low)} to {format_ms(high)}",
                    "words": f"{share:.1%}",
                }


def _medians(number: int, panel: Panel) -> Iterator[Spec]:
    for one in panel.series:
        middle = quantile(sorted(one.start_ms), 0.5)
        yield {"panel": number, "series": one.label, "ms": round(middle, 2), "words": format_ms(middle)}
