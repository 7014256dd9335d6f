"""Columns of text for a terminal of a given width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tuner.render.text import plain

GAP = "  "
INDENT = "    "
NARROWEST_LAST_COLUMN = 24


def render_columns(header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int) -> str:
    """Rows under a header, the last column broken where the width ends.

    Where little room is left for it, or a word of it is longer, it stands below its row. Lines are longer than
    ``width`` only where the other columns or a word are.
    """
    cells = [[plain(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header) - 1)]
    room = width - sum(widths) - len(GAP) * len(widths)
    longest = max(len(word) for row in cells for word in row[-1].split() or [""])
    last = max(len(row[-1]) for row in cells)
    below = room < min(last, max(NARROWEST_LAST_COLUMN, longest))
    lines = _below if below else _beside
    return "".join(f"{line.rstrip()}\n" for row in cells for line in lines(row, widths, width - 4 if below else room))


def _beside(row: Sequence[str], widths: Sequence[int], room: int) -> Iterator[str]:
    first = _joined(row, widths)
    for number, part in enumerate(_broken(row[-1], room)):
        yield f"{first if number == 0 else ' ' * len(first)}{GAP}{part}"


def _below(row: Sequence[str], widths: Sequence[int], room: int) -> Iterator[str]:
    yield _joined(row, widths)
    if row[-1]:
        yield from (f"{INDENT}{part}" for part in _broken(row[-1], room))


def _joined(row: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(cell.ljust(size) for cell, size in zip(row, widths, strict=False))


def _broken(text: str, room: int) -> list[str]:
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
