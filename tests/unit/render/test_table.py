"""Columns on terminals of every width."""

from __future__ import annotations

import pytest

from tuner.render.table import render_columns

HEADER = ("name", "what for")
ROWS = [
    ("a", "a short reason"),
    ("much-longer", "a reason of so many words that it needs more than one line to be said"),
]


def test_the_last_column_is_broken_under_itself() -> None:
    assert render_columns(HEADER, ROWS, width=45) == (
        "name         what for\n"
        "a            a short reason\n"
        "much-longer  a reason of so many words that\n"
        "             it needs more than one line to\n"
        "             be said\n"
    )


def test_without_room_it_stands_below_its_row() -> None:
    assert render_columns(HEADER, ROWS, width=30) == (
        "name\n    what for\na\n    a short reason\n"
        "much-longer\n    a reason of so many words\n    that it needs more than\n    one line to be said\n"
    )


def test_a_word_that_does_not_fit_beside_gets_the_whole_width() -> None:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:f"
    assert render_columns(("action", "on"), [("lambda:GetFunction", arn)], width=60) == (
        f"action\n    on\nlambda:GetFunction\n    {arn}\n"
    )


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = render_columns(HEADER, [*ROWS, ("b", "words " * 60)], width=width).splitlines()
    assert max(map(len, lines)) <= width


def test_an_empty_last_cell_takes_no_line_and_control_characters_are_replaced() -> None:
    assert render_columns(("a", ""), [("x\x1b[2J", "")], width=60) == "a\nx�[2J\n"
