"""The history of a project, shown."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tuner.render.history import Series, history_document
from tuner.render.markdown import render_document_markdown


@dataclass(frozen=True)
class Step:
    index: int
    ratio: float
    p_value: float


@dataclass(frozen=True)
class Level:
    median: float
    latest: float
    changes: tuple[Step, ...]
    reason: str | None = None


@pytest.mark.parametrize(("p_value", "shown"), [(0.0002, "< 0.001"), (0.004, "0.004")])
def test_the_probability_of_a_change_by_chance_is_never_written_as_0(p_value: float, shown: str) -> None:
    series = Series(
        function="orders",
        engine="aws",
        region="eu-central-1",
        memory_mb=512,
        architecture="x86_64",
        metric="duration",
        unit="ms",
        dates=("2026-11-01", "2026-11-02"),
        versions=("1", "2"),
        values=(100.0, 130.0),
        trend=Level(median=115.0, latest=130.0, changes=(Step(index=1, ratio=1.3, p_value=p_value),)),
    )
    text = render_document_markdown(history_document((series,)))
    assert f"| {shown.replace('<', '&lt;')} |" in text
