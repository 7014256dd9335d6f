"""The report of a cold-start study: what its samples can say, and what must be said with it."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from tests.fakes import limits, snapshot
from tests.unit.statistics.cold.factory import ARM, X86, first_call, study
from tuner import codec
from tuner.model import (
    Architecture,
    Cell,
    ColdSource,
    ColdStartGoal,
    ColdStartReport,
    EngineKind,
    FunctionSnapshot,
    Plan,
    Precision,
    RunRequest,
    Sample,
)
from tuner.planning.cold_start import plan_cold_starts
from tuner.pricing import price_for, total_cost_usd
from tuner.reporting.cold_start import build_cold_start_report, cold_results
from tuner.reporting.hello_world import hello_world
from tuner.reporting.parts import RunFacts, target_of

CELLS = (Cell(512, X86), Cell(512, ARM))


def planned(
    *, starts: int = 80, function: FunctionSnapshot | None = None, precision: Precision | None = None
) -> Plan:
    request = RunRequest(
        function="thumbnail",
        engine=EngineKind.AWS,
        memory_mb=(512,),
        architectures=(X86, ARM),
        cold_starts=ColdStartGoal(starts_per_cell=starts, precision=precision),
    )
    prices = {architecture: price_for("us-east-1", architecture) for architecture in Architecture}
    target = function or snapshot(region="us-east-1")
    return plan_cold_starts(request, target, limits(), prices, run_id="20261121T000000-abc")


FACTS = RunFacts(
    created_at="2026-11-21T07:00:00+00:00",
    command="tuner cold-start thumbnail",
    sampling="cold starts in batches",
    payload_sha256="",
    blocks=80,
    seconds=300.0,
    notices=(),
)


def samples_of(*, slow_share: float = 0.0, middle_ms: float = 300.0) -> tuple[Sample, ...]:
    rng = np.random.default_rng(1)
    rows: list[Sample] = []
    for cell in CELLS:
        values = middle_ms * np.exp(rng.normal(0, 0.05, (40, 2))) * np.where(rng.random((40, 2)) < slow_share, 2.4, 1)
        rows += study(values.round(2).tolist(), cell=cell)
    return tuple(replace(row, sequence=number) for number, row in enumerate(rows, start=1))


def report_of(samples: tuple[Sample, ...], plan: Plan | None = None) -> ColdStartReport:
    return build_cold_start_report(plan or planned(), samples, FACTS)


def codes(report: ColdStartReport) -> list[str]:
    return [notice.code for notice in report.notices]


def test_the_report_holds_cells_differences_and_costs() -> None:
    report = report_of(samples_of())
    assert [cell.cell for cell in report.cells] == sorted(CELLS)
    assert [cell.counts.cold for cell in report.cells] == [80, 80]
    assert len(report.differences) == 12, "three quantities at four quantiles"
    assert all(cost.cold is not None and cost.provisioned is not None for cost in report.economics)
    assert (report.kind, report.source, report.logs) == ("cold-start", ColdSource.FORCED, None)


def test_it_survives_the_round_trip_and_fits_its_schema() -> None:
    report = report_of(samples_of(slow_share=0.3))
    data = codec.encode(report)
    assert codec.decode(data, ColdStartReport) == report
    jsonschema.Draft202012Validator(codec.cold_start_schema()).validate(json.loads(data))


def test_the_same_samples_give_the_same_bytes() -> None:
    assert codec.encode(report_of(samples_of())) == codec.encode(report_of(samples_of()))


def test_the_spend_is_the_bill_of_all_invocations() -> None:
    samples = samples_of()
    report = report_of(samples)
    prices = {price.architecture: price for price in planned().prices}
    assert report.spend.usd == total_cost_usd(samples, prices).usd
    assert (report.spend.invocations, report.spend.cold_invocations) == (240, 160)


def test_the_cache_of_snapshots_is_part_of_the_spend() -> None:
    function = snapshot(region="us-east-1", snap_start=True)
    with_cache = report_of(samples_of(), planned(function=function))
    assert with_cache.spend.usd - report_of(samples_of()).spend.usd > 0.6, "80 versions of 0.5 GB, three hours each"


def test_an_assumed_cold_fraction_is_said_and_a_given_one_used() -> None:
    assumed = report_of(samples_of())
    assert "cold-fraction-assumed" in codes(assumed)
    plan = planned()
    given = report_of(samples_of(), replace(plan, request=replace(plan.request, cold_fraction=0.2)))
    assert "cold-fraction-assumed" not in codes(given)
    assert given.economics[0].cold is not None
    assert given.economics[0].cold.cold_fraction == 0.2


def test_a_log_brings_its_own_cold_fraction() -> None:
    plan = planned()
    results = cold_results(samples_of(), CELLS, target_of(plan), plan.prices, source=ColdSource.LOGS)
    assert results.economics[0].cold is not None
    assert results.economics[0].cold.cold_fraction == pytest.approx(2 / 3)
    assert "cold-fraction-assumed" not in [notice.code for notice in results.notices]


def test_two_modes_are_noticed_with_where_they_lie() -> None:
    (notice, *_) = [n for n in report_of(samples_of(slow_share=0.35)).notices if n.code == "two-modes"]
    assert "the init has two modes" in notice.message
    assert "two-modes" not in codes(report_of(samples_of()))


def test_an_init_far_beyond_a_bare_function_is_pointed_out_with_where_to_look() -> None:
    report = report_of(samples_of(middle_ms=812.0))
    (notice,) = [n for n in report.notices if n.code == "heavy-init"]
    assert "A bare python3.13 zip starts in" in notice.message
    assert notice.remedy is not None
    assert "importtime" in notice.remedy
    assert "heavy-init" not in codes(report_of(samples_of(middle_ms=100.0)))


def test_an_init_of_this_machine_is_not_compared_with_published_ones() -> None:
    plan = planned()
    local = replace(plan, request=replace(plan.request, engine=EngineKind.LOCAL))
    assert all(cell.hello_world is None for cell in report_of(samples_of(), local).cells)
    assert all(cell.hello_world is not None for cell in report_of(samples_of()).cells)


def test_percentiles_without_bounds_are_listed_with_what_they_take() -> None:
    (notice,) = [n for n in report_of(samples_of()).notices if n.code == "not-estimable"]
    assert "p99 is not estimable with n = 80 (needs n = 368)" in notice.message


def test_a_study_that_ended_early_says_so() -> None:
    samples = tuple(sample for sample in samples_of() if sample.block <= 20)
    assert "fewer-cold-starts" in codes(report_of(samples))
    nothing = report_of(())
    assert "no-cold-starts" in codes(nothing)
    assert "one-occasion" not in codes(nothing)
    assert nothing.economics[0].cold is None


def test_a_precision_that_was_missed_is_said() -> None:
    wide = planned(precision=Precision(quantile=0.95, half_width=0.0001))
    assert "precision-not-reached" in codes(report_of(samples_of(), wide))
    narrow = planned(precision=Precision(quantile=0.5, half_width=0.5))
    assert "precision-not-reached" not in codes(report_of(samples_of(), narrow))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"init_ms": None}, "initialised-ahead"),
        ({"init_ms": None, "duration_ms": 20_000.0, "client_ms": 30_100.0}, "init-timeouts"),
        ({"init_ms": None, "started_at": "2026-11-22T07:00:00.000+00:00"}, "reused-environments"),
        ({"billed_ms": 50.0}, "init-not-billed"),
    ],
)
def test_what_is_left_out_or_odd_is_said(changes: dict[str, object], code: str) -> None:
    samples = samples_of()
    odd = first_call(len(samples) + 1, version="1", cell=CELLS[0], **changes)  # type: ignore[arg-type]
    assert code in codes(report_of((*samples, odd)))
    assert code not in codes(report_of(samples))


def test_the_published_init_is_that_of_the_same_runtime_package_and_architecture() -> None:
    found = hello_world("python3.13", "Zip", ARM, 1769, init_p50_ms=812.0)
    assert found is not None
    assert (found.runtime, found.package_type, found.architecture) == ("python3.13", "Zip", ARM)
    assert found.memory_mb == 1024, "the nearest published size"
    assert found.n > 700
    assert found.ratio == pytest.approx(812.0 / found.p50_ms)
    assert "lambda-perf" in found.source
    assert found.as_of == "2026-08-22"


@pytest.mark.parametrize("runtime", [None, "provided.al2023", "python3.15"])
def test_a_runtime_that_nobody_published_is_compared_with_nothing(runtime: str | None) -> None:
    assert hello_world(runtime, "Zip", ARM, 512, init_p50_ms=100.0) is None


def test_without_an_init_of_ones_own_the_published_one_stands_alone() -> None:
    found = hello_world("nodejs24.x", "Image", X86, 128, init_p50_ms=None)
    assert found is not None
    assert found.ratio is None
