"""Nothing from outside gives orders to the terminal; our own colours stay."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tuner import codec
from tuner.cli.display import GuardedStream, commands_only, redrawing
from tuner.cli.rendering import text_of
from tuner.cli.report_file import read_report
from tuner.render.text import STYLES, Styled, harmless

GOLDEN = Path(__file__).parents[2] / "golden" / "report.json"
EVIL = "\x1b[2J\x1b]0;owned\x07\x1b[8mhidden\x9b31m\u202etxt\u2066\x7f\r"
OBEYED = ("\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\x7f", "\r")


def guarded_stderr(monkeypatch: pytest.MonkeyPatch) -> tuple[GuardedStream, io.BytesIO]:
    """No fixture: between set-up and the test pytest puts its own stream back."""
    buffer = io.BytesIO()
    guarded = GuardedStream(buffer, encoding="utf-8", write_through=True)
    monkeypatch.setattr(sys, "stderr", guarded)
    return guarded, buffer


def test_what_a_terminal_obeys_is_replaced_and_lines_stay() -> None:
    shown = harmless(f"one\n\ttwo {EVIL}\r\nthree")
    assert not any(sign in shown for sign in OBEYED)
    assert shown.startswith("one\n\ttwo \ufffd[2J")
    assert shown.endswith("\nthree")


def test_ordinary_text_of_a_command_has_no_sequences_and_styled_text_keeps_its_colours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guarded, buffer = guarded_stderr(monkeypatch)
    with commands_only():
        print(f"error: \x1b[32mOK\x1b[0m {EVIL}", file=guarded)
        print(Styled("\x1b[32mfine\x1b[0m \x1b[2J"), file=guarded)
        print("joined " + Styled("\x1b[32mfine"), file=guarded)
    first, second, third = buffer.getvalue().decode().splitlines()
    assert not any(sign in first for sign in OBEYED)
    assert second == "\x1b[32mfine\x1b[0m \ufffd[2J"
    assert third == "joined \ufffd[32mfine"


def test_a_bar_is_redrawn_with_cursor_sequences_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    guarded, buffer = guarded_stderr(monkeypatch)
    with commands_only(), redrawing():
        guarded.write("\r\x1b[2K\x1b[1A\x1b[?25l\x1b[1mbar\x1b[0m\x1b[2J\x1b]0;owned\x07")
    assert buffer.getvalue().decode() == "\r\x1b[2K\x1b[1A\x1b[?25l\x1b[1mbar\x1b[0m\ufffd[2J\ufffd]0;owned\ufffd"
    assert guarded.allowed is STYLES


def test_the_colours_of_a_report_are_ours_and_not_its_authors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.loads(GOLDEN.read_text())
    content["target"]["function"] = f"thumb\x1b[31m{EVIL}"
    content["notices"].append({"code": "x", "severity": "warning", "message": EVIL, "remedy": EVIL})
    path = tmp_path / "report.json"
    path.write_text(json.dumps(content))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = text_of(read_report(str(path)))
    assert isinstance(shown, Styled)
    assert "\x1b[1;32m" in shown
    left = STYLES.sub("", shown)
    assert not any(sign in left for sign in OBEYED)
    assert "\x1b[31mthumb" not in shown
    assert "\x1b[8m" not in shown


def test_json_keeps_its_value_and_says_it_in_escapes() -> None:
    data = codec.encode_pretty({"message": EVIL})
    assert not any(sign in data.decode() for sign in OBEYED)
    assert json.loads(data) == {"message": EVIL}


def test_a_foreign_report_reaches_the_terminal_harmless_whatever_is_printed(tmp_path: Path) -> None:
    content = json.loads(GOLDEN.read_text())
    content["target"]["function"] = content["target"]["region"] = EVIL
    content["notices"].append({"code": "x", "severity": "error", "message": EVIL, "remedy": EVIL})
    path = tmp_path / "report.json"
    path.write_text(json.dumps(content))
    for words in (
        ["report", str(path)],
        ["report", str(path), "--output", "markdown"],
        ["report", str(path), "--output", "json"],
        ["apply", str(path), "--dry-run"],
        ["compare", str(path), str(GOLDEN)],
    ):
        done = subprocess.run([sys.executable, "-m", "tuner", *words], capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        assert not any(sign in done.stdout + done.stderr for sign in OBEYED), words


def test_an_error_is_printed_harmless() -> None:
    done = subprocess.run([sys.executable, "-m", "tuner", "report", EVIL], capture_output=True, text=True)
    assert done.returncode == 2
    assert not any(sign in done.stderr for sign in OBEYED)


def test_text_above_a_bar_has_no_colours_but_ours() -> None:
    script = (
        "import sys\n"
        "from rich.console import Console\n"
        "from tuner.cli.display import above_the_bar, commands_only, guard_streams, redrawing\n"
        "from tuner.cli.progress import _bar\n"
        "guard_streams()\n"
        "with commands_only(), redrawing(), _bar(Console(stderr=True)) as bar, above_the_bar():\n"
        "    bar.add_task('starting', total=1, words='')\n"
        "    print('foreign \\x1b[35mpurple\\x9b \\x1b[2J', file=sys.stderr)\n"
    )
    reader, terminal = os.openpty()
    subprocess.run([sys.executable, "-c", script], stderr=terminal, env={**os.environ, "TERM": "xterm"}, check=True)
    os.close(terminal)
    shown = os.read(reader, 100_000).decode()
    os.close(reader)
    assert "foreign \ufffd[35mpurple\ufffd \ufffd[2J" in shown
    assert "\x1b[2K" in shown
    assert "\x1b[35m" not in shown
