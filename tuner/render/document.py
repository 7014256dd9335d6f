"""A page of words, figures and tables before it has a layout: comparisons, imported results, cold-start studies."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.model import Notice
from tuner.render.charts.chart import Chart
from tuner.render.facts import Fact
from tuner.render.rows import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    title: str
    words: bool = False
    """Words are set left, numbers right."""
    expendable: int = 0
    """Where a terminal is narrow the columns with the highest number give way first; 0 never does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The first cell of each row names the row."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str | Figure, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"a row of {self.caption!r} has another number of cells than the table has columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    slug: str
    heading: str
    paragraphs: tuple[str, ...] = ()
    chart: Chart | None = None
    tables: tuple[Table, ...] = ()
    plot: str = ""
    """The chart in characters, for media that show nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The answer first, then what it rests on."""

    title: str
    subtitle: str
    answer: str
    open: bool
    """Whether the answer leaves the question open."""
    paragraphs: tuple[str, ...]
    sections: tuple[Section, ...]
    notices: tuple[Notice, ...] = ()
    facts: tuple[Fact, ...] = ()
    footer: str = ""
    local: str = ""
    """For what ran on the embedded Lambda: the remark that says so."""

    @property
    def charts(self) -> tuple[Chart, ...]:
        return tuple(section.chart for section in self.sections if section.chart is not None)


def render_document_html(document: Document, *, interactive: bool = True) -> str:
    """The document as one HTML page. The same document gives the same bytes."""
    from tuner.render.page import render_page  # noqa: PLC0415  (a terminal shows documents without jinja2)

    return render_page("document.html.jinja", document.charts, interactive=interactive, document=document)
