"""A quantile plot in characters: for terminals, and wherever else nothing but text is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from tuner.render.samples import quantile
from tuner.units import format_ms

SYMBOLS = "●○■□▲△◆◇"
"""One for each series, in order: full and empty ones next to each other are the two architectures of a size."""

_LABEL = 9
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotSeries:
    name: str
    values_ms: tuple[float, ...]


def quantile_plot(series: Sequence[PlotSeries], *, width: int, height: int = 12) -> str:
    """Each series' values in ms against the share of them that is not longer; empty where there are none.

    Where two series meet, the later one is seen.
    """
    drawn = [one for one in series if one.values_ms][: len(SYMBOLS)]
    if not drawn:
        return ""
    columns = width - _LABEL - 2
    low = min(min(one.values_ms) for one in drawn)
    high = max(max(one.values_ms) for one in drawn)
    span = (high - low) or max(high, 1.0)
    rows = [[" "] * columns for _ in range(height)]
    for symbol, one in zip(SYMBOLS, drawn, strict=False):
        ordered = sorted(one.values_ms)
        for column in range(columns):
            value = quantile(ordered, (column + 0.5) / columns)
            rows[height - 1 - min(int((value - low) / span * height), height - 1)][column] = symbol
    lines = [
        f"{_level(row, height, low, span):>{_LABEL}} │{''.join(cells)}".rstrip() for row, cells in enumerate(rows)
    ]
    legend = (f"{symbol} {one.name}" for symbol, one in zip(SYMBOLS, drawn, strict=False))
    return "\n".join([*lines, *_axis(columns), *_wrapped(legend, width)])


def _level(row: int, height: int, low: float, span: float) -> str:
    """The value at the middle of every third row, and at both ends."""
    if row % 3 and row != height - 1:
        return ""
    return format_ms(low + span * (height - row - 0.5) / height)


def _axis(columns: int) -> list[str]:
    line, labels = ["─"] * columns, [" "] * (columns + 4)
    for share in _TICKS:
        at = min(ceil(share * columns), columns - 1)
        line[at] = "┴"
        text = f"{share:.0%}"
        start = max(min(at - len(text) // 2, columns - len(text)), 0)
        labels[start : start + len(text)] = text
    margin = " " * (_LABEL + 1)
    return [f"{margin}└{''.join(line)}", f"{margin} {''.join(labels)}".rstrip()]


def _wrapped(words: Iterable[str], width: int) -> list[str]:
    lines = [""]
    for word in words:
        joined = f"{lines[-1]}   {word}" if lines[-1] else f"{' ' * (_LABEL + 2)}{word}"
        if len(joined) <= width or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(f"{' ' * (_LABEL + 2)}{word}")
    return lines
