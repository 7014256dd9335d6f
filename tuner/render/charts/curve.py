"""Cost and duration against memory, one above the other on the same memory axis.

Two panels, not two scales in one: where lines of different units cross means nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tuner.render.charts.chart import (
    MS_LABEL,
    Chart,
    Spec,
    framed,
    hidden_param,
    label_fields,
    memory_axis,
    shown_groups,
)
from tuner.render.curves import CurveView, Line, Reading
from tuner.render.palette import RED, SOFT
from tuner.units import format_ms

SIGNS = {"USD": "$", "CNY": "¥"}

COST_OF_USE: Spec = {
    "calculate": "volume * ((1 - cold) * datum.cost + (cold > 0 ? cold * datum.cold_cost : 0))",
    "as": "cost_of_use",
}
"""Cost at the reader's volume (in millions) and cold share; without a cold start seen, a cold share has no cost."""
OWN_COLOUR: Spec = {"field": "colour", "type": "nominal", "scale": None}
KNOWN_COST: Spec = {"filter": "isValid(datum.cost) && (cold == 0 || isValid(datum.cold_cost))"}
PARAMS = [{"name": "volume", "value": 1}, {"name": "cold", "value": 0}, hidden_param()]


def curve_chart(view: CurveView, *, name: str = "curve", title: str = "Cost and duration against memory") -> Chart:
    controls = ("memory-scale", "value-scale", "volume", *(("cold",) if view.knows_cold_cost else ()))
    return Chart(
        name=name,
        title=title,
        description=_description(view),
        spec=partial(_spec, view),
        controls=controls,
        groups=tuple(group.name for group in view.groups),
    )


def dot_rows(view: CurveView) -> Iterator[Spec]:
    """The dots as rows of data, with ready words for the tooltips."""
    for dot in view.dots:
        yield {
            "memory_mb": dot.memory_mb,
            "group": dot.group.name,
            "colour": dot.group.colour,
            "ms": dot.duration_ms.point if dot.duration_ms else None,
            "ms_low": dot.duration_ms.low if dot.duration_ms else None,
            "ms_high": dot.duration_ms.high if dot.duration_ms else None,
            "cost": dot.cost.point if dot.cost else None,
            "cost_low": dot.cost.low if dot.cost else None,
            "cost_high": dot.cost.high if dot.cost else None,
            "cold_cost": dot.cold_cost,
            "pareto": dot.pareto,
            "where": f"{dot.memory_mb} MB",
            "what": dot.remark or dot.series,
            "rest": "not told" if dot.n is None else str(dot.n),
            "ms_words": words(dot.duration_ms, format_ms),
            "cost_words": words(dot.cost, partial(money, currency=view.currency)),
            "status": dot.status,
        }


def money(amount: float, *, currency: str) -> str:
    digits = f"{amount:,.2f}" if amount >= 0.095 else f"{amount:.2g}"
    return f"{SIGNS.get(currency, '')}{digits}"


def words(reading: Reading | None, write: Callable[[float], str]) -> str:
    """``352 ms (347 to 357 ms)``, or the value with a word on the missing interval."""
    if reading is None:
        return "not known"
    if reading.low is None or reading.high is None:
        return f"{write(reading.point)}, no interval"
    return f"{write(reading.point)}, 95 % interval {write(reading.low)} to {write(reading.high)}"


def group_scales(view: CurveView, *, columns: int) -> Spec:
    """Colour, fill and shape of the groups, as one legend."""
    domain = [group.name for group in view.groups]
    ranges = {
        "stroke": [group.colour for group in view.groups],
        "fill": ["transparent" if group.hollow else group.colour for group in view.groups],
        "shape": [group.shape for group in view.groups],
    }
    return {
        channel: {
            "field": "group",
            "type": "nominal",
            "scale": {"domain": domain, "range": values},
            "legend": {"columns": columns},
        }
        for channel, values in ranges.items()
    }


def near_together(view: CurveView) -> bool:
    """Whether all costs lie so near each other that an axis from 0 would hide their intervals."""
    costs = [dot.cost.point for dot in view.dots if dot.cost]
    return bool(costs) and min(costs) > 0 and max(costs) / min(costs) < 1.5


def panel_height(width: int) -> int:
    return 200 if width > 400 else 170


def legend_columns(width: int) -> int:
    """As many as find room beside each other, for labels of ordinary length."""
    return max(width // 150, 1)


def cost_label(currency: str) -> str:
    return f"'{SIGNS.get(currency, '')}' + format(datum.value, ',.4~r')"


def tooltip(currency: str) -> list[Spec]:
    return label_fields(
        ("where", "Memory"),
        ("what", "Point"),
        ("rest", "Samples (n)"),
        ("ms_words", "Mean duration"),
        ("cost_words", f"Cost of a million, {currency}"),
        ("use_words", "Cost as set below"),
    )


def use_words(currency: str) -> Spec:
    return {
        "calculate": f"'{SIGNS.get(currency, '')}' + format(datum.cost_of_use, ',.3~r')",
        "as": "use_words",
    }


def _spec(view: CurveView, width: int) -> Spec:
    sizes = [dot.memory_mb for dot in view.dots]
    cost = _panel(
        view, width, value="cost_of_use", low="cost", label=cost_label(view.currency), title=f"Cost, {view.currency}"
    )
    duration = _panel(view, width, value="ms", low="ms", label=MS_LABEL, title="Mean duration")
    cost["encoding"] = {"x": memory_axis(sizes, title=None)}
    duration["encoding"] = {"x": memory_axis(sizes)}
    body = {"params": PARAMS, "vconcat": [cost, duration], "bounds": "flush", "spacing": 48}
    return framed(body, dots=tuple(dot_rows(view)), lines=tuple(_line_rows(view.lines)))


def _panel(view: CurveView, width: int, *, value: str, low: str, label: str, title: str) -> Spec:
    is_cost = value == "cost_of_use"
    zero = not is_cost or not near_together(view)
    axis = {"title": title if zero else f"{title} (the axis does not start at 0)", "labelExpr": label, "tickCount": 5}
    y = {"field": value, "type": "quantitative", "scale": {"zero": zero, "nice": True}, "axis": axis}
    height = panel_height(width)
    return {
        "width": width,
        "height": height,
        "layer": [
            _lines(is_cost, y),
            _intervals(low, is_cost, y),
            _points(is_cost, y, view, width),
            *([] if is_cost else _failures(view, height)),
        ],
    }


def _lines(is_cost: bool, y: Spec) -> Spec:
    return {
        "data": {"name": "lines"},
        "transform": [COST_OF_USE, KNOWN_COST] if is_cost else [{"filter": "isValid(datum.ms)"}],
        "mark": {"type": "line", "strokeWidth": 1.5, "opacity": 0.75},
        "encoding": {
            "y": y,
            "detail": {"field": "series", "type": "nominal"},
            "color": OWN_COLOUR,
            "strokeDash": {"condition": {"test": "datum.fitted", "value": [6, 4]}, "value": [1, 0]},
        },
    }


def _intervals(name: str, is_cost: bool, y: Spec) -> Spec:
    bounds: list[Spec] = [shown_groups(), {"filter": f"isValid(datum.{name}_low)"}]
    low, high = f"{name}_low", f"{name}_high"
    if is_cost:
        bounds += [KNOWN_COST, COST_OF_USE, _moved("low"), _moved("high")]
        low, high = "use_low", "use_high"
    return {
        "data": {"name": "dots"},
        "transform": bounds,
        "mark": {"type": "rule", "strokeWidth": 2},
        "encoding": {"y": {**y, "field": low}, "y2": {"field": high}, "color": OWN_COLOUR},
    }


def _moved(side: str) -> Spec:
    """The interval of the warm cost, carried to the reader's volume and cold share."""
    return {
        "calculate": f"datum.cost_of_use + volume * (1 - cold) * (datum.cost_{side} - datum.cost)",
        "as": f"use_{side}",
    }


def _points(is_cost: bool, y: Spec, view: CurveView, width: int) -> Spec:
    scales = group_scales(view, columns=legend_columns(width))
    known = KNOWN_COST if is_cost else {"filter": "isValid(datum.ms)"}
    return {
        "data": {"name": "dots"},
        "transform": [shown_groups(), COST_OF_USE, use_words(view.currency), known],
        "mark": {"type": "point", "size": 90, "strokeWidth": 2, "opacity": 1},
        "encoding": {"y": y, **scales, "tooltip": tooltip(view.currency)},
    }


def _failures(view: CurveView, height: int) -> Iterator[Spec]:
    """Sizes without a number, as crosses on the memory axis: a gap would hide that they were tried."""
    if all(dot.duration_ms for dot in view.dots):
        return
    yield {
        "data": {"name": "dots"},
        "transform": [{"filter": "!isValid(datum.ms)"}],
        "mark": {"type": "point", "shape": "M-1,-1L1,1M1,-1L-1,1", "size": 40, "strokeWidth": 2, "stroke": RED},
        "encoding": {
            "y": {"value": height - 8},
            "tooltip": label_fields(("where", "Memory"), ("status", "Ended")),
        },
    }


def _line_rows(lines: tuple[Line, ...]) -> Iterator[Spec]:
    for line in lines:
        for memory_mb, ms, cost in line.points:
            yield {
                "series": line.series,
                "colour": line.colour or SOFT,
                "fitted": line.fitted,
                "memory_mb": memory_mb,
                "ms": ms,
                "cost": cost,
                "cold_cost": None,
            }


def _description(view: CurveView) -> str:
    sizes = [dot.memory_mb for dot in view.dots if dot.duration_ms]
    fitted = any(line.fitted for line in view.lines)
    between = (
        "dashed lines are the fitted curve" if fitted else "straight lines join the points, nothing between them"
    )
    failed = sorted(dot.memory_mb for dot in view.dots if not dot.duration_ms)
    crosses = " Crosses are sizes that gave no number." if failed else ""
    known = any(dot.duration_ms and dot.duration_ms.low is not None for dot in view.dots)
    bars = "Vertical bars are 95 % intervals where they are known" if known else "No interval is known"
    return (
        f"Above, the cost of a million {view.calls}, below, the mean duration, both against memory from "
        f"{min(sizes, default=0)} to {max(sizes, default=0)} MB. {bars}; "
        f"{between}.{crosses}"
    )
