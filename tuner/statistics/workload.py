"""What a function seems to do with its time: CPU work, waiting, threads, and where more memory buys nothing.

    T(m) = waiting + work * 1769 / m      below one vCPU (1769 MB), where the share of the CPU is m / 1769

``work`` is vCPU-milliseconds. A line through the mean durations, weighted by their own errors; its intervals also
cover how far the sizes lie off the line, so that a function which is none (a staircase, a memory cliff) gets wide
ones or none at all.

Neither work nor waiting can be negative. Where the data do not tell one of them from 0, its interval begins at 0 and
ends where a value still follows from the data given that it is not negative (``_bound_above_0``): never at 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.model import FULL_VCPU_MB, Architecture, CurvePoint, CurveStatus, Estimate, Workload
from tuner.statistics.fit import SMOOTHNESS, log_error
from tuner.statistics.intervals import TAIL, student_quantile
from tuner.statistics.observations import FloatArray

FEWEST_SIZES = 4
LEAST_SPAN = 2.0
"""Sizes closer together than this factor say little about the slope."""
WIDEST = 0.5
"""Half an interval wider than this share of the duration at one vCPU is no knowledge."""
GAIN = 0.05
NEAR_ONE_VCPU = (0.9 * FULL_VCPU_MB, 1.15 * FULL_VCPU_MB)
CLEARLY_ABOVE = 1.3


def workloads(points: Sequence[CurvePoint]) -> tuple[Workload, ...]:
    """One for each architecture about which the measured sizes tell anything at all."""
    architectures = sorted({point.architecture for point in points})
    found = (_workload(architecture, _sizes(points, architecture)) for architecture in architectures)
    return tuple(workload for workload in found if _tells(workload))


@dataclass(frozen=True, slots=True)
class _Size:
    memory_mb: int
    mean: Estimate
    error: float
    """Relative standard error of the mean."""
    freedom: int


def _sizes(points: Sequence[CurvePoint], architecture: Architecture) -> list[_Size]:
    """The measured sizes whose means have intervals, smallest first."""
    return [
        _Size(point.memory_mb, point.duration_ms.mean, log_error(point), max((point.environments or 2) - 1, 1))
        for point in sorted(points, key=lambda p: p.memory_mb)
        if point.architecture is architecture
        and point.status is CurveStatus.MEASURED
        and point.duration_ms is not None
        and point.duration_ms.mean.estimable
    ]


def _workload(architecture: Architecture, sizes: Sequence[_Size]) -> Workload:
    cpu, waiting = _line([size for size in sizes if size.memory_mb <= FULL_VCPU_MB])
    return Workload(
        architecture=architecture,
        cpu_ms=cpu,
        waiting_ms=waiting,
        speed_up_above_one_vcpu=_speed_up(sizes),
        nothing_gained_above_mb=_nothing_gained_above(sizes),
    )


def _tells(workload: Workload) -> bool:
    known = (workload.cpu_ms, workload.waiting_ms, workload.speed_up_above_one_vcpu)
    return any(known) or workload.nothing_gained_above_mb is not None


def _line(sizes: Sequence[_Size]) -> tuple[Estimate | None, Estimate | None]:
    """Slope and intercept of the weighted line, each with its interval; None where they are not known well enough.

    Student's t with n - 2 degrees of freedom; where the sizes lie further off the line than their errors explain,
    the errors are scaled up to the residuals (Seber & Lee 2003, Linear Regression Analysis, section 3.10).
    """
    if len(sizes) < FEWEST_SIZES or sizes[-1].memory_mb < LEAST_SPAN * sizes[0].memory_mb:
        return None, None
    times = np.array([size.mean.point for size in sizes])
    slowness = np.array([FULL_VCPU_MB / size.memory_mb for size in sizes])
    scale = times * np.array([size.error for size in sizes])
    design = np.column_stack([slowness, np.ones_like(slowness)]) / scale[:, None]
    covariance = np.linalg.inv(design.T @ design)
    solution = covariance @ design.T @ (times / scale)
    freedom = len(sizes) - 2
    excess = max(_off_the_line(design, solution, times / scale), _off_allowed_lines(design, solution, times / scale))
    errors = np.sqrt(np.diag(covariance) * max(excess, 1.0))
    found = [
        _not_negative(float(value), float(error), freedom, len(sizes))
        for value, error in zip(solution, errors, strict=True)
    ]
    at_one_vcpu = float(solution.sum())
    if any(_span(estimate) > 2 * WIDEST * at_one_vcpu for estimate in found):
        return None, None
    work, waiting = found
    return work, waiting


def _off_the_line(design: FloatArray, solution: FloatArray, observed: FloatArray) -> float:
    """Mean square of the residuals in units of the sizes' own errors: 1 is what these explain."""
    return float(np.sum((observed - design @ solution) ** 2)) / (observed.size - solution.size)


def _off_allowed_lines(design: FloatArray, solution: FloatArray, observed: FloatArray) -> float:
    """The same of the nearest line without the part that came out negative, which it cannot be; 0 where none did."""
    without = [np.delete(design, index, axis=1) for index in np.flatnonzero(solution < 0)]
    allowed = ((kept, np.asarray(np.linalg.lstsq(kept, observed)[0], dtype=np.float64)) for kept in without)
    return max((_off_the_line(kept, part, observed) for kept, part in allowed), default=0.0)


def _span(estimate: Estimate) -> float:
    if estimate.low is None or estimate.high is None:
        raise AssertionError("a parameter of the line has both bounds")
    return estimate.high - estimate.low


def _not_negative(value: float, error: float, freedom: int, n: int) -> Estimate:
    """The 95 % interval of a quantity that cannot be negative, from an unbiased estimate of it."""
    width = student_quantile(freedom) * error
    method = f"weighted line over {n} sizes up to {FULL_VCPU_MB} MB; t interval"
    if value > width:
        return Estimate(point=value, low=value - width, high=value + width, n=n, method=method)
    return Estimate(
        point=max(value, 0.0),
        low=0.0,
        high=_bound_above_0(value, error, freedom),
        n=n,
        method=f"{method}, not told from 0; its end given that the quantity is not negative",
    )


def _bound_above_0(value: float, error: float, freedom: int) -> float:
    """What a quantity that is not negative lies below, wrong with 2.5 % at most however little above 0 it is.

    The upper end of the plain interval is negative where chance took the estimate far below 0, and says nothing then.
    The bound u that stays above 0 solves P(T > (u - value) / error) = 2.5 % * P(T > -value / error): the CLs bound of
    Read (2002, J. Phys. G 28, 2693), for a location also the posterior bound under a flat prior above 0. The last
    factor is below 1, so u is never less than the plain end and covers at least as often.
    """
    from scipy.special import stdtr, stdtrit  # noqa: PLC0415  (0.2 s that a command without statistics need not wait)

    left = TAIL * float(stdtr(freedom, value / error))
    return value - error * float(stdtrit(freedom, left))


def _speed_up(sizes: Sequence[_Size]) -> Estimate | None:
    """Duration at about one vCPU over that at the largest size clearly above it."""
    low, high = NEAR_ONE_VCPU
    near = [size for size in sizes if low <= size.memory_mb <= high]
    if not near or sizes[-1].memory_mb < CLEARLY_ABOVE * FULL_VCPU_MB:
        return None
    one = min(near, key=lambda size: abs(size.memory_mb - FULL_VCPU_MB))
    ratio, factor = _ratio(one, sizes[-1])
    method = f"{one.memory_mb} MB over {sizes[-1].memory_mb} MB; interval on the log scale"
    return Estimate(point=ratio, low=ratio / factor, high=ratio * factor, n=one.mean.n, method=method)


def _nothing_gained_above(sizes: Sequence[_Size]) -> int | None:
    """The smallest size of which it is shown that no larger one is faster by ``GAIN`` or more."""
    for index, size in enumerate(sizes[:-1]):
        if all(_is_shown_as_fast(size, larger) for larger in sizes[index + 1 :]):
            return size.memory_mb
    return None


def _is_shown_as_fast(size: _Size, larger: _Size) -> bool:
    ratio, factor = _ratio(size, larger)
    return ratio * factor * (1 - GAIN) <= 1


def _ratio(one: _Size, other: _Size) -> tuple[float, float]:
    """Ratio of two durations, and the factor of its 95 % interval (delta method on the log scale)."""
    error = math.hypot(*(_own_error(size) for size in (one, other)))
    freedom = min(one.freedom, other.freedom)
    return one.mean.point / other.mean.point, math.exp(student_quantile(freedom) * error)


def _own_error(size: _Size) -> float:
    """Without what ``log_error`` adds for sizes that follow no curve exactly: here no curve is involved."""
    return math.sqrt(max(size.error**2 - SMOOTHNESS**2, 0.0))
