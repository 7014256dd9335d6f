"""A bank of shapes that duration may take against memory. What the data do not exclude stays possible.

``u = memory / 1769`` is the share of a vCPU (AWS Lambda developer guide, "Configure memory"). Families, each over a
grid of its parameters:

    smooth      T ~ w + (1 - w) * g(u), w the waiting share; g(u) = u^-p up to one vCPU, above it Amdahl's law
    exponential T ~ 1 + gain * exp(-m / decay)
    staircase   CPU-bound work of C ms under a quota of 20 u ms in every period of 20 ms: full periods and a remainder

A smooth shape leaves the level open. A staircase does not: its edges say how much work there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tuner.model import FULL_VCPU_MB
from tuner.statistics.observations import FloatArray

PERIOD_MS = 20.0
"""CFS bandwidth period on Lambda: the steps of short CPU-bound functions are 20 ms high (trace cpu17ms, 2025)."""

WAITING_SHARES = (0.0, 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.975, 0.99, 0.997, 1.0)
POWERS = (0.75, 0.9, 1.0, 1.1, 1.25)
POWER_WEIGHTS = (0.08, 0.17, 0.5, 0.17, 0.08)
"""CPU-bound work scales with its share of a vCPU; other powers are rarer."""
PARALLEL_SHARES = (0.0, 0.5, 0.85, 1.0)
GAINS = (0.3, 1.0, 3.0, 9.0)
DECAYS_MB = (80.0, 160.0, 320.0, 640.0, 1280.0)
CLIFF_WAITING_SHARES = (0.0, 0.1, 0.35, 0.7, 0.95)
CLIFF_FACTORS = (1.4, 2.0, 3.0, 5.0)
CLIFF_EDGES_MB = tuple(float(x) for x in np.round(np.geomspace(135, 1800, 40), 3))
WORK_MS = tuple(float(x) for x in np.round(np.exp(np.arange(np.log(2.5), np.log(400), 0.025)), 6))
REMAINDER_SHARES = (0.0, 0.35, 0.7, 1.0)
EDGE_SLACKS = (0.94, 0.98)
STAIR_WAITS_MS = (0.0, 8.0, 30.0)
JITTERS = (-0.04, -0.02, 0.0, 0.02, 0.04)
"""Work varies from call to call by some per cent, which rounds the mean at the edges."""
CEIL_MS = 0.5
"""Rounding up to whole ms adds half a millisecond on average."""


@dataclass(frozen=True, slots=True, eq=False)
class ShapeBank:
    """Natural logarithms of billed ms: a row for each shape, a column for each size."""

    smooth: FloatArray
    smooth_weights: FloatArray
    stairs: FloatArray


@lru_cache(maxsize=4)
def shape_bank(sizes_mb: tuple[int, ...]) -> ShapeBank:
    """All shapes at the given sizes. Levels of smooth shapes are arbitrary, those of staircases are in ms."""
    memory_mb = np.array(sizes_mb, dtype=np.float64)
    exponential, cliffs = _exponential_shapes(memory_mb), _cliff_shapes(memory_mb)
    weights = np.concatenate([0.72 * _power_weights(), _equal(exponential, 0.13), _equal(cliffs, 0.15)])
    return ShapeBank(np.vstack([_power_shapes(memory_mb), exponential, cliffs]), weights, _stair_shapes(memory_mb))


def _equal(shapes: FloatArray, share: float) -> FloatArray:
    return np.full(len(shapes), share / len(shapes))


def _power_weights() -> FloatArray:
    others = len(WAITING_SHARES) * len(PARALLEL_SHARES)
    _, weights, _ = np.meshgrid(WAITING_SHARES, POWER_WEIGHTS, PARALLEL_SHARES, indexing="ij")
    return np.asarray(weights.ravel() / others)


def _power_shapes(memory_mb: FloatArray) -> FloatArray:
    share = memory_mb / FULL_VCPU_MB
    waiting, power, parallel = (
        axis.reshape(-1, 1) for axis in np.meshgrid(WAITING_SHARES, POWERS, PARALLEL_SHARES, indexing="ij")
    )
    below = np.minimum(share, 1.0) ** -power
    above = (1 - parallel) + parallel / np.maximum(share, 1.0)
    return np.asarray(np.log(waiting + (1 - waiting) * below * above))


def _exponential_shapes(memory_mb: FloatArray) -> FloatArray:
    gain, decay_mb = (axis.reshape(-1, 1) for axis in np.meshgrid(GAINS, DECAYS_MB, indexing="ij"))
    return np.asarray(np.log1p(gain * np.exp(-(memory_mb - 128) / decay_mb)))


def _cliff_shapes(memory_mb: FloatArray) -> FloatArray:
    """Below some size, memory itself is short: garbage collection takes its time."""
    waiting, factor, edge_mb = (
        axis.reshape(-1, 1)
        for axis in np.meshgrid(CLIFF_WAITING_SHARES, CLIFF_FACTORS, CLIFF_EDGES_MB, indexing="ij")
    )
    smooth = waiting + (1 - waiting) * np.minimum(memory_mb / FULL_VCPU_MB, 1.0) ** -1.0
    return np.asarray(np.log(smooth * np.where(memory_mb < edge_mb, factor, 1.0)))


def _stair_shapes(memory_mb: FloatArray) -> FloatArray:
    """Logarithm of the mean over slightly varying work."""
    work, remainder, slack, wait = (
        axis.reshape(-1, 1)
        for axis in np.meshgrid(WORK_MS, REMAINDER_SHARES, EDGE_SLACKS, STAIR_WAITS_MS, indexing="ij")
    )
    quota = PERIOD_MS * np.minimum(memory_mb / FULL_VCPU_MB, 1.0)
    mean = sum(_stair_ms(work * (1 + jitter), quota, remainder, slack) for jitter in JITTERS) / len(JITTERS)
    return np.asarray(np.log(mean + wait + CEIL_MS))


def _stair_ms(work: FloatArray, quota: FloatArray, remainder_share: FloatArray, slack: FloatArray) -> FloatArray:
    """Periods in which the quota ran out, and what of the rest counts.

    On Lambda the rest of a step hardly shows (stairs are flat): the scheduler charges whole ticks, so a task gets a
    little more than its quota.
    """
    throttled = np.where(quota >= PERIOD_MS, 0.0, np.maximum(np.ceil(work * slack / quota) - 1, 0.0))
    rest = np.maximum(work - throttled * quota, 0.0)
    stepped = PERIOD_MS * throttled + np.maximum(1.0, remainder_share * rest) * (throttled > 0)
    return np.asarray(np.maximum(work, stepped))
