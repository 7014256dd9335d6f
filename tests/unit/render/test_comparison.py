"""Reports beside each other: differences with intervals, and what must not be compared."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tuner.model import Architecture, CurvePoint, Distribution, EngineKind, Estimate, Report, Severity
from tuner.render.comparison import compare_reports, comparison_document
from tuner.render.document import render_document_html
from tuner.render.markdown import render_document_markdown


def scaled(report: Report, factor: float) -> Report:
    return replace(report, curve=tuple(_scaled(point, factor) for point in report.curve))


def _scaled(point: CurvePoint, factor: float) -> CurvePoint:
    if point.duration_ms is None or point.cost_usd_per_million is None:
        return point
    mean = _times(point.duration_ms.mean, factor)
    rest = point.duration_ms
    return replace(
        point,
        duration_ms=Distribution(mean=mean, p50=rest.p50, p95=rest.p95, p99=rest.p99),
        cost_usd_per_million=_times(point.cost_usd_per_million, factor),
    )


def _times(estimate: Estimate, factor: float) -> Estimate:
    low = None if estimate.low is None else estimate.low * factor
    high = None if estimate.high is None else estimate.high * factor
    return replace(estimate, point=estimate.point * factor, low=low, high=high)


def codes(*reports: Report) -> dict[str, Severity]:
    document = comparison_document([(f"r{number}", report) for number, report in enumerate(reports)])
    return {notice.code: notice.severity for notice in document.notices}


def test_a_report_beside_itself_shows_no_difference(report: Report) -> None:
    document = comparison_document([("a", report), ("b", report)])
    assert document.answer == "b against a: no difference shown at 4 of 4 shared sizes"
    assert document.notices == ()


def test_a_shift_is_found_with_its_direction_and_its_interval(report: Report) -> None:
    (found,) = compare_reports([("a", report), ("b", scaled(report, 1.1))])
    for pair in found.pairs:
        for change in (pair.duration, pair.cost):
            assert change is not None
            assert change.low is not None
            assert change.high is not None
            assert change.low < 1.1 < change.high
            assert change.low > 1
    answer = comparison_document([("a", report), ("b", scaled(report, 1.1))]).answer
    assert answer == "b against a: slower at 4 of 4 shared sizes"
    answer = comparison_document([("a", report), ("b", scaled(report, 0.9))]).answer
    assert answer == "b against a: faster at 4 of 4 shared sizes"


def test_sizes_without_a_counterpart_are_named(report: Report) -> None:
    fewer = replace(report, curve=report.curve[:3])
    document = comparison_document([("a", report), ("b", fewer)])
    assert "Without a counterpart: 1024 and 1769 MB only in a." in document.paragraphs[-1]


def test_a_size_that_failed_in_both_is_nobodys_alone(report: Report) -> None:
    (found,) = compare_reports([("a", report), ("b", report)])
    assert (found.only_base, found.only_series) == ((), ())
    assert 128 not in {pair.memory_mb for pair in found.pairs}


def test_without_a_shared_size_nothing_is_claimed(report: Report) -> None:
    one, other = replace(report, curve=report.curve[1:2]), replace(report, curve=report.curve[2:3])
    document = comparison_document([("a", one), ("b", other)])
    assert document.open
    assert document.answer == "Nothing to compare: no size was measured in both"


def test_architectures_of_one_report_are_compared_with_each_other(report: Report) -> None:
    arm = tuple(replace(point, architecture=Architecture.ARM64) for point in scaled(report, 0.8).curve)
    both = replace(report, curve=(*report.curve, *arm))
    (found,) = compare_reports([("both", both)])
    assert (found.base.name, found.series.name) == ("both, arm64", "both, x86_64")
    second = compare_reports([("both", both), ("again", both)])
    assert [(one.series.name, one.base.name) for one in second[1:]] == [
        ("again, arm64", "both, arm64"),
        ("again, x86_64", "both, x86_64"),
    ]


def test_aws_and_this_machine_are_not_compared_without_a_loud_word(report: Report) -> None:
    local = replace(report, target=replace(report.target, engine=EngineKind.LOCAL))
    assert codes(report, local) == {"not-comparable-engine": Severity.ERROR}
    assert comparison_document([("a", report), ("b", local)]).open


def test_two_machines_are_not_compared_without_a_loud_word(report: Report) -> None:
    local = replace(report, target=replace(report.target, engine=EngineKind.LOCAL))
    here = replace(local, measurement=replace(local.measurement, host="2 cores"))
    there = replace(local, measurement=replace(local.measurement, host="64 cores"))
    assert codes(here, there) == {"not-comparable-host": Severity.ERROR}
    assert codes(here, here) == {}


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("payload", "payload"),
        ("function", "function"),
        ("region", "region"),
        ("prices", "prices"),
        ("waves", "waves"),
    ],
)
def test_every_other_difference_in_the_conditions_is_told(report: Report, what: str, code: str) -> None:
    how = report.measurement
    price = replace(how.prices[0], usd_per_gb_s=Decimal("0.00002"))
    changed = {
        "payload": replace(report, measurement=replace(how, payload_sha256="f" * 64)),
        "function": replace(report, target=replace(report.target, function="other")),
        "region": replace(report, target=replace(report.target, region="us-east-1")),
        "prices": replace(report, measurement=replace(how, prices=(price,))),
        "waves": replace(report, measurement=replace(how, wave_size=40)),
    }[what]
    assert codes(report, changed).keys() == {f"not-comparable-{code}"}


def test_time_between_two_runs_is_told_and_an_odd_date_is_no_error(report: Report) -> None:
    later = replace(report, created_at="2027-01-30T09:30:00Z")
    assert codes(report, later).keys() == {"not-comparable-drift"}
    for odd in ("yesterday", "", "2026-11-22"):
        assert "not-comparable-engine" not in codes(report, replace(report, created_at=odd))


def test_a_shared_comparison_keeps_private_things_to_itself(report: Report) -> None:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:thumbnail"
    told = replace(report, measurement=replace(report.measurement, command=f"tuner run {arn}"))
    document = comparison_document([("a", told), ("123456789012", told)])
    for text in (render_document_html(document, interactive=False), render_document_markdown(document)):
        assert "123456789012" not in text
        assert "arn:aws" not in text


def test_the_page_has_an_overlay_and_a_table_for_each_comparison(report: Report) -> None:
    named = [("a", report), ("b", scaled(report, 0.9)), ("c", scaled(report, 1.2))]
    text = render_document_html(comparison_document(named), interactive=False)
    assert text.count("<figure") == 1
    assert text.count("<table") == 5
    assert text == render_document_html(comparison_document(named), interactive=False)


def test_sizes_without_an_interval_are_counted_apart_from_those_without_a_difference(report: Report) -> None:
    points = list(report.curve)
    duration = points[-1].duration_ms
    assert duration is not None
    blind = replace(duration, mean=replace(duration.mean, low=None, high=None))
    after = replace(report, curve=(*points[:-1], replace(points[-1], duration_ms=blind)))
    answer = comparison_document([("a", report), ("b", after)]).answer
    assert answer == "b against a: no difference shown at 3, no interval at 1 of 4 shared sizes"
