"""The terminal report fits the width it gets and says the same with and without colour."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tuner.model import (
    Architecture,
    Cell,
    Distribution,
    EngineKind,
    Estimate,
    Notice,
    Plan,
    Recommendation,
    Report,
    Severity,
    SpendRange,
)
from tuner.render.terminal import MINIMUM_WIDTH, render_plan, render_report

ANSI = re.compile(r"\x1b\[[0-9;]*m")
RENEW = Path(__file__).parents[2] / "golden" / "renew.py"


@pytest.fixture(scope="module")
def plan() -> Plan:
    sample_plan: Callable[[], Plan] = runpy.run_path(str(RENEW))["sample_plan"]
    return sample_plan()


def lines(report: Report, width: int) -> list[str]:
    return render_report(report, width=width, color=False).splitlines()


def row(report: Report, width: int, memory_mb: int) -> str:
    return next(line for line in lines(report, width) if line.lstrip().startswith(f"{memory_mb} "))


@pytest.mark.parametrize("width", [50, 60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(report: Report, wide_report: Report, width: int) -> None:
    for shown in (report, wide_report):
        assert max(map(cell_len, lines(shown, width))) <= width


def test_a_terminal_narrower_than_the_minimum_gets_the_minimum(report: Report) -> None:
    assert lines(report, 10) == lines(report, MINIMUM_WIDTH)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_number_is_cut_or_wrapped_in_a_table_of_ten_sizes(wide_report: Report, width: int) -> None:
    text = render_report(wide_report, width=width, color=False)
    assert "…" not in text
    for point in wide_report.curve[1:11]:
        found = next(line for line in text.splitlines() if line.lstrip().startswith(f"{point.memory_mb} "))
        assert re.search(r"\$12,345\.67|\$12,3[45]\d\.\d\d", found)


def test_a_wide_terminal_shows_marks_as_words_and_every_column(wide_report: Report) -> None:
    text = render_report(wide_report, width=200, color=False)
    for word in ("recommended", "current", "cheapest", "n (env)", "errors", "p50", "p95", "vs now"):
        assert word in text


def test_a_narrow_terminal_explains_the_letters_it_uses(wide_report: Report) -> None:
    text = render_report(wide_report, width=60, color=False)
    assert "R recommended" in text
    assert "C current" in text


def test_memory_mean_and_cost_are_never_given_up(wide_report: Report) -> None:
    header = next(line for line in lines(wide_report, MINIMUM_WIDTH) if " MB" in line and "mean" in line)
    assert "$/million" in header
    assert "vs now" not in header


def test_the_answer_comes_before_the_table(report: Report) -> None:
    text = render_report(report, width=80, color=False)
    assert text.index("Set 1024 MB (now 256 MB)") < text.index("$/million")


def test_a_local_run_says_so_before_anything_else(report: Report) -> None:
    local = replace(report, target=replace(report.target, engine=EngineKind.LOCAL))
    text = render_report(local, width=80, color=False)
    assert text.index("LOCAL  Measured on the embedded Lambda, not on AWS.") < text.index("Set 1024 MB")


def test_an_aws_run_is_not_called_local(report: Report) -> None:
    assert "LOCAL" not in render_report(report, width=80, color=False)


def test_a_size_that_failed_shows_how_instead_of_a_number(report: Report) -> None:
    found = row(report, 80, 128)
    assert "out of memory" in found
    assert "$" not in found


def test_a_percentile_that_no_size_can_tell_is_a_footnote_and_no_column(report: Report) -> None:
    text = render_report(report, width=200, color=False)
    assert "p95" not in next(line for line in text.splitlines() if "mean" in line)
    assert "at least 72 samples (p95)" in text


def test_a_percentile_that_one_size_lacks_reads_n_e_there(report: Report) -> None:
    last = report.curve[-1]
    assert last.duration_ms is not None
    known = Estimate(point=240, low=230, high=260, n=80, method="order statistics")
    better = replace(last, duration_ms=replace(last.duration_ms, p95=known))
    mixed = replace(report, curve=(*report.curve[:-1], better))
    assert "240 ms" in row(mixed, 100, 1769)
    assert "n/e" in row(mixed, 100, 1024)


def test_a_mean_without_interval_reads_n_e_beside_it(report: Report) -> None:
    last = report.curve[-1]
    assert last.duration_ms is not None
    lone = Estimate(point=216, low=None, high=None, n=3, method="not estimable: one environment")
    rows: Distribution = replace(last.duration_ms, mean=lone)
    shown = replace(report, curve=(*report.curve[:-1], replace(last, duration_ms=rows)))
    assert re.search(r"216 ms +n/e", row(shown, 80, 1769))
    assert "one environment" in " ".join(render_report(shown, width=80, color=False).split())


def test_a_report_without_any_size_still_reads(report: Report) -> None:
    text = render_report(replace(report, curve=(), recommendation=None), width=80, color=False)
    assert "No recommendation" in text
    assert "52 invocations" in text


def test_colour_adds_nothing_but_colour(report: Report, wide_report: Report, undecided: Report) -> None:
    for shown in (report, wide_report, undecided):
        coloured = render_report(shown, width=80, color=True)
        assert "\x1b[" in coloured
        stripped = [line.rstrip() for line in ANSI.sub("", coloured).splitlines()]
        assert stripped == lines(shown, 80)


def test_the_environment_of_the_process_changes_nothing(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    before = render_report(report, width=80, color=True)
    for name, value in {"NO_COLOR": "1", "COLUMNS": "20", "TERM": "dumb", "FORCE_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    assert render_report(report, width=80, color=True) == before


def test_every_notice_shows_severity_message_and_remedy(report: Report) -> None:
    text = " ".join(render_report(report, width=80, color=False).split())
    for notice in report.notices:
        assert f"{notice.severity}: {notice.message}" in text
        assert notice.remedy is not None
        assert notice.remedy in text


@settings(max_examples=40)
@given(text=st.text(st.characters(), min_size=1, max_size=60), width=st.integers(MINIMUM_WIDTH, 120))
def test_hostile_text_cannot_send_escapes_markup_or_overlong_lines(report: Report, text: str, width: int) -> None:
    notice = Notice(code="x", severity=Severity.ERROR, message=f"[bold]{text}", remedy=text)
    target = replace(report.target, function=f"{text}[/]", region=text, runtime=text)
    shown = render_report(replace(report, target=target, notices=(notice,)), width=width, color=False)
    assert "\x1b" not in shown
    assert "[bold]" in shown
    assert max(map(cell_len, shown.splitlines())) <= width


@pytest.mark.parametrize("width", [50, 60, 80, 200])
def test_a_plan_fits_and_tells_what_will_be_done(plan: Plan, width: int) -> None:
    text = render_plan(plan, width=width, color=False)
    assert max(map(cell_len, text.splitlines())) <= width
    words = " ".join(text.split())
    for fact in ("128, 256, 512, 1024 and 1769 MB", "about 60", "$LATEST", "$0.00021 to $0.0011", "256 MB"):
        assert fact in words


def test_a_plan_above_the_limit_says_that_it_must_be_confirmed(plan: Plan) -> None:
    dear = SpendRange(low_usd=Decimal("0.08"), high_usd=Decimal("0.31"))
    assert "may exceed the limit" in render_plan(replace(plan, expected_spend=dear), width=120, color=False)


def test_a_local_plan_costs_nothing_and_says_local(plan: Plan) -> None:
    local = replace(plan, request=replace(plan.request, engine=EngineKind.LOCAL))
    text = render_plan(local, width=120, color=False)
    assert "LOCAL" in text
    assert "nothing; on AWS the same calls would cost" in text


def test_a_plan_over_a_whole_range_does_not_list_every_size(plan: Plan) -> None:
    cells = tuple(Cell(memory_mb, Architecture.ARM64) for memory_mb in range(128, 3009))
    text = render_plan(replace(plan, cells=cells), width=120, color=False)
    assert "up to 2,881 sizes from 128 to 3008 MB (arm64)" in text


def test_a_plan_never_shows_the_arn(plan: Plan) -> None:
    assert "123456789012" not in render_plan(plan, width=200, color=False)


def test_an_undecided_run_marks_the_leader_and_the_tie(undecided: Report, recommendation: Recommendation) -> None:
    text = render_report(undecided, width=100, color=False)
    assert "leading" in text
    assert "recommended" not in text
    assert recommendation.rationale in text
