"""Text from outside is one harmless line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.render.text import count, join_and, join_or, plain, without_account_ids


@given(st.text(st.characters()))
def test_no_control_character_surrogate_or_line_break_survives(text: str) -> None:
    cleaned = plain(text)
    assert len(cleaned) == len(text)
    assert len(cleaned.splitlines()) <= 1
    assert not {unicodedata.category(character) for character in cleaned} & {"Cc", "Cs"}
    cleaned.encode("utf-8")


def test_an_escape_sequence_cannot_reach_the_terminal() -> None:
    assert "\x1b" not in plain("\x1b[2J\x1b]8;;http://example.com\x07click")


def test_ordinary_names_stay_as_they_are() -> None:
    assert plain("größe_日本-1 (naïve)") == "größe_日本-1 (naïve)"


def test_a_name_cannot_reverse_the_reading_direction() -> None:
    assert "\u202e" not in plain("evil\u202efdp.exe")


def test_account_ids_are_taken_out_of_arns() -> None:
    text = without_account_ids("tuner run arn:aws:lambda:eu-central-1:123456789012:function:thumbnail")
    assert text == "tuner run arn:aws:lambda:eu-central-1:(account):function:thumbnail"


def test_a_hash_that_holds_twelve_digits_stays_whole() -> None:
    assert without_account_ids("ab123456789012cd") == "ab123456789012cd"


@pytest.mark.parametrize(
    ("words", "expected"), [(["A"], "A"), (["A", "B"], "A or B"), (["A", "B", "C"], "A, B or C")]
)
def test_alternatives_are_written_out(words: list[str], expected: str) -> None:
    assert join_or(words) == expected
    assert join_and(words) == expected.replace("or", "and")


def test_a_single_thing_is_singular() -> None:
    assert (count(1, "size"), count(0, "size"), count(1200, "size")) == ("1 size", "0 sizes", "1,200 sizes")
