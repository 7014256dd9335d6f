"""A search under limits looks for the best size within them and shows that it keeps them, or says that it cannot."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.unit.planning.doubles import FakeLambda, measured, plan_of
from tests.unit.planning.test_confirmation import RANGE, report_of
from tuner.cli.run import limits_exit_code
from tuner.errors import ExitCode
from tuner.model import BudgetStatus, DurationLimit, Report, SamplingKind, Statistic, Strategy
from tuner.planning.plan import sampling_of
from tuner.statistics.search.showing import ShowingLimits


def waiting(memory_mb: int) -> float:
    """60 ms of waiting and some work: 160 ms at 1024 MB."""
    return 60 + 200 * 512 / min(memory_mb, 1769)


def searched(
    sizes: Sequence[int] = RANGE, *, noise: float = 0.03, seed: int = 1, host_noise: float = 0.0, **changes: object
) -> Report:
    plan = plan_of(sizes, seed=seed, **changes)  # type: ignore[arg-type]
    return report_of(plan, measured(plan, FakeLambda(waiting, noise=noise, seed=seed, host_noise=host_noise)))


def at_most(statistic: Statistic, limit_ms: float) -> DurationLimit:
    return DurationLimit(statistic=statistic, limit_ms=limit_ms)


def test_a_decided_size_keeps_a_limit_of_the_mean_and_costs_little_more_than_the_best_that_does() -> None:
    best_mb = next(size for size in RANGE if waiting(size) <= 160)
    decided = 0
    for seed in range(5):
        report = searched(max_duration=at_most(Statistic.MEAN, 160), seed=seed)
        found = report.recommendation
        assert found is not None
        if found.decided:
            decided += 1
            assert waiting(found.memory_mb) <= 160
            assert waiting(found.memory_mb) * found.memory_mb <= 1.12 * waiting(best_mb) * best_mb
            assert limits_exit_code(report) is ExitCode.OK
    assert decided >= 3


def test_a_high_percentile_is_shown_with_the_calls_it_takes_on_environments_enough() -> None:
    report = searched(max_duration=at_most(Statistic.P95, 180), host_noise=0.03)
    found = report.recommendation
    assert found is not None
    assert found.decided
    check = next(check for check in report.limits if check.memory_mb == found.memory_mb)
    assert check.status is BudgetStatus.MET
    estimate = check.verdicts[0].estimate
    assert estimate is not None
    assert estimate.n >= 59
    assert len(report.samples) <= 60 + 300


def test_a_limit_that_no_size_can_keep_ends_early_and_recommends_nothing() -> None:
    report = searched(max_duration=at_most(Statistic.P95, 60))
    assert report.recommendation is None
    assert len(report.samples) <= 60
    assert "limits-infeasible" in {notice.code for notice in report.notices}
    assert limits_exit_code(report) is ExitCode.BUDGET


def test_speed_under_a_limit_of_cost_never_proposes_what_is_shown_to_cost_more() -> None:
    for seed in range(2):
        report = searched(strategy=Strategy.SPEED, max_cost_usd_per_million=2.6, seed=seed)
        found = report.recommendation
        assert found is not None
        check = next(check for check in report.limits if check.memory_mb == found.memory_mb)
        assert check.status is not BudgetStatus.BREACHED
        assert found.decided is False or check.status is BudgetStatus.MET
        assert found.memory_mb < 1400


def test_a_fixed_run_with_too_few_calls_for_a_percentile_is_inconclusive() -> None:
    report = searched((256, 512, 1024, 1769), max_duration=at_most(Statistic.P95, 200), sampling=SamplingKind.FIXED)
    assert report.recommendation is not None
    assert not report.recommendation.decided
    assert limits_exit_code(report) is ExitCode.INCONCLUSIVE
    assert any("needs 59" in notice.message for notice in report.notices if notice.code == "limits-not-shown")


def test_without_limits_no_exit_code_speaks_of_them() -> None:
    report = searched()
    assert report.limits == ()
    assert limits_exit_code(report) is ExitCode.OK


@pytest.mark.parametrize(
    ("statistic", "calls"),
    [(Statistic.MEAN, 60), (Statistic.P50, 60), (Statistic.P95, 300), (Statistic.P99, 1200)],
)
def test_the_plan_announces_what_showing_a_limit_may_take(statistic: Statistic, calls: int) -> None:
    plan = plan_of(RANGE, max_duration=at_most(statistic, 100))
    assert plan.expected_invocations == 60 + calls
    policy = sampling_of(plan)
    assert isinstance(policy, ShowingLimits)
    assert policy.search.most_calls == 60
    assert policy.most_calls == 60 + calls


def test_cold_calls_enter_what_a_search_states_as_cost() -> None:
    plain, cold = searched(), searched(cold_fraction=0.5)

    def cost_at_128(report: Report) -> float:
        point = next(p for p in report.curve if p.memory_mb == 128)
        assert point.cost_usd_per_million is not None
        return point.cost_usd_per_million.point

    assert plain.measurement.cold_fraction is None
    assert cold.measurement.cold_fraction == 0.5
    request_usd = 0.2
    expected = (waiting(128) + 0.5 * 200 + 0.5) / (waiting(128) + 0.5)
    ratio = (cost_at_128(cold) - request_usd) / (cost_at_128(plain) - request_usd)
    assert ratio == pytest.approx(expected, rel=0.05)
