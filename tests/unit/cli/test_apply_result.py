"""`tuner run --apply`: only what a run decided, for the architecture that the function has, is set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tuner import codec
from tuner.cli.apply_result import check_apply, obstacles
from tuner.errors import ExitCode, UsageError
from tuner.model import Architecture, EngineKind, Recommendation, Report, RunRequest

REPORT = codec.decode((Path(__file__).parents[2] / "golden" / "report.json").read_bytes(), Report)
REQUEST = RunRequest(function="mine", engine=EngineKind.AWS, memory_mb=(256,))


def recommending(**changes: object) -> Report:
    found = REPORT.recommendation
    assert isinstance(found, Recommendation)
    sure = replace(found, decided=True, confirmed=True, architecture=REPORT.target.current.architecture)
    return replace(REPORT, recommendation=replace(sure, **changes))  # type: ignore[arg-type]


def test_a_decided_size_for_the_own_architecture_meets_no_obstacle() -> None:
    assert list(obstacles(REQUEST, recommending(), ExitCode.OK)) == []


def test_a_size_need_not_be_confirmed_unless_that_was_asked_for() -> None:
    report = recommending(confirmed=False)
    assert list(obstacles(REQUEST, report, ExitCode.OK)) == []
    (why,) = obstacles(replace(REQUEST, confirm=True), report, ExitCode.OK)
    assert "not confirmed" in why


@pytest.mark.parametrize(
    ("report", "code", "words"),
    [
        (recommending(), ExitCode.INTERRUPTED, "interrupted"),
        (recommending(), ExitCode.INCONCLUSIVE, "limit"),
        (replace(REPORT, recommendation=None), ExitCode.BUDGET, "no size was recommended"),
        (recommending(decided=False), ExitCode.OK, "cannot tell"),
        (recommending(architecture=Architecture.ARM64), ExitCode.OK, "takes a deployment"),
    ],
)
def test_without_a_reason_for_a_change_it_says_why(report: Report, code: ExitCode, words: str) -> None:
    assert words in next(obstacles(REQUEST, report, code))


def test_nothing_is_spent_where_nothing_could_be_changed() -> None:
    with pytest.raises(UsageError, match="--local"):
        check_apply(local=True, yes=True)
    with pytest.raises(UsageError, match="nobody can be asked") as refused:
        check_apply(local=False, yes=False)
    assert "--yes" in refused.value.hint
    check_apply(local=False, yes=True)
