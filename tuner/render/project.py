"""The functions of a project beside each other: what each should be set to, in one table."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tuner.model import EngineKind, Estimate, Notice, Report, Severity
from tuner.render.document import Column, Document, Section, Table
from tuner.render.figures import NOTHING
from tuner.render.text import count, plain
from tuner.render.wording import LOCAL_REMARK, effect, headline
from tuner.units import format_probability, format_usd

HEADER = ("function", "now", "proposed", "sure", "cost", "duration")


@dataclass(frozen=True, slots=True)
class Measured:
    """One function of the project: its report, or how the run ended that left none."""

    name: str
    report: Report | None
    exit_code: int = 0


def project_rows(functions: Sequence[Measured]) -> tuple[tuple[str, ...], ...]:
    """A row for each function in the order given, in the columns of ``HEADER``."""
    return tuple(_row(function) for function in functions)


def project_document(functions: Sequence[Measured]) -> Document:
    """One page for all of them; each function has a section with its answer."""
    reports = [function.report for function in functions if function.report is not None]
    changes = sum(1 for report in reports if _changes(report))
    local = any(report.target.engine is EngineKind.LOCAL for report in reports)
    spent = sum((report.spend.usd for report in reports), Decimal(0))
    rows = project_rows(functions)
    return Document(
        title="Functions of a project",
        subtitle=", ".join(plain(function.name) for function in functions),
        answer=f"{changes} of {count(len(functions), 'function')} should get another size.",
        open=len(reports) < len(functions),
        paragraphs=(f"The calls {'would have cost' if local else 'cost'} {format_usd(spent)}.",),
        sections=(
            Section(slug="functions", heading="Functions", tables=(_table(rows),)),
            *(_section(function, number) for number, function in enumerate(functions, start=1)),
        ),
        notices=tuple(_missing(function) for function in functions if function.report is None),
        local=LOCAL_REMARK if local else "",
    )


def _table(rows: tuple[tuple[str, ...], ...]) -> Table:
    columns = tuple(Column(title=title, words=True) for title in HEADER)
    return Table(caption="What each should be set to", columns=columns, rows=rows)


def _section(function: Measured, number: int) -> Section:
    if function.report is None:
        return Section(slug=f"function-{number}", heading=plain(function.name), paragraphs=(_ended(function),))
    words = headline(function.report)
    sentences = (words.action, *words.effects, words.certainty, words.ties or "")
    return Section(
        slug=f"function-{number}",
        heading=plain(function.name),
        paragraphs=tuple(f"{sentence[0].upper()}{sentence[1:]}" for sentence in map(plain, sentences) if sentence),
    )


def _row(function: Measured) -> tuple[str, ...]:
    report = function.report
    if report is None or report.recommendation is None:
        reason = f"exit code {function.exit_code}" if report is None else "no recommendation"
        return (plain(function.name), NOTHING, NOTHING, NOTHING, NOTHING, plain(reason))
    proposed, change = report.recommendation, report.recommendation.versus_current
    size = f"{proposed.memory_mb} MB{'' if proposed.decided else ' (undecided)'}"
    return (
        plain(function.name),
        f"{report.target.current.memory_mb} MB",
        size,
        NOTHING if proposed.confidence is None else format_probability(proposed.confidence),
        _effect("cost", change.cost_ratio if change else None),
        _effect("duration", change.duration_ratio if change else None),
    )


def _effect(name: str, ratio: Estimate | None) -> str:
    return NOTHING if ratio is None else effect(name, ratio).removeprefix(f"{name} ")


def _ended(function: Measured) -> str:
    return f"the run ended with exit code {function.exit_code}"


def _changes(report: Report) -> bool:
    proposed, current = report.recommendation, report.target.current
    return proposed is not None and proposed.decided and proposed.memory_mb != current.memory_mb


def _missing(function: Measured) -> Notice:
    return Notice(
        code="not-measured",
        severity=Severity.WARNING,
        message=f"{function.name}: {_ended(function)}",
        remedy=f"Type `tuner run {shlex.quote(function.name)}` to see why.",
    )
