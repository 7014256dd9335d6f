"""What cold starts cost, against cases computed by hand, and against two figures that many articles repeat."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.unit.statistics.cold.factory import ARM, X86, first_call, study
from tuner.model import Architecture, Cell, ColdCell, ColdEconomics, Price
from tuner.pricing import (
    price_for,
    provisioned_price_for,
    snap_start_price_for,
    snap_start_study_usd,
)
from tuner.statistics.cold.cells import cold_cell
from tuner.statistics.cold.economics import economics
from tuner.statistics.cold.recognition import recognise

REGION = "us-east-1"


def measured(cell: Cell, *, init_ms: float = 500.0, first_ms: float = 100.0, warm_ms: float = 100.0) -> ColdCell:
    samples = study([[init_ms]] * 10, cell=cell, duration_ms=first_ms, warm_ms=warm_ms)
    (group,) = recognise(samples, [cell])
    return cold_cell(group)


def costs(cell: ColdCell, *, cold_fraction: float = 0.0, runtime: str = "python3.13") -> ColdEconomics:
    return economics(
        cell,
        price_for(REGION, cell.architecture),
        cold_fraction=cold_fraction,
        provisioned=provisioned_price_for(REGION, cell.architecture),
        snap_start=snap_start_price_for(REGION, runtime),
    )


def test_a_cold_start_costs_what_it_is_billed_beyond_a_warm_call() -> None:
    """1024 MB x86: (600 - 100) ms x 1 GB x $0.0000166667 = $0.00000833335; one in a hundred: $0.0833335 a million."""
    found = costs(measured(Cell(1024, X86)), cold_fraction=0.01).cold
    assert found is not None
    assert found.usd_each.point == pytest.approx(0.00000833335)
    assert found.usd_per_million_calls.point == pytest.approx(0.0833335)
    assert found.init_usd_per_million_cold == pytest.approx(8.33335)


@pytest.mark.parametrize(("memory_mb", "usd"), [(128, 0.17), (10_240, 13.87)])
def test_the_same_init_is_dearer_with_more_memory(memory_mb: int, usd: float) -> None:
    """104 ms on arm64 (python3.14, published): $0.17 a million at 128 MB, $13.87 at 10,240 MB."""
    found = costs(measured(Cell(memory_mb, ARM), init_ms=104.0)).cold
    assert found is not None
    assert found.init_usd_per_million_cold == pytest.approx(usd, rel=0.03)


def test_an_init_that_the_lines_do_not_bill_costs_nothing_that_could_be_told() -> None:
    cell = Cell(512, X86)
    samples = [first_call(n, version=str(n), billed_ms=50.0) for n in range(1, 11)]
    (group,) = recognise(samples, [cell])
    assert costs(cold_cell(group)).cold is None, "without a warm call there is nothing to subtract"


@pytest.mark.parametrize("memory_mb", [128, 512, 1769, 10_240])
@pytest.mark.parametrize("architecture", [X86, ARM])
def test_provisioned_concurrency_breaks_even_at_60_percent_whatever_the_memory(
    memory_mb: int, architecture: Architecture
) -> None:
    """Without cold starts p_kept / (p - p_used) = 4.1667 / (16.6667 - 9.7222) = 3.3334 / (13.3334 - 7.7778) = .6."""
    found = costs(measured(Cell(memory_mb, architecture))).provisioned
    assert found is not None
    assert found.break_even_utilisation == pytest.approx(0.6, abs=0.0005)


def test_the_break_even_in_calls_is_that_of_the_measured_duration() -> None:
    """1 GB, 100 ms warm, x86: kept $0.01500012 an hour; a call saves 0.1 x (16.6667 - 9.7222)e-6 = $6.9445e-7; so
    21,600 calls an hour, of 36,000 that fit."""
    found = costs(measured(Cell(1024, X86))).provisioned
    assert found is not None
    assert found.usd_per_hour == pytest.approx(0.01500012)
    assert found.break_even_calls_per_hour == pytest.approx(0.01500012 / 6.9445e-7, rel=1e-6)
    assert found.break_even_calls_per_hour == pytest.approx(21_600, rel=1e-3)


def test_cold_starts_saved_bring_the_break_even_down() -> None:
    """1 GB, each call cold with 500 ms of init: a call saves 6.9445e-7 + 0.5 x 1.66667e-5 = $9.0278e-6."""
    found = costs(measured(Cell(1024, X86)), cold_fraction=1.0).provisioned
    assert found is not None
    assert found.break_even_calls_per_hour == pytest.approx(0.01500012 / 9.0278e-6, rel=1e-4)


def test_an_hour_of_provisioned_concurrency_is_paid_by_the_gb_not_by_the_environment() -> None:
    """An article says "$0.015 per hour per unit whatever the memory": true of 1 GB only."""
    hours = {}
    for memory_mb in (512, 1024, 1769, 2048):
        found = costs(measured(Cell(memory_mb, X86))).provisioned
        assert found is not None
        hours[memory_mb] = found.usd_per_hour
    assert hours[1024] == pytest.approx(0.015, rel=1e-4)
    assert hours[2048] == pytest.approx(2 * hours[1024])
    assert hours[512] == pytest.approx(hours[1024] / 2)
    assert hours[1769] == pytest.approx(0.0259, rel=0.01)


def test_a_gb_second_of_provisioned_concurrency_is_not_the_figure_of_an_article() -> None:
    """ "$0.000064646 per GB-second": 15 times what keeping it costs, and 4.7 times keeping and using it."""
    price = provisioned_price_for(REGION, X86)
    assert price is not None
    assert price.usd_per_gb_s == Decimal("0.0000041667")
    assert price.usd_per_gb_s_of_duration == Decimal("0.0000097222")
    assert Decimal("0.000064646") / (price.usd_per_gb_s + price.usd_per_gb_s_of_duration) > 4


def test_an_always_busy_environment_costs_what_the_price_list_gives() -> None:
    """1769 MB x86, always on and always busy: 1.7275 GB x 3600 x (4.1667 + 9.7222)e-6 = $0.0864 an hour, against
    $0.1037 on demand."""
    found = costs(measured(Cell(1769, X86), warm_ms=1000.0)).provisioned
    assert found is not None
    request_usd = 2e-7
    assert found.usd_per_hour + 3600 * (found.usd_per_call - request_usd) == pytest.approx(0.0864, abs=1e-4)
    assert 3600 * (found.on_demand_usd_per_call - request_usd) == pytest.approx(0.1037, abs=1e-4)


def test_provisioned_concurrency_never_breaks_even_where_it_saves_nothing_a_call() -> None:
    cell = measured(Cell(1024, X86))
    cheap = Price(
        region=REGION,
        architecture=X86,
        usd_per_gb_s=Decimal("0.000005"),
        usd_per_request=Decimal("0.0000002"),
        as_of="",
        source="a discount deeper than that of provisioned concurrency",
    )
    found = economics(
        cell, cheap, cold_fraction=0.0, provisioned=provisioned_price_for(REGION, X86), snap_start=None
    ).provisioned
    assert found is not None
    assert found.break_even_calls_per_hour is None
    assert found.break_even_utilisation is None


def test_snapstart_costs_cache_and_restore_by_memory_and_nothing_for_java() -> None:
    """2 GB: cache 2 x 730 x 3600 x $0.0000015046 = $7.908 a month, restore 2 x $0.0001397998 = $279.6 a million."""
    found = costs(measured(Cell(2048, X86))).snap_start
    assert found is not None
    assert found.cache_usd_per_month == pytest.approx(7.908, abs=1e-3)
    assert found.restore_usd_per_million_cold == pytest.approx(279.5996)
    assert found.init_usd_per_million_cold == pytest.approx(16.6667)
    java = costs(measured(Cell(2048, X86)), runtime="java21").snap_start
    assert java is not None
    assert java.free
    assert (java.cache_usd_per_month, java.restore_usd_per_million_cold) == (0, 0)


def test_snapshots_of_a_study_are_billed_for_three_hours_each() -> None:
    """10 versions x 0.5 GB x 10,800 s x $0.0000015046 = $0.0812484."""
    price = snap_start_price_for(REGION, "python3.13")
    assert price is not None
    assert snap_start_study_usd(10, 512, price) == Decimal("0.08124840")


@pytest.mark.parametrize("runtime", ["nodejs22.x", "ruby3.4", "python3.11", "dotnet6", "provided.al2023", None])
def test_snapstart_is_not_priced_where_it_is_not_offered(runtime: str | None) -> None:
    assert snap_start_price_for(REGION, runtime) is None


def test_prices_that_are_not_known_are_none_and_never_those_of_another_region() -> None:
    assert provisioned_price_for("eu-central-1", ARM) is None
    assert provisioned_price_for("nowhere-1", X86) is None
    assert provisioned_price_for("cn-north-1", X86) is None
    assert snap_start_price_for("eu-central-1", "python3.13") is None


def test_without_a_price_nothing_is_computed() -> None:
    found = economics(
        measured(Cell(512, X86)),
        None,
        cold_fraction=0.01,
        provisioned=provisioned_price_for(REGION, X86),
        snap_start=None,
    )
    assert (found.cold, found.provisioned, found.snap_start) == (None, None, None)
