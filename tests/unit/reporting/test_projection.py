"""A month's bill from a report: by hand on paper, the same figures."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tuner import codec
from tuner.model import Architecture, Report
from tuner.pricing import FargatePrice, fargate_price_for, price_for, tiers_for
from tuner.reporting.projection import Volume, fargate_break_even, monthly_costs, tiered_usd

GOLDEN = Path(__file__).parents[2] / "golden" / "report.json"
X86 = price_for("us-east-1", Architecture.X86_64)
FARGATE = FargatePrice(usd_per_vcpu_hour=Decimal("0.04048"), usd_per_gb_hour=Decimal("0.004445"), as_of="", source="")


@pytest.fixture(scope="module")
def report() -> Report:
    return codec.decode(GOLDEN.read_bytes(), Report)


def test_a_month_of_warm_calls_costs_what_a_million_costs_times_the_millions(report: Report) -> None:
    months = {cost.memory_mb: cost for cost in monthly_costs(report, Volume(calls=10_000_000, cold_fraction=0), ())}
    points = {point.memory_mb: point for point in report.curve if point.memory_mb in months}
    for memory_mb, cost in months.items():
        estimate = points[memory_mb].cost_usd_per_million
        assert estimate is not None
        assert float(cost.usd) == pytest.approx(10 * estimate.point, rel=1e-3)
        assert cost.cold_usd in (None, 0)


def test_cold_starts_add_their_init_at_the_configured_memory(report: Report) -> None:
    volume = Volume(calls=1_000_000, cold_fraction=0.02)
    cost = next(cost for cost in monthly_costs(report, volume, ()) if cost.cold_usd is not None)
    point = next(point for point in report.curve if point.memory_mb == cost.memory_mb)
    assert point.init_ms is not None
    price = report.measurement.prices[0].usd_per_gb_s
    expected = 20_000 * point.init_ms.mean.point / 1000 * cost.memory_mb / 1024 * float(price)
    assert float(cost.cold_usd or 0) == pytest.approx(expected)


def test_an_init_that_was_not_measured_is_left_out_and_said(report: Report) -> None:
    without = replace(report, curve=tuple(replace(point, init_ms=None) for point in report.curve))
    for cost in monthly_costs(without, Volume(calls=1000, cold_fraction=0.5), ()):
        assert cost.cold_usd is None


def test_each_gb_second_costs_the_price_of_its_tier() -> None:
    tiers = tiers_for(X86)
    billion = Decimal(10**9)
    assert tiered_usd(6 * billion, X86, tiers) == 6 * billion * Decimal("0.0000166667")
    assert tiered_usd(7 * billion, X86, tiers) == tiered_usd(6 * billion, X86, tiers) + billion * Decimal("0.000015")
    above = tiered_usd(20 * billion, X86, tiers)
    assert above == tiered_usd(15 * billion, X86, tiers) + 5 * billion * Decimal("0.0000133334")
    assert tiered_usd(billion, X86, tiers, used_gb_s=6 * billion) == billion * Decimal("0.000015")
    assert tiered_usd(billion, X86, ()) == billion * X86.usd_per_gb_s


def test_tiers_are_only_told_where_the_first_price_is_the_same() -> None:
    assert tiers_for(price_for("af-south-1", Architecture.X86_64)) == ()
    assert len(tiers_for(price_for("eu-central-1", Architecture.ARM64))) == 3


def test_one_vcpu_against_fargate_breaks_even_at_47_6_percent() -> None:
    found = fargate_break_even(1769, X86, FARGATE)
    assert found is not None
    assert (found.vcpu, found.memory_gb) == (Decimal(1), Decimal(2))
    assert round(found.busy_share, 3) == Decimal("0.476")


def test_a_small_function_is_dearer_on_the_smallest_task() -> None:
    found = fargate_break_even(128, X86, FARGATE)
    assert found is not None
    assert found.busy_share > 1


def test_the_task_has_the_memory_of_the_size() -> None:
    found = fargate_break_even(10_240, X86, FARGATE)
    assert found is not None
    assert (found.vcpu, found.memory_gb) == (Decimal(8), Decimal(16))


def test_fargate_prices_of_other_regions_are_not_invented() -> None:
    assert fargate_price_for("eu-central-1") is None
