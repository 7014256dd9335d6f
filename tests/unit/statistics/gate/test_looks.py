"""Bounds of several looks: against published tables, and against a simulation of Brownian motion."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
import pytest

from tuner.statistics.gate import looks
from tuner.statistics.gate.looks import nominal_levels

INFORMATION = (10, 20, 30, 40, 60)


@pytest.fixture
def _no_memory() -> Iterator[None]:
    nominal_levels.cache_clear()
    yield
    nominal_levels.cache_clear()


def bounds(alpha: float, information: tuple[int, ...]) -> list[float]:
    return [NormalDist().inv_cdf(1 - level) for level in nominal_levels(alpha, information)]


@pytest.mark.usefixtures("_no_memory")
@pytest.mark.parametrize(
    ("shape", "last_bound"),
    [(0.5, 2.413), (0.0, 2.040)],
    ids=["Pocock", "O'Brien-Fleming"],
)
def test_five_equal_looks_have_the_published_bounds(
    shape: float, last_bound: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jennison & Turnbull 2000, tables 2.1 and 2.3: two-sided .05, which is one-sided .025."""
    monkeypatch.setattr(looks, "SHAPE", shape)
    assert bounds(0.025, (1, 2, 3, 4, 5))[-1] == pytest.approx(last_bound, abs=0.002)


def test_one_look_keeps_the_whole_level() -> None:
    assert nominal_levels(0.05, (40,)) == pytest.approx((0.05,), rel=1e-6)


def test_earlier_looks_are_stricter() -> None:
    levels = nominal_levels(0.05, INFORMATION)
    assert list(levels) == sorted(levels)
    assert levels[-1] < 0.05


def test_a_motion_on_the_boundary_crosses_any_bound_with_the_promised_probability() -> None:
    """100,000 paths: the standard error of .05 is .0007. Naive bounds are crossed by 14 %."""
    rng = np.random.default_rng(1)
    steps = np.diff((0, *INFORMATION))
    paths = np.cumsum(rng.normal(0, np.sqrt(steps), (100_000, len(steps))), axis=1) / np.sqrt(INFORMATION)
    assert (paths > bounds(0.05, INFORMATION)).any(axis=1).mean() == pytest.approx(0.05, abs=0.003)
    assert (paths > NormalDist().inv_cdf(0.95)).any(axis=1).mean() > 0.12
