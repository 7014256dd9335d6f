"""Cold calls count with the share that the user gives them, not with the one that the run happened to have."""

from __future__ import annotations

import pytest

from tests.unit.statistics.factory import PRICE, cell, run_of
from tuner.model import Sample
from tuner.pricing import cost_per_million_usd
from tuner.statistics.calls import usual_call
from tuner.statistics.components import NotEstimable
from tuner.statistics.curve import curve_points
from tuner.statistics.estimates import MeanEvidence
from tuner.statistics.observations import split_by_cell


def made() -> tuple[Sample, ...]:
    return run_of(lambda _: 100.0, (512,), environments=6, between=0.0, within=0.001)


def test_a_share_of_cold_calls_adds_their_init_to_duration_and_bill() -> None:
    (group,) = split_by_cell(made(), [cell(512)])
    call = usual_call(group, PRICE, 0.1)
    assert call is not None
    assert call.duration_ms == pytest.approx(100 + 0.1 * 180, rel=0.002)
    assert call.cost_usd == pytest.approx(cost_per_million_usd(101 + 0.1 * 180, 512, PRICE), rel=0.005)
    assert isinstance(call.cost, MeanEvidence)
    assert "6 cold starts" in call.cost.method
    assert call.cost.point == pytest.approx(call.cost_usd)


def test_no_share_leaves_cold_calls_out_entirely() -> None:
    (group,) = split_by_cell(made(), [cell(512)])
    call = usual_call(group, PRICE)
    assert call is not None
    assert call.duration_ms == pytest.approx(100, rel=0.002)


def test_where_cold_calls_count_and_none_was_seen_nothing_is_known() -> None:
    warm = [sample for sample in made() if not sample.cold]
    (group,) = split_by_cell(warm, [cell(512)])
    assert usual_call(group, PRICE, 0.1) is None
    (point,) = curve_points(warm, [cell(512)], [PRICE], cold_fraction=0.1)
    assert point.cost_usd_per_million is None


def test_one_cold_start_gives_a_point_without_an_interval() -> None:
    samples = [s for s in made() if not s.cold] + [s for s in made() if s.cold][:1]
    (group,) = split_by_cell(samples, [cell(512)])
    call = usual_call(group, PRICE, 0.1)
    assert call is not None
    assert isinstance(call.cost, NotEstimable)


def test_the_curve_states_costs_with_their_share_of_cold_calls() -> None:
    (plain,) = curve_points(made(), [cell(512)], [PRICE])
    (mixed,) = curve_points(made(), [cell(512)], [PRICE], cold_fraction=0.1)
    assert plain.cost_usd_per_million is not None
    assert mixed.cost_usd_per_million is not None
    assert mixed.cost_usd_per_million.point > plain.cost_usd_per_million.point * 1.1
    assert "cold" in mixed.cost_usd_per_million.method
    assert mixed.duration_ms == plain.duration_ms
