"""What a report of a run says about samples that are no ordinary measurement."""

from __future__ import annotations

from tests.fakes import plan, sample
from tuner.model import Outcome, Report, Sample
from tuner.reporting.parts import RunFacts
from tuner.reporting.run import build_report

FACTS = RunFacts(
    created_at="2026-11-21T00:00:00+00:00",
    command="tuner run thumbnail",
    sampling="fixed",
    payload_sha256="",
    blocks=1,
    seconds=1.0,
    notices=(),
    host=None,
    throttle=None,
)


def report(*samples: Sample) -> Report:
    return build_report(plan((128, 1024)), samples, FACTS)


def test_sizes_that_ran_into_the_timeout_are_named() -> None:
    timed_out = sample(128, sequence=2, outcome=Outcome.TIMEOUT, duration_ms=None, billed_ms=3000.0)
    (notice,) = [one for one in report(sample(1024), timed_out).notices if one.code == "timed-out"]
    assert "at 128 MB:" in notice.message


def test_where_nothing_timed_out_nothing_is_said_about_it() -> None:
    assert "timed-out" not in [notice.code for notice in report(sample(1024)).notices]
