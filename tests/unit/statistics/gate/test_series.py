"""Evidence of one side: units, drift, and what is known of environments without labels."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.statistics.factory import sample
from tuner.model import Sample
from tuner.statistics.components import NotEstimable
from tuner.statistics.gate import series
from tuner.statistics.gate.comparison import LogEvidence
from tuner.statistics.gate.series import Pair, Series, known_environments
from tuner.statistics.observations import CellSamples, split_by_cell


def arm(samples: list[Sample]) -> CellSamples:
    return split_by_cell(samples, (samples[0].cell,))[0]


def calls(
    values: dict[str, list[float]], *, labels: bool = True, block: int = 1, version: str = "1", cold: bool = True
) -> list[Sample]:
    """Warm calls by environment, one wave after the other, after a wave of cold starts."""
    rows = []
    if cold:
        rows = [
            sample(
                version=version, block=block, wave=0, sequence=0, init_ms=90.0, environment=name if labels else None
            )
            for name in values
        ]
    for name, durations in values.items():
        rows += [
            sample(
                version=version,
                block=block,
                wave=wave,
                sequence=wave,
                duration_ms=duration,
                billed_ms=float(math.ceil(duration)),
                environment=name if labels else None,
            )
            for wave, duration in enumerate(durations, 1)
        ]
    return rows


def of(samples: list[Sample]) -> Series:
    found = series.durations(arm(samples))
    assert found is not None
    return found


def known(evidence: LogEvidence | NotEstimable) -> LogEvidence:
    assert isinstance(evidence, LogEvidence)
    return evidence


def test_with_labels_the_unit_is_the_mean_of_an_environment() -> None:
    units = {"a": [100.0, 102.0, 98.0], "b": [110.0, 111.0, 109.0], "c": [90.0, 92.0, 88.0]}
    found = known(series.geometric(of(calls(units))))
    means = [float(np.log(values).mean()) for values in units.values()]
    assert found.log_point == pytest.approx(np.mean(means))
    assert found.standard_error == pytest.approx(np.std(means, ddof=1) / math.sqrt(3))
    assert found.degrees_of_freedom == 2


def test_more_calls_of_the_same_environments_do_not_make_it_surer() -> None:
    few = known(series.geometric(of(calls({"a": [100.0], "b": [110.0], "c": [95.0]}))))
    many = known(series.geometric(of(calls({"a": [100.0] * 50, "b": [110.0] * 50, "c": [95.0] * 50}))))
    assert many.standard_error == pytest.approx(few.standard_error)


def test_the_arithmetic_mean_counts_outliers_in_full() -> None:
    units = {"a": [100.0, 100.0], "b": [100.0, 500.0], "c": [100.0, 100.0]}
    assert math.exp(known(series.arithmetic(of(calls(units)))).log_point) == pytest.approx(1000 / 6)
    assert math.exp(known(series.geometric(of(calls(units)))).log_point) == pytest.approx(100 * 5 ** (1 / 6))


def test_waves_tell_about_as_much_as_labels() -> None:
    rng = np.random.default_rng(1)
    units = {
        f"{i}": [float(v) for v in 100 * np.exp(rng.normal(0, 0.05) + rng.normal(0, 0.03, 40))] for i in range(30)
    }
    with_labels = known(series.geometric(of(calls(units))))
    without = known(series.geometric(of(calls(units, labels=False))))
    assert without.log_point == pytest.approx(with_labels.log_point)
    assert without.standard_error == pytest.approx(with_labels.standard_error, rel=0.1)
    assert without.environments == 30


def test_overlapping_calls_count_environments_also_without_a_cold_start() -> None:
    """An alias in production has warm environments: ten calls at once are on ten of them all the same."""
    units = {f"{i}": [100.0 + i, 101.0 + i] for i in range(10)}
    found = known_environments(of(calls(units, labels=False, cold=False)).observations)
    assert found.environments == 10


def test_short_calls_without_a_cold_start_may_share_one_environment() -> None:
    units = {f"{i}": [2.0 + i / 10, 2.1 + i / 10] for i in range(10)}
    evidence = series.geometric(of(calls(units, labels=False, cold=False)))
    assert isinstance(evidence, NotEstimable)
    assert "cold start" in evidence.reason


def test_calls_one_at_a_time_on_a_new_version_share_one_environment() -> None:
    rows = [row for i in range(4) for row in calls({f"{i}": [100.0 + i] * 5}, labels=False, version=f"{i}", block=i)]
    found = known(series.geometric(of(rows)))
    assert found.environments == 4
    assert found.standard_error == pytest.approx(np.std(np.log([100, 101, 102, 103]), ddof=1) / 2)


def test_a_drift_that_meets_both_sides_is_taken_out() -> None:
    def side(block_factors: list[float], ratio: float) -> Series:
        rows: list[Sample] = []
        for block, factor in enumerate(block_factors, 1):
            units = {f"{block}{i}": [100.0 * factor * ratio * (1 + i / 1000)] * 3 for i in range(4)}
            rows += calls(units, block=block, version=f"{block}")
        return of(rows)

    drift = [1.0, 1.3, 0.8, 1.1]
    pair = Pair(side(drift, 1.0), side(drift, 1.1))
    steady = pair.steadied(pair)
    base, head = known(series.geometric(steady.base)), known(series.geometric(steady.head))
    assert head.log_point - base.log_point == pytest.approx(math.log(1.1))
    assert base.standard_error < 0.001 < known(series.geometric(pair.base)).standard_error
    assert base.degrees_of_freedom == 16 - 1 - 1.5


def test_a_block_with_one_side_only_shifts_nothing() -> None:
    base = of(calls({"a": [100.0], "b": [101.0]}, block=1))
    head = of(calls({"c": [110.0], "d": [111.0]}, block=2))
    steady = Pair(base, head).steadied(Pair(base, head))
    assert steady.base.observations.values == pytest.approx(base.observations.values)
    assert steady.base.spent == 0


@pytest.mark.parametrize(("environments", "calls_each"), [(19, 20), (60, 3)])
def test_p95_is_not_compared_with_too_few_calls_or_environments(environments: int, calls_each: int) -> None:
    units = {f"{i}": [100.0 + i] * calls_each for i in range(environments)}
    evidence = series.p95(of(calls(units)))
    assert isinstance(evidence, NotEstimable)
    assert "200 calls in 20 environments" in evidence.reason


def test_memory_is_unknown_unless_every_call_reports_it() -> None:
    rows = calls({"a": [100.0, 100.0], "b": [100.0, 100.0]})
    assert series.memory(arm(rows)) is not None
    assert series.memory(arm([*rows[:-1], replace(rows[-1], max_memory_used_mb=None)])) is None
