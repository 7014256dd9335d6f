from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.errors import IdentifierError, MemoryRangeError, TunerError
from tuner.inputs.identifiers import parse_function
from tuner.inputs.memory import parse_memory
from tuner.model import FunctionTarget

MEMORY = st.integers(128, 10_240)
PARTS = st.one_of(
    MEMORY.map(lambda size: (size, size, None)),
    st.tuples(MEMORY, MEMORY, st.none() | st.integers(1, 10_240)).map(lambda p: (min(p[:2]), max(p[:2]), p[2])),
)
NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True)
REGIONS = st.sampled_from(["us-east-1", "us-gov-west-1", "cn-north-1", "us-isob-east-1", "eusc-de-east-1"])
QUALIFIERS = st.none() | st.just("$LATEST") | st.from_regex(r"[a-zA-Z0-9_-]{1,128}", fullmatch=True)


T = TypeVar("T")


def attempt(parse: Callable[[str], T], text: str) -> T | TunerError:
    try:
        return parse(text)
    except TunerError as error:
        return error


def written(part: tuple[int, int, int | None]) -> str:
    low, high, step = part
    if low == high and step is None:
        return str(low)
    return f"{low}..{high}" + (f":{step}" if step is not None else "")


@given(st.lists(PARTS, min_size=1, max_size=5))
def test_every_selection_in_the_grammar_is_read_as_written(parts: list[tuple[int, int, int | None]]) -> None:
    selection = parse_memory(",".join(map(written, parts)))
    assert list(selection.ranges) == parts
    assert list(selection.sizes) == sorted(set(selection.sizes))
    for size in selection.sizes:
        assert any(low <= size <= high and (size - low) % (step or 1) == 0 for low, high, step in parts)
    assert {low for low, _, _ in parts} <= set(selection.sizes)


@given(st.text() | st.text(alphabet="0123456789.,: MBmb-٣", max_size=30))
def test_any_text_is_a_selection_within_the_limits_or_a_memory_range_error(text: str) -> None:
    selection = attempt(parse_memory, text)
    if isinstance(selection, TunerError):
        assert isinstance(selection, MemoryRangeError)
        assert "\n" not in selection.message
    else:
        assert all(128 <= size <= 10_240 for size in selection.sizes)


@given(NAMES, REGIONS, st.from_regex(r"[0-9]{12}", fullmatch=True), QUALIFIERS)
def test_every_full_arn_is_taken_apart(name: str, region: str, account: str, qualifier: str | None) -> None:
    arn = f"arn:aws:lambda:{region}:{account}:function:{name}" + (f":{qualifier}" if qualifier else "")
    assert parse_function(arn) == FunctionTarget(
        name=name, region=region, account=account, partition="aws", qualifier=qualifier
    )


@given(st.text() | st.text(alphabet="arn:aws:lambda:function$LATEST0123456789-_./\n", max_size=80))
def test_any_text_is_a_function_or_an_identifier_error(text: str) -> None:
    target = attempt(parse_function, text)
    if isinstance(target, TunerError):
        assert isinstance(target, IdentifierError)
        assert "\n" not in target.message
    else:
        assert 1 <= len(target.name) <= 64
        assert target.name in text


@given(NAMES)
def test_every_name_is_a_function(name: str) -> None:
    assert parse_function(name).name == name


def test_an_unlimited_identifier_is_refused_quickly() -> None:
    with pytest.raises(IdentifierError):
        parse_function("a-" * 200_000)
