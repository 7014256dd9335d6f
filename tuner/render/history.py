"""The history of a project as a document: one row a series, with the changes that were found in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tuner.render.document import Column, Document, Section, Table
from tuner.render.figures import NOTHING
from tuner.render.text import count
from tuner.units import format_ms, format_ratio, format_usd

METHOD = (
    "A change is where the level of a series differs before and after: largest CUSUM of ranks, permuted, at 1 %, "
    "in series of 10 runs or more. Of series without any change at most 1 in 100 shows one. Runs of different days "
    "are not measured beside each other, so a change may be Lambda's and not the code's; nothing here fails a build."
)


class Change(Protocol):
    @property
    def index(self) -> int: ...
    @property
    def ratio(self) -> float: ...
    @property
    def p_value(self) -> float: ...


class Trend(Protocol):
    """What the statistics say of a series."""

    @property
    def median(self) -> float: ...
    @property
    def latest(self) -> float: ...
    @property
    def changes(self) -> Sequence[Change]: ...
    @property
    def reason(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One number under equal conditions, in the order of time."""

    function: str
    engine: str
    region: str
    memory_mb: int
    architecture: str
    metric: str
    unit: str
    dates: tuple[str, ...]
    versions: tuple[str, ...]
    values: tuple[float, ...]
    trend: Trend


def history_document(found: Sequence[Series]) -> Document:
    changed = [series for series in found if series.trend.changes]
    answer = f"{count(len(changed), 'change')} found" if changed else "No change found"
    return Document(
        title="History",
        subtitle=f"{len(found):,} series",
        answer=f"{answer} in {count(len({series.function for series in found}), 'function')}.",
        open=bool(changed),
        paragraphs=(METHOD,),
        sections=(Section(slug="series", heading="Series", tables=(_table(found),)), *_changes(changed)),
    )


def _table(found: Sequence[Series]) -> Table:
    return Table(
        caption="Latest against the median of all runs of the series.",
        columns=(
            Column(title="Function", words=True),
            Column(title="Size"),
            Column(title="Metric", words=True),
            Column(title="Runs"),
            Column(title="First", words=True, expendable=4),
            Column(title="Latest run", words=True, expendable=3),
            Column(title="Median", expendable=1),
            Column(title="Latest"),
            Column(title="Against median"),
        ),
        rows=tuple(
            (
                series.function,
                f"{series.memory_mb} MB" + ("" if series.engine == "aws" else f" {series.engine}"),
                series.metric,
                str(len(series.values)),
                series.dates[0][:10],
                series.dates[-1][:10],
                _value(series.trend.median, series.unit),
                _value(series.trend.latest, series.unit),
                format_ratio(series.trend.latest / series.trend.median) if series.trend.median else NOTHING,
            )
            for series in found
        ),
    )


def _changes(found: Sequence[Series]) -> Iterator[Section]:
    rows = tuple(
        (
            f"{series.function}, {series.memory_mb} MB, {series.metric}",
            series.dates[change.index][:10],
            series.versions[change.index] or NOTHING,
            format_ratio(change.ratio),
            "< 0.001" if change.p_value < 0.0005 else f"{change.p_value:.3f}",
        )
        for series in found
        for change in series.trend.changes
    )
    if rows:
        titles = ("Series", "Since", "Version or code", "Change", "p")
        table = Table(
            caption="The first run at the new level; the change may have come at any time after the run before it.",
            columns=tuple(Column(title=title, words=title not in ("Change", "p")) for title in titles),
            rows=rows,
        )
        yield Section(slug="changes", heading="Changes", tables=(table,))


def _value(value: float, unit: str) -> str:
    if unit == "ms":
        return format_ms(value)
    if unit == "usd_per_million":
        return format_usd(value)
    return f"{value:.0f} MB" if unit == "mb" else f"{value:.3g}"
