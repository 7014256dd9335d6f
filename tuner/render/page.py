"""What every page of tuner shares: one file that needs nothing else, complete without scripts, closed to the outside.

Every text is made harmless on its way in (``text.plain``, then jinja2's autoescape). The page's own policy allows its
one style and its own scripts by their hashes, and nothing from anywhere else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from tuner.render import draw
from tuner.render.charts.chart import NARROW, WIDE, Chart
from tuner.render.palette import themed
from tuner.render.text import plain

_TEMPLATES = "templates"
_NUMBER_AND_UNIT = re.compile(r"(?<=[\dn=]) (?=(?:%|ms|s|min|MB|=|\d+)(?!\w))")
_IN_SCRIPT = {"<": r"\u003c", ">": r"\u003e", "&": r"\u0026", "\u2028": r"\u2028", "\u2029": r"\u2029"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure on the page: its words, and its picture for wide and for narrow windows."""

    name: str
    title: str
    description: str
    controls: tuple[str, ...]
    wide: Markup
    narrow: Markup


def render_page(template: str, charts: Sequence[Chart], *, interactive: bool = True, **values: Any) -> str:
    """A page from its template. The same values give the same bytes.

    Without ``interactive`` no script is part of it, which saves 0.9 MB.
    """
    style = _file("page.css")
    scripts = (draw.library(), _file("page.js")) if interactive and charts else ()
    return (
        _environment()
        .get_template(template)
        .render(
            style=_own(style),
            scripts=tuple(map(_own, scripts)),
            policy=_policy(style, scripts),
            specifications=_embedded(charts) if scripts else None,
            drawings={chart.name: _drawing(chart) for chart in charts},
            **values,
        )
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tuner.render", _TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["capitalized"] = _capitalized
    environment.filters["unbroken"] = _unbroken
    return environment


def _file(name: str) -> str:
    return files(__package__).joinpath(_TEMPLATES, name).read_text(encoding="utf-8")


def _drawing(chart: Chart) -> Drawing:
    wide, narrow = (
        themed(
            draw.inline_svg(
                chart.spec(width),
                css_class=name,
                labelled_by=f"{chart.name}-title",
                described_by=f"{chart.name}-description",
            )
        )
        for width, name in ((WIDE, "wide"), (NARROW, "narrow"))
    )
    return Drawing(
        name=chart.name,
        title=chart.title,
        description=chart.description,
        controls=chart.controls,
        wide=_own(wide),
        narrow=_own(narrow),
    )


def _embedded(charts: Sequence[Chart]) -> Markup:
    """The specifications as JSON that cannot end its element, whatever names stand in the data."""
    rows = [
        {
            "name": chart.name,
            "spec": chart.spec(WIDE),
            "controls": chart.controls,
            "groups": chart.groups,
        }
        for chart in charts
    ]
    text = json.dumps(
        {"plotWidth": WIDE, "figures": rows}, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return _own("".join(_IN_SCRIPT.get(character, character) for character in themed(text)))


def _policy(style: str, scripts: Sequence[str]) -> Markup:
    """Hashes of the page's own style and scripts; everything else is refused (base64 is safe in HTML)."""
    allowed = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts) or "'none'"
    return _own(
        f"default-src 'none'; style-src 'sha256-{_sha256(style)}'; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _own(text: str) -> Markup:
    """Text that tuner made and made safe itself: its files, drawings by vl-convert, escaped JSON."""
    return Markup(text)  # noqa: S704


def _harmless(value: Any) -> Any:
    """Every text that the template writes passes here before it is escaped; Markup is the page's own."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _unbroken(text: str) -> str:
    """Numbers kept on one line with their units. Not for text that somebody may copy into a shell."""
    return _NUMBER_AND_UNIT.sub("\u00a0", text)
