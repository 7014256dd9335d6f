"""The reasons for a proposal agree with the figures beside them, and claim no more than these show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.unit.statistics.factory import PRICE, X86, cell, cpu_bound, explained, flat, run_of, sample
from tuner.model import (
    BudgetLimit,
    BudgetQuantity,
    BudgetStatus,
    BudgetVerdict,
    CurvePoint,
    CurveStatus,
    Distribution,
    Estimate,
    LimitCheck,
    Recommendation,
    Sample,
    Strategy,
)
from tuner.statistics.curve import curve_points
from tuner.statistics.rationale import Case, explain
from tuner.statistics.recommendation import Rule, recommend

SIZES = (128, 256, 512, 1024, 1769, 3008)
BOTH = {cell(1024), cell(1769)}


def estimate(point: float) -> Estimate:
    return Estimate(point=point, low=point * 0.97, high=point * 1.03, n=20, method="test")


def point(
    memory_mb: int, usd: float, ms: float, *, n: int = 20, errors: int = 0, predicted: bool = False
) -> CurvePoint:
    mean = estimate(ms)
    return CurvePoint(
        memory_mb=memory_mb,
        architecture=X86,
        n=0 if predicted else n,
        environments=None if predicted else 10,
        errors=errors,
        duration_ms=Distribution(mean=mean, p50=mean, p95=mean, p99=mean),
        billed_ms=None,
        init_ms=None,
        cost_usd_per_million=estimate(usd),
        max_memory_used_mb=None,
        status=CurveStatus.PREDICTED if predicted else CurveStatus.MEASURED,
    )


def choice(memory_mb: int = 1769, **changes: object) -> Recommendation:
    fields: dict[str, object] = {
        "memory_mb": memory_mb,
        "architecture": X86,
        "strategy": Strategy.COST,
        "tolerance": 0.05,
        "confidence": 0.95,
        "tied": (),
        "pareto": (),
        "decided": True,
        "versus_current": None,
        "rationale": "",
    }
    return Recommendation(**(fields | changes))  # type: ignore[arg-type]


def words(samples: Sequence[Sample], *, strategy: Strategy = Strategy.COST) -> str:
    points = curve_points(samples, sorted({s.cell for s in samples}), [PRICE])
    rule = Rule(strategy=strategy, tolerance=0.05)
    found = recommend(points, samples, [PRICE], rule=rule, current=None, seed=1)
    assert found is not None
    return explained(found, points, samples)


def test_it_compares_with_the_cheapest_size_and_says_what_more_memory_buys() -> None:
    found = words(run_of(cpu_bound, SIZES))
    assert "1769 MB costs $11.7" in found
    assert "71 % faster" in found
    assert "single-threaded" in found


def test_the_figures_are_those_of_the_points_that_are_shown() -> None:
    """A run of the demo: 1769 MB measured cheapest, and with the luck taken off that chose it no more."""
    raw = (point(1024, 7.39, 430.0), point(1769, 7.38, 225.0))
    shown = (raw[0], point(1769, 7.42, 226.0))
    case = Case(candidates=BOTH)
    assert explain(choice(), raw, case).startswith("1769 MB costs least: $7.38 per million at 225 ms.")
    assert explain(choice(), shown, case) == (
        "1769 MB costs $7.42 per million, within 5 % of the cheapest size (1024 MB, $7.39), and is 47 % faster than"
        " it."
    )


def test_a_size_that_is_only_predicted_cheaper_makes_the_measured_one_no_cheapest_size() -> None:
    points = (point(896, 6.9, 480.0, predicted=True), point(1024, 7.5, 430.0), point(1769, 7.38, 225.0))
    found = explain(choice(), points, Case(candidates=BOTH, searched=190))
    assert found == (
        "1769 MB costs least of the sizes measured: $7.38 per million at 225 ms. This is by the search's model of 190"
        " sizes, 2 of them measured; the figures shown for these are of their own calls alone."
    )


def test_a_cheaper_size_that_is_no_candidate_is_not_contradicted() -> None:
    points = (point(128, 6.1, 900.0, errors=2), point(1024, 7.6, 430.0), point(1769, 7.5, 225.0))
    assert explain(choice(), points, Case(candidates=BOTH)).startswith(
        "1769 MB costs least of the sizes that may be proposed: $7.50"
    )


def test_sizes_measured_again_are_compared_among_themselves() -> None:
    points = (point(896, 6.9, 480.0), point(1024, 7.5, 430.0), point(1769, 7.38, 225.0))
    found = explain(choice(), points, Case(candidates=BOTH, again=True))
    assert found.startswith("1769 MB costs least of the sizes measured again: $7.38")


def test_equal_figures_are_no_gain() -> None:
    points = (point(1024, 7.30, 225.0), point(1769, 7.42, 225.5))
    found = explain(choice(tied=(cell(1024),)), points, Case(candidates=BOTH))
    assert found.startswith("1769 MB costs $7.42 per million, within 5 % of the cheapest size (1024 MB, $7.30). ")
    assert "1024 MB may be as good a choice: the data cannot tell." in found
    assert "-" not in found


def test_a_better_size_of_which_less_is_known_is_named_with_what_is_known() -> None:
    points = (point(1024, 6.0, 200.0, n=2), point(1769, 7.42, 225.5, n=30))
    found = explain(choice(), points, Case(candidates=BOTH))
    assert "24 % more than the cheapest size (1024 MB, $6.00), of which less is known (n = 2 against 30)" in found


def test_speed_takes_the_fastest_size_as_its_measure() -> None:
    assert words(run_of(cpu_bound, SIZES), strategy=Strategy.SPEED).startswith("1769 MB")
    points = (point(1024, 7.0, 231.0), point(1769, 7.4, 225.0))
    assert explain(choice(1024, strategy=Strategy.SPEED), points, Case(candidates=BOTH)).startswith(
        "1024 MB takes 231 ms on average, within 5 % of the fastest size (1769 MB, 225 ms), and costs 5 % less than"
        " it."
    )


@pytest.mark.parametrize("strategy", [Strategy.BALANCED, Strategy.KNEE])
def test_a_trade_is_told_by_its_two_ends_and_never_as_the_least_of_one(strategy: Strategy) -> None:
    points = (point(512, 5.9, 690.0), point(1024, 6.1, 353.0), point(1769, 7.4, 225.0))
    every = {p.cell for p in points}
    found = explain(choice(1024, strategy=strategy), points, Case(candidates=every))
    assert ": $6.10 at 353 ms; the cheapest size is 512 MB ($5.90 at 690 ms), the fastest 1769 MB ($7.40 at" in found
    unsure = choice(1024, strategy=strategy, decided=False, confidence=0.4)
    assert "least duration" not in explain(unsure, points, Case(candidates=every))


def test_a_faster_size_that_may_exceed_the_tolerance_is_mentioned() -> None:
    found = words(run_of(lambda m: 1000.0 if m == 1024 else 524.0, (1024, 2048), between=0.015, within=0.015))
    assert "2048 MB is 48 % faster, but the data cannot tell whether it stays within 5 % of the least cost" in found


def test_a_flat_function_is_told_that_memory_does_not_change_its_duration() -> None:
    assert "Memory does not change the duration by more than 5 % (" in words(run_of(flat, SIZES))


def test_a_larger_size_that_is_slower_is_not_called_hardly_faster() -> None:
    points = (point(1024, 7.0, 225.0), point(1769, 11.0, 270.0))
    assert "1769 MB costs 57 % more and is no faster." in explain(choice(1024), points, Case(candidates=BOTH))


def test_an_undecided_choice_names_every_rival_that_the_answer_names_measured_or_not() -> None:
    points = (point(896, 7.3, 480.0, predicted=True), point(1024, 7.5, 430.0), point(1769, 7.38, 225.0))
    tied = (cell(821), cell(896), cell(1024))
    found = explain(choice(tied=tied, decided=False, confidence=0.7), points, Case(candidates=BOTH, searched=9))
    assert found.startswith("Undecided: 1769 MB, 821 MB, 896 MB or 1024 MB. ")


def test_a_probability_just_below_the_one_asked_for_does_not_read_like_it() -> None:
    points = (point(1024, 7.5, 430.0), point(1769, 7.38, 225.0))
    found = explain(choice(decided=False, confidence=0.8996), points, Case(candidates=BOTH))
    assert "within 5 % of the least cost with a probability of 89 %, where 90 % is asked" in found
    higher = explain(choice(decided=False, confidence=0.93), points, Case(candidates=BOTH, asked=0.95))
    assert "93 %, where 95 % is asked" in higher


def test_what_is_sure_enough_and_yet_undecided_says_what_else_is_missing() -> None:
    points = (point(1024, 7.5, 430.0), point(1769, 7.38, 225.0, n=4))
    unsure = choice(decided=False, confidence=0.97)
    assert "Too few undisturbed calls were made at 1769 MB itself to call it decided (n = 4 on 10 environments)" in (
        explain(unsure, points, Case(candidates=BOTH, searched=9))
    )
    failed = (points[0], replace(points[1], errors=1))
    assert "Some calls at 1769 MB failed" in explain(unsure, failed, Case(candidates=BOTH))
    limit = BudgetLimit(quantity=BudgetQuantity.MEAN, at_most=230.0)
    open_ = BudgetVerdict(limit=limit, unit="ms", estimate=None, status=BudgetStatus.OPEN, reason="")
    check = LimitCheck(memory_mb=1769, architecture=X86, verdicts=(open_,))
    found = explain(unsure, points, Case(candidates=BOTH, limits=(check,)))
    assert "It is not shown that 1769 MB keeps the limits." in found
    assert "with a probability" not in found


def test_without_intervals_it_says_what_they_take() -> None:
    assert "no interval for any size" in words(run_of(cpu_bound, SIZES, environments=1, waves=20))
    lone = (*run_of(flat, (128, 256)), sample(512, duration_ms=150.0, billed_ms=150.0))
    assert "no interval for 512 MB" in words(lone)


def test_a_single_usable_size_has_nothing_to_be_compared_with() -> None:
    assert "nothing to compare" in words(run_of(flat, [512]))
