"""A change of a memory size, shown before it is made."""

from __future__ import annotations

from difflib import unified_diff

from tuner.model import Report
from tuner.render.text import plain
from tuner.render.wording import headline


def render_memory_change(name: str, where: str, now_mb: int, then_mb: int, report: Report) -> str:
    """The function's memory as a difference of one line, and why, in the words of the report."""
    words = headline(report)
    reasons = "; ".join((*words.effects, words.certainty))
    return f"{plain(name)}  {plain(where)}\n- MemorySize: {now_mb}\n+ MemorySize: {then_mb}\n{plain(reasons)}\n"


def render_text_change(path: str, old: str, new: str) -> str:
    """The lines that change, as ``diff -u`` shows them, with three lines around them."""
    before, after = old.splitlines(), new.splitlines()
    lines = unified_diff(before, after, fromfile=f"{path} (now)", tofile=f"{path} (then)", lineterm="")
    return "".join(f"{plain(line)}\n" for line in lines)
