"""Figures: what their data say, what tells their points apart, and that Vega draws them all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tuner.model import Architecture, Cell, CurveStatus, Report
from tuner.render import draw
from tuner.render.charts import report_charts
from tuner.render.charts.chart import NARROW, WIDE, Chart
from tuner.render.curves import curve_of_report, curve_of_reports
from tuner.render.palette import VARIABLES, themed
from tuner.render.samples import by_cell


def charts(report: Report) -> dict[str, Chart]:
    return {chart.name: chart for chart in report_charts(report, by_cell(report.samples))}


def dots(report: Report) -> dict[int, dict[str, Any]]:
    return {row["memory_mb"]: row for row in charts(report)["curve"].spec(WIDE)["datasets"]["dots"]}


def test_measured_current_and_recommended_differ_in_shape_and_in_colour(report: Report) -> None:
    predicted = replace(report.curve[-1], memory_mb=3008, status=CurveStatus.PREDICTED)
    view = curve_of_report(replace(report, curve=(*report.curve, predicted)), ())
    looks = {group.name: (group.shape, group.colour) for group in view.groups}
    assert looks.keys() == {"measured", "current", "recommended", "predicted"}
    assert len({shape for shape, _ in looks.values()}) == len(looks)
    assert len({colour for _, colour in looks.values()}) == len(looks)
    assert [group.name for group in view.groups if group.hollow] == ["predicted"]


def test_an_undecided_size_is_not_drawn_as_recommended(undecided: Report) -> None:
    names = {group.name: group for group in curve_of_report(undecided, ()).groups}
    assert "recommended" not in names
    assert names["leading, not decided"].hollow


def test_two_architectures_differ_in_shape_and_in_colour(report: Report) -> None:
    arm = tuple(replace(point, architecture=Architecture.ARM64) for point in report.curve)
    view = curve_of_report(replace(report, curve=(*report.curve, *arm)), ())
    looks = {group.name: (group.shape, group.colour) for group in view.groups}
    assert {"measured, x86_64", "measured, arm64"} <= looks.keys()
    assert len(set(looks.values())) == len(looks)


def test_a_dot_holds_the_estimates_of_its_size_and_their_words(report: Report) -> None:
    point = report.curve[3]
    row = dots(report)[1024]
    assert point.duration_ms is not None
    assert point.cost_usd_per_million is not None
    mean, cost = point.duration_ms.mean, point.cost_usd_per_million
    assert (row["ms"], row["ms_low"], row["ms_high"]) == (mean.point, mean.low, mean.high)
    assert (row["cost"], row["cost_low"], row["cost_high"]) == (cost.point, cost.low, cost.high)
    assert row["rest"] == str(point.n)
    assert "95 % interval" in row["ms_words"]
    assert "recommended" in row["what"]


def test_a_size_without_a_number_is_a_cross_and_not_a_zero(report: Report) -> None:
    row = dots(report)[128]
    assert row["ms"] is None
    assert row["cost"] is None
    assert "out of memory" in row["what"]
    layers = charts(report)["curve"].spec(WIDE)["vconcat"][1]["layer"]
    assert {"filter": "!isValid(datum.ms)"} in layers[-1]["transform"]


def test_cost_and_duration_share_their_memory_axis(report: Report) -> None:
    above, below = charts(report)["curve"].spec(WIDE)["vconcat"]
    assert above["encoding"]["x"]["scale"] == below["encoding"]["x"]["scale"]
    assert above["width"] == below["width"] == WIDE


def test_costs_that_lie_together_say_that_their_axis_does_not_start_at_zero(report: Report) -> None:
    def cost_axis(found: Report) -> dict[str, Any]:
        axis: dict[str, Any] = charts(found)["curve"].spec(WIDE)["vconcat"][0]["layer"][1]["encoding"]["y"]
        return axis

    near = cost_axis(report)
    assert not near["scale"]["zero"]
    assert "does not start at 0" in near["axis"]["title"]
    estimate = report.curve[1].cost_usd_per_million
    assert estimate is not None
    dear = replace(report.curve[1], cost_usd_per_million=replace(estimate, point=20.0, low=19.0, high=21.0))
    far = cost_axis(replace(report, curve=(report.curve[0], dear, *report.curve[2:])))
    assert far["scale"]["zero"]
    assert "does not start" not in far["axis"]["title"]


def test_a_cold_share_is_offered_only_where_a_cold_start_was_seen(report: Report) -> None:
    assert "cold" in charts(report)["curve"].controls
    warm = tuple(replace(sample, init_ms=None) for sample in report.samples)
    assert "cold" not in charts(replace(report, samples=warm))["curve"].controls


def test_the_cost_of_a_cold_invocation_is_that_of_its_billed_time(report: Report) -> None:
    size = 1024
    billed = [s.billed_ms for s in report.samples if s.cell.memory_mb == size and s.cold and s.billed_ms is not None]
    price = report.measurement.prices[0]
    mean_ms = sum(billed) / len(billed)
    expected = 1e6 * (mean_ms * size / 1_024_000 * float(price.usd_per_gb_s) + float(price.usd_per_request))
    assert dots(report)[size]["cold_cost"] == pytest.approx(expected)


def test_no_figure_is_empty(report: Report) -> None:
    nothing = replace(report, curve=(), fits=(), recommendation=None, samples=())
    assert charts(nothing) == {}
    failed = replace(report, curve=report.curve[:1], fits=(), recommendation=None, samples=report.samples[:4])
    assert charts(failed) == {}


def test_drift_is_shown_from_three_blocks_on(report: Report) -> None:
    assert "noise" not in charts(report)
    spread = tuple(replace(sample, block=sample.sequence % 3) for sample in report.samples)
    assert "noise" in charts(replace(report, samples=spread))


def test_overlaid_reports_differ_in_shape_and_colour_up_to_six(report: Report) -> None:
    view = curve_of_reports([(f"run {number}", report) for number in range(6)])
    assert len({group.shape for group in view.groups}) == 6
    assert len({group.colour for group in view.groups}) == 6
    many = curve_of_reports([(f"run {number}", report) for number in range(20)])
    assert len({(group.shape, group.colour) for group in many.groups}) == 20


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_figure_is_drawn_the_same_each_time(report: Report, wide_report: Report, width: int) -> None:
    for found in (report, wide_report):
        for chart in charts(found).values():
            text = draw.svg(chart.spec(width))
            assert text.startswith("<svg")
            assert text == draw.svg(chart.spec(width))


def test_a_drawing_needs_no_style_no_script_and_no_address(report: Report, wide_report: Report) -> None:
    for found in (report, wide_report):
        for chart in charts(found).values():
            text = draw.inline_svg(chart.spec(WIDE), css_class="wide", labelled_by="a", described_by="b")
            for forbidden in ("style=", "<script", "href", "url(", " id="):
                assert forbidden not in text, (chart.name, forbidden)


def test_one_size_on_its_own_can_be_drawn(report: Report) -> None:
    lonely = replace(
        report, curve=report.curve[3:4], fits=(), samples=tuple(s for s in report.samples if s.cell.memory_mb == 1024)
    )
    for chart in charts(lonely).values():
        assert draw.svg(chart.spec(NARROW)).startswith("<svg")


def test_pictures_come_as_png_too(report: Report) -> None:
    assert draw.png(charts(report)["pareto"].spec(NARROW)).startswith(b"\x89PNG")


def test_every_colour_of_a_specification_belongs_to_the_theme(report: Report) -> None:
    for chart in charts(report).values():
        text = json.dumps(chart.spec(WIDE))
        assert not {colour for colour in VARIABLES if colour in themed(text)}


def test_specifications_name_cells_only_in_words_of_their_own(report: Report) -> None:
    """Names of sizes stand in an expression of the distribution: numbers and architectures, never outside text."""
    evil = "'+alert(1)+'"
    told = replace(report, target=replace(report.target, function=evil, runtime=evil))
    assert all(evil not in json.dumps(chart.spec(WIDE)) for chart in charts(told).values())
    assert Cell(128, Architecture.ARM64).architecture.value.isidentifier()


def test_the_pareto_set_is_named_with_architectures_where_a_size_is_in_it_twice(report: Report) -> None:
    assert report.recommendation is not None
    assert "They are 512 MB, 1024 MB and 1769 MB." in charts(report)["pareto"].description
    alone = replace(report.recommendation, pareto=(Cell(512, Architecture.X86_64),))
    assert "It is 512 MB." in charts(replace(report, recommendation=alone))["pareto"].description
    arm = tuple(replace(point, architecture=Architecture.ARM64) for point in report.curve)
    both = replace(
        report,
        curve=(*report.curve, *arm),
        recommendation=replace(
            report.recommendation, pareto=(Cell(512, Architecture.X86_64), Cell(512, Architecture.ARM64))
        ),
    )
    assert "They are 512 MB arm64 and 512 MB x86_64." in charts(both)["pareto"].description
