"""The recommendation in words: what to set, how sure, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tuner.model import (
    Architecture,
    BudgetLimit,
    BudgetQuantity,
    BudgetStatus,
    BudgetVerdict,
    Cell,
    CurrentConfiguration,
    CurveStatus,
    EngineKind,
    Estimate,
    LimitCheck,
    Recommendation,
    Report,
    Strategy,
    VersusCurrent,
    Workload,
)
from tuner.render.wording import (
    Mark,
    cost_versus_current,
    effect,
    headline,
    marks,
    pareto_sentence,
    spend_sentence,
    versus_note,
    workload_sentence,
)


def ratio(point: float, low: float | None, high: float | None) -> Estimate:
    return Estimate(point=point, low=low, high=high, n=8, method="ratio")


def with_current(report: Report, memory_mb: int, architecture: Architecture = Architecture.X86_64) -> Report:
    current = CurrentConfiguration(memory_mb=memory_mb, architecture=architecture)
    return replace(report, target=replace(report.target, current=current))


def test_the_headline_says_what_to_set_and_what_that_changes(report: Report) -> None:
    sentence = headline(report).sentence
    assert sentence.startswith("Set 1024 MB (now 256 MB): cost -")
    assert "duration -75" in sentence


def test_a_recommendation_of_the_current_size_says_keep(report: Report) -> None:
    assert headline(with_current(report, 1024)).sentence == "Keep 1024 MB.", "beside itself a size changes nothing"


def test_an_undecided_run_names_the_rivals_and_claims_no_effect(undecided: Report) -> None:
    found = headline(undecided)
    assert found.sentence == "Undecided: 1024 MB or 512 MB."
    assert found.certainty.startswith("Confidence 61 % for 1024 MB")
    assert found.ties is None


def test_a_tie_is_always_said(report: Report) -> None:
    assert headline(report).ties == "Tied with 512 MB: the data cannot tell them apart."


def test_the_proposed_size_is_not_tied_with_itself(report: Report, recommendation: Recommendation) -> None:
    itself = replace(recommendation, tied=(Cell(1024, Architecture.X86_64),))
    assert headline(replace(report, recommendation=itself)).ties is None


def test_a_run_without_recommendation_points_to_the_notices(report: Report) -> None:
    found = headline(replace(report, recommendation=None))
    assert found.sentence == "No recommendation: no size gave a number to recommend from."
    assert "notices" in found.certainty


def test_an_unknown_confidence_is_not_a_number(report: Report, recommendation: Recommendation) -> None:
    unknown = replace(recommendation, confidence=None)
    assert headline(replace(report, recommendation=unknown)).certainty == "Confidence: not known."


def test_confidence_speaks_of_what_the_strategy_minimises(report: Report, recommendation: Recommendation) -> None:
    speed = replace(recommendation, strategy=Strategy.SPEED)
    assert "duration is within" in headline(replace(report, recommendation=speed)).certainty


def test_without_a_comparison_no_effect_is_claimed(report: Report, recommendation: Recommendation) -> None:
    for versus in (None, VersusCurrent(cost_ratio=None, duration_ratio=None)):
        alone = replace(report, recommendation=replace(recommendation, versus_current=versus))
        assert headline(alone).sentence == "Set 1024 MB (now 256 MB)."


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (ratio(0.9, 0.85, 0.95), "cost -10.0 % (-15.0 to -5.0 %)"),
        (ratio(0.97, 0.93, 1.01), "no difference in cost shown (-7.0 to +1.0 %)"),
        (ratio(0.5, None, None), "cost -50.0 % (interval not estimable)"),
    ],
)
def test_an_effect_is_claimed_only_where_its_interval_shows_one(found: Estimate, words: str) -> None:
    assert effect("cost", found) == words


def test_architectures_are_named_only_where_there_are_several(report: Report) -> None:
    other = with_current(report, 256, Architecture.ARM64)
    assert headline(other).action == "Set 1024 MB x86_64 (now 256 MB arm64)"


def test_every_size_carries_its_marks(report: Report) -> None:
    found = {point.memory_mb: row for point, row in zip(report.curve, marks(report), strict=True)}
    assert found == {
        128: (),
        256: (Mark.CURRENT,),
        512: (Mark.TIED, Mark.CHEAPEST),
        1024: (Mark.RECOMMENDED,),
        1769: (Mark.FASTEST,),
    }


def test_an_undecided_size_leads_and_is_not_recommended(undecided: Report) -> None:
    assert marks(undecided)[3] == (Mark.LEADING,)


def test_a_predicted_size_says_so(report: Report) -> None:
    predicted = replace(report.curve[2], status=CurveStatus.PREDICTED)
    curve = (*report.curve[:2], predicted, *report.curve[3:])
    assert Mark.PREDICTED in marks(replace(report, curve=curve))[2]


def test_the_current_size_is_the_measure_of_the_others(report: Report) -> None:
    lost, current, tied, _, fastest = report.curve
    assert cost_versus_current(current, report) == "now"
    assert cost_versus_current(tied, report) == "-5.2 %"
    assert cost_versus_current(fastest, report).startswith("+")
    assert cost_versus_current(lost, report) == "–"  # noqa: RUF001 - an empty cell


def test_overlapping_costs_are_marked_as_not_told_apart(report: Report) -> None:
    cost = report.curve[1].cost_usd_per_million
    assert cost is not None
    close = replace(report.curve[4], cost_usd_per_million=replace(cost, point=cost.point * 1.001))
    assert cost_versus_current(close, report) == "~+0.1 %"


def test_the_proposed_size_is_compared_by_its_own_interval(report: Report, recommendation: Recommendation) -> None:
    versus = VersusCurrent(cost_ratio=ratio(0.99, 0.9, 1.1), duration_ratio=None)
    doubtful = replace(report, recommendation=replace(recommendation, versus_current=versus))
    assert cost_versus_current(report.curve[3], doubtful) == "~-1.0 %"


def test_nothing_is_compared_with_a_current_size_that_was_not_measured(report: Report) -> None:
    elsewhere = with_current(report, 333)
    assert {cost_versus_current(point, elsewhere) for point in report.curve} == {"–"}  # noqa: RUF001


def test_a_local_run_says_that_nothing_was_billed(report: Report) -> None:
    assert "Nothing was billed" in spend_sentence(report.spend, EngineKind.LOCAL)
    assert "They cost $0.00036" in spend_sentence(report.spend, EngineKind.AWS)
    lone = replace(report.spend, invocations=1, usd=Decimal(0))
    assert spend_sentence(lone, EngineKind.LOCAL).startswith("1 invocation (")


def test_a_workload_says_only_what_the_data_could_tell() -> None:
    cpu = Estimate(point=17.2, low=16.8, high=17.9, n=12, method="fit")
    known = Workload(
        architecture=Architecture.X86_64,
        cpu_ms=cpu,
        waiting_ms=None,
        speed_up_above_one_vcpu=None,
        nothing_gained_above_mb=1540,
    )
    assert workload_sentence(known) == (
        "Workload, x86_64 (95 % intervals): CPU work of a warm call at one vCPU 17.2 ms (16.8 to 17.9 ms), "
        "no measured size above 1540 MB is faster by 5 % or more."
    )
    little = Estimate(point=0.0, low=0.0, high=25.2, n=5, method="line, not told from 0")
    assert "time that memory does not shorten at most 25.2 ms" in workload_sentence(replace(known, waiting_ms=little))
    unknown = replace(known, cpu_ms=None, nothing_gained_above_mb=None)
    assert workload_sentence(unknown) == "Workload, x86_64: the data do not tell."


def test_the_saving_is_told_for_a_million_invocations_and_only_where_it_was_shown(report: Report) -> None:
    assert headline(report).saving == "At a million invocations a month: $0.15 less ($0.061 to $0.24)."
    assert report.recommendation is not None
    undecided = replace(report, recommendation=replace(report.recommendation, decided=False))
    assert headline(undecided).saving is None
    kept = replace(report, recommendation=replace(report.recommendation, memory_mb=256))
    assert headline(kept).saving is None
    costs = [point.cost_usd_per_million for point in report.curve]
    wide = replace(report.curve[3], cost_usd_per_million=replace(costs[3], low=1.0, high=12.0)) if costs[3] else None
    assert wide is not None
    unclear = replace(report, curve=(*report.curve[:3], wide, *report.curve[4:]))
    versus = VersusCurrent(cost_ratio=ratio(0.97, 0.9, 1.1), duration_ratio=None)
    neither = replace(unclear, recommendation=replace(report.recommendation, versus_current=versus))
    assert headline(neither).saving == "At a million invocations a month: no difference in cost shown."


def test_a_saving_never_contradicts_the_change_that_the_answer_states(
    report: Report, recommendation: Recommendation
) -> None:
    def saving(*bounds: float) -> str | None:
        versus = VersusCurrent(cost_ratio=ratio(*bounds), duration_ratio=None)
        return headline(replace(report, recommendation=replace(recommendation, versus_current=versus))).saving

    assert saving(0.976, 0.96, 0.99) == "At a million invocations a month: $0.15 less ($0.061 to $0.24)."
    assert saving(0.976, 0.94, 1.01) == "At a million invocations a month: no difference in cost shown."
    assert saving(1.2, 1.1, 1.3) is None


def test_a_change_that_is_no_quotient_of_the_costs_beside_it_says_what_it_is(
    report: Report, recommendation: Recommendation
) -> None:
    assert versus_note(report) is None
    by_model = replace(ratio(0.9, 0.85, 0.95), method="draws of the search's model")
    versus = VersusCurrent(cost_ratio=by_model, duration_ratio=None)
    modelled = replace(report, recommendation=replace(recommendation, versus_current=versus))
    assert (
        versus_note(modelled)
        == "The change at 1024 MB is not the quotient of these costs: draws of the search's model."
    )


def limited(report: Report, status: BudgetStatus, *, memory_mb: int = 1024, estimable: bool = True) -> Report:
    """The report with a limit of 250 ms on p95, held against one size."""
    bounds = (230.0, 245.0) if estimable else (None, None)
    estimate = Estimate(point=240.0, low=bounds[0], high=bounds[1], n=80, method="order statistics")
    limit = BudgetLimit(quantity=BudgetQuantity.P95, at_most=250)
    verdict = BudgetVerdict(limit=limit, unit="ms", estimate=estimate, status=status, reason="needs 59")
    check = LimitCheck(memory_mb=memory_mb, architecture=Architecture.X86_64, verdicts=(verdict,))
    return replace(report, limits=(check,))


def test_a_kept_limit_is_stated_with_its_bounds_and_number_of_calls(report: Report) -> None:
    found = headline(limited(report, BudgetStatus.MET)).limits
    assert found == "Limit p95 <= 250 ms at 1024 MB: kept, 240 ms (230 to 245 ms, n = 80)."


def test_a_limit_that_could_not_be_shown_says_what_it_takes(report: Report) -> None:
    found = headline(limited(report, BudgetStatus.UNKNOWN, estimable=False)).limits
    assert found == "Limit p95 <= 250 ms at 1024 MB: not shown, needs 59."


def test_a_size_beyond_a_limit_is_marked_and_without_limits_none_is(report: Report) -> None:
    beyond = limited(report, BudgetStatus.BREACHED, memory_mb=512)
    found = {point.memory_mb: row for point, row in zip(beyond.curve, marks(beyond), strict=True)}
    assert Mark.OVER_LIMIT in found[512]
    assert all(Mark.OVER_LIMIT not in row for row in marks(report))
    assert headline(report).limits is None


def test_no_size_within_the_limits_is_a_result_of_its_own(report: Report) -> None:
    nothing = replace(limited(report, BudgetStatus.BREACHED), recommendation=None)
    assert headline(nothing).sentence == "No size keeps the limits."


def test_the_pareto_set_is_named_with_the_probability_of_each_member(
    report: Report, recommendation: Recommendation
) -> None:
    cells = (Cell(512, Architecture.X86_64), Cell(1024, Architecture.X86_64))
    known = replace(recommendation, pareto=cells, pareto_probability=(0.81, 0.998))
    assert pareto_sentence(replace(report, recommendation=known)) == (
        "Pareto set, each with the probability that no measured size beats it in both cost and mean duration: "
        "512 MB (81 %) and 1024 MB (> 99 %)."
    )
    alone = replace(recommendation, pareto=cells[:1], pareto_probability=())
    assert pareto_sentence(replace(report, recommendation=alone)) is None
