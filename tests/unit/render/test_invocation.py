"""A line for each invocation: all that Lambda said of it, nothing that was sent."""

from __future__ import annotations

from dataclasses import replace

from tuner.model import Architecture, Cell, Outcome, Sample
from tuner.render.invocation import invocation_line, version_line

COLD = Sample(
    sequence=1,
    block=1,
    wave=1,
    cell=Cell(512, Architecture.X86_64),
    version="7",
    started_at="2026-11-21T07:41:15.123+00:00",
    client_ms=180.0,
    outcome=Outcome.OK,
    request_id="4b1c2d3e",
    duration_ms=12.3,
    billed_ms=133.0,
    init_ms=120.0,
)


def test_a_cold_call_shows_all_that_is_known() -> None:
    assert invocation_line(COLD) == (
        "07:41:15.123 512 MB x86_64 version 7: ok, 12.30 ms, billed 133 ms, init 120.00 ms, request 4b1c2d3e"
    )


def test_a_restore_is_no_init() -> None:
    line = invocation_line(replace(COLD, init_ms=None, restore_ms=80.0))
    assert "restore 80.00 ms" in line
    assert "init" not in line


def test_what_is_not_known_is_not_nought() -> None:
    lost = replace(
        COLD, outcome=Outcome.LOST, request_id=None, duration_ms=None, billed_ms=None, init_ms=None, error_type="lost"
    )
    assert invocation_line(lost) == (
        "07:41:15.123 512 MB x86_64 version 7: lost (lost), duration unknown, no request id"
    )


def test_an_error_is_named_by_its_type_and_its_message_stays_away() -> None:
    failed = replace(
        COLD, outcome=Outcome.FUNCTION_ERROR, error_type="Bad\x1b[2J\nThing", error_message="no user planted-secret"
    )
    line = invocation_line(failed)
    assert "planted-secret" not in line
    assert line.isprintable() or "\ufffd" in line
    assert "\x1b" not in line
    assert "\n" not in line


def test_sides_of_a_comparison_are_told_apart() -> None:
    assert version_line(Cell(512, Architecture.ARM64, "head"), "9") == "512 MB arm64 head is version 9"
