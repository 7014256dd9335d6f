"""The terminal in front of us: what it can show, and what it is told when something goes wrong."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TextIO, cast

from tuner.errors import TunerError
from tuner.render.text import STYLES, Styled, harmless

NARROWEST_COLUMNS = 60

LIVE = re.compile(rf"{STYLES.pattern}|\x1b\[[0-9]*[AK]|\x1b\[\?25[lh]|\r")
"""What Rich redraws a bar with: styles, cursor up, erase line, hide and show the cursor, back to the line's begin."""


class GuardedStream(io.TextIOWrapper):
    """Standard output or error, through which nothing from outside gives orders to a terminal.

    The one place for it: everything that is printed passes here, whoever prints it. Sequences pass only in ``Styled``
    text, and those that are ``allowed``.
    """

    allowed: re.Pattern[str] | None = STYLES
    """Typer's help and usage errors are ordinary texts with colours; ``commands_only`` ends that."""

    def write(self, text: str, /) -> int:
        super().write(harmless(text, allowed=STYLES if isinstance(text, Styled) else self.allowed))
        return len(text)


def guard_streams() -> None:
    """Put the guard in front of both streams. A character that a terminal cannot show becomes a question mark."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and not isinstance(stream, GuardedStream):
            stream.flush()
            encoding, line_buffering = stream.encoding, stream.line_buffering
            # Nobody else keeps a stream that is not Python's own: with it, its buffer would be closed.
            own = stream is getattr(sys, f"__{name}__")
            buffer = stream.buffer if own else cast("BinaryIO", stream.detach())
            guarded = GuardedStream(buffer, encoding=encoding, errors="replace", line_buffering=line_buffering)
            setattr(sys, name, guarded)


@contextmanager
def commands_only() -> Iterator[None]:
    """While a command runs: no sequences in ordinary text."""
    with _allowing(None, sys.stdout, sys.stderr):
        yield


@contextmanager
def redrawing() -> Iterator[None]:
    """While Rich redraws a bar on standard error. What goes into the bar has to be ``plain`` before."""
    with _allowing(LIVE, sys.stderr):
        yield


@contextmanager
def above_the_bar() -> Iterator[None]:
    """For within a bar: Rich then stands in for both streams, and takes sequences in a text for styles of its own."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", _Harmless(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Harmless:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(harmless(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _allowing(allowed: re.Pattern[str] | None, *streams: TextIO) -> Iterator[None]:
    guarded = [(stream, stream.allowed) for stream in streams if isinstance(stream, GuardedStream)]
    for stream, _ in guarded:
        stream.allowed = allowed
    try:
        yield
    finally:
        for stream, before in guarded:
            stream.allowed = before


def columns() -> int:
    return max(NARROWEST_COLUMNS, shutil.get_terminal_size((80, 24)).columns)


def wants_color(stream: TextIO | None = None) -> bool:
    """NO_COLOR and FORCE_COLOR decide, else whether a person looks at ``stream``, by default standard output."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream or sys.stdout).isatty()


def print_error(error: TunerError) -> None:
    """What happened, and what to do next."""
    print(harmless(f"Error: {error.message}\n{error.hint}"), file=sys.stderr)
