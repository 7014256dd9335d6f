"""A run without a result says what is true of its calls."""

from __future__ import annotations

import pytest

from tuner.cli.no_result import nothing_measured
from tuner.model import Architecture, Cell, Outcome, Sample

CELL = Cell(512, Architecture.X86_64)


def sample(number: int, outcome: Outcome = Outcome.OK, *, cold: bool = False, message: str | None = None) -> Sample:
    return Sample(
        sequence=number,
        block=1,
        wave=1,
        cell=CELL,
        version="1",
        started_at="2026-01-01T00:00:00+00:00",
        client_ms=20.0,
        outcome=outcome,
        request_id=f"r{number}",
        duration_ms=10.0,
        billed_ms=10.0,
        init_ms=90.0 if cold else None,
        error_type="KeyError" if message else None,
        error_message=message,
    )


FAILED = sample(9, Outcome.FUNCTION_ERROR, message="which")
SENTENCES = {
    "none": ((), "No invocation was made."),
    "one cold": (
        (sample(1, cold=True),),
        "The only successful invocation was a cold start, and sizes",
    ),
    "cold": (
        (sample(1, cold=True), sample(2, cold=True)),
        "All 2 successful invocations were cold starts, and sizes are judged by warm calls.",
    ),
    "cold, and a failure": (
        (sample(1, cold=True), sample(2, cold=True), FAILED),
        "judged by warm calls. 1 other failed; the first, request r9, with KeyError: which",
    ),
    "warm, where cold calls count": ((sample(1), sample(2)), "no size has all that it is judged by"),
    "failed": ((FAILED, FAILED), "Every invocation failed; the first, request r9, with KeyError: which"),
    "failed or without a report": ((FAILED, sample(2, Outcome.UNREPORTED)), "No invocation succeeded; the first"),
    "without a report": ((sample(1, Outcome.UNREPORTED),), "No invocation came back with a REPORT line"),
}


@pytest.mark.parametrize(("samples", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_the_reason_is_true_of_every_call(samples: tuple[Sample, ...], sentence: str) -> None:
    error = nothing_measured(samples)
    assert sentence in error.message
    assert ("REPORT" in error.message) == (sentence == "No invocation came back with a REPORT line")
    assert error.hint
