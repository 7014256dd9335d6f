import pytest

from tests.unit.statistics.factory import cell, sample
from tuner.model import Outcome, Sample
from tuner.statistics.observations import CellSamples, Observations, split_by_cell


def group(*samples: Sample) -> CellSamples:
    (only,) = split_by_cell(samples, [cell(512)])
    return only


def durations(*samples: Sample) -> Observations:
    observations = group(*samples).durations_ms()
    assert observations is not None
    return observations


def cold(sequence: int, **changes: object) -> Sample:
    return sample(**({"sequence": sequence, "wave": 0, "init_ms": 150.0} | changes))  # type: ignore[arg-type]


def test_cold_samples_never_enter_warm_durations() -> None:
    found = group(cold(0, duration_ms=900.0), sample(sequence=1, duration_ms=100.0))
    assert [s.duration_ms for s in found.warm] == [100.0]
    assert [s.duration_ms for s in found.cold] == [900.0]


def test_calls_that_waited_for_a_busy_machine_are_no_warm_samples_where_calm_ones_are_there() -> None:
    busy, quiet = sample(sequence=1, disturbed=True), sample(sequence=2, disturbed=False)
    assert group(busy, quiet).warm == (quiet,)
    assert group(busy).warm == (busy,)


def test_a_disturbed_cold_start_still_counts_an_environment() -> None:
    assert len(group(cold(0, disturbed=True), cold(1, disturbed=False)).cold) == 2


def test_a_restored_environment_is_cold() -> None:
    assert group(sample(restore_ms=80.0)).warm == ()


def test_failed_and_unreported_invocations_enter_no_duration() -> None:
    found = group(
        sample(outcome=Outcome.FUNCTION_ERROR),
        sample(outcome=Outcome.TIMEOUT, duration_ms=3000.0),
        sample(outcome=Outcome.UNREPORTED, duration_ms=None),
    )
    assert found.warm == ()
    assert (len(found.errors), found.unreported) == (2, 1)


def test_a_first_call_without_init_in_an_opening_wave_is_neither_warm_nor_cold() -> None:
    found = group(cold(0), sample(sequence=1, wave=0), sample(sequence=2, wave=1))
    assert len(found.initialised_ahead) == 1
    assert [s.sequence for s in found.warm] == [2]


def test_a_first_wave_without_any_cold_start_is_warm() -> None:
    assert len(group(sample(sequence=0, wave=0), sample(sequence=1, wave=1)).warm) == 2


def test_environments_are_the_cold_starts_seen() -> None:
    warm = [sample(sequence=i, wave=wave) for wave in (1, 2) for i in (3, 4, 5)]
    assert durations(*(cold(i) for i in range(3)), *warm).environments == 3


def test_without_a_cold_start_the_number_of_environments_is_unknown() -> None:
    assert durations(*(sample(wave=1) for _ in range(5))).environments is None


def test_idle_environments_do_not_count_as_evidence() -> None:
    serial = [sample(sequence=10 + i, wave=i) for i in range(1, 9)]
    assert durations(*(cold(i) for i in range(5)), *serial).environments == 1


def test_environments_of_several_versions_add_up() -> None:
    rows = [
        row
        for version in ("1", "2")
        for row in (cold(0, version=version), cold(1, version=version), *(sample(version=version) for _ in range(2)))
    ]
    assert durations(*rows).environments == 4


def test_labels_count_the_environments_where_every_sample_has_one() -> None:
    assert durations(*(sample(environment=name) for name in "abcab")).environments == 3


def test_partial_labels_are_ignored() -> None:
    assert durations(sample(environment="a"), sample(environment=None)).labels is None


def test_a_wave_number_used_again_in_another_block_is_another_wave() -> None:
    waves = durations(sample(block=1, wave=1), sample(block=2, wave=1)).waves
    assert waves[0] != waves[1]


def test_calls_of_a_few_ms_are_not_trusted_to_overlap() -> None:
    assert not durations(sample(duration_ms=2.0), sample(duration_ms=3.0)).overlapping
    assert durations(sample(duration_ms=100.0)).overlapping


def test_a_missing_billed_duration_leaves_only_its_own_sample_out() -> None:
    billed = group(sample(billed_ms=None), sample(billed_ms=101.0)).billed_ms()
    assert billed is not None
    assert billed.values.tolist() == [101.0]


def test_a_cell_without_samples_has_nothing_to_observe() -> None:
    assert group().durations_ms() is None
    assert group().init_ms() is None


@pytest.mark.parametrize("outcome", [Outcome.INIT_ERROR, Outcome.OUT_OF_MEMORY])
def test_environments_that_crashed_at_their_start_do_not_count(outcome: Outcome) -> None:
    rows = [cold(0), cold(1, outcome=outcome), sample(sequence=2), sample(sequence=3)]
    assert durations(*rows).environments == 1
