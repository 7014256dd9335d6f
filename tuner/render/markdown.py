"""A report, or any document, as GitHub-flavoured Markdown: for pull requests, step summaries and wikis."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tuner.model import EngineKind, Notice, Report
from tuner.render.document import Column, Document, Table
from tuner.render.facts import Fact, facts
from tuner.render.figures import NOTHING
from tuner.render.redact import Private, redacted
from tuner.render.rows import ColdRow, CurveRow, Figure, cold_rows, curve_notes, curve_rows
from tuner.render.samples import by_cell
from tuner.render.text import plain
from tuner.render.wording import LOCAL_REMARK, headline, pareto_sentence, spend_sentence, workload_sentence

_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
_BLOCK_START = re.compile(r"^(\s*(?:\d+(?=[.)]\s)|(?=[-+#=]\s|[-=#]{2,})))")
_AUTOLINKS = {"@": "&#64;", "://": ":&#47;/", "www.": "www&#46;"}


def render_markdown(report: Report, *, include: Iterable[Private] = ()) -> str:
    """The report as Markdown, without what is private unless included."""
    report = redacted(report, include)
    found = headline(report)
    target = report.target
    place = (target.region, target.runtime or target.package_type, target.current.architecture)
    local = [f"**LOCAL.** {LOCAL_REMARK}"] if target.engine is EngineKind.LOCAL else []
    answer = (found.sentence, found.saving, found.certainty, found.ties, found.limits)
    rationale = report.recommendation.rationale if report.recommendation is not None else ""
    parts = [
        f"## {escaped(target.function)}: {escaped(found.action)}",
        " ".join(map(escaped, (f"{', '.join(place)}, {target.current.memory_mb} MB today.",))),
        *local,
        " ".join(escaped(text) for text in answer if text),
        *([escaped(rationale)] if rationale else []),
        *_tables(report),
        *_notices(report.notices),
        escaped(spend_sentence(report.spend, target.engine)),
        *_details("How it was measured", facts(report)),
    ]
    return "\n\n".join(parts) + "\n"


def render_document_markdown(document: Document) -> str:
    """A comparison or an imported result as Markdown."""
    parts = [f"## {escaped(document.title)}: {escaped(document.answer)}", escaped(document.subtitle)]
    parts += [f"**LOCAL.** {escaped(document.local)}"] if document.local else []
    parts += [escaped(paragraph) for paragraph in document.paragraphs]
    for section in document.sections:
        if not section.tables and not section.paragraphs:
            continue
        parts.append(f"### {escaped(section.heading)}")
        parts += [escaped(paragraph) for paragraph in section.paragraphs]
        parts += [preformatted(section.plot)] if section.plot else []
        parts += [_table(table) for table in section.tables]
    parts += [*_notices(document.notices), *_details("Where this comes from", document.facts)]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text that Markdown and the HTML in it take literally: no markup, no link, no mention, one line."""
    harmless = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    harmless = _SPECIAL.sub(r"\\\1", harmless)
    for sign, entity in _AUTOLINKS.items():
        harmless = harmless.replace(sign, entity)
    return _BLOCK_START.sub(r"\1\\", harmless)


def code(text: str) -> str:
    """Text in a code span that no run of backticks in it can end."""
    shown = plain(text)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}" if longest or not shown.strip() else f"{fence}{shown}{fence}"


def preformatted(text: str) -> str:
    """Lines as they are, each of them harmless: a code block that nothing in them can end."""
    return "\n".join(f"    {plain(line)}" for line in text.splitlines())


def _tables(report: Report) -> Iterator[str]:
    rows = curve_rows(report)
    if not rows:
        yield "No size was measured."
        return
    yield _table(_curve_table(rows))
    yield from (escaped(note) for note in curve_notes(report))
    yield from (
        escaped(sentence)
        for sentence in (pareto_sentence(report), *map(workload_sentence, report.workloads))
        if sentence
    )
    cold = cold_rows(by_cell(report.samples), report)
    if cold:
        yield "### Cold starts"
        yield _table(_cold_table(cold))


def _curve_table(rows: Sequence[CurveRow]) -> Table:
    titles = ("Memory", "n (environments)", "Mean duration", "p95", "Cost per million", "Against now")
    return Table(
        caption="Warm invocations; 95 % intervals in brackets.",
        columns=(*(Column(title=title) for title in titles), Column(title="Remarks", words=True)),
        rows=tuple(
            (
                row.name,
                f"{row.n} ({row.environments})",
                _figure(row.mean),
                _figure(row.p95),
                _figure(row.cost),
                row.versus,
                ", ".join(row.marks) or (row.status if row.status != "measured" else ""),
            )
            for row in rows
        ),
    )


def _cold_table(rows: Sequence[ColdRow]) -> Table:
    titles = ("Memory", "Cold starts (n)", "Mean init", "p50", "p95", "Mean handler time when cold")
    return Table(
        caption="Init duration of cold invocations; 95 % intervals in brackets.",
        columns=tuple(Column(title=title) for title in titles),
        rows=tuple(
            (row.name, str(row.n), _figure(row.mean), _figure(row.p50), _figure(row.p95), row.first) for row in rows
        ),
    )


def _cell_text(cell: str | Figure) -> str:
    return _figure(cell) if isinstance(cell, Figure) else cell


def _figure(figure: Figure) -> str:
    return f"{figure.value} ({figure.detail})" if figure.detail else figure.value


def _table(table: Table) -> str:
    lines = [
        "| " + " | ".join(escaped(column.title) for column in table.columns) + " |",
        "| " + " | ".join(":--" if column.words else "--:" for column in table.columns) + " |",
        *("| " + " | ".join(escaped(_cell_text(cell)) or NOTHING for cell in row) + " |" for row in table.rows),
    ]
    return f"{escaped(table.caption)}\n\n" + "\n".join(lines)


def _notices(notices: Sequence[Notice]) -> Iterator[str]:
    if notices:
        yield "### Notices"
        yield "\n".join(
            f"- **{notice.severity}** {escaped(notice.message)}"
            + (f" {escaped(notice.remedy)}" if notice.remedy else "")
            for notice in notices
        )


def _details(summary: str, rows: Sequence[Fact]) -> Iterator[str]:
    if rows:
        lines = [f"- {escaped(fact.name)}: {code(fact.value) if fact.code else escaped(fact.value)}" for fact in rows]
        yield f"<details><summary>{summary}</summary>\n\n" + "\n".join(lines) + "\n\n</details>"
