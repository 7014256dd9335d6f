"""A bank of shapes that duration may take against memory. What the data do not exclude stays possible.

``u = memory / 1769`` is the share of a vCPU (AWS Lambda developer guide, "Configure memory"). Families, each over a
grid of its parameters:

    smooth      T ~ w + (1 - w) * g(u), w the waiting share; g(u) = u^-p up to one vCPU, above it Amdahl's law
    exponential T ~ 1 + gain * exp(-m / decay)
    cliff       smooth, and by an unknown factor longer below some size: there memory itself is short
    staircase   CPU-bound work of C ms under a quota of 20 u ms in every period of 20 ms: full periods and a remainder

A smooth shape leaves the level open. A staircase does not: its edges say how much work there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tuner.model import FULL_VCPU_MB
from tuner.statistics.observations import FloatArray, IntArray

PERIOD_MS = 20.0
"""CFS bandwidth period on Lambda: the steps of short CPU-bound functions are 20 ms high (trace cpu17ms, 2025)."""

WAITING_SHARES = (0.0, 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.975, 0.99, 0.997, 1.0)
POWERS = (0.75, 0.9, 1.0, 1.1, 1.25)
POWER_WEIGHTS = (0.08, 0.17, 0.5, 0.17, 0.08)
"""CPU-bound work scales with its share of a vCPU; other powers are rarer."""
PARALLEL_SHARES = (0.0, 0.5, 0.85, 1.0)
GAINS = (0.3, 1.0, 3.0, 9.0)
DECAYS_MB = (80.0, 160.0, 320.0, 640.0, 1280.0)
CLIFF_WAITING_SHARES = (0.0, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 0.95, 1.0)
CLIFF_EDGES_MB = tuple(float(x) for x in np.round(np.geomspace(135, 1800, 60), 3))
WORK_MS = tuple(float(x) for x in np.round(np.exp(np.arange(np.log(0.3), np.log(400), 0.0175)), 6))
REMAINDER_SHARES = (0.0, 0.35, 0.7, 1.0)
EDGE_SLACKS = (0.94, 0.97, 1.0)
STAIR_WAITS_MS = (0.0, 3.0, 12.0, 40.0, 120.0)
JITTERS = (-0.04, -0.02, 0.0, 0.02, 0.04)
"""Work varies from call to call by some per cent, which rounds the mean at the edges."""
CEIL_MS = 0.5
"""Rounding up to whole ms adds half a millisecond on average."""


@dataclass(frozen=True, slots=True, eq=False)
class SmoothShapes:
    """Natural logarithms of durations of which only ratios count: a row for each shape, a column for each size."""

    log: FloatArray
    weights: FloatArray
    cpu_share: FloatArray
    """Of each shape, the share of the duration at one vCPU that is work for the CPU."""
    short: FloatArray
    """1 where memory is short: below the edge of a cliff."""


@lru_cache(maxsize=4)
def smooth_shapes(sizes_mb: tuple[int, ...]) -> SmoothShapes:
    """All shapes without steps at the given sizes."""
    memory_mb = np.array(sizes_mb, dtype=np.float64)
    powers, power_cpu = _power_shapes(memory_mb)
    exponential = _exponential_shapes(memory_mb)
    cliffs, cliff_cpu, short = _cliff_shapes(memory_mb)
    whole = np.zeros((len(powers) + len(exponential), memory_mb.size))
    return SmoothShapes(
        log=np.vstack([powers, exponential, cliffs]),
        weights=np.concatenate([0.72 * _power_weights(), _equal(exponential, 0.13), _equal(cliffs, 0.15)]),
        cpu_share=np.concatenate([power_cpu, np.ones(len(exponential)), cliff_cpu]),
        short=np.vstack([whole, short]),
    )


def _equal(shapes: FloatArray, share: float) -> FloatArray:
    return np.full(len(shapes), share / len(shapes))


def _power_weights() -> FloatArray:
    others = len(WAITING_SHARES) * len(PARALLEL_SHARES)
    _, weights, _ = np.meshgrid(WAITING_SHARES, POWER_WEIGHTS, PARALLEL_SHARES, indexing="ij")
    return np.asarray(weights.ravel() / others)


def _power_shapes(memory_mb: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shapes, and the CPU share of each."""
    share = memory_mb / FULL_VCPU_MB
    waiting, power, parallel = (
        axis.reshape(-1, 1) for axis in np.meshgrid(WAITING_SHARES, POWERS, PARALLEL_SHARES, indexing="ij")
    )
    below = np.minimum(share, 1.0) ** -power
    above = (1 - parallel) + parallel / np.maximum(share, 1.0)
    return np.log(waiting + (1 - waiting) * below * above), 1 - waiting[:, 0]


def _exponential_shapes(memory_mb: FloatArray) -> FloatArray:
    gain, decay_mb = (axis.reshape(-1, 1) for axis in np.meshgrid(GAINS, DECAYS_MB, indexing="ij"))
    return np.asarray(np.log1p(gain * np.exp(-(memory_mb - 128) / decay_mb)))


def _cliff_shapes(memory_mb: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Smooth shapes, the CPU share of each, and where it is below its cliff."""
    waiting, edge_mb = (axis.reshape(-1, 1) for axis in np.meshgrid(CLIFF_WAITING_SHARES, CLIFF_EDGES_MB))
    smooth = waiting + (1 - waiting) * np.minimum(memory_mb / FULL_VCPU_MB, 1.0) ** -1.0
    return np.log(smooth), 1 - waiting[:, 0], np.asarray(memory_mb < edge_mb, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Stairs:
    """Parameters of all staircases, an entry for each."""

    work_ms: FloatArray
    remainder_share: FloatArray
    slack: FloatArray
    wait_ms: FloatArray

    def of(self, chosen: IntArray) -> _Stairs:
        parts = (self.work_ms, self.remainder_share, self.slack, self.wait_ms)
        return _Stairs(*(part[chosen].reshape(-1, 1) for part in parts))

    def log_ms(self, memory_mb: float | FloatArray) -> FloatArray:
        """Logarithm of the mean over slightly varying work."""
        quota_ms = PERIOD_MS * np.minimum(np.asarray(memory_mb) / FULL_VCPU_MB, 1.0)
        mean = sum(self._ms(self.work_ms * (1 + jitter), quota_ms) for jitter in JITTERS) / len(JITTERS)
        return np.asarray(np.log(mean + self.wait_ms + CEIL_MS))

    def _ms(self, work_ms: FloatArray, quota_ms: FloatArray) -> FloatArray:
        """Periods in which the quota ran out, and what of the rest counts.

        On Lambda the rest of a step hardly shows (stairs are flat): the scheduler charges whole ticks, so a task gets
        a little more than its quota.
        """
        periods = np.maximum(np.ceil(work_ms * self.slack / quota_ms) - 1, 0.0)
        throttled = np.where(quota_ms >= PERIOD_MS, 0.0, periods)
        rest = np.maximum(work_ms - throttled * quota_ms, 0.0)
        stepped = PERIOD_MS * throttled + np.maximum(1.0, self.remainder_share * rest) * (throttled > 0)
        return np.asarray(np.maximum(work_ms, stepped))


@lru_cache(maxsize=1)
def _all_stairs() -> _Stairs:
    axes = np.meshgrid(WORK_MS, REMAINDER_SHARES, EDGE_SLACKS, STAIR_WAITS_MS, indexing="ij")
    return _Stairs(*(axis.ravel() for axis in axes))


@lru_cache(maxsize=2)
def stairs_at(sizes_mb: tuple[int, ...]) -> FloatArray:
    """Logarithms of billed ms of every staircase (rows) at a few sizes (columns)."""
    values = np.column_stack([_stairs_at_one(memory_mb) for memory_mb in sizes_mb])
    values.flags.writeable = False
    return values


@lru_cache(maxsize=256)
def _stairs_at_one(memory_mb: int) -> FloatArray:
    values = _all_stairs().log_ms(float(memory_mb))
    values.flags.writeable = False
    return values


def stair_curves(chosen: IntArray, sizes_mb: tuple[int, ...]) -> FloatArray:
    """Logarithms of billed ms of the chosen staircases: a row for each, a column for each size."""
    return _all_stairs().of(chosen).log_ms(np.array(sizes_mb, dtype=np.float64))
