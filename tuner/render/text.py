"""Words and characters: text from outside made harmless, lists written out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ACCOUNT_ID = re.compile(r"\b\d{12}\b")

_SPECIAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal or a reader's eyes would obey instead of show, line ends and tabs aside: C0 and C1 controls, which
begin escape sequences, line and paragraph separators, direction overrides, lone surrogates."""
STYLES = re.compile(r"\x1b\[[0-9;]*m")
"""Colours and weights: all that this package prints in escape sequences, a bar that is redrawn aside."""


class Styled(str):
    """Text with escape sequences of our own, everything from outside in it made harmless before.

    Told by its type, as markupsafe tells HTML; whatever it is joined to makes an ordinary text of it again.
    """

    __slots__ = ()

    def __str__(self) -> str:  # print() asks for this: an ordinary str would have lost the type
        return self


def harmless(text: str, *, allowed: re.Pattern[str] | None = None) -> str:
    """``text`` for a terminal: several lines as they are, and no sequence in it but those that are ``allowed``.

    A function's error message, a name in a template or a report of somebody else must not be able to move the cursor,
    to hide a line, to set a window's title or to reorder what is read.
    """
    if not _SPECIAL.search(text):
        return text
    if allowed is None:
        return _SPECIAL.sub("\ufffd", text.replace("\r\n", "\n"))
    kept = allowed.findall(text)
    parts = [harmless(part) for part in allowed.split(text)]
    return "".join(part for pair in zip(parts, [*kept, ""], strict=True) for part in pair)


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
