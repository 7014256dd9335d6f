"""The functions of a project in one table: what each should be set to, and what could not be measured."""

from __future__ import annotations

from dataclasses import replace

from tuner.model import EngineKind, Report, VersusCurrent
from tuner.render.document import render_document_html
from tuner.render.figures import NOTHING
from tuner.render.markdown import render_document_markdown
from tuner.render.project import Measured, project_document, project_rows


def test_a_row_says_size_certainty_and_effects(report: Report) -> None:
    [row] = project_rows([Measured("thumbnail", report)])
    assert row[:3] == ("thumbnail", "256 MB", "1024 MB")
    assert row[3].endswith("%")
    assert "%" in row[4]
    assert "%" in row[5]


def test_what_is_not_known_is_a_dash_and_an_undecided_size_is_called_so(report: Report, undecided: Report) -> None:
    assert undecided.recommendation is not None
    without = replace(
        undecided, recommendation=replace(undecided.recommendation, confidence=None, versus_current=None)
    )
    [row] = project_rows([Measured("f", without)])
    assert row == ("f", "256 MB", "1024 MB (undecided)", NOTHING, NOTHING, NOTHING)
    empty = VersusCurrent(cost_ratio=None, duration_ratio=None)
    partly = replace(undecided, recommendation=replace(undecided.recommendation, versus_current=empty))
    assert project_rows([Measured("f", partly)])[0][4:] == (NOTHING, NOTHING)


def test_a_function_that_failed_keeps_its_row_and_gets_a_notice(report: Report) -> None:
    document = project_document([Measured("good", report), Measured("bad", None, 8)])
    assert document.answer == "1 of 2 functions should get another size."
    assert document.open
    [notice] = document.notices
    assert "exit code 8" in notice.message
    assert "tuner run bad" in (notice.remedy or "")


def test_an_undecided_function_is_not_counted_as_a_change(undecided: Report) -> None:
    assert project_document([Measured("f", undecided)]).answer.startswith("0 of 1 function ")


def test_local_results_are_called_local_and_cost_nothing(report: Report) -> None:
    local = replace(report, target=replace(report.target, engine=EngineKind.LOCAL))
    document = project_document([Measured("f", local)])
    assert document.local
    assert "would have cost" in document.paragraphs[0]
    assert "would" not in project_document([Measured("f", report)]).paragraphs[0]


def test_names_from_a_file_cannot_break_the_page(report: Report) -> None:
    document = project_document([Measured("<script>x</script>\x1b", report)])
    assert "<script>x" not in render_document_html(document)
    assert "\x1b" not in render_document_markdown(document)
