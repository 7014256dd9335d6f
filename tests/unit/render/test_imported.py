"""Power Tuning's results analysed again: as much as means can say, and not a word more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuner.inputs.power_tuning import BASE_URL, PowerTuningCurve, PowerTuningResult, parse_power_tuning
from tuner.render.document import render_document_html
from tuner.render.imported import cheapest, imported_document, near_least_cost
from tuner.render.markdown import render_document_markdown

FILE = Path(__file__).parents[1] / "inputs" / "power_tuning_curves.json"
HASHES = [(row["id"], row["hash"]) for row in json.loads(FILE.read_text(encoding="utf-8"))["curves"]]

CURVE = PowerTuningCurve(
    memory_mb=(128, 256, 512, 1024),
    duration_ms=(800.0, 400.0, 200.0, 190.0),
    cost=(1.68e-6, 1.66e-6, 1.68e-6, 3.2e-6),
)


def result(*curves: PowerTuningCurve, picked_mb: int | None = None) -> PowerTuningResult:
    return PowerTuningResult(curves=curves, picked_mb=picked_mb)


@pytest.mark.parametrize(("name", "text"), HASHES, ids=[name for name, _ in HASHES])
def test_every_public_curve_becomes_a_page_that_claims_no_certainty(name: str, text: str) -> None:
    document = imported_document(parse_power_tuning(f"{BASE_URL}#{text}"))
    page = render_document_html(document, interactive=False)
    assert document.open
    assert "recommended" not in page.partition("</style>")[2]
    assert "means without spread" in page
    assert page.count("<figure") == 2
    assert f"#{text}" in page.replace("&#43;", "+")


def test_near_ties_are_all_named_fastest_first() -> None:
    assert [CURVE.memory_mb[index] for index in near_least_cost(CURVE)] == [512, 256, 128]
    assert CURVE.memory_mb[cheapest(CURVE)] == 256
    assert imported_document(result(CURVE)).answer == "Undecided: 512 MB, 256 MB or 128 MB"


def test_a_bargain_that_the_least_cost_hides_is_told_with_its_price() -> None:
    words = " ".join(imported_document(result(CURVE)).paragraphs)
    assert "512 MB is 50 % faster than 256 MB for +1.2 % in cost" in words


def test_its_own_proposal_is_told_where_it_is_known() -> None:
    assert "itself proposed 256 MB" in " ".join(imported_document(result(CURVE, picked_mb=256)).paragraphs)
    assert "itself proposed" not in " ".join(imported_document(result(CURVE)).paragraphs)


def test_a_lone_cheapest_size_is_still_only_probable() -> None:
    clear = PowerTuningCurve(memory_mb=(128, 256), duration_ms=(100.0, 90.0), cost=(1e-7, 2e-7))
    assert imported_document(result(clear)).answer == "Probably 128 MB, on means alone"


def test_equal_costs_go_to_the_faster_size_as_power_tuning_does_it() -> None:
    tie = PowerTuningCurve(memory_mb=(128, 256), duration_ms=(100.0, 90.0), cost=(1e-7, 1e-7))
    assert tie.memory_mb[cheapest(tie)] == 256


def test_free_and_instant_invocations_divide_nothing_by_zero() -> None:
    odd = PowerTuningCurve(memory_mb=(128, 256), duration_ms=(0.0, 0.0), cost=(0.0, 0.0))
    text = render_document_markdown(imported_document(result(odd)))
    assert "rounds up" in text


def test_a_comparison_shows_both_curves_and_the_change() -> None:
    one = PowerTuningCurve(memory_mb=(128, 256), duration_ms=(100.0, 50.0), cost=(1e-7, 1e-7), name="x86")
    other = PowerTuningCurve(memory_mb=(256, 512), duration_ms=(40.0, 30.0), cost=(8e-8, 9e-8), name="arm")
    text = render_document_markdown(imported_document(PowerTuningResult(curves=(one, other), currency="CNY")))
    assert "x86 beside arm" in text
    assert "-20.0 %" in text
    assert "¥0.08" in text
    page = render_document_html(imported_document(result(one, other)), interactive=False)
    assert page.count("<figure") == 1


def test_two_curves_of_one_name_are_told_apart() -> None:
    same = PowerTuningCurve(memory_mb=(128,), duration_ms=(1.0,), cost=(1e-7,), name="a")
    assert imported_document(result(same, same)).answer == "a (1) beside a (2)"
