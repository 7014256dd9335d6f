"""What a gate says for people, CI servers and GitHub: the same verdict everywhere, within everybody's limits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml, Properties

from tests.gates import gate_plan, gate_report, gated, many
from tuner.model import (
    Acknowledgement,
    BudgetLimit,
    BudgetQuantity,
    GatePolicy,
    GateReport,
    GateTrials,
    Level,
    Metric,
    MetricRule,
    VerdictStatus,
)
from tuner.render.document import render_document_html
from tuner.render.gate_document import gate_document
from tuner.render.gate_words import headline, name_of, verdict_words, warnings_of
from tuner.render.github import (
    ANNOTATIONS_PER_KIND,
    COMMENT_BYTES,
    MARKER,
    SUMMARY_BYTES,
    render_annotations,
    render_benchmark_data,
    render_comment,
    render_summary,
)
from tuner.render.junit import render_junit
from tuner.render.markdown import render_document_markdown
from tuner.render.redact import redacted_gate
from tuner.render.terminal import render_document

TIGHT = GatePolicy(budgets=(BudgetLimit(quantity=BudgetQuantity.P50, at_most=50.0),))
REPORTS = {
    VerdictStatus.PASS: lambda: gate_report(gated()),
    VerdictStatus.IMPROVEMENT: lambda: gate_report(gated(ratio=0.8)),
    VerdictStatus.REGRESSION: lambda: gate_report(gated(ratio=1.2)),
    VerdictStatus.INCONCLUSIVE: lambda: gate_report(gated(ratio=1.05)),
    VerdictStatus.BUDGET: lambda: gate_report(gated(policy=TIGHT)),
    VerdictStatus.INVALID: lambda: gate_report(gated(errors=0.3)),
}
RESULTS = {
    VerdictStatus.REGRESSION: (Failure, "regression"),
    VerdictStatus.BUDGET: (Failure, "budget"),
    VerdictStatus.INCONCLUSIVE: (Error, "inconclusive"),
    VerdictStatus.INVALID: (Error, "invalid"),
}


@pytest.fixture(scope="module", params=list(REPORTS), ids=lambda status: str(status.value))
def report(request: pytest.FixtureRequest) -> GateReport:
    made = REPORTS[request.param]()
    assert made.status is request.param
    return made


@pytest.fixture(scope="module")
def fifty() -> GateReport:
    return many([1.0] * 20 + [1.3] * 25 + [1.05] * 5)


def test_the_headline_begins_with_the_status(report: GateReport) -> None:
    assert headline(report).startswith(f"{report.status.value.upper()}: ")
    for text in (render_comment(report), render_document_html(gate_document(report), interactive=False)):
        assert report.status.value.upper() in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_verdict_is_the_first_paragraph_in_a_terminal_of_any_width(report: GateReport, width: int) -> None:
    lines = render_document(gate_document(report), width=width, color=False).splitlines()
    assert lines[lines.index("") + 1].startswith(report.status.value.upper())
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)


TRIALS = tuple(
    GateTrials(ratio=ratio, trials=200, green=green, red=red, inconclusive=200 - green - red, calls_per_side=212.4)
    for ratio, green, red in ((1.0, 193, 0), (1.05, 5, 7), (1.1, 0, 171))
)


@pytest.mark.parametrize("several", [False, True])
def test_a_self_test_is_shown_wherever_the_report_is(several: bool) -> None:
    made = many([1.0, 1.3]) if several else gate_report(gated())
    document = gate_document(replace(made, self_test=TRIALS))
    assert "Self-test" not in render_document_markdown(gate_document(made))
    page = render_document_html(document, interactive=False)
    terminal = " ".join(render_document(document, width=80, color=False).split())
    for text in (page, render_document_markdown(document), terminal, render_comment(replace(made, self_test=TRIALS))):
        assert "Self-test" in text
        assert "+5.0 %" in text
        for share in ("96.5 %", "2.5 %", "3.5 %", "85.5 %"):
            assert share in text.replace("\u00a0", " ")
    named = name_of(made.comparisons[0], made) if several else "this function"
    assert f"green or red for {named}, here and today. With so many trials a share is known to within 7" in terminal


def test_limits_that_decide_are_in_the_sentence_of_the_verdict_kept_or_not() -> None:
    kept = GatePolicy(budgets=(BudgetLimit(quantity=BudgetQuantity.P50, at_most=500.0),))
    (comparison,) = gate_report(gated(policy=kept)).comparisons
    assert verdict_words(comparison).endswith(": shown to be within 5 %; kept: p50 at most 500 ms.")
    unknown = GatePolicy(budgets=(BudgetLimit(quantity=BudgetQuantity.P99, at_most=500.0),))
    (comparison,) = gate_report(gated(ratio=1.05, policy=unknown)).comparisons
    assert verdict_words(comparison).endswith("; not shown: p99 at most 500 ms.")


def test_junit_is_read_back_with_its_numbers(report: GateReport, tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(render_junit(report), encoding="utf-8")
    (suite,) = JUnitXml.fromfile(str(path))
    (case,) = suite
    expected = RESULTS.get(report.status)
    assert case.is_passed == (expected is None)
    if expected is not None:
        (result,) = case.result
        assert (type(result), result.type) == expected
    properties = {one.name: one.value for one in case.child(Properties)}  # type: ignore[no-untyped-call]
    verdict = report.comparisons[0].verdict
    assert properties["verdict"] == report.status.value
    assert properties["calls_head"] == str(verdict.calls_head)
    for metric in verdict.metrics:
        if metric.ratio is not None:
            assert float(properties[f"{metric.metric.value}.ratio"]) == metric.ratio.point


def test_a_comparison_with_a_stored_base_is_no_failure_unless_it_decides() -> None:
    stored = gated(ratio=1.0).samples
    plan = gate_plan()
    red = gated(ratio=1.3)
    only_head = tuple(sample for sample in red.samples if sample.cell.variant == "head")
    report = gate_report(replace(red, samples=only_head, baseline=stored, plan=replace(plan, arms=plan.arms[1:])))
    assert report.status is VerdictStatus.REGRESSION
    assert report.comparisons[0].uncontrolled
    assert "<failure" in render_junit(report)
    assert "<failure" not in render_junit(report, advisory=True)
    assert all(line.startswith("::warning") for line in render_annotations(report, advisory=True))
    assert "Uncontrolled" in render_comment(report)


def test_a_comment_on_fifty_functions_fits_and_names_every_red_one(fifty: GateReport) -> None:
    comment, summary = render_comment(fifty), render_summary(fifty)
    assert comment.startswith(MARKER)
    assert len(comment.encode()) <= COMMENT_BYTES
    assert len(summary.encode()) <= SUMMARY_BYTES
    for comparison in fifty.comparisons:
        if comparison.verdict.status is VerdictStatus.REGRESSION:
            assert comparison.function in comment


def test_a_comment_fits_however_many_functions_there_are(fifty: GateReport) -> None:
    crowd = replace(fifty, comparisons=fifty.comparisons * 40)
    comment = render_comment(crowd)
    assert len(comment.encode()) <= COMMENT_BYTES
    assert "REGRESSION" in comment


def test_the_comments_of_two_gates_have_two_markers() -> None:
    report = gate_report()
    markers = {render_comment(report, key=key).splitlines()[0] for key in ("", "orders", "--> <script>")}
    assert len(markers) == 3
    assert all(marker.endswith(" -->") and marker.count("-->") == 1 for marker in markers)


def test_annotations_are_at_most_ten_of_a_kind_and_the_last_counts_the_rest(fifty: GateReport) -> None:
    errors = [line for line in render_annotations(fifty) if line.startswith("::error")]
    bad = [one for one in fifty.comparisons if one.verdict.status is not VerdictStatus.PASS]
    assert len(errors) == ANNOTATIONS_PER_KIND
    assert f"{len(bad) - ANNOTATIONS_PER_KIND + 1} more" in errors[-1]


def test_no_name_can_begin_a_workflow_command_or_markup_of_its_own() -> None:
    name = "x\n::error::evil,title=a:b%0A<script>"
    report = gate_report(gated(ratio=1.3, plan=gate_plan(name=name)))
    (line,) = (line for line in render_annotations(report) if line.startswith("::error"))
    assert "\n" not in line
    assert "evil,title" not in line.partition("::")[2].partition("::")[0]
    assert "<script>" not in render_comment(report)
    assert JUnitXml.fromstring(render_junit(report).encode())


def test_benchmark_data_are_the_numbers_of_head_with_their_spread(report: GateReport) -> None:
    rows = json.loads(render_benchmark_data(report))
    known = [m for m in report.comparisons[0].verdict.metrics if m.head is not None and m.metric is not Metric.ERRORS]
    assert [row["value"] for row in rows] == [metric.head.point for metric in known if metric.head is not None]
    assert all({"name", "unit", "value"} <= row.keys() for row in rows)


def test_an_acknowledged_regression_is_said_with_its_reason_and_passes() -> None:
    given = Acknowledgement(reason="needed for ABC-12", expires="2026-12-31")
    wide = MetricRule(metric=Metric.BILLED_DURATION, level=Level.ERROR, margin=0.9)
    excused = MetricRule(metric=Metric.DURATION, level=Level.ERROR, acknowledgement=given)
    policy = GatePolicy(rules=(excused, wide))
    report = gate_report(gated(ratio=1.6, policy=policy))
    assert report.status is VerdictStatus.PASS
    (sentence,) = (text for text in warnings_of(report.comparisons[0]) if "acknowledged" in text)
    assert "needed for ABC-12" in sentence
    expired = gate_report(gated(ratio=1.6, policy=policy), today="2027-01-01")
    assert expired.status is not VerdictStatus.PASS


def test_payloads_and_accounts_stay_out_of_what_is_shared() -> None:
    report = gate_report(gated(mismatches=("arn:aws:lambda:eu-central-1:123456789012:function:x failed",)))
    shared = redacted_gate(report)
    page = render_document_html(gate_document(shared), interactive=False)
    for text in (page, render_comment(shared), render_junit(shared)):
        assert "123456789012" not in text
        assert "secret" not in text
    assert shared.comparisons[0].samples == report.comparisons[0].samples


def test_the_page_of_a_report_is_the_same_bytes_each_time(report: GateReport) -> None:
    page, again = (render_document_html(gate_document(report), interactive=False) for _ in range(2))
    assert page == again
    assert ("<svg" in page) == any(metric.ratio for metric in report.comparisons[0].verdict.metrics)
