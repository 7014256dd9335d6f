"""The page is complete, harmless, readable by everybody, and the same for the same report."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuner import codec
from tuner.model import Architecture, Cell, EngineKind, Notice, Report, Severity
from tuner.render.html import render_html
from tuner.render.json import render_json

FIGURES = ("curve", "pareto", "distribution", "cold-starts")
VOID = {"meta", "link", "br", "img", "hr", "input"}
HOSTILE = [
    "</script><script>alert(1)</script>",
    "</SCRIPT ><svg/onload=alert(1)>",
    "<svg><script href=data:,alert(1)>",
    "<!--<script>",
    "--><img src=x onerror=alert(1)>",
    "<math><mtext></table><img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x",
    "\\u003cscript\\u003ealert(1)",
    "${alert(1)} `alert(1)`",
    "\u2028alert(1)\u2029",
    "&lt;/script&gt;<script>",
    "{% include 'x' %}{{ config }}",
    "<base href=https://example.com>",
    "<meta http-equiv=refresh content=0;url=https://example.com>",
    "\"><style>@import 'https://example.com'</style>",
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><style>*{display:none}</style>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7*7 }}{% raw %}",
    "<!-- ",
    "]]>",
    "&lt;b&gt;&#60;",
    "\x00\x1b[31m\ud800",
    "javascript:alert(1)",
]


class Page(HTMLParser):
    """The elements of a page in order, checked to be well nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script", "svg"} & set(self._open):
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


def poisoned(report: Report, text: str) -> Report:
    """The report with ``text`` in every field that could come from outside."""
    notice = Notice(code=text, severity=Severity.ERROR, message=text, remedy=text)
    assert report.recommendation is not None
    price = replace(report.measurement.prices[0], source=text, as_of=text, region=text)
    how = replace(report.measurement, command=text, sampling=text, payload_sha256=text, host=text, throttle=text)
    return replace(
        report,
        tool_version=text,
        created_at=text,
        run_id=text,
        target=replace(report.target, function=text, region=text, runtime=text, package_type=text),
        recommendation=replace(report.recommendation, rationale=text),
        fits=tuple(replace(fit, method=text) for fit in report.fits),
        measurement=replace(how, prices=(price,)),
        notices=(notice,),
    )


def with_noise(text: str) -> st.SearchStrategy[str]:
    """An injection between arbitrary texts, so that it starts and ends in any state."""
    return st.tuples(st.text(max_size=8), st.text(max_size=8)).map(lambda noise: f"{noise[0]}{text}{noise[1]}")


@cache
def structure_of_harmless(report: Report) -> list[tuple[str, tuple[str, ...]]]:
    return structure(render_html(poisoned(report, "harmless"), interactive=False))


def structure(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(tag, tuple(attributes)) for tag, attributes in Page(text).elements]


def test_the_same_report_gives_the_same_bytes(report: Report) -> None:
    again = codec.decode(render_json(report), Report)
    assert render_html(report).encode() == render_html(again).encode()


def test_the_page_needs_nothing_from_outside(report: Report) -> None:
    page = Page(render_html(report))
    assert not {"link", "iframe", "object", "base", "img", "image", "use", "foreignobject"} & {
        tag for tag, _ in page.elements
    }
    for tag, attributes in page.elements:
        assert not {"src", "style", "action", "xlink:href"} & set(attributes), tag
        assert (attributes.get("href") or "#").startswith("#"), tag
        assert not any(name.startswith("on") for name in attributes), tag


def test_the_policy_allows_only_the_style_and_the_scripts_of_the_page(report: Report) -> None:
    text = render_html(report)
    policy = next(meta["content"] for meta in Page(text).all("meta") if "http-equiv" in meta)
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert (len(styles), len(scripts)) == (1, 2)
    allowed = " ".join(f"'sha256-{digest(script)}'" for script in scripts)
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest(styles[0])}'; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )
    assert text.index("Content-Security-Policy") < text.index("<style>")


def test_a_page_that_is_not_interactive_holds_no_script_and_allows_none(report: Report) -> None:
    text = render_html(report, interactive=False)
    assert "<script" not in text
    assert "script-src 'none'" in text
    assert len(text) < 200_000


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_every_figure_is_drawn_for_desks_and_for_phones_and_has_words(report: Report) -> None:
    page = Page(render_html(report, interactive=False))
    figures = [figure["id"] for figure in page.all("figure")]
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    drawings = page.all("svg")
    assert figures == list(FIGURES)
    assert [drawing["class"] for drawing in drawings] == ["wide", "narrow"] * len(FIGURES)
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert {drawing["aria-labelledby"], drawing["aria-describedby"]} <= ids


def test_no_id_is_given_twice(report: Report) -> None:
    ids = [attributes["id"] for _, attributes in Page(render_html(report)).elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_colours_of_drawings_follow_the_theme_of_the_reader(report: Report) -> None:
    text = render_html(report)
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL)[: 2 * len(FIGURES)]:
        assert "var(--" in drawing
        assert re.findall(r'(?:fill|stroke)="#[0-9a-f]{3,6}"', drawing) == []


def test_ten_thousand_samples_stay_under_a_megabyte_and_a_half(report: Report) -> None:
    sample = report.samples[30]
    sizes = [128 + 160 * index for index in range(20)]
    rng = random.Random(5)
    samples = tuple(
        replace(
            sample,
            block=number // 200,
            cell=Cell(size, Architecture.X86_64),
            duration_ms=200_000 / size * rng.lognormvariate(0, 0.08),
            init_ms=150.0 if number % 50 == 0 else None,
        )
        for number in range(500)
        for size in sizes
    )
    curve = tuple(replace(report.curve[2], memory_mb=size) for size in sizes)
    text = render_html(replace(report, samples=samples, curve=curve))
    assert len(samples) == 10_000
    assert len(text.encode()) < 1_500_000


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_cannot_add_an_element_or_an_attribute(report: Report, text: str) -> None:
    shown = render_html(poisoned(report, text), interactive=False)
    assert structure(shown) == structure_of_harmless(report)


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(st.characters(), min_size=1) | st.sampled_from(HOSTILE).flatmap(with_noise))
def test_a_thousand_texts_in_every_field_leave_the_structure_of_the_page(report: Report, text: str) -> None:
    shown = render_html(poisoned(report, text), interactive=False)
    shown.encode("utf-8")
    assert structure(shown) == structure_of_harmless(report)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_ends_the_element_that_holds_the_data_of_the_figures(report: Report, text: str) -> None:
    shown = render_html(poisoned(report, text))
    data = re.findall(r'<script type="application/json" id="specifications">(.*?)</script>', shown, re.DOTALL)
    assert len(data) == 1
    assert not set(data[0]) & set("<>&\u2028\u2029")
    assert [figure["name"] for figure in json.loads(data[0])["figures"]] == list(FIGURES)


def test_an_arn_on_the_command_line_loses_its_account(report: Report) -> None:
    command = "tuner run arn:aws:lambda:eu-central-1:123456789012:function:thumbnail"
    shown = render_html(replace(report, measurement=replace(report.measurement, command=command)))
    assert "123456789012" not in shown
    assert ":function:thumbnail" in shown


def test_a_local_run_is_marked_in_the_title_and_the_heading(report: Report) -> None:
    local = replace(report, target=replace(report.target, engine=EngineKind.LOCAL))
    shown = render_html(local)
    assert "<title>[local] thumbnail" in shown
    assert re.search(r"<h1><span[^>]*>LOCAL</span>", shown)
    assert "not on AWS" in Page(shown).words
    assert "LOCAL" not in render_html(report)


def test_the_answer_comes_first_and_how_it_was_measured_last(report: Report) -> None:
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", render_html(report, interactive=False))
    assert [heading.replace("\xa0", " ") for heading in headings] == [
        "Set 1024 MB (now 256 MB)",
        "The curve",
        "Cost against speed",
        "Distributions",
        "Cold starts",
        "Noise and environments",
        "Notices",
        "Spend",
        "How it was measured",
    ]


def test_headings_descend_one_level_at_a_time_from_a_single_h1(report: Report) -> None:
    levels = [int(tag[1]) for tag, _ in Page(render_html(report)).elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_every_table_has_a_caption_and_every_header_cell_a_scope(report: Report) -> None:
    page = Page(render_html(report))
    assert len(page.all("caption")) == len(page.all("table")) >= 3
    assert all(header.get("scope") in {"row", "col"} for header in page.all("th"))


def test_every_row_has_as_many_cells_as_its_table_has_columns(report: Report) -> None:
    for table in re.findall(r"<table>.*?</table>", render_html(report), re.DOTALL):
        counts = {len(re.findall(r"<t[hd]\b", row)) for row in re.findall(r"<tr\b.*?</tr>", table, re.DOTALL)}
        assert len(counts) == 1


def test_the_page_names_its_language_and_scales_to_a_phone(report: Report) -> None:
    page = Page(render_html(report))
    assert page.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")


def test_regions_that_scroll_can_be_reached_by_keyboard_and_have_a_name(report: Report) -> None:
    regions = [found for found in Page(render_html(report)).all("div") if found.get("class") == "wide-table"]
    assert regions
    assert all(found["tabindex"] == "0" and found["aria-label"] for found in regions)


def test_the_page_says_how_it_was_measured(report: Report) -> None:
    words = Page(render_html(report)).words
    how = report.measurement
    for fact in (how.command, how.sampling, "Seed", report.run_id, report.created_at, how.prices[0].as_of):
        assert fact in words
    assert how.payload_sha256 not in words


def test_the_machine_of_a_local_run_and_its_throttle_are_told(report: Report) -> None:
    how = replace(report.measurement, host="2 cores, Linux", throttle="cgroup quota, 20 ms period")
    words = Page(render_html(replace(report, measurement=how))).words
    assert "2 cores, Linux" in words
    assert "cgroup quota, 20 ms period" in words


def test_notices_come_with_severity_and_remedy(report: Report) -> None:
    words = Page(render_html(report)).words
    for notice in report.notices:
        assert f"{notice.severity} {notice.message}" in words
        assert notice.remedy is not None
        assert notice.remedy in words


def test_an_undecided_run_does_not_look_decided(undecided: Report) -> None:
    shown = render_html(undecided)
    assert 'class="answer open"' in shown
    assert "recommended</span>" not in shown
    assert "Undecided" in shown


def test_a_report_of_nothing_is_still_a_page(report: Report) -> None:
    bare = replace(report, curve=(), fits=(), recommendation=None, samples=(), notices=())
    words = Page(render_html(bare)).words
    assert "No recommendation" in words
    assert "No size was measured." in words


def test_both_architectures_are_told_apart(report: Report) -> None:
    arm = replace(report.curve[3], architecture=Architecture.ARM64)
    words = Page(render_html(replace(report, curve=(*report.curve, arm)))).words
    assert "1024 MB arm64" in words
    assert "1024 MB x86_64" in words


INK_ON_GROUND = [
    ("ink", "page"), ("ink", "card"), ("ink", "stripe"), ("ink", "accent-soft"), ("ink", "warn-soft"),
    ("soft", "page"), ("soft", "card"), ("soft", "stripe"), ("soft", "accent-soft"), ("soft", "warn-soft"),
    ("blue", "card"), ("orange", "card"), ("green", "card"), ("purple", "card"), ("magenta", "card"),
    ("olive", "card"), ("red", "card"), ("chart-ink", "card"), ("chart-soft", "card"),
    ("accent", "accent-soft"), ("warn", "warn-soft"), ("bad", "bad-soft"), ("local", "local-soft"),
]  # fmt: skip


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_text_keeps_the_contrast_of_wcag_aa(report: Report, theme: int) -> None:
    roots = re.findall(r":root \{(.*?)\}", render_html(report), re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", roots[theme]))
    ratios = {(ink, ground): contrast(colours[ink], colours[ground]) for ink, ground in INK_ON_GROUND}
    assert {pair: value for pair, value in ratios.items() if value < 4.5} == {}


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2, "relative luminance")."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = (int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
