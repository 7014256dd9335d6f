"""A gate for GitHub: annotations, the step summary, the comment of a pull request, and data for its benchmark action.

The limits are GitHub's: a summary of 1 MiB a step, 10 annotations of each kind a step, a comment of 65,536 characters
(docs.github.com, "Workflow commands" and "Workflow syntax").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from tuner.model import Comparison, GateReport, Metric, MetricVerdict, VerdictStatus
from tuner.render.document import Document, Section
from tuner.render.figures import half_width
from tuner.render.gate_document import comparison_section, gate_document, verdict_table
from tuner.render.gate_words import GREEN, METRICS, condition, name_of, verdict_words, warnings_of
from tuner.render.markdown import escaped, render_document_markdown
from tuner.render.text import count, plain, without_account_ids

COMMENT_BYTES = 64_000
SUMMARY_BYTES = 1_000_000
ANNOTATIONS_PER_KIND = 10
MARKER = "<!-- tuner-gate -->"
"""By which a later run finds its own comment and replaces it."""

_SIGNS = {
    VerdictStatus.PASS: "✅",
    VerdictStatus.IMPROVEMENT: "✅",
    VerdictStatus.REGRESSION: "❌",
    VerdictStatus.BUDGET: "❌",
    VerdictStatus.INCONCLUSIVE: "❔",
    VerdictStatus.INVALID: "⛔",
}


def render_summary(report: GateReport) -> str:
    """Markdown for ``$GITHUB_STEP_SUMMARY``."""
    return _fitting(report, SUMMARY_BYTES)


def render_comment(report: GateReport, *, key: str = "") -> str:
    """Markdown for a comment on a pull request, its first line a hidden marker.

    ``key`` tells the comments of several gates on one pull request apart.
    """
    marker = MARKER if not key else MARKER.replace(" -->", f" {_key(key)} -->")
    return f"{marker}\n{_fitting(report, COMMENT_BYTES - len(marker.encode()) - 1)}"


def render_annotations(report: GateReport, *, advisory: bool = False) -> tuple[str, ...]:
    """Workflow commands: errors for what fails, warnings for what does not, a notice for improvements.

    ``advisory``: a comparison with a stored base only warns.
    """
    found: dict[str, list[tuple[str, str]]] = {"error": [], "warning": [], "notice": []}
    for comparison in report.comparisons:
        name, status = name_of(comparison, report), comparison.verdict.status
        title = f"tuner: {status.value}, {name}"
        if status is VerdictStatus.IMPROVEMENT:
            found["notice"].append((title, verdict_words(comparison)))
        elif status not in GREEN:
            kind = "warning" if advisory and comparison.uncontrolled else "error"
            found[kind].append((title, verdict_words(comparison)))
        found["warning"] += [(f"tuner: warning, {name}", sentence) for sentence in warnings_of(comparison)]
    return tuple(line for kind, entries in found.items() for line in _commands(kind, entries))


def render_benchmark_data(report: GateReport) -> str:
    """What github-action-benchmark reads with ``tool: customSmallerIsBetter``: the numbers of head."""
    rows = [
        row
        for comparison in report.comparisons
        for metric in comparison.verdict.metrics
        if (row := _benchmark_row(comparison, metric, report)) is not None
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _benchmark_row(comparison: Comparison, metric: MetricVerdict, report: GateReport) -> dict[str, object] | None:
    if metric.head is None or metric.metric is Metric.ERRORS:
        return None
    unit = {"ms": "ms", "usd_per_million": "USD per million", "mb": "MB", "share": "share"}[metric.unit]
    name = without_account_ids(plain(f"{name_of(comparison, report)}: {METRICS[metric.metric]}"))
    row = {"name": name, "unit": unit, "value": metric.head.point}
    width = half_width(metric.head)
    return row if width is None else {**row, "range": width, "extra": condition(comparison)}


def _fitting(report: GateReport, most_bytes: int) -> str:
    """The fullest of several forms that fits. The last one does whatever the number of comparisons."""
    forms: Sequence[Callable[[GateReport], str]] = (_full, _without_green_details, _table_only, _attention_only)
    for form in forms:
        text = form(report)
        if len(text.encode()) <= most_bytes:
            return text
    return _cut(_counts_only(report), most_bytes)


def _full(report: GateReport) -> str:
    document = gate_document(report)
    return render_document_markdown(replace(document, title=_titled(report, document)))


def _without_green_details(report: GateReport) -> str:
    document = gate_document(report)
    red = [found for found in report.comparisons if found.verdict.status not in GREEN]
    sections = (
        Section(slug="verdicts", heading="Verdicts", tables=(verdict_table(report),)),
        *(comparison_section(found, report) for found in red),
    )
    return render_document_markdown(
        replace(document, title=_titled(report, document), sections=sections, facts=document.facts[:1])
    )


def _table_only(report: GateReport) -> str:
    document = gate_document(report)
    sections = (Section(slug="verdicts", heading="Verdicts", tables=(verdict_table(report),)),)
    return render_document_markdown(
        replace(document, title=_titled(report, document), sections=sections, notices=(), facts=())
    )


def _attention_only(report: GateReport) -> str:
    """Only what is not green, in the shortest form."""
    document = gate_document(report)
    red = [found for found in report.comparisons if found.verdict.status not in GREEN]
    lines = [
        f"- {_SIGNS[found.verdict.status]} {escaped(name_of(found, report))}: {found.verdict.status}" for found in red
    ]
    return "\n\n".join([_heading(report, document), "\n".join(lines), _elsewhere(report, red)]) + "\n"


def _counts_only(report: GateReport) -> str:
    return f"{_heading(report, gate_document(report))}\n\nThe report of the run holds them all.\n"


def _elsewhere(report: GateReport, red: Sequence[Comparison]) -> str:
    green = len(report.comparisons) - len(red)
    return f"{count(green, 'comparison')} more: green. The report of the run holds all numbers."


def _heading(report: GateReport, document: Document) -> str:
    return f"## {escaped(_titled(report, document))}: {escaped(document.answer)}"


def _titled(report: GateReport, document: Document) -> str:
    title = document.title if len(report.comparisons) == 1 else "tuner gate"
    return f"{_SIGNS[report.status]} {title}"


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")


def _commands(kind: str, entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    """At most what GitHub shows; the last one says how many it stands for."""
    if len(entries) > ANNOTATIONS_PER_KIND:
        kept = entries[: ANNOTATIONS_PER_KIND - 1]
        rest = len(entries) - len(kept)
        entries = [*kept, ("tuner", f"{count(rest, 'more finding')} of this kind: see the report of the run.")]
    for title, message in entries:
        yield f"::{kind} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    clean = without_account_ids(plain(text))
    return clean.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _key(text: str) -> str:
    """Nothing in a marker may end the comment that hides it."""
    return "".join(character if character.isalnum() or character in "._" else "-" for character in text)[:80]
