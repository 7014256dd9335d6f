"""Which sizes a search may use: every size a range allows, as far as sizes differ for any purpose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from tuner.inputs.memory import LANDMARKS_MB

FINEST_STEP = 0.01
"""Sizes closer than this share have the same cost and duration for every purpose."""


def candidate_sizes(ranges: Sequence[tuple[int, int, int | None]]) -> tuple[int, ...]:
    """The sizes of ``(low, high, step)`` ranges in MB, ascending, each once: ends and steps all of them, between the
    ends of a range without a step its landmarks and one for every per cent between them."""
    sizes: set[int] = set()
    for low, high, step in ranges:
        sizes.update(range(low, high + 1, step) if step is not None else _spaced(low, high))
    return tuple(sorted(sizes))


def _spaced(low: int, high: int) -> set[int]:
    fixed = [low, *(size for size in LANDMARKS_MB if low < size < high), high]
    sizes = set(fixed)
    for start, end in pairwise(fixed):
        steps = max(1, math.floor(math.log(end / start) / math.log1p(FINEST_STEP)))
        sizes.update(round(start * (end / start) ** (step / steps)) for step in range(steps))
    return sizes
