"""Words and characters: text from outside made harmless, lists written out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ACCOUNT_ID = re.compile(r"\b\d{12}\b")


def plain(text: str) -> str:
    """Text as one harmless line: controls, escape sequences, lone surrogates and direction overrides replaced.

    A function name, an error message or a host name must not be able to move the cursor or reorder a page.
    """
    return "".join(_plain_character(character) for character in text)


def printable(text: str, *, longest: int = 80) -> str:
    """A name as a label: harmless, without account ids, and short enough to stand in a legend."""
    shown = without_account_ids(plain(text)).strip() or "(no name)"
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def without_account_ids(text: str) -> str:
    """Text without AWS account ids, as they stand in an ARN that was typed or quoted in an error message."""
    return _ACCOUNT_ID.sub("(account)", text)


def join_or(words: Iterable[str]) -> str:
    """``A``, ``A or B``, ``A, B or C``."""
    return _join(words, "or")


def join_and(words: Iterable[str]) -> str:
    """``A``, ``A and B``, ``A, B and C``."""
    return _join(words, "and")


def count(number: int, noun: str) -> str:
    """``1 version``, ``5 versions``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _plain_character(character: str) -> str:
    if character in "\n\r\t\u2028\u2029":
        return " "
    if character in _BIDI_CONTROLS or unicodedata.category(character) in {"Cc", "Cs", "Cn"}:
        return "\ufffd"
    return character


def _join(words: Iterable[str], conjunction: str) -> str:
    *first, last = words
    return f"{', '.join(first)} {conjunction} {last}" if first else last
