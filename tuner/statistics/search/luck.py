"""Random numbers that are the same on every machine and with every version of numpy.

A recorded run must replay to the same decisions, so no stream of a library may be involved: counters are scrambled
by SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tuner.statistics.observations import FloatArray


def uniforms(seed: int, count: int) -> FloatArray:
    """``count`` numbers strictly between 0 and 1."""
    offset = np.uint64((seed * 0x9E3779B97F4A7C15 + 0xD1B54A32D192ED03) % 2**64)
    with np.errstate(over="ignore"):
        state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + offset
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return ((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


@lru_cache(maxsize=16)
def normals(seed: int, rows: int, columns: int) -> FloatArray:
    """A table of standard normal numbers, read-only as it is shared."""
    from scipy.special import ndtri  # noqa: PLC0415  (0.2 s that a command without a search need not wait)

    table = np.asarray(ndtri(uniforms(seed, rows * columns)), dtype=np.float64).reshape(rows, columns)
    table.flags.writeable = False
    return table
