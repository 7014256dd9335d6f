"""Cost against duration: what a faster answer costs, and which sizes nothing beats in both."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tuner.render.charts.chart import MS_LABEL, Chart, Spec, framed, shown_groups
from tuner.render.charts.curve import (
    COST_OF_USE,
    KNOWN_COST,
    OWN_COLOUR,
    PARAMS,
    cost_label,
    dot_rows,
    group_scales,
    legend_columns,
    near_together,
    tooltip,
    use_words,
)
from tuner.render.curves import CurveView
from tuner.render.palette import SOFT
from tuner.render.text import join_and

_BOTH: list[Spec] = [shown_groups(), KNOWN_COST, {"filter": "isValid(datum.ms)"}, COST_OF_USE]


def pareto_chart(view: CurveView) -> Chart:
    named = _members(view)
    known = any(dot.cost and dot.cost.low is not None for dot in view.dots)
    bars = "Bars are 95 % intervals." if known else "No interval is known."
    controls = ("value-scale", "volume", *(("cold",) if view.knows_cold_cost else ()))
    return Chart(
        name="pareto",
        title="What speed costs",
        description=(
            f"Each point is a size: mean duration to the right, cost of a million {view.calls} upwards, so the "
            "lower left is better in both. The line joins the Pareto set, the sizes that no other beats in both by "
            f"the best estimate of each.{named} {bars}"
        ),
        spec=partial(_spec, view),
        controls=controls,
        groups=tuple(group.name for group in view.groups),
    )


def _members(view: CurveView) -> str:
    """With their series where a size alone would not say which one is meant."""
    members = sorted((dot.memory_mb, dot.series) for dot in view.dots if dot.pareto)
    twice = len({memory_mb for memory_mb, _ in members}) < len(members)
    names = [f"{memory_mb} MB{f' {series}' if twice else ''}" for memory_mb, series in members]
    if not names:
        return ""
    return f" {'It is' if len(names) == 1 else 'They are'} {join_and(names)}."


def _spec(view: CurveView, width: int) -> Spec:
    x: Spec = {
        "field": "ms",
        "type": "quantitative",
        "scale": {"zero": True, "nice": True},
        "axis": {"title": "Mean duration", "labelExpr": MS_LABEL, "tickCount": 6 if width > 400 else 4},
    }
    zero = not near_together(view)
    title = f"Cost, {view.currency}{'' if zero else ' (the axis does not start at 0)'}"
    y: Spec = {
        "field": "cost_of_use",
        "type": "quantitative",
        "scale": {"zero": zero, "nice": True},
        "axis": {"title": title, "labelExpr": cost_label(view.currency), "tickCount": 5},
    }
    scales = group_scales(view, columns=legend_columns(width))
    layers: list[Spec] = [
        *_frontier(view, x, y),
        _interval("x", "ms", x, y),
        _interval("y", "cost", x, y),
        {
            "transform": [*_BOTH, use_words(view.currency)],
            "mark": {"type": "point", "size": 90, "strokeWidth": 2, "opacity": 1},
            "encoding": {"x": x, "y": y, **scales, "tooltip": tooltip(view.currency)},
        },
    ]
    body = {
        "params": PARAMS,
        "data": {"name": "dots"},
        "width": width,
        "height": 280 if width > 400 else 230,
        "layer": layers,
    }
    return framed(body, dots=tuple(dot_rows(view)))


def _frontier(view: CurveView, x: Spec, y: Spec) -> Iterator[Spec]:
    """The line through the Pareto set, and the names of its members and of today's size."""
    if any(dot.pareto for dot in view.dots):
        yield {
            "transform": [*_BOTH, {"filter": "datum.pareto"}],
            "mark": {"type": "line", "strokeWidth": 1.5, "stroke": SOFT, "strokeDash": [2, 3]},
            "encoding": {"x": x, "y": y, "order": {"field": "ms", "type": "quantitative"}},
        }
        yield {
            "transform": [*_BOTH, {"filter": "datum.pareto || datum.group == 'current'"}],
            "mark": {"type": "text", "align": "left", "dx": 9, "dy": -9},
            "encoding": {"x": x, "y": y, "text": {"field": "where", "type": "nominal"}},
        }


def _interval(axis: str, name: str, x: Spec, y: Spec) -> Spec:
    low, high, moved = f"{name}_low", f"{name}_high", []
    if axis == "y":
        low, high = "use_low", "use_high"
        share = "datum.cost_of_use + volume * (1 - cold)"
        moved = [
            {"calculate": f"{share} * (datum.cost_{side} - datum.cost)", "as": f"use_{side}"}
            for side in ("low", "high")
        ]
    channels = {"x": x, "y": y}
    channels[axis] = {**channels[axis], "field": low}
    return {
        "transform": [*_BOTH, {"filter": f"isValid(datum.{name}_low)"}, *moved],
        "mark": {"type": "rule", "strokeWidth": 2},
        "encoding": {**channels, f"{axis}2": {"field": high}, "color": OWN_COLOUR},
    }
