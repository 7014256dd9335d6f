"""What a reader meets who opens a page from disk: with scripts, without, in the dark, on paper and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuner.model import Notice, Report, Severity
from tuner.render.comparison import comparison_document
from tuner.render.document import render_document_html
from tuner.render.html import render_html

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Opener = Callable[..., Any]
KINDS = ["report", "compare", "imported", "cold-start", "gate"]
INTERVAL_OF_RECOMMENDED = "95 % interval"


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_says_nothing_on_the_console_and_asks_for_nothing_but_itself(
    kind: str, pages: Mapping[str, Path], visit: Opener
) -> None:
    seen = visit(pages[kind]).drawn()
    assert seen.messages == []
    assert seen.requests == [pages[kind].as_uri()]


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_there_without_scripts(kind: str, pages: Mapping[str, Path], visit: Opener) -> None:
    seen = visit(pages[kind], java_script_enabled=False)
    figures = seen.count("figure")
    assert figures > 0
    assert seen.page.locator("figure svg.wide:visible").count() == figures
    assert seen.page.locator("figure svg.narrow:visible").count() == 0
    assert not seen.page.locator("form.controls").is_visible() if seen.count("form.controls") else True


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_comes_to_life_with_scripts(kind: str, pages: Mapping[str, Path], visit: Opener) -> None:
    seen = visit(pages[kind]).drawn()
    assert seen.page.locator("figure .live svg:visible").count() == seen.count("figure")
    assert seen.page.locator("figure .still svg:visible").count() == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation(kind: str, scheme: str, width: int, pages: Mapping[str, Path], visit: Opener) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    seen = visit(pages[kind], width=width, color_scheme=scheme, bypass_csp=True).drawn()
    found = axe.run(seen.page).response["violations"]
    assert [(violation["id"], violation["impact"], violation["nodes"][0]["html"]) for violation in found] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scripts", [True, False])
def test_nothing_but_tables_is_wider_than_a_phone(
    kind: str, scripts: bool, pages: Mapping[str, Path], visit: Opener
) -> None:
    seen = visit(pages[kind], width=390, java_script_enabled=scripts)
    if scripts:
        assert seen.drawn().page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = [box.bounding_box() for box in seen.page.locator("figure svg:visible").all()]
    assert boxes
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)


def test_the_volume_and_the_cold_share_change_what_the_answer_costs(pages: Mapping[str, Path], visit: Opener) -> None:
    page = visit(pages["report"]).drawn().page
    said = [page.locator("#use").inner_text()]
    axis = [page.locator("#curve .live").inner_text()]
    for field, value in (("#volume", "2000000"), ("#cold", "10")):
        page.locator(field).fill(value)
        page.wait_for_timeout(300)
        said.append(page.locator("#use").inner_text())
        axis.append(page.locator("#curve .live").inner_text())
    assert len(set(said)) == 3
    assert len(set(axis)) >= 2
    assert all("recommended" in text for text in said)


def test_axes_can_be_made_linear_and_back(pages: Mapping[str, Path], visit: Opener) -> None:
    page = visit(pages["report"]).drawn().page
    place = "[...document.querySelectorAll('#curve .live .mark-symbol path')].map((e) => e.getAttribute('transform'))"
    before = page.evaluate(place)
    page.locator("#memory-scale").select_option("linear")
    page.wait_for_function("!document.querySelector('#curve .live').innerHTML.includes('log scale')")
    linear = page.evaluate(place)
    page.locator("#memory-scale").select_option("log")
    page.wait_for_function("document.querySelector('#curve .live').innerHTML.includes('log scale')")
    assert linear != before
    assert page.evaluate(place) == before
    page.locator("#value-scale").select_option("log")
    page.wait_for_timeout(800)
    assert page.evaluate(place) != before


def test_a_series_can_be_hidden_by_keyboard_and_shown_again(pages: Mapping[str, Path], visit: Opener) -> None:
    page = visit(pages["report"]).drawn().page
    points = "document.querySelectorAll('#curve .live .role-mark.mark-symbol path').length"
    before = page.evaluate(points)
    box = page.locator("#curve .toggles input").first
    box.focus()
    page.keyboard.press("Space")
    page.wait_for_function(f"{points} < {before}")
    page.keyboard.press("Space")
    page.wait_for_function(f"{points} == {before}")


def test_a_point_tells_its_samples_and_its_interval(pages: Mapping[str, Path], visit: Opener) -> None:
    page = visit(pages["report"]).drawn().page
    page.locator("#curve .live .role-mark.mark-symbol path[stroke='var(--green)']").last.hover()
    tooltip = page.locator("#vg-tooltip-element")
    tooltip.wait_for(state="visible")
    words = tooltip.inner_text()
    assert "Samples (n)" in words
    assert INTERVAL_OF_RECOMMENDED in words


def test_paper_gets_the_still_figures_and_no_controls(pages: Mapping[str, Path], visit: Opener) -> None:
    page = visit(pages["report"]).drawn().page
    page.emulate_media(media="print")
    figures = page.locator("figure").count()
    assert page.locator("figure .still svg.wide:visible").count() == figures
    assert page.locator("figure .live svg:visible").count() == 0
    assert not page.locator("form.controls").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_keyboard_reaches_the_answer_and_then_every_control(pages: Mapping[str, Path], visit: Opener) -> None:
    page = visit(pages["report"]).drawn().page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.type"))
    assert reached[:4] == ["volume", "cold", "memory-scale", "value-scale"]


HOSTILE = "</script><script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">{{7*7}}"


def test_hostile_names_neither_run_nor_reach_out_even_where_scripts_do(
    report: Report, tmp_path: Path, visit: Opener
) -> None:
    notice = Notice(code=HOSTILE, severity=Severity.ERROR, message=HOSTILE, remedy=HOSTILE)
    evil = replace(report, target=replace(report.target, function=HOSTILE, runtime=HOSTILE), notices=(notice,))
    texts = {
        "report": render_html(evil),
        "compare": render_document_html(comparison_document([(HOSTILE, evil), (f"{HOSTILE} 2", evil)])),
    }
    for name, text in texts.items():
        path = tmp_path / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        seen = visit(path).drawn()
        seen.page.locator("figure .live .role-mark.mark-symbol path").last.hover()
        seen.page.wait_for_timeout(200)
        assert seen.messages == []
        assert seen.requests == [path.as_uri()]
        assert seen.page.title() != "pwned"
        assert seen.count("img") == 0
        assert seen.count("script") == 3
