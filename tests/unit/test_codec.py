"""JSON in and out: strict, exact, and described by the schema that ships in the package."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner import codec
from tuner.errors import UsageError
from tuner.model import Architecture, Cell, Estimate, Outcome, Price, Report, Sample

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "report.json"


@pytest.mark.parametrize("file", codec.published_schemas(), ids=lambda file: file.name)
def test_the_published_schema_is_the_one_of_the_types(file: Path) -> None:
    """Renew it with: python -c 'from tuner import codec; codec.write_schemas()'."""
    assert json.loads(file.read_bytes()) == json.loads(codec.encode(codec.published_schemas()[file]))


def test_every_schema_that_ships_is_published() -> None:
    assert set(codec.published_schemas()) == set(codec.SCHEMA_FOLDER.glob("*.schema.json"))


def test_descriptions_in_a_schema_do_not_depend_on_how_the_source_wraps_them() -> None:
    descriptions = [
        definition["description"]
        for schema in codec.published_schemas().values()
        for definition in schema["$defs"].values()
        if "description" in definition
    ]
    lines = [line for text in descriptions for line in text.split("\n")]
    assert len(descriptions) > 50
    assert all(line == " ".join(line.split()) for line in lines)


def test_the_schema_accepts_a_report_and_refuses_a_broken_one() -> None:
    validator = jsonschema.Draft202012Validator(codec.report_schema())
    report: dict[str, Any] = json.loads(GOLDEN.read_text())
    validator.validate(report)
    del report["spend"]["usd"]
    with pytest.raises(jsonschema.ValidationError, match="usd"):
        validator.validate(report)


def test_a_report_survives_the_round_trip() -> None:
    report = codec.decode(GOLDEN.read_bytes(), Report)
    assert codec.decode(codec.encode(report), Report) == report
    assert codec.encode(report) == codec.encode(codec.decode(codec.encode(report), Report))


def test_money_is_exact_on_the_way_out_and_back() -> None:
    price = Price(
        region="us-east-1",
        architecture=Architecture.ARM64,
        usd_per_gb_s=Decimal("0.0000133334"),
        usd_per_request=Decimal("0.0000002"),
        as_of="2026-09-19",
        source="test",
    )
    assert codec.decode(codec.encode(price), Price) == price


@pytest.mark.parametrize("text", ["", "{", "[]", '{"point": "x"}', '{"point": 1, "low": 2}', "\x00"])
def test_what_does_not_fit_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        codec.decode(text, Estimate)
    assert raised.value.hint


@pytest.mark.parametrize(("point", "low", "high"), [(float("nan"), None, None), (1.0, float("inf"), 2.0)])
def test_an_estimate_is_a_number(point: float, low: float | None, high: float | None) -> None:
    with pytest.raises(ValueError, match="finite"):
        Estimate(point=point, low=low, high=high, n=1, method="")


def test_an_estimate_has_both_bounds_or_none() -> None:
    with pytest.raises(ValueError, match="both"):
        Estimate(point=1.0, low=0.5, high=None, n=1, method="")


finite = st.floats(0, 1e9, allow_nan=False)


@given(
    sequence=st.integers(1, 10**6),
    memory_mb=st.integers(128, 10240),
    architecture=st.sampled_from(Architecture),
    outcome=st.sampled_from(Outcome),
    durations=st.tuples(*[st.none() | finite] * 4),
    text=st.none() | st.text(),
)
def test_every_sample_survives_the_round_trip_as_one_line(
    sequence: int,
    memory_mb: int,
    architecture: Architecture,
    outcome: Outcome,
    durations: tuple[float | None, ...],
    text: str | None,
) -> None:
    sample = Sample(
        sequence=sequence,
        block=1,
        wave=2,
        cell=Cell(memory_mb, architecture),
        version="7",
        started_at="2026-11-21T00:00:00.000+00:00",
        client_ms=1.5,
        outcome=outcome,
        duration_ms=durations[0],
        billed_ms=durations[1],
        init_ms=durations[2],
        restore_ms=durations[3],
        error_message=text,
    )
    line = codec.encode(sample)
    assert b"\n" not in line
    assert codec.decode(line, Sample) == sample
