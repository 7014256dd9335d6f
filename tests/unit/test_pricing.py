from __future__ import annotations

import json
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from tuner.errors import PriceUnknownError
from tuner.model import Architecture, Cell, Outcome, Sample
from tuner.pricing import (
    PRICES_FILE,
    cost_per_million_usd,
    invocation_cost_usd,
    price_for,
    price_table,
    total_cost_usd,
    worst_case_usd,
)

X86 = Architecture.X86_64
ARM = Architecture.ARM64
US_EAST_1 = price_for("us-east-1", X86)


def sample(billed_ms: float | None, memory_mb: int = 1024, architecture: Architecture = X86) -> Sample:
    return Sample(
        sequence=1,
        block=1,
        wave=1,
        cell=Cell(memory_mb, architecture),
        version="1",
        started_at="2026-11-21T00:00:00Z",
        client_ms=12.0,
        outcome=Outcome.OK,
        billed_ms=billed_ms,
    )


def test_a_price_carries_its_source_and_date() -> None:
    assert US_EAST_1.usd_per_gb_s == Decimal("0.0000166667")
    assert US_EAST_1.usd_per_request == Decimal("0.0000002")
    assert US_EAST_1.as_of == "2026-09-19"
    assert "Price List" in US_EAST_1.source


def test_prices_differ_by_region_and_architecture() -> None:
    assert price_for("af-south-1", ARM).usd_per_gb_s == Decimal("0.00001768")
    assert price_for("eu-west-1", ARM).usd_per_gb_s == Decimal("0.0000133334")


def test_every_price_in_the_table_is_positive_and_says_where_it_is_from() -> None:
    for name, region in price_table().items():
        known = [price for price in (region.duration_x86, region.duration_arm64, region.request) if price is not None]
        assert all(price > 0 for price in known), name
        assert region.source, name
        assert region.as_of, name


def test_arm64_is_a_fifth_cheaper_in_every_region_that_has_both() -> None:
    pairs = [
        (r.duration_arm64, r.duration_x86) for r in price_table().values() if r.duration_arm64 and r.duration_x86
    ]
    assert len(pairs) == 26
    assert all(float(arm / x86) == pytest.approx(0.8, abs=0.002) for arm, x86 in pairs)


def test_money_in_the_file_is_text_so_that_it_stays_exact() -> None:
    def floats(node: object) -> list[float]:
        if isinstance(node, dict):
            return [number for value in node.values() for number in floats(value)]
        if isinstance(node, list):
            return [number for value in node for number in floats(value)]
        return [node] if isinstance(node, float) else []

    assert floats(json.loads(PRICES_FILE.read_bytes())) == []


def test_an_unknown_region_names_near_ones_and_the_option() -> None:
    with pytest.raises(PriceUnknownError) as caught:
        price_for("eu-wset-1", X86)
    assert "'eu-wset-1'" in caught.value.message
    assert "eu-west-1" in caught.value.hint
    assert "--price-per-gb-s" in caught.value.hint


@pytest.mark.parametrize(
    ("region", "architecture", "reason"),
    [
        ("il-central-1", ARM, "no arm64 price"),
        ("mx-central-1", X86, "no price for mx-central-1"),
        ("cn-north-1", X86, "billed in CNY"),
        ("nowhere", X86, "no region 'nowhere'"),
        ("", X86, "no region ''"),
    ],
)
def test_a_price_that_is_not_known_is_never_guessed(region: str, architecture: Architecture, reason: str) -> None:
    with pytest.raises(PriceUnknownError, match=reason) as caught:
        price_for(region, architecture)
    assert "--price-per-gb-s" in caught.value.hint


def test_yuan_are_never_taken_for_dollars() -> None:
    china = price_table()["cn-north-1"]
    assert china.duration_x86 is not None
    assert (china.usd_per_gb_s(X86), china.usd_per_request) == (None, None)


def test_a_given_price_wins_over_the_table() -> None:
    price = price_for("eu-west-1", X86, usd_per_gb_s=Decimal("0.00001"), usd_per_request=Decimal(0))
    assert (price.usd_per_gb_s, price.usd_per_request) == (Decimal("0.00001"), Decimal(0))
    assert price.source == "given on the command line"


def test_a_given_price_keeps_the_request_price_of_its_region() -> None:
    price = price_for("af-south-1", X86, usd_per_gb_s=Decimal("0.00001"))
    assert price.usd_per_request == Decimal("0.00000027")
    assert price.source == "given on the command line"


@pytest.mark.parametrize("region", ["mx-central-1", "cn-north-1", "somewhere-new-1"])
def test_a_given_price_where_no_request_price_is_known_says_which_one_it_borrows(region: str) -> None:
    price = price_for(region, X86, usd_per_gb_s=Decimal("0.00001"))
    assert price.usd_per_request == Decimal("0.0000002")
    assert price.source == "given on the command line; request price as in us-east-1"


def test_a_given_request_price_alone_leaves_the_duration_to_the_table() -> None:
    price = price_for("us-east-1", X86, usd_per_request=Decimal(0))
    assert price.usd_per_gb_s == Decimal("0.0000166667")
    assert price.source.endswith("request price given on the command line")
    with pytest.raises(PriceUnknownError):
        price_for("mx-central-1", X86, usd_per_request=Decimal(0))


@pytest.mark.parametrize(("billed_ms", "memory_mb"), [(1, 128), (9, 1769), (900_000, 10_240), (12.5, 3008), (0, 129)])
def test_the_cost_of_an_invocation_is_exact(billed_ms: float, memory_mb: int) -> None:
    exact = Fraction(billed_ms) / 1000 * memory_mb / 1024 * Fraction(US_EAST_1.usd_per_gb_s)
    assert Fraction(invocation_cost_usd(billed_ms, memory_mb, US_EAST_1)) == exact + Fraction(
        US_EAST_1.usd_per_request
    )


def test_a_second_at_one_gigabyte_costs_the_price_and_the_request() -> None:
    assert invocation_cost_usd(1000, 1024, US_EAST_1) == Decimal("0.0000168667")


def test_a_million_invocations_cost_a_million_times_one() -> None:
    one = invocation_cost_usd(236, 512, US_EAST_1)
    assert cost_per_million_usd(236.0, 512, US_EAST_1) == pytest.approx(float(one) * 1e6, rel=1e-12)


def test_a_sample_without_billed_duration_or_price_is_unpriced_and_not_free() -> None:
    total = total_cost_usd([sample(1000), sample(None), sample(1000, architecture=ARM)], {X86: US_EAST_1})
    assert total.usd == Decimal("0.0000168667")
    assert total.unpriced == 2


def test_many_samples_add_up_exactly() -> None:
    total = total_cost_usd((sample(7, 129) for _ in range(1000)), {X86: US_EAST_1})
    assert Fraction(total.usd) == 1000 * Fraction(invocation_cost_usd(7, 129, US_EAST_1))


def test_no_samples_cost_nothing() -> None:
    assert total_cost_usd([], {}).usd == 0


def test_the_worst_case_is_a_timeout_each_time() -> None:
    assert worst_case_usd(10, 3, 1024, US_EAST_1) == 10 * invocation_cost_usd(3000, 1024, US_EAST_1)
    assert worst_case_usd(0, 3, 1024, US_EAST_1) == 0


def test_a_cold_worst_case_adds_the_longest_init() -> None:
    warm_and_cold = invocation_cost_usd(3000, 1024, US_EAST_1) + invocation_cost_usd(13_000, 1024, US_EAST_1)
    assert worst_case_usd(2, 3, 1024, US_EAST_1, cold_starts=1) == warm_and_cold


def test_the_worst_case_is_never_below_what_a_cold_timeout_was_billed() -> None:
    # REPORT of 2026-10: timeout 600 s, Init Duration 516.31 ms, Billed Duration 600517 ms.
    billed = invocation_cost_usd(600_517, 1024, US_EAST_1)
    assert worst_case_usd(1, 600, 1024, US_EAST_1, cold_starts=1) >= billed


def test_the_table_is_read_once() -> None:
    assert price_table() is price_table()


def test_costs_do_not_depend_on_the_callers_decimal_context() -> None:
    with localcontext() as context:
        context.prec = 3
        cost = invocation_cost_usd(7, 129, US_EAST_1)
    assert cost == invocation_cost_usd(7, 129, US_EAST_1)
