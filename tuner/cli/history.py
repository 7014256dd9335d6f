"""``tuner history``: what earlier gates and runs found, and where it changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from tuner.cli.display import columns, wants_color
from tuner.cli.rendering import document_text
from tuner.cli.report_file import read_gate_or_run
from tuner.engine.history import Entry, History
from tuner.engine.history_entries import entries_of
from tuner.errors import ExitCode, TargetError, UsageError
from tuner.inputs.plausible import check_plausible
from tuner.model import GateReport, Report
from tuner.render.history import Series, history_document
from tuner.statistics.history import trend


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOptions:
    """``tuner history`` as it was typed."""

    function: str | None
    add: tuple[Path, ...]
    project: Path
    output: str


def history_command(options: HistoryOptions) -> int:
    """Add what is to be added, then show the series; returns the exit code."""
    history = History.of(options.project)
    for path in options.add:
        count = history.add(entries_of(_read(path)))
        print(f"{path}: {count} numbers kept in {history.path}", file=sys.stderr)
    entries = read_entries(history, options.function)
    if not entries and not options.add:
        raise UsageError(
            f"There is no history of {options.function or 'any function'} in {history.path}.",
            hint="`tuner gate` keeps one; `tuner history --add report.json` puts an older report into it.",
        )
    _print(entries, options.output)
    return ExitCode.OK


def read_entries(history: History, function: str | None = None) -> tuple[Entry, ...]:
    """What is kept of a function, or of all. TargetError for a file with anything else than its own rows in it."""
    try:
        entries = tuple(msgspec.convert(asdict(entry), Entry) for entry in history.read(function))
        check_plausible(entries, "The history")
    except (msgspec.ValidationError, UnicodeDecodeError, UsageError) as error:
        raise TargetError(
            f"The history {history.path} is damaged: {error}", hint="Delete the file to begin a new one."
        ) from error
    return entries


def remember(report: GateReport | Report, *, quiet: bool, project: Path = Path()) -> None:
    """Keep a report's numbers. That they cannot be kept is said and has no other consequence."""
    try:
        History.of(project).add(entries_of(report))
    except TargetError as error:
        if not quiet:
            print(f"{error.message} {error.hint}", file=sys.stderr)


def series_of(entries: Iterable[Entry]) -> tuple[Series, ...]:
    """Entries under equal conditions, in the order of time, each series with its trend."""
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.series, []).append(entry)
    return tuple(_series(group) for _, group in sorted(groups.items()))


def _series(group: Sequence[Entry]) -> Series:
    first = group[0]
    return Series(
        function=first.function,
        engine=first.engine,
        region=first.region,
        memory_mb=first.memory_mb,
        architecture=first.architecture,
        metric=first.metric,
        unit=first.unit,
        dates=tuple(entry.created_at for entry in group),
        versions=tuple(entry.version or entry.code_sha256[:8] for entry in group),
        values=tuple(entry.value for entry in group),
        trend=trend([entry.value for entry in group]),
    )


def _print(entries: Sequence[Entry], output: str) -> None:
    found = series_of(entries)
    if output == "json":
        rows = [{**asdict(one), "values": list(one.values)} for one in found]
        print(json.dumps({"kind": "history", "series": rows}, indent=2))
        return
    document = history_document(found)
    if output == "markdown":
        print(document_text(document, ".md"), end="")
        return
    from tuner.render.terminal import render_document

    print(render_document(document, width=columns(), color=wants_color()), end="")


def _read(path: Path) -> GateReport | Report:
    return read_gate_or_run(path, refused="has no place in the history yet", hint="Give one of a gate or of a run.")
