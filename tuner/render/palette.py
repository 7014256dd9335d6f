"""The colours of charts: one hex value each for exported files, one custom property each on the page.

A chart is drawn with the hex values, so that an exported file stands on its own. On the page every value becomes a
CSS variable: light, dark and print then follow the reader without drawing anything twice.
"""

from __future__ import annotations

import re

BLUE = "#1a66a8"
ORANGE = "#a84a12"
GREEN = "#0b6b51"
PURPLE = "#6b3fa6"
MAGENTA = "#a3246f"
OLIVE = "#666a10"
RED = "#a3242c"
INK = "#16202d"
SOFT = "#506073"
LINE = "#d9dfe7"
PAPER = "#fffffe"

VARIABLES = {
    BLUE: "blue",
    ORANGE: "orange",
    GREEN: "green",
    PURPLE: "purple",
    MAGENTA: "magenta",
    OLIVE: "olive",
    RED: "red",
    INK: "chart-ink",
    SOFT: "chart-soft",
    LINE: "chart-line",
    PAPER: "chart-paper",
}
"""Custom property of ``templates/page.css`` for each colour."""

SERIES = (BLUE, ORANGE, GREEN, PURPLE, MAGENTA, OLIVE)
"""Colours of compared series, in order; shapes tell them apart as well."""

_HEX = re.compile("|".join(VARIABLES))


def themed(text: str) -> str:
    """A drawing or a specification with its colours replaced by the page's variables."""
    return _HEX.sub(lambda found: f"var(--{VARIABLES[found.group()]})", text)
