"""Asking before something is changed."""

from __future__ import annotations

import io
import sys

import pytest

from tuner.cli.ask import confirm
from tuner.errors import TargetError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> Terminal:
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(text))
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


@pytest.mark.parametrize("text", ["y\n", "YES\n", " y \n"])
def test_yes_goes_on_and_the_question_was_shown(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    shown = answer(monkeypatch, text)
    confirm("Change it?", yes=False, refused="Nothing was changed.")
    assert shown.getvalue() == "Change it? [y/N] "


@pytest.mark.parametrize("text", ["\n", "n\n", "yess\n", ""])
def test_everything_else_is_a_no(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    answer(monkeypatch, text)
    with pytest.raises(TargetError, match="Nothing was changed"):
        confirm("Change it?", yes=False, refused="Nothing was changed.")


def test_consent_on_the_command_line_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = answer(monkeypatch, "n\n")
    confirm("Change it?", yes=True, refused="Nothing was changed.")
    assert shown.getvalue() == ""


def test_where_nobody_can_be_asked_the_answer_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(TargetError) as error:
        confirm("Change it?", yes=False, refused="Nothing was changed.")
    assert "--yes" in error.value.hint
