"""A plan says what a run will do and may cost; functions that cannot be tuned are refused with the reason."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes import limits, price, snapshot
from tuner.errors import CannotTuneError, UsageError
from tuner.local.fleet import MOST_ENVIRONMENTS
from tuner.model import Architecture, EngineKind, FunctionSnapshot, Plan, RunRequest
from tuner.planning.plan import LOCAL_ENVIRONMENTS, copy_name, make_plan, usual_wave_size

PRICES = {Architecture.X86_64: price()}


def made(
    function: FunctionSnapshot | None = None,
    *,
    engine: EngineKind = EngineKind.AWS,
    concurrency: int = 100,
    reserved: int | None = None,
    wave: int | None = None,
) -> Plan:
    request = RunRequest(
        function="thumbnail", engine=engine, memory_mb=(1024, 2048), samples_per_size=20, wave_size=wave
    )
    target = replace(function or snapshot(), reserved_concurrency=reserved)
    return make_plan(request, target, limits(concurrency), PRICES, run_id="20261121T000000-abc")


def test_the_spend_lies_between_one_millisecond_and_the_timeout_after_the_longest_init_for_every_call() -> None:
    spend = made().expected_spend
    gb_s = Decimal("0.0000166667")
    request = Decimal("0.0000002")
    assert made().expected_invocations == 60
    assert spend.low_usd == 30 * (gb_s / 1000 + request) + 30 * (2 * gb_s / 1000 + request)
    assert spend.high_usd == 30 * (13 * gb_s + request) + 30 * (26 * gb_s + request)


def test_a_run_takes_at_most_half_of_the_concurrency_on_aws() -> None:
    assert made(concurrency=8).max_in_flight == 4
    assert made(concurrency=8).wave_size == 4


def test_a_reservation_is_the_concurrency_that_counts() -> None:
    assert made(concurrency=1000, reserved=6).max_in_flight == 3


def test_locally_one_wave_runs_at_a_time() -> None:
    plan = made(engine=EngineKind.LOCAL, concurrency=20)
    assert plan.max_in_flight == plan.wave_size == 10


def test_locally_waves_stay_narrow_enough_for_a_dozen_sizes_to_keep_their_environments() -> None:
    asked = replace(made(engine=EngineKind.LOCAL).request, samples_per_size=100)
    assert usual_wave_size(asked, 1000, cells=13) == 10
    assert usual_wave_size(replace(asked, engine=EngineKind.AWS), 1000, cells=13) == 20


def test_many_sizes_on_the_embedded_lambda_get_waves_whose_environments_it_keeps() -> None:
    asked = replace(made(engine=EngineKind.LOCAL).request, samples_per_size=60)
    assert LOCAL_ENVIRONMENTS == MOST_ENVIRONMENTS
    assert usual_wave_size(asked, 1000, cells=59) == 4
    assert usual_wave_size(asked, 1000, cells=900) == 1


def test_a_wave_beyond_the_concurrency_is_refused_with_what_fits() -> None:
    with pytest.raises(UsageError) as raised:
        made(concurrency=10, wave=6)
    assert "--wave 5" in raised.value.hint


@pytest.mark.parametrize(
    ("function", "word"),
    [
        (snapshot(managed_instances=True), "Managed Instances"),
        (snapshot(durable=True), "durable"),
        (snapshot(state="Failed"), "Failed"),
        (snapshot(state="Pending"), "Pending"),
        (snapshot(last_update_status="InProgress"), "in progress"),
    ],
)
def test_a_function_that_cannot_be_tuned_is_refused_with_the_reason(function: FunctionSnapshot, word: str) -> None:
    with pytest.raises(CannotTuneError, match=word) as raised:
        made(function)
    assert raised.value.hint


def test_a_function_whose_concurrency_is_reserved_away_is_refused() -> None:
    with pytest.raises(CannotTuneError, match="concurrency"):
        made(reserved=0)


def test_snapstart_is_allowed_with_a_warning() -> None:
    assert [notice.code for notice in made(snapshot(snap_start=True)).notices] == ["snapstart"]


def test_another_architecture_is_measured_on_a_temporary_copy() -> None:
    request = RunRequest(
        function="thumbnail",
        engine=EngineKind.AWS,
        memory_mb=(1024,),
        architectures=(Architecture.ARM64, Architecture.X86_64),
    )
    prices = {**PRICES, Architecture.ARM64: price(Architecture.ARM64)}
    plan = make_plan(request, snapshot(), limits(), prices, run_id="20261121T000000-abc")
    assert [(copy.name, copy.architecture) for copy in plan.copies] == [
        ("tuner-thumbnail-abc-arm", Architecture.ARM64)
    ]
    assert len(plan.cells) == 2


def test_a_copys_name_fits_lambdas_limit() -> None:
    assert len(copy_name("x" * 64, "20261121T000000-abcdef", Architecture.X86_64)) == 64


def test_a_published_version_can_only_be_measured_as_a_copy() -> None:
    with pytest.raises(CannotTuneError) as raised:
        made(snapshot(qualifier="7"))
    assert "--clone" in raised.value.hint


def test_a_container_image_cannot_change_its_architecture() -> None:
    request = RunRequest(
        function="thumbnail", engine=EngineKind.AWS, memory_mb=(1024,), architectures=(Architecture.ARM64,)
    )
    with pytest.raises(CannotTuneError, match="image"):
        make_plan(request, snapshot(package_type="Image"), limits(), PRICES, run_id="run")
