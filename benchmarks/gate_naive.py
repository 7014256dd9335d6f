"""Rules that other tools gate by, on the same worlds: each is red or green, and none is ever in doubt.

All get 200 warm calls a side in 10 environments, more than they usually ask for.

    mean > 5 %           the point of head against the point of base
    Mann-Whitney         over invocations, p < .05 and head slower (benchstat, asv)
    t-test, stored base  over invocations, p < .05 and head slower; base was measured on another day
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from scipy.stats import mannwhitneyu, ttest_ind

from benchmarks.gate_worlds import BASE_MS, FloatArray, Rng, World

ENVIRONMENTS = 10
CALLS = 20
DAY_SPREAD = 0.05
"""Spread between days of a function that nobody changed: medians of cold starts move by 3 to 7 % (lambda-perf)."""
MARGIN = 0.05


def red(rule: str, world: World, ratio: float, rng: Rng) -> bool:
    """Whether ``rule`` fails the change."""
    return _RULES[rule](world, ratio, rng)


def _measured(world: World, factor: float, rng: Rng) -> FloatArray:
    calls = [world.start(rng)(rng, CALLS) for _ in range(ENVIRONMENTS)]
    return np.asarray(BASE_MS * factor * np.concatenate(calls), dtype=np.float64)


def _mean_above_margin(world: World, ratio: float, rng: Rng) -> bool:
    base, head = _measured(world, 1.0, rng), _measured(world, ratio, rng)
    return bool(head.mean() > (1 + MARGIN) * base.mean())


def _mann_whitney(world: World, ratio: float, rng: Rng) -> bool:
    base, head = _measured(world, 1.0, rng), _measured(world, ratio, rng)
    return bool(mannwhitneyu(head, base).pvalue < 0.05 and np.median(head) > np.median(base))


def _stored_t_test(world: World, ratio: float, rng: Rng) -> bool:
    base = _measured(world, math.exp(rng.normal(0, DAY_SPREAD)), rng)
    head = _measured(world, ratio, rng)
    return bool(ttest_ind(head, base, equal_var=False).pvalue < 0.05 and head.mean() > base.mean())


_RULES: Mapping[str, Callable[[World, float, Rng], bool]] = {
    "mean > 5 %": _mean_above_margin,
    "Mann-Whitney": _mann_whitney,
    "t-test, stored base": _stored_t_test,
}
RULES = tuple(_RULES)
