"""Results of AWS Lambda Power Tuning are read exactly, written back exactly, and refused when they are not one."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.errors import UsageError
from tuner.inputs.power_tuning import (
    BASE_URL,
    PowerTuningCurve,
    PowerTuningResult,
    looks_like_power_tuning,
    parse_power_tuning,
    power_tuning_url,
    single_precision,
)

CURVES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "power_tuning_curves.json").read_text(encoding="utf-8")
)["curves"]
LINK = BASE_URL + "#" + CURVES[0]["hash"]

singles = st.floats(min_value=0, max_value=2.0**99, width=32)
curves = st.lists(st.tuples(st.integers(1, 32_767), singles, singles), min_size=1, max_size=46).map(
    lambda rows: PowerTuningCurve(
        memory_mb=tuple(row[0] for row in rows),
        duration_ms=tuple(row[1] for row in rows),
        cost=tuple(row[2] for row in rows),
    )
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@pytest.mark.parametrize("known", CURVES, ids=lambda curve: curve["id"])
def test_a_published_link_comes_back_byte_for_byte_with_the_published_values(known: dict[str, Any]) -> None:
    link = f"{BASE_URL}#{known['hash']}"
    result = parse_power_tuning(link)
    (curve,) = result.curves
    assert power_tuning_url(result) == link
    assert list(curve.memory_mb) == known["memory_mb"]
    assert curve.duration_ms == tuple(map(single_precision, known["duration_ms"]))
    assert curve.cost == tuple(map(single_precision, known["cost_usd"]))


@given(curve=curves, currency=st.sampled_from(["USD", "CNY"]))
def test_any_curve_survives_the_way_out_and_back(curve: PowerTuningCurve, currency: Any) -> None:
    result = PowerTuningResult(curves=(curve,), currency=currency)
    assert parse_power_tuning(power_tuning_url(result)) == result


@given(pair=st.tuples(curves, curves), called=st.tuples(names, names))
def test_a_comparison_survives_with_its_names(
    pair: tuple[PowerTuningCurve, PowerTuningCurve], called: tuple[str, str]
) -> None:
    named = tuple(
        PowerTuningCurve(memory_mb=one.memory_mb, duration_ms=one.duration_ms, cost=one.cost, name=name)
        for one, name in zip(pair, called, strict=True)
    )
    assert parse_power_tuning(power_tuning_url(PowerTuningResult(curves=named))).curves == named


def test_names_are_encoded_as_a_browser_does_it() -> None:
    one = parse_power_tuning(LINK).curves[0]
    other = PowerTuningCurve(memory_mb=one.memory_mb, duration_ms=one.duration_ms, cost=one.cost, name="ä;(b)!*'~ c")
    link = power_tuning_url(PowerTuningResult(curves=(other, other)))
    assert link.endswith(";%C3%A4%3B(b)!*'~%20c;%C3%A4%3B(b)!*'~%20c")


def test_yuan_are_told_from_dollars_by_the_query_alone() -> None:
    fragment = LINK.partition("#")[2]
    assert parse_power_tuning(f"{BASE_URL}?currency=CNY#{fragment}").currency == "CNY"
    assert parse_power_tuning(f"{BASE_URL}?a=1&currency=CNY#{fragment}").currency == "CNY"
    assert parse_power_tuning(f"{BASE_URL}?currency=CNYX#{fragment}").currency == "USD"
    assert parse_power_tuning(LINK).currency == "USD"


def test_a_hash_alone_is_enough_and_a_browser_may_have_escaped_it() -> None:
    fragment = LINK.partition("#")[2]
    assert parse_power_tuning(fragment) == parse_power_tuning(LINK)
    escaped = fragment.replace("+", "%2B").replace("=", "%3D").replace("/", "%2F")
    assert parse_power_tuning(f"{BASE_URL}#{escaped}") == parse_power_tuning(LINK)


OUTPUT = {
    "power": 512,
    "cost": 0.0000002083,
    "duration": 2.9,
    "stateMachine": {"executionCost": 0.00045, "lambdaCost": 0.0005, "visualization": LINK},
    "stats": [
        {"value": 1024, "averageDuration": 1.5, "averagePrice": 0.0000004, "totalCost": 0.00002},
        {"value": 512, "averageDuration": 2.9, "averagePrice": 0.0000002083, "totalCost": 0.00001},
    ],
}


def test_the_output_of_the_state_machine_gives_its_exact_statistics_and_its_pick() -> None:
    result = parse_power_tuning(json.dumps(OUTPUT))
    assert result.picked_mb == 512
    assert result.curves == (
        PowerTuningCurve(memory_mb=(512, 1024), duration_ms=(2.9, 1.5), cost=(0.0000002083, 0.0000004)),
    )


def test_an_output_without_statistics_is_read_from_its_link() -> None:
    output = {key: value for key, value in OUTPUT.items() if key != "stats"}
    assert parse_power_tuning(json.dumps(output)).curves == parse_power_tuning(LINK).curves
    assert parse_power_tuning(json.dumps(json.dumps(output))).picked_mb == 512


CUT_OFF = LINK.rpartition(";")[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        BASE_URL,
        CUT_OFF,
        f"{LINK};x",
        f"{LINK[:-4]}",
        "a;b;c",
        "AAE=;AAAA;AAAA",
        "AAE=;AADAfw==;AACAPw==",
        "AAE=;AACAvw==;AACAPw==",
        "AAA=;AACAPw==;AACAPw==",
        "AAEAAg==;AACAPw==;AACAPw==",
        "{}",
        '{"stats": [], "power": "abc"}',
        '{"stats": [{"value": 128}]}',
        '{"stats": 1}',
        '"' * 3,
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
)
def test_anything_else_is_refused_with_a_word_on_what_to_give(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_power_tuning(text)
    assert "Give the whole link" in refused.value.hint


@given(text=st.text())
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    with suppress(UsageError):
        assert parse_power_tuning(text).curves


def test_a_value_too_large_for_the_format_is_an_error_and_not_infinity() -> None:
    curve = PowerTuningCurve(memory_mb=(128,), duration_ms=(1e39,), cost=(1.0,))
    with pytest.raises(UsageError, match="32 bits"):
        power_tuning_url(PowerTuningResult(curves=(curve,)))


def test_links_and_hashes_are_told_from_names_of_files() -> None:
    assert looks_like_power_tuning(LINK)
    assert looks_like_power_tuning(LINK.partition("#")[2])
    assert not looks_like_power_tuning("reports/demo.json")
    assert not looks_like_power_tuning("a;b/c;d.json")


def test_an_output_without_a_size_that_was_picked_is_read() -> None:
    text = '{"power": "", "stats": [{"value": 128, "averagePrice": 1e-7, "averageDuration": 10}]}'
    assert parse_power_tuning(text).picked_mb is None
