"""The report and the plan for a terminal: text of a given width, with or without colour.

Colour is never the only carrier of a meaning. The curve is laid out for the width it gets: columns give way in a
fixed order, numbers are never wrapped or cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import StringIO

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from tuner.model import Cell, CurvePoint, EngineKind, Notice, Plan, Report, RunRequest, Severity
from tuner.render.cold_plan import study_rows
from tuner.render.document import Document, Section
from tuner.render.document import Table as DocumentTable
from tuner.render.figures import NOT_ESTIMABLE, NOTHING, environments, half_width, not_estimable_note, percentile
from tuner.render.rows import Figure
from tuner.render.text import Styled, count, harmless, join_and, plain
from tuner.render.wording import (
    GOALS,
    LOCAL_REMARK,
    Headline,
    Mark,
    cost_versus_current,
    headline,
    marks,
    pareto_sentence,
    several_architectures,
    spend_sentence,
    status_words,
    versus_note,
    workload_sentence,
)
from tuner.units import format_ms, format_share, format_usd

MINIMUM_WIDTH = 50
"""Narrower terminals get lines of this width: below it a table of numbers cannot be read."""

_GAP = 2
_LISTED_SIZES = 12
_MEANINGS = {
    "n (env)": "n: warm calls, on so many environments",
    "mean": "±: wider side of the 95 % interval of the mean",
}
"""What a column's signs stand for."""
_LETTERS = {
    Mark.RECOMMENDED: "R",
    Mark.LEADING: "L",
    Mark.CURRENT: "C",
    Mark.TIED: "T",
    Mark.CHEAPEST: "$",
    Mark.FASTEST: "F",
    Mark.PREDICTED: "P",
    Mark.OVER_LIMIT: "X",
}
_SEVERITY_STYLES = {Severity.INFO: "cyan", Severity.WARNING: "yellow", Severity.ERROR: "bold red"}


def render_report(report: Report, *, width: int, color: bool) -> str:
    """The report as text of at most ``width`` columns: recommendation, curve, spend, notices."""
    parts: list[RenderableType] = [
        _title(report),
        *_recommendation(headline(report), report),
        "",
        *_curve(report, max(width, MINIMUM_WIDTH)),
        *_insights(report),
        Text(spend_sentence(report.spend, report.target.engine)),
        *_notices(report.notices),
    ]
    return _to_text(parts, width=width, color=color)


def render_plan(plan: Plan, *, width: int, color: bool) -> str:
    """What a run will do and may cost, before anything is done, as text of at most ``width`` columns."""
    rows = Table.grid(padding=(0, _GAP))
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column(overflow="fold")
    for name, value in _plan_rows(plan):
        rows.add_row(name, Text(plain(value)))
    parts: list[RenderableType] = [_plan_title(plan), "", rows, *_notices(plan.notices)]
    return _to_text(parts, width=width, color=color)


def render_document(document: Document, *, width: int, color: bool) -> str:
    """The answer, the sections with their tables and plots in characters, and the notices, in ``width`` columns."""
    title = Text.assemble((plain(document.title), "bold"), "  ", (plain(document.subtitle), "dim"))
    if document.local:
        title.append("\nLOCAL", style="bold magenta").append(f"  {plain(document.local)}", style="magenta")
    answer = Text(plain(document.answer), style="bold yellow" if document.open else "bold green")
    parts: list[RenderableType] = [title, "", answer]
    parts += [Text(plain(paragraph)) for paragraph in document.paragraphs]
    for section in document.sections:
        parts += _section(section, max(width, MINIMUM_WIDTH))
    return _to_text([*parts, *_notices(document.notices)], width=width, color=color)


def _section(section: Section, width: int) -> Iterator[RenderableType]:
    yield ""
    if section.heading:
        yield Text(plain(section.heading), style="bold")
    yield from (Text(plain(paragraph)) for paragraph in section.paragraphs)
    if section.plot:
        yield Text("\n".join(plain(line) for line in section.plot.splitlines()) + "\n", no_wrap=True)
    for table in section.tables:
        yield from _document_table(table, width)


def _document_table(table: DocumentTable, width: int) -> Iterator[RenderableType]:
    columns = _narrowed(
        tuple(
            _Column(
                title=plain(column.title),
                cells=tuple(plain(_shown(row[index])) for row in table.rows),
                expendable=column.expendable,
                left=column.words or index == 0,
            )
            for index, column in enumerate(table.columns)
        ),
        width,
    )
    yield _grid(columns, ["" for _ in table.rows])
    if table.caption:
        yield Text(plain(table.caption), style="dim")


def _shown(cell: str | Figure) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell.value} ({cell.detail})" if cell.detail else cell.value


def _to_text(parts: Sequence[RenderableType], *, width: int, color: bool) -> str:
    output = StringIO()
    console = Console(
        file=output,
        width=max(width, MINIMUM_WIDTH),
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    # Text and style are still apart here: what looks like a style in the text is somebody else's.
    segments = console.render(Group(*parts))
    console.print(Segments(Segment(harmless(segment.text), segment.style) for segment in segments), end="")
    return Styled("".join(f"{line.rstrip()}\n" for line in output.getvalue().split("\n")[:-1]))


def _title(report: Report) -> Text:
    target = report.target
    where = (target.region, target.runtime or target.package_type, str(target.current.architecture))
    title = Text.assemble((plain(target.function), "bold"), "  ", (plain(", ".join(where)), "dim"))
    return _with_local_remark(title, target.engine)


def _with_local_remark(title: Text, engine: EngineKind) -> Text:
    if engine is EngineKind.LOCAL:
        title.append("\nLOCAL", style="bold magenta").append(f"  {LOCAL_REMARK}", style="magenta")
    return title


def _recommendation(found: Headline, report: Report) -> Iterator[RenderableType]:
    decided = report.recommendation is not None and report.recommendation.decided
    yield ""
    yield Text(found.sentence, style="bold green" if decided else "bold yellow")
    yield Text(found.certainty)
    for remark in (found.ties, found.limits):
        if remark:
            yield Text(plain(remark))
    if report.recommendation is not None and report.recommendation.rationale:
        yield Text(plain(report.recommendation.rationale), style="dim")


def _insights(report: Report) -> Iterator[RenderableType]:
    """What the run shows beyond the proposal: other good trades, and what the function does with its time."""
    pareto = pareto_sentence(report)
    sentences = [*([] if pareto is None else [pareto]), *map(workload_sentence, report.workloads)]
    if sentences:
        yield Padding(Text("\n".join(sentences)), (0, 0, 1, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column of ready text. Those with the highest ``expendable`` give way first; 0 never does."""

    title: str
    cells: tuple[str, ...]
    expendable: int = 0
    left: bool = False

    @property
    def width(self) -> int:
        return max(map(cell_len, (self.title, *self.cells)))


def _curve(report: Report, width: int) -> Iterator[RenderableType]:
    if not report.curve:
        return
    columns = _fitting(_columns(report), width)
    styles = [_row_style(point, found) for point, found in zip(report.curve, marks(report), strict=True)]
    yield _grid(columns, styles)
    yield Padding(Text("\n".join(_footnotes(report, columns)), style="dim"), (0, 0, 1, 0))


def _grid(columns: Sequence[_Column], styles: Sequence[str]) -> Table:
    """Columns side by side, one style for each row."""
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.title, justify="left" if column.left else "right", no_wrap=True)
    for row, style in enumerate(styles):
        table.add_row(*(Text(column.cells[row]) for column in columns), style=style)
    return table


def _columns(report: Report) -> tuple[_Column, ...]:
    points = report.curve
    architectures = [_Column(title="", cells=tuple(point.architecture for point in points), left=True)]
    return (
        _Column(title="MB", cells=tuple(str(point.memory_mb) for point in points)),
        *(architectures if several_architectures(report) else []),
        _Column(title="n (env)", cells=tuple(f"{p.n} ({environments(p)})" for p in points), expendable=3),
        *_error_column(points),
        _Column(title="mean", cells=_means(points)),
        *_percentile_column("p50", points, expendable=5),
        *_percentile_column("p95", points, expendable=4),
        _Column(title="$/million", cells=tuple(map(_cost, points))),
        _Column(title="vs now", cells=tuple(cost_versus_current(p, report) for p in points), expendable=2),
        _Column(title="", cells=tuple(" ".join(row) for row in marks(report)), left=True),
    )


def _error_column(points: Sequence[CurvePoint]) -> Iterator[_Column]:
    if any(point.errors for point in points):
        yield _Column(title="errors", cells=tuple(str(point.errors or "") for point in points))


def _percentile_column(name: str, points: Sequence[CurvePoint], *, expendable: int) -> Iterator[_Column]:
    """A percentile that no size can tell would be a column of n/e: the footnote says it in one line."""
    estimates = [getattr(point.duration_ms, name) if point.duration_ms else None for point in points]
    if any(estimate is not None and estimate.estimable for estimate in estimates):
        cells = tuple(NOTHING if estimate is None else percentile(estimate) for estimate in estimates)
        yield _Column(title=name, cells=cells, expendable=expendable)


def _means(points: Sequence[CurvePoint]) -> tuple[str, ...]:
    """Means with their intervals, aligned among themselves; a size without a mean says how it ended."""
    sides = [half_width(p.duration_ms.mean) or NOT_ESTIMABLE if p.duration_ms else "" for p in points]
    widest = max(map(cell_len, sides))
    return tuple(
        f"{format_ms(p.duration_ms.mean.point)} {side:>{widest}}" if p.duration_ms else status_words(p.status)
        for p, side in zip(points, sides, strict=True)
    )


def _cost(point: CurvePoint) -> str:
    return format_usd(point.cost_usd_per_million.point) if point.cost_usd_per_million else NOTHING


def _fitting(columns: tuple[_Column, ...], width: int) -> tuple[_Column, ...]:
    """Columns that fit: errors give way first (notices tell of them), then marks become letters, then the rest."""
    if _total(columns) > width:
        columns = tuple(column for column in columns if column.title != "errors")
    if _total(columns) > width:
        columns = (*columns[:-1], replace(columns[-1], cells=tuple(map(_letters, columns[-1].cells))))
    return _narrowed(columns, width)


def _narrowed(columns: tuple[_Column, ...], width: int) -> tuple[_Column, ...]:
    """Without the columns that have no room, the most expendable first."""
    while _total(columns) > width and any(column.expendable for column in columns):
        first_to_go = max(columns, key=lambda column: column.expendable)
        columns = tuple(column for column in columns if column is not first_to_go)
    return columns


def _total(columns: Sequence[_Column]) -> int:
    return sum(column.width + _GAP for column in columns) - _GAP


def _letters(words: str) -> str:
    return " ".join(_LETTERS[Mark(word)] for word in words.split())


def _row_style(point: CurvePoint, found: Sequence[Mark]) -> str:
    if Mark.RECOMMENDED in found:
        return "bold green"
    if Mark.LEADING in found or Mark.TIED in found:
        return "yellow"
    return "dim" if point.duration_ms is None else ""


def _footnotes(report: Report, columns: Sequence[_Column]) -> Iterator[str]:
    used = {letter for cell in columns[-1].cells for letter in cell.split()}
    legend = [f"{letter} {mark}" for mark, letter in _LETTERS.items() if letter in used]
    if legend:
        yield ", ".join(legend)
    titles = {column.title for column in columns}
    yield f"{'; '.join(meaning for title, meaning in _MEANINGS.items() if title in titles)}."
    if any(cell.startswith("~") for column in columns for cell in column.cells):
        yield "~ cannot be told from the current size."
    versus = versus_note(report)
    if versus and any(column.title == "vs now" for column in columns):
        yield versus
    hidden = not any(NOT_ESTIMABLE in cell for column in columns for cell in column.cells)
    note = not_estimable_note((point.duration_ms for point in report.curve if point.duration_ms), hidden=hidden)
    if note:
        yield note


def _notices(notices: Sequence[Notice]) -> Iterator[RenderableType]:
    for notice in notices:
        yield ""
        head = Text(f"{notice.severity}: ", style=_SEVERITY_STYLES[notice.severity])
        yield head.append(plain(notice.message), style="default")
        if notice.remedy:
            yield Padding(Text(plain(notice.remedy)), (0, 0, 0, 2))


def _plan_title(plan: Plan) -> Text:
    title = Text("Plan for ", style="bold").append(plain(plan.function.name))
    where = (plan.function.region, plan.function.runtime or plan.function.package_type, plan.function.architecture)
    title.append(f"  {plain(', '.join(where))}", style="dim")
    return _with_local_remark(title, plan.request.engine)


def _plan_rows(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.request.cold_starts is not None:
        yield from study_rows(plan, plan.request.cold_starts)
        yield from _size_rows(plan)
        yield "Spend", _plan_spend(plan)
        return
    request, now = plan.request, plan.function.memory_mb
    yield "Goal", f"{GOALS[request.strategy]}, sizes within {format_share(request.tolerance)} count as equal"
    yield from _demands(request)
    yield from _size_rows(plan)
    yield "Invocations", f"about {plan.expected_invocations:,}, up to {plan.max_in_flight} of them at once"
    yield "Spend", _plan_spend(plan)
    yield "Versions", "one published for each size that is measured, all of them deleted at the end"
    yield "$LATEST", f"{now} MB now, and again {now} MB as soon as the last version is published"


def _demands(request: RunRequest) -> Iterator[tuple[str, str]]:
    if request.max_duration is not None:
        limit = request.max_duration
        yield "Limit", f"{limit.statistic} of a warm call <= {format_ms(limit.limit_ms)}"
    if request.max_cost_usd_per_million is not None:
        yield "Limit", f"cost of a million calls <= {format_usd(request.max_cost_usd_per_million)}"
    if request.cold_fraction is not None:
        yield "Cold calls", f"{request.cold_fraction * 100:.3g} % of all calls, in cost and duration"
    if request.confirm:
        yield "Confirmation", "winner, rival and current size once more, on fresh environments"


def _size_rows(plan: Plan) -> Iterator[tuple[str, str]]:
    for architecture in sorted({cell.architecture for cell in plan.cells}):
        cells = [cell for cell in plan.cells if cell.architecture == architecture]
        yield "Sizes", f"{_sizes(cells)} ({architecture})"


def _sizes(cells: Sequence[Cell]) -> str:
    sizes = sorted(cell.memory_mb for cell in cells)
    if len(sizes) <= _LISTED_SIZES:
        return f"{join_and(map(str, sizes))} MB"
    return f"up to {count(len(sizes), 'size')} from {sizes[0]} to {sizes[-1]} MB"


def _plan_spend(plan: Plan) -> str:
    low, high, limit = plan.expected_spend.low_usd, plan.expected_spend.high_usd, plan.request.max_cost_usd
    span = f"{format_usd(low)} to {format_usd(high)}"
    if plan.request.engine is EngineKind.LOCAL:
        return f"nothing; on AWS the same calls would cost {span}"
    if high > limit:
        return f"{span}, which may exceed the limit of {format_usd(limit)}: to be confirmed first"
    return f"{span} (limit {format_usd(limit)})"
