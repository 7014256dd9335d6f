"""The report as Markdown: the same answer, and no text of the report can become markup, a link or a mention."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tuner.model import EngineKind, Notice, Report, Severity
from tuner.render.markdown import code, escaped, render_markdown

MARKDOWN = MarkdownIt("gfm-like", {"html": True, "linkify": False})

HOSTILE = [
    "a | b",
    "*bold* _italic_ ~~gone~~",
    "[link](https://example.com)",
    "![image](https://example.com/x.png)",
    "<img src=x onerror=alert(1)>",
    "<!-- comment",
    "`code` ```",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "---",
    "===",
    "line\n\n# heading",
    "</details><script>alert(1)</script>",
    "\\*",
    "&lt;script&gt;",
    "+ item",
    "    indented",
]


def kinds(text: str) -> list[str]:
    """Every token of a text, inline ones included."""
    return [child.type for token in MARKDOWN.parse(text) for child in (token, *(token.children or []))]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_a_paragraph_of_words(text: str) -> None:
    assert set(kinds(f"before\n\n{escaped(text.strip())}")) <= {
        "paragraph_open", "paragraph_close", "inline", "text", "text_special",
    }  # fmt: skip


@given(st.text(min_size=1).map(str.strip).filter(bool))
def test_no_text_at_all_becomes_markup(text: str) -> None:
    assert set(kinds(f"x {escaped(text)}")) <= {
        "paragraph_open", "paragraph_close", "inline", "text", "text_special",
    }  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_does_not_change_the_structure_of_the_document(report: Report, text: str) -> None:
    def document(name: str) -> str:
        notice = Notice(code=name, severity=Severity.ERROR, message=name, remedy=name)
        target = replace(report.target, function=name, runtime=name)
        return render_markdown(replace(report, target=target, notices=(notice,)))

    blocks = [kind for kind in kinds(document(text)) if kind not in {"text_special", "text"}]
    assert blocks == [kind for kind in kinds(document("harmless")) if kind not in {"text_special", "text"}]


@pytest.mark.parametrize("text", ["@team look", "see https://example.com", "www.example.com"])
def test_nobody_is_mentioned_and_nothing_is_linked(text: str) -> None:
    shown = escaped(text)
    assert not {"@", "://", "www."} & {sign for sign in ("@", "://", "www.") if sign in shown}


@given(st.text())
def test_no_text_ends_its_code_span(text: str) -> None:
    tokens = [child for token in MARKDOWN.parse(f"x {code(text)} y") for child in (token.children or [])]
    assert [token.type for token in tokens if token.type != "text"] == ["code_inline"]


def test_the_answer_is_in_the_heading_and_the_table_has_every_size(report: Report) -> None:
    text = render_markdown(report)
    assert text.startswith("## thumbnail: Set 1024 MB (now 256 MB)\n")
    for point in report.curve:
        assert f"| {point.memory_mb} MB |" in text
    assert "At a million invocations a month: $0.15 less" in text


def test_a_local_run_says_so(report: Report) -> None:
    local = replace(report, target=replace(report.target, engine=EngineKind.LOCAL))
    assert "**LOCAL.**" in render_markdown(local)
    assert "LOCAL" not in render_markdown(report)


def test_a_report_of_nothing_is_still_a_document(report: Report) -> None:
    bare = replace(report, curve=(), fits=(), recommendation=None, samples=(), notices=())
    text = render_markdown(bare)
    assert "No recommendation" in text
    assert "No size was measured." in text


def test_it_fits_into_a_comment_of_a_pull_request(wide_report: Report) -> None:
    assert len(render_markdown(wide_report).encode()) < 64_000
