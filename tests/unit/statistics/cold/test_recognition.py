"""Every invocation of a study falls into one group, and only what is surely cold counts as cold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.statistics.cold.factory import ARM, CELL, first_call, warm_call
from tuner.model import Cell, ColdSource, InitBilling, Outcome, Sample, StartKind
from tuner.statistics.cold.recognition import ColdSamples, init_billing, recognise

LINES = Path(__file__).resolve().parents[2] / "data" / "report_lines.json"


def told_apart(*samples: Sample, source: ColdSource = ColdSource.FORCED) -> ColdSamples:
    (group,) = recognise(samples, [CELL], source)
    return group


def test_a_first_call_with_an_init_is_a_cold_start_and_a_later_one_is_warm() -> None:
    counts = told_apart(first_call(1), first_call(2), warm_call(3)).counts
    assert (counts.cold, counts.warm, counts.batches) == (2, 1, 1)


def test_a_first_call_without_an_init_was_initialised_ahead_and_is_neither_cold_nor_warm() -> None:
    group = told_apart(first_call(1), first_call(2, init_ms=None, client_ms=60.0), warm_call(3))
    assert [sample.sequence for sample in group.initialised_ahead] == [2]
    assert (group.counts.cold, group.counts.warm) == (1, 1)


def test_it_stays_so_where_no_call_of_the_batch_showed_an_init() -> None:
    counts = told_apart(first_call(1, init_ms=None), first_call(2, init_ms=None)).counts
    assert (counts.cold, counts.warm, counts.initialised_ahead) == (0, 0, 2)


def test_a_throttled_first_call_that_came_after_another_had_ended_was_reused() -> None:
    late = first_call(2, after_s=2.0, init_ms=None, client_ms=60.0)
    assert told_apart(first_call(1), late).counts.reused == 1


def test_the_environments_name_decides_where_it_is_known() -> None:
    here = first_call(1, environment="a")
    other = first_call(2, after_s=2.0, init_ms=None, client_ms=60.0, environment="b")
    assert told_apart(here, other).counts.initialised_ahead == 1
    same = first_call(2, init_ms=None, client_ms=60.0, environment="a")
    assert told_apart(here, same).counts.reused == 1


def test_an_init_that_timed_out_shows_in_the_callers_wait_and_is_no_warm_call() -> None:
    hidden = first_call(2, init_ms=None, duration_ms=64754.0, client_ms=74_800.0)
    assert told_apart(first_call(1), hidden).counts.init_timeouts == 1


def test_a_restore_is_a_cold_start_of_its_own_kind() -> None:
    restored = [first_call(n, init_ms=None, restore_ms=163.0, billed_ms=313.0, duration_ms=149.53) for n in (1, 2, 3)]
    group = told_apart(*restored, first_call(4))
    assert group.start_kind is StartKind.RESTORE
    assert group.counts.cold == 4
    assert len(group.starts()) == 3, "inits and restores are never pooled"


@pytest.mark.parametrize(
    ("outcome", "error_type", "after_failure"),
    [
        (Outcome.TIMEOUT, "Sandbox.Timedout", 1),
        (Outcome.OUT_OF_MEMORY, "Runtime.OutOfMemory", 1),
        (Outcome.FUNCTION_ERROR, "Runtime.ExitError", 1),
        (Outcome.FUNCTION_ERROR, "KeyError", 0),
    ],
)
def test_after_a_crash_an_init_may_hide_in_a_duration(outcome: Outcome, error_type: str, after_failure: int) -> None:
    crashed = first_call(1, outcome=outcome, error_type=error_type)
    counts = told_apart(crashed, first_call(2), warm_call(3)).counts
    assert (counts.failed, counts.after_failure, counts.warm) == (1, after_failure, 1 - after_failure)


def test_only_the_next_call_on_a_crashed_environment_is_in_doubt() -> None:
    crashed = first_call(1, outcome=Outcome.TIMEOUT, environment="a")
    calls = [warm_call(number, wave=number, environment="a") for number in (3, 4, 5)]
    counts = told_apart(crashed, *calls).counts
    assert (counts.after_failure, counts.warm) == (1, 2)


def test_a_long_log_is_told_apart_in_time_linear_in_it() -> None:
    """A quadratic pass over 50,000 rows would take the test's whole time limit."""
    rows = [warm_call(number, block=number, environment=str(number % 40)) for number in range(50_000)]
    rows[100] = first_call(100, outcome=Outcome.TIMEOUT, environment="20")
    counts = told_apart(*rows, source=ColdSource.LOGS).counts
    assert (counts.warm, counts.after_failure, counts.failed) == (49_998, 1, 1)


def test_a_crash_elsewhere_does_not_taint_an_environment_known_by_name() -> None:
    crashed = first_call(1, outcome=Outcome.TIMEOUT, environment="a")
    assert told_apart(crashed, warm_call(3, environment="b")).counts.warm == 1


@pytest.mark.parametrize("outcome", [Outcome.LOST, Outcome.UNREPORTED])
def test_what_was_not_reported_is_only_counted(outcome: Outcome) -> None:
    counts = told_apart(first_call(1, outcome=outcome, init_ms=None, duration_ms=None)).counts
    assert (counts.unreported, counts.failed, counts.cold) == (1, 0, 0)


def test_an_expected_error_without_a_duration_tells_nothing() -> None:
    assert told_apart(first_call(1, duration_ms=None)).counts.unreported == 1


def test_in_a_log_the_first_invocation_without_an_init_is_an_ordinary_warm_one() -> None:
    group = told_apart(warm_call(1), first_call(2), source=ColdSource.LOGS)
    assert (group.counts.warm, group.counts.cold) == (1, 1)


def test_cold_starts_of_a_log_come_in_hours_and_from_six_days_on_in_days() -> None:
    hours = [first_call(n, after_s=1800 * n) for n in range(4)]
    assert told_apart(*hours, source=ColdSource.LOGS).counts.batches == 2
    days = [first_call(n, after_s=43_200 * n) for n in range(12)]
    assert told_apart(*days, source=ColdSource.LOGS).counts.batches == 6


def test_cells_without_samples_are_there_and_empty() -> None:
    groups = recognise([first_call()], [CELL, Cell(512, ARM)])
    assert [group.counts.cold for group in groups] == [1, 0]
    assert groups[1].start_kind is None


@pytest.mark.parametrize(
    ("billed", "told"),
    [
        ((350.0, 350.0), InitBilling.BILLED),
        ((50.0, 50.0), InitBilling.NOT_BILLED),
        ((350.0, 50.0), InitBilling.MIXED),
        ((None, None), InitBilling.UNKNOWN),
    ],
)
def test_the_lines_tell_whether_the_init_is_billed(billed: tuple[float | None, ...], told: InitBilling) -> None:
    assert init_billing(first_call(n, billed_ms=value) for n, value in enumerate(billed)) is told


def test_an_init_of_a_fraction_of_a_millisecond_tells_nothing() -> None:
    assert init_billing([first_call(1, init_ms=0.4, billed_ms=51.0)]) is InitBilling.UNKNOWN


def test_published_lines_are_told_apart_by_what_they_show() -> None:
    """Lines from before and after 2025-08-01; the rule beside each was found by hand."""
    wanted = {"ceil(duration+init)": InitBilling.BILLED, "ceil(duration)": InitBilling.NOT_BILLED}
    lines = [line for line in json.loads(LINES.read_text())["lines"] if line.get("billed_rule") in wanted]
    cold = [line for line in lines if line["expected"].get("initDurationMs", 0) >= 2]
    assert len(cold) == 23
    for line in cold:
        numbers = line["expected"]
        sample = first_call(
            init_ms=numbers["initDurationMs"],
            duration_ms=numbers["durationMs"],
            billed_ms=numbers["billedDurationMs"],
        )
        assert init_billing([sample]) is wanted[line["billed_rule"]], line["line"]
