"""From specifications to pictures: the one place that knows vl-convert.

vl-convert runs Vega itself in an embedded engine: no browser, no network.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from typing import Any

import vl_convert

from tuner.render.charts.chart import VEGA_LITE

_PNG_SCALE = 2
_LONG_DECIMAL = re.compile(r"\d+\.\d{3,}")
_INVISIBLE = re.compile(r'<path class="(?:background|foreground)"[^>]*(?:d="M0,0h0v0h0Z"|display="none")[^>]*/>')
_SIZE = re.compile(r' width="([\d.]+)" height="([\d.]+)"')


def svg(spec: dict[str, Any]) -> str:
    """The picture of a Vega-Lite specification as an SVG document. The same specification gives the same bytes."""
    return _svg(json.dumps(spec))


@lru_cache(maxsize=64)
def _svg(spec: str) -> str:
    return vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)


def png(spec: dict[str, Any]) -> bytes:
    return vl_convert.vegalite_to_png({**spec, "background": "white"}, vl_version=VEGA_LITE, scale=_PNG_SCALE)


@cache
def library() -> str:
    """Vega, Vega-Lite and vega-embed as one script for a page, as ``window.vegaEmbed``: about 0.9 MB."""
    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)
    return script.replace("</script", r"<\/script").replace("<!--", r"<\!--")


def inline_svg(spec: dict[str, Any], *, css_class: str, labelled_by: str, described_by: str) -> str:
    """The picture as an element of a page: scales with its column, and has a name and a description."""
    drawing = svg(spec)
    size = _SIZE.search(drawing)
    if size is None:
        raise ValueError("vl-convert wrote an SVG without a size")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{css_class}" role="img" aria-labelledby="{labelled_by}" '
        f'aria-describedby="{described_by}" viewBox="0 0 {size[1]} {size[2]}">'
    )
    return head + _slim(drawing[drawing.index(">") + 1 :])


def _slim(drawing: str) -> str:
    """Hundredths of a pixel are enough, and what is never drawn need not be written: less than half remains."""
    return _LONG_DECIMAL.sub(lambda found: f"{float(found.group()):.2f}", _INVISIBLE.sub("", drawing))
