"""Whatever a run found: its answer, its reasons and its table say the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product

import pytest

from tests.unit.planning.doubles import FakeLambda, measured, plan_of
from tests.unit.statistics.factory import cpu_bound, flat, staircase
from tuner.model import BudgetStatus, Report, SamplingKind, Strategy
from tuner.planning.candidates import candidate_sizes
from tuner.render.wording import Mark, headline, marks
from tuner.reporting.parts import RunFacts
from tuner.reporting.run import build_report
from tuner.units import format_ms, format_usd

RANGE = candidate_sizes([(128, 3008, None)])
NAMED = (128, 256, 512, 1024, 1769, 3008)
FACTS = RunFacts(
    created_at="2026-11-21T00:00:00+00:00",
    command="tuner run",
    sampling="",
    payload_sha256="",
    blocks=1,
    seconds=1.0,
    notices=(),
)


def near_equals(memory_mb: int) -> float:
    """So nearly the same cost everywhere that luck chooses."""
    return 700_000 / min(memory_mb, 1769)


def report_of(
    work: Callable[[int], float], sampling: SamplingKind, seed: int, *, noise: float = 0.04, **changes: object
) -> Report:
    sizes = RANGE if sampling is SamplingKind.ADAPTIVE else NAMED
    made = plan_of(sizes, sampling=sampling, seed=seed, **changes)  # type: ignore[arg-type]
    return build_report(made, measured(made, FakeLambda(work, noise=noise, host_noise=noise, seed=seed)), FACTS)


REPORTS = [
    (sampling, work, strategy, confirm)
    for sampling, work, (strategy, confirm) in product(
        SamplingKind,
        (near_equals, cpu_bound, staircase, flat),
        ((Strategy.COST, False), (Strategy.COST, True), (Strategy.SPEED, False), (Strategy.BALANCED, False)),
    )
]


def name_of(case: tuple[SamplingKind, Callable[[int], float], Strategy, bool]) -> str:
    sampling, work, strategy, confirm = case
    return f"{sampling}-{work.__name__}-{strategy}{'-confirmed' if confirm else ''}"


@pytest.fixture(scope="module", params=REPORTS, ids=name_of)
def reports(request: pytest.FixtureRequest) -> list[Report]:
    sampling, work, strategy, confirm = request.param
    seeds = range(3) if sampling is SamplingKind.FIXED else range(1)  # a search takes its time
    made = (report_of(work, sampling, seed, strategy=strategy, confirm=confirm) for seed in seeds)
    return [report for report in made if report.recommendation is not None]


def test_every_amount_in_the_reasons_is_in_the_table(reports: list[Report]) -> None:
    for report in reports:
        assert report.recommendation is not None
        costs = {format_usd(point.cost_usd_per_million.point) for point in report.curve if point.cost_usd_per_million}
        said = set(re.findall(r"\$[\d.,]*\d", report.recommendation.rationale))
        assert said <= costs


def test_every_duration_in_the_reasons_is_in_the_table(reports: list[Report]) -> None:
    for report in reports:
        assert report.recommendation is not None
        means = {format_ms(point.duration_ms.mean.point) for point in report.curve if point.duration_ms}
        said = set(re.findall(r"[\d.]+ (?:ms|s|min)\b(?! period)", report.recommendation.rationale))
        ends = {mean.partition(" ")[0] for mean in means}
        assert {words.partition(" ")[0] for words in said} <= ends


def test_what_costs_least_or_is_fastest_of_all_is_marked_so(reports: list[Report]) -> None:
    for report in reports:
        assert report.recommendation is not None
        own = next(
            found
            for point, found in zip(report.curve, marks(report), strict=True)
            if point.memory_mb == report.recommendation.memory_mb
        )
        words = report.recommendation.rationale
        assert (" costs least: " not in words) or Mark.CHEAPEST in own
        assert (" is fastest: " not in words) or Mark.FASTEST in own


def test_the_answer_and_the_reasons_name_the_same_rivals(reports: list[Report]) -> None:
    for report in reports:
        found = report.recommendation
        assert found is not None
        if not found.decided and found.tied:
            assert headline(report).sentence in found.rationale


def test_a_confidence_in_the_answer_never_reads_like_one_that_was_asked_for_and_missed(reports: list[Report]) -> None:
    for report in reports:
        found = report.recommendation
        assert found is not None
        if not found.decided and found.confidence is not None and found.confidence < 0.9:
            assert "Confidence 90 %" not in headline(report).certainty
            assert "with a probability of 90 %" not in found.rationale
        assert "100 %" not in headline(report).certainty


def test_luck_among_near_equals_moves_words_and_table_together() -> None:
    """The demo's case: a size that only its luck made the cheapest is not called so when its luck is taken off."""
    overtaken = 0
    for seed in range(10):
        report = report_of(near_equals, SamplingKind.FIXED, seed, noise=0.02, tolerance=0.0)
        found = report.recommendation
        assert found is not None
        cheapest = min(
            (point for point in report.curve if point.cost_usd_per_million),
            key=lambda point: point.cost_usd_per_million.point if point.cost_usd_per_million else 0.0,
        )
        least = cheapest.memory_mb == found.memory_mb
        assert ("costs least: " in found.rationale) <= least
        raised = next(point for point in report.curve if point.memory_mb == found.memory_mb)
        assert raised.duration_ms is not None
        overtaken += "raised by" in raised.duration_ms.mean.method and not least
    assert overtaken > 0, "else this test shows nothing"


def test_a_size_beyond_a_limit_is_no_cheapest_size_of_the_reasons() -> None:
    report = report_of(flat, SamplingKind.FIXED, 1, max_cost_usd_per_million=4.0)
    found = report.recommendation
    assert found is not None
    breached = [check for check in report.limits if check.status is BudgetStatus.BREACHED]
    assert breached
    assert "Beyond cost <= $4.00 per million: " in found.rationale
