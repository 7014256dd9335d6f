"""Reports for the renderers: the committed sample, and a larger one made to be as wide as reports get."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tuner import codec
from tuner.model import Architecture, Cell, CurvePoint, Distribution, Estimate, Recommendation, Report

GOLDEN = Path(__file__).parents[2] / "golden" / "report.json"
WIDE_SIZES = (192, 256, 512, 768, 1024, 1769, 3008, 4096, 8192, 10240)


@pytest.fixture(scope="session")
def report() -> Report:
    """The run of the gold files: 128 MB out of memory, 256 MB today, 1024 MB recommended, 512 MB tied."""
    return codec.decode(GOLDEN.read_bytes(), Report)


@pytest.fixture(scope="session")
def recommendation(report: Report) -> Recommendation:
    assert report.recommendation is not None
    return report.recommendation


@pytest.fixture(scope="session")
def wide_report(report: Report) -> Report:
    """Ten sizes on both architectures, every number as wide as it gets, p95 estimable and p99 not."""
    points = (_wide_point(report.curve[-1], memory_mb, index) for index, memory_mb in enumerate(WIDE_SIZES))
    arm = replace(report.curve[-1], memory_mb=1769, architecture=Architecture.ARM64)
    return replace(report, curve=(report.curve[0], *points, arm))


@pytest.fixture(scope="session")
def undecided(report: Report, recommendation: Recommendation) -> Report:
    tied = (Cell(512, Architecture.X86_64),)
    return replace(report, recommendation=replace(recommendation, decided=False, confidence=0.61, tied=tied))


def _wide_point(point: CurvePoint, memory_mb: int, index: int) -> CurvePoint:
    mean = Estimate(point=118_888.0 / (index + 1), low=1.0, high=200_000.0, n=120, method="components")
    p95 = Estimate(point=119_999.0, low=119_000.0, high=121_000.0, n=120, method="order statistics")
    p99 = Estimate(point=120_001.0, low=None, high=None, n=120, method="not estimable with n = 120 (needs 368)")
    return replace(
        point,
        memory_mb=memory_mb,
        n=120,
        environments=24,
        errors=3,
        duration_ms=Distribution(mean=mean, p50=p95, p95=p95, p99=p99),
        cost_usd_per_million=Estimate(point=12_345.67 + index, low=12_000.0, high=13_000.0, n=120, method="price"),
    )
