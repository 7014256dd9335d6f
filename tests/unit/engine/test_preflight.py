"""What is said before a run changes anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes import FakeLambda, plan, snapshot
from tuner.engine.ports import Exposure
from tuner.engine.preflight import preflight
from tuner.errors import PermissionsMissingError, TargetError
from tuner.model import Architecture, Copy, Plan


def planned(**function: object) -> Plan:
    return replace(plan((128, 1024)), function=snapshot(**function))


def on_a_copy(of: Plan) -> Plan:
    return replace(of, copies=(Copy(name="tuner-thumbnail-1", architecture=Architecture.X86_64),))


async def codes(fake: FakeLambda, planned: Plan) -> list[str]:
    return [notice.code for notice in await preflight(fake, planned)]


async def test_a_function_that_nothing_is_wrong_with_gets_no_notice() -> None:
    assert await codes(FakeLambda(), planned(timeout_s=30)) == []


async def test_everything_that_iam_would_refuse_is_one_error() -> None:
    fake = FakeLambda(denied=frozenset({"lambda:PublishVersion", "lambda:DeleteFunction"}))
    with pytest.raises(PermissionsMissingError) as refused:
        await preflight(fake, planned())
    assert refused.value.message.count("lambda:") - refused.value.message.count("arn:aws:lambda:") == 2
    assert "Nothing was changed" in refused.value.hint


async def test_a_copy_is_asked_about_by_its_own_name_and_traffic_to_the_function_does_not_matter() -> None:
    fake = FakeLambda(exposed=Exposure(sources=("a function URL",)), denied=frozenset({"lambda:PublishVersion"}))
    with pytest.raises(PermissionsMissingError, match=r"function:tuner-thumbnail-1 \("):
        await preflight(fake, on_a_copy(planned()))
    assert "live-traffic" not in await codes(replace(fake, denied=frozenset()), on_a_copy(planned(timeout_s=30)))


async def test_traces_of_another_run_stop_a_run_before_any_question() -> None:
    fake = FakeLambda()
    with pytest.raises(TargetError, match="another tuner run"):
        await preflight(fake, planned(tuner_runs=("20261121T000000-abc",)))
    assert fake.calls == []


@pytest.mark.parametrize(
    ("provisioned", "expected"), [(0, []), (3, ["provisioned-concurrency"]), (None, ["provisioned-unchecked"])]
)
async def test_provisioned_concurrency_is_said_and_so_is_that_nobody_could_look(
    provisioned: int | None, expected: list[str]
) -> None:
    assert await codes(FakeLambda(provisioned=provisioned), planned(timeout_s=30)) == expected


async def test_a_function_without_versions_has_nothing_provisioned_and_is_not_asked_about() -> None:
    fake = FakeLambda(provisioned=3)
    assert await codes(fake, planned(timeout_s=30, versions=())) == []
    assert "provisioned_concurrency" not in fake.calls


@pytest.mark.parametrize(
    ("timeout_s", "memory_mb", "expected"),
    [(3, 1024, ["timeout-short"]), (4, 1024, []), (3, 128, []), (3, 10_240, ["timeout-short"])],
)
async def test_the_default_timeout_is_warned_about_where_a_size_is_smaller_than_the_present_one(
    timeout_s: int, memory_mb: int, expected: list[str]
) -> None:
    assert await codes(FakeLambda(), planned(timeout_s=timeout_s, memory_mb=memory_mb)) == expected


async def test_the_warning_about_the_timeout_says_by_what_factor_calls_get_longer() -> None:
    notice = (await preflight(FakeLambda(), planned(timeout_s=3, memory_mb=1024)))[0]
    assert "8.0 times as long at 128 MB as at 1024 MB" in notice.message
    assert "longer than 0.4 s today" in str(notice.remedy)
