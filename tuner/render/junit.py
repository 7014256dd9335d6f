"""A gate as JUnit XML, for the test pages of CI servers: a regression is a failure, what is not known is an error."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from tuner.model import BudgetVerdict, Comparison, GateReport, MetricVerdict, VerdictStatus
from tuner.render.gate_words import calls_words, condition, verdict_words, warnings_of
from tuner.render.text import plain, without_account_ids

FAILURES = frozenset({VerdictStatus.REGRESSION, VerdictStatus.BUDGET})
ERRORS = frozenset({VerdictStatus.INCONCLUSIVE, VerdictStatus.INVALID})


def render_junit(report: GateReport, *, advisory: bool = False) -> str:
    """One test case a comparison, with its numbers as properties.

    ``advisory``: a comparison with a stored base only warns.
    """
    cases = [_case(comparison, advisory=advisory and comparison.uncontrolled) for comparison in report.comparisons]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
        "time": f"{report.spend.seconds:.3f}",
    }
    suites = ET.Element("testsuites", {"name": "tuner gate", **counts})
    stamp = report.created_at.removesuffix("Z").partition("+")[0]
    suite = ET.SubElement(suites, "testsuite", {"name": "tuner gate", "timestamp": stamp, **counts})
    _properties(suite, _of_report(report))
    suite.extend(cases)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _case(comparison: Comparison, *, advisory: bool) -> ET.Element:
    function = _clean(comparison.function)
    case = ET.Element("testcase", {"classname": f"tuner.{function}", "name": condition(comparison)})
    _properties(case, _of_comparison(comparison))
    status = comparison.verdict.status
    bad = "failure" if status in FAILURES else "error" if status in ERRORS else None
    sentence = _clean(verdict_words(comparison))
    if bad is not None and not advisory:
        found = ET.SubElement(case, bad, {"type": status.value, "message": sentence})
        found.text = "\n".join(map(_clean, (*comparison.verdict.reasons, calls_words(comparison))))
    output = [sentence, *map(_clean, warnings_of(comparison))]
    ET.SubElement(case, "system-out").text = "\n".join(output)
    return case


def _properties(parent: ET.Element, values: Iterator[tuple[str, object]]) -> None:
    element = ET.SubElement(parent, "properties")
    for name, value in values:
        if value is not None:
            ET.SubElement(element, "property", {"name": name, "value": _clean(str(value))})


def _of_report(report: GateReport) -> Iterator[tuple[str, object]]:
    yield "verdict", report.status.value
    yield "tool_version", report.tool_version
    yield "run_id", report.run_id
    yield "engine", report.engine.value
    yield "region", report.region
    yield "spend_usd", report.spend.usd


def _of_comparison(comparison: Comparison) -> Iterator[tuple[str, object]]:
    found = comparison.verdict
    yield "verdict", found.status.value
    yield "memory_mb", comparison.memory_mb
    yield "architecture", comparison.architecture.value
    yield "calls_base", found.calls_base
    yield "calls_head", found.calls_head
    yield "environments_base", found.environments_base
    yield "environments_head", found.environments_head
    for metric in found.metrics:
        yield from _of_metric(metric)
    for budget in found.budgets:
        yield from _of_budget(budget)


def _of_metric(metric: MetricVerdict) -> Iterator[tuple[str, object]]:
    name = metric.metric.value
    yield f"{name}.status", metric.status.value
    for side, found in (("base", metric.base), ("head", metric.head), ("ratio", metric.ratio)):
        if found is not None:
            yield f"{name}.{side}", found.point
            yield f"{name}.{side}.low", found.low
            yield f"{name}.{side}.high", found.high
    yield f"{name}.unit", metric.unit
    yield f"{name}.margin", metric.margin
    yield f"{name}.minimum_detectable", metric.minimum_detectable


def _of_budget(budget: BudgetVerdict) -> Iterator[tuple[str, object]]:
    name = f"limit.{budget.limit.quantity.value}"
    yield f"{name}.status", budget.status.value
    yield f"{name}.at_most", budget.limit.at_most
    yield f"{name}.unit", budget.unit
    if budget.estimate is not None:
        yield f"{name}.head", budget.estimate.point


def _clean(text: str) -> str:
    """XML allows no control characters, and whoever reads the page of a CI server needs no account ids."""
    return without_account_ids(plain(text))
