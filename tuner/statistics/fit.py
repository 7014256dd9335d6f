"""A smooth curve through the measured sizes: T(m) = a + b / min(m, cap)**p.

Of the families tried on real curves this one predicts a left-out size best. The cap is where a single thread has its
whole vCPU; work that keeps gaining beyond it is parallel and gets the largest memory as its cap. Short CPU-bound
functions are staircases, which no smooth curve describes: that is what ``residual_percent`` is for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.limits import LARGEST_MB
from tuner.model import FULL_VCPU_MB, Architecture, CurveFit, CurvePoint
from tuner.statistics.intervals import student_quantile
from tuner.statistics.observations import FloatArray

FEWEST_SIZES = 3
SMOOTHNESS = 0.02
"""Log-scale error that even exactly known points keep: real functions follow no curve more closely."""
UNKNOWN_ERROR = 0.05
PARALLEL_GAIN = 0.5
"""The cap is lifted only where that halves the error of left-out sizes."""

_POWERS = (0.2, 3.0)
_STARTS = ((0.05, 1.0), (0.5, 1.0), (0.3, 2.0))


def fit_curves(points: Sequence[CurvePoint]) -> tuple[CurveFit, ...]:
    """One fit for each architecture that has enough measured sizes."""
    architectures = sorted({point.architecture for point in points})
    fits = (fit_curve([p for p in points if p.architecture is architecture]) for architecture in architectures)
    return tuple(fit for fit in fits if fit is not None)


def fit_curve(points: Sequence[CurvePoint]) -> CurveFit | None:
    """The curve through the mean durations of one architecture; None with fewer than three measured sizes.

    Robust least squares on the log scale (soft L1 loss), each size weighted by its own interval.
    """
    if len({point.architecture for point in points}) > 1:
        raise ValueError("a curve belongs to one architecture")
    data = _measured(points)
    if data is None:
        return None
    candidates = [_checked(data, cap) for cap in _caps(data)]
    best = candidates[0]
    for candidate in candidates[1:]:
        if candidate.error < best.error * PARALLEL_GAIN:
            best = candidate
    return _curve_fit(points[0].architecture, data, best)


def predict_duration_ms(fit: CurveFit, memory_mb: float) -> float:
    """The mean duration in ms that the fit expects at a size."""
    return float(fit.a_ms + fit.b / min(memory_mb, fit.cap_mb) ** fit.p)


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    memory_mb: FloatArray
    log_ms: FloatArray
    error: FloatArray

    def without(self, index: int) -> _Data:
        keep = np.arange(self.memory_mb.size) != index
        return _Data(self.memory_mb[keep], self.log_ms[keep], self.error[keep])


@dataclass(frozen=True, slots=True)
class _Curve:
    """ln T = level + ln(floor + (1 - floor) * (smallest / min(m, cap))**p): well scaled for the optimiser."""

    level: float
    floor: float
    power: float
    smallest_mb: float
    cap_mb: int

    def log_ms(self, memory_mb: FloatArray) -> FloatArray:
        return _log_curve(np.array([self.level, self.floor, self.power]), self.smallest_mb, self.cap_mb, memory_mb)


@dataclass(frozen=True, slots=True)
class _Checked:
    curve: _Curve
    error: float
    left_out: bool


def _measured(points: Sequence[CurvePoint]) -> _Data | None:
    known = {p.memory_mb: p for p in points if p.duration_ms is not None and p.duration_ms.mean.point > 0}
    sizes = sorted(known)
    if len({min(size, FULL_VCPU_MB) for size in sizes}) < FEWEST_SIZES:
        return None
    means = [known[size].duration_ms.mean.point for size in sizes]  # type: ignore[union-attr]  # filtered above
    return _Data(
        memory_mb=np.array(sizes, dtype=np.float64),
        log_ms=np.log(np.array(means)),
        error=np.array([log_error(known[size]) for size in sizes]),
    )


def log_error(point: CurvePoint) -> float:
    """Standard error of the logarithm of a mean duration, with what every function strays from a curve."""
    mean = point.duration_ms.mean if point.duration_ms else None
    if mean is None or mean.low is None or mean.high is None or point.environments is None:
        return UNKNOWN_ERROR
    standard_error = math.log(mean.high / mean.low) / (2 * student_quantile(max(point.environments - 1, 1)))
    return math.hypot(standard_error, SMOOTHNESS)


def _caps(data: _Data) -> tuple[int, ...]:
    return (FULL_VCPU_MB, LARGEST_MB) if data.memory_mb[-1] > FULL_VCPU_MB else (FULL_VCPU_MB,)


def _checked(data: _Data, cap_mb: int) -> _Checked:
    """The fit with its error: of left-out sizes where enough remain to fit them, else of the fit itself."""
    curve = _fit(data, cap_mb)
    left_out = data.memory_mb.size > FEWEST_SIZES
    if left_out:
        errors = [_left_out_error(data, index, cap_mb) for index in range(data.memory_mb.size)]
    else:
        errors = list(np.abs(np.expm1(curve.log_ms(data.memory_mb) - data.log_ms)))
    return _Checked(curve, float(np.median(errors)), left_out)


def _left_out_error(data: _Data, index: int, cap_mb: int) -> float:
    curve = _fit(data.without(index), cap_mb)
    predicted = curve.log_ms(data.memory_mb[index : index + 1])[0]
    return abs(math.expm1(predicted - data.log_ms[index]))


def _fit(data: _Data, cap_mb: int) -> _Curve:
    from scipy.optimize import least_squares  # noqa: PLC0415  (0.3 s that only a fit has to wait)

    smallest = float(min(data.memory_mb[0], cap_mb))

    def residuals(parameters: FloatArray) -> FloatArray:
        return (_log_curve(parameters, smallest, cap_mb, data.memory_mb) - data.log_ms) / data.error

    bounds = ([-np.inf, 0.0, _POWERS[0]], [np.inf, 0.999, _POWERS[1]])
    solutions = [
        least_squares(residuals, [data.log_ms[0], floor, power], bounds=bounds, loss="soft_l1", max_nfev=200)
        for floor, power in _STARTS
    ]
    level, floor, power = min(solutions, key=lambda solution: float(solution.cost)).x
    return _Curve(float(level), float(floor), float(power), smallest, cap_mb)


def _log_curve(parameters: FloatArray, smallest_mb: float, cap_mb: int, memory_mb: FloatArray) -> FloatArray:
    level, floor, power = parameters
    shrinking = (smallest_mb / np.minimum(memory_mb, cap_mb)) ** power
    return np.asarray(level + np.log(floor + (1 - floor) * shrinking), dtype=np.float64)


def _curve_fit(architecture: Architecture, data: _Data, checked: _Checked) -> CurveFit:
    curve, n = checked.curve, int(data.memory_mb.size)
    total_ms = math.exp(curve.level)
    check = (
        "median error of left-out sizes" if checked.left_out else "error of the fit itself, too few sizes to check it"
    )
    return CurveFit(
        architecture=architecture,
        a_ms=total_ms * curve.floor,
        b=total_ms * (1 - curve.floor) * curve.smallest_mb**curve.power,
        p=curve.power,
        cap_mb=curve.cap_mb,
        n=n,
        residual_percent=checked.error * 100,
        method=f"robust least squares on the log scale over {n} sizes; {check}",
    )
