"""The report of a cold-start study in every form: nothing without its n and interval, nothing simulated unsaid."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import vl_convert

from tuner import codec
from tuner.model import (
    Architecture,
    ColdQuantity,
    ColdStartReport,
    EngineKind,
    Notice,
    Severity,
    StartKind,
)
from tuner.render.charts.chart import NARROW, VEGA_LITE, WIDE
from tuner.render.cold_costs import provisioned_table
from tuner.render.cold_start import cold_start_charts, cold_start_document, cold_start_summary
from tuner.render.cold_tables import counts_sentence, difference_table, quantity_table
from tuner.render.cold_view import cell_label, panels
from tuner.render.document import Document, render_document_html
from tuner.render.json import render_json
from tuner.render.markdown import render_document_markdown
from tuner.render.redact import Private
from tuner.render.rows import Figure
from tuner.render.terminal import render_document

GOLDEN = Path(__file__).parents[2] / "golden" / "cold-start.json"
SIMULATED = Notice(code="simulated", severity=Severity.WARNING, message="Simulated, not measured: arm64 at 0.8 ...")


@pytest.fixture(scope="module")
def study() -> ColdStartReport:
    return codec.decode(GOLDEN.read_bytes(), ColdStartReport)


@pytest.fixture(scope="module")
def local(study: ColdStartReport) -> ColdStartReport:
    """The same study as if measured on the embedded Lambda, arm64 declared."""
    target = replace(study.target, engine=EngineKind.LOCAL)
    return replace(study, target=target, notices=(SIMULATED, *study.notices))


@pytest.fixture(scope="module")
def empty(study: ColdStartReport) -> ColdStartReport:
    """A study in which nothing was measured."""
    nothing: dict[str, None] = dict.fromkeys(
        ("start_kind", "start_ms", "first_duration_ms", "total_ms", "warm_duration_ms", "billed_cold_ms",
         "billed_warm_ms", "max_memory_used_mb", "hello_world")
    )  # fmt: skip
    cells = tuple(
        replace(
            cell,
            counts=replace(cell.counts, **{field.name: 0 for field in dataclasses.fields(cell.counts)}),
            **nothing,  # type: ignore[arg-type]
        )
        for cell in study.cells
    )
    economics = tuple(replace(one, cold=None, provisioned=None, snap_start=None) for one in study.economics)
    return replace(study, cells=cells, economics=economics, differences=(), samples=())


def terminal(report: ColdStartReport, width: int = 80) -> str:
    return render_document(cold_start_summary(report, width=width), width=width, color=False)


def every_form(report: ColdStartReport) -> tuple[str, str, str]:
    document = cold_start_document(report)
    return (
        terminal(report),
        render_document_markdown(document),
        render_document_html(document, interactive=False),
    )


def test_the_answer_is_the_functions_own_configuration(study: ColdStartReport) -> None:
    assert cold_start_document(study).answer.startswith("A cold start takes 416 ms at 512 MB x86_64")


def test_where_the_own_configuration_was_not_measured_the_first_one_answers(study: ColdStartReport) -> None:
    elsewhere = replace(study.target, current=replace(study.target.current, memory_mb=3008))
    assert "MB arm64" in cold_start_document(replace(study, target=elsewhere)).answer


def test_every_form_names_both_architectures_at_both_sizes(study: ColdStartReport) -> None:
    for text in every_form(study):
        for name in ("512 MB x86_64", "512 MB arm64", "1769 MB x86_64", "1769 MB arm64"):
            assert name in text.replace("\\_", "_").replace("\u00a0", " ")


def test_every_percentile_has_an_interval_or_says_that_it_has_none(study: ColdStartReport) -> None:
    for row in quantity_table(study, ColdQuantity.TOTAL).rows:
        for cell in row[4:8]:
            assert isinstance(cell, Figure)
            assert (cell.detail is None) == (cell.value == "n/e")


def test_why_a_percentile_is_missing_and_what_it_takes_stands_above_the_table(study: ColdStartReport) -> None:
    total = next(section for section in cold_start_document(study).sections if section.slug == "total")
    assert any("p99" in text and "needs n = 368" in text for text in total.paragraphs)


def test_a_difference_that_was_not_shown_is_marked(study: ColdStartReport) -> None:
    table = difference_table(study, ColdQuantity.START)
    assert table is not None
    sizes = next(row for row in table.rows if row[0] == "1769 MB arm64 less 512 MB arm64")
    assert isinstance(sizes[1], Figure)
    assert sizes[1].value.startswith("~")
    architectures = next(row for row in table.rows if row[0] == "512 MB arm64 less 512 MB x86_64")
    assert isinstance(architectures[1], Figure)
    assert architectures[1].value.startswith("-")


def test_the_words_say_no_difference_where_the_interval_holds_zero(study: ColdStartReport) -> None:
    flat = tuple(
        replace(one, difference_ms=replace(one.difference_ms, point=0.4, low=-3.0, high=3.0))
        if one.difference_ms.estimable
        else one
        for one in study.differences
    )
    text = " ".join(cold_start_document(replace(study, differences=flat)).paragraphs)
    assert "no difference shown" in text
    assert " less (" not in text


def test_two_modes_are_said(study: ColdStartReport) -> None:
    for text in every_form(study):
        assert "two modes" in " ".join(text.split())


def test_published_figures_have_their_source_and_date(study: ColdStartReport) -> None:
    page = render_document_html(cold_start_document(study), interactive=False)
    assert "maxday/lambda-perf" in page
    assert "until 2026-08-22" in page


def test_what_was_left_out_is_counted(study: ColdStartReport) -> None:
    assert counts_sentence(study) == "Counted: 288 cold, 2 initialised ahead, 96 warm."
    page = render_document_html(cold_start_document(study), interactive=False)
    assert "Initialised ahead" in page


def test_costs_name_the_share_of_cold_calls_that_they_assume(study: ColdStartReport) -> None:
    assert "Where 1 % of calls are cold, they add $0.035" in " ".join(cold_start_document(study).paragraphs)


def test_provisioned_concurrency_is_told_by_its_break_even_and_never_per_unit(study: ColdStartReport) -> None:
    table = provisioned_table(study)
    assert table is not None
    kept = {str(row[0]): row[1] for row in table.rows}
    assert kept["512 MB x86_64"] != kept["1769 MB x86_64"], "it is billed by memory, not by unit"


def test_what_is_simulated_says_so_in_every_form_and_figure(local: ColdStartReport) -> None:
    for text in every_form(local):
        seen = text.replace("\\", "")
        assert "LOCAL" in seen
        assert not re.search(r"(?:512|1769)\s+MB\s+arm64(?!\s+\(simulated\))", _without_notices(seen))
    for chart in cold_start_charts(local):
        assert "arm64 (simulated)" in json.dumps(chart.spec(WIDE))


def _without_notices(text: str) -> str:
    """Sentences of the statistics name cells without what only the engine knows; a notice beside them says it."""
    return re.split(r"\n(?:warning|info): |### Notices|id=\"notices\"", text)[0]


def test_an_aws_study_calls_nothing_simulated(study: ColdStartReport) -> None:
    assert "simulated" not in cell_label(study.cells[0].cell, study)


def test_a_study_without_a_cold_start_draws_nothing_and_says_so(empty: ColdStartReport) -> None:
    assert cold_start_charts(empty) == ()
    for text in every_form(empty):
        assert "No cold start was measured" in text
    assert cold_start_document(empty).open


def test_one_architecture_shares_one_panel_and_its_sizes_have_colours_of_their_own(study: ColdStartReport) -> None:
    cells = tuple(cell for cell in study.cells if cell.architecture is Architecture.X86_64)
    (panel,) = panels(replace(study, cells=cells))
    assert len({one.colour for one in panel.series}) == 2
    assert [one.label for one in panel.series] == ["512 MB", "1769 MB"]


def test_two_architectures_lie_over_one_another_in_a_panel_for_each_size(study: ColdStartReport) -> None:
    found = panels(study)
    assert [panel.title for panel in found] == ["512 MB", "1769 MB"]
    assert [[one.label for one in panel.series] for panel in found] == [["x86_64", "arm64"]] * 2


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_figures_are_valid_specifications(study: ColdStartReport, width: int) -> None:
    charts = cold_start_charts(study)
    assert [chart.name for chart in charts] == ["cold-quantiles", "cold-shape"]
    for chart in charts:
        assert "<svg" in vl_convert.vegalite_to_svg(chart.spec(width), vl_version=VEGA_LITE)


def test_equal_inits_can_be_drawn_too(study: ColdStartReport) -> None:
    same = tuple(replace(one, init_ms=300.0) if one.init_ms is not None else one for one in study.samples)
    for chart in cold_start_charts(replace(study, samples=same)):
        assert "NaN" not in json.dumps(chart.spec(WIDE))


def test_a_restore_is_called_one(study: ColdStartReport) -> None:
    cells = tuple(replace(cell, start_kind=StartKind.RESTORE) for cell in study.cells)
    samples = tuple(replace(one, init_ms=None, restore_ms=one.init_ms) for one in study.samples)
    text = terminal(replace(study, cells=cells, samples=samples))
    assert "Restore alone" in text
    assert "The restore alone takes" in " ".join(text.split())


@pytest.mark.parametrize("width", [50, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(study: ColdStartReport, local: ColdStartReport, width: int) -> None:
    for report in (study, local):
        assert max(map(len, terminal(report, width).splitlines())) <= width


def test_a_narrow_terminal_keeps_the_median_and_p95(study: ColdStartReport) -> None:
    head = next(line for line in terminal(study, 60).splitlines() if line.lstrip().startswith("n "))
    assert "p50" in head
    assert "p95" in head
    assert "p90" not in head


def test_the_account_stays_out_of_what_is_shared(study: ColdStartReport) -> None:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:thumbnail"
    private = replace(
        study, measurement=replace(study.measurement, command=f"tuner cold-start {arn} --payload a.json")
    )
    for text in every_form(private)[1:]:
        assert "123456789012" not in text
        assert "a.json" not in text
    shown = cold_start_document(private, include=tuple(Private))
    assert any(arn in fact.value for fact in shown.facts)


def test_hostile_names_stay_text(study: ColdStartReport) -> None:
    evil = replace(study, target=replace(study.target, function="<script>alert(1)</script>\x1b[31m"))
    page = render_document_html(cold_start_document(evil), interactive=False)
    assert "<script>alert" not in page
    assert "\x1b" not in terminal(evil)


def test_the_same_report_gives_the_same_bytes(study: ColdStartReport) -> None:
    assert every_form(study) == every_form(study)


def test_what_is_written_fits_the_schema(study: ColdStartReport) -> None:
    jsonschema.Draft202012Validator(codec.cold_start_schema()).validate(json.loads(render_json(study)))


def test_every_table_of_the_page_has_a_name_of_its_own(study: ColdStartReport) -> None:
    captions = [table.caption for section in cold_start_document(study).sections for table in section.tables]
    assert len(set(captions)) == len(captions) >= 8


def test_a_document_without_private_parts_has_every_section(study: ColdStartReport) -> None:
    document: Document = cold_start_document(study)
    assert [section.slug for section in document.sections] == ["total", "start", "first", "cost", "counts"]


def test_how_a_study_was_made_counts_rightly_and_says_nothing_of_shares_of_cold_calls(study: ColdStartReport) -> None:
    facts = {fact.name: fact.value for fact in cold_start_document(study).facts}
    assert facts["Waves"] == "1 invocation in flight together, 144 blocks"
    assert "Cold calls" not in facts
    read = replace(study, measurement=replace(study.measurement, wave_size=0, blocks=0))
    assert "Waves" not in {fact.name for fact in cold_start_document(read).facts}
