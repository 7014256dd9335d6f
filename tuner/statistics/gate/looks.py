"""How strict each look must be: group sequential bounds of the Wang-Tsiatis family.

A gate that may decide after 10, 20, ... environments tests several times, and each test is a chance to be wrong: five
looks at 5 % are wrong in 14 to 15 %. With Z_k the test statistic at look k and t_k its share of the information of
the last look, the bound is z_k = c * t_k ** (SHAPE - 1/2), and c is such that

    P(Z_k > z_k at any look) = alpha        on the boundary of the hypothesis

(Wang & Tsiatis, Biometrics 43, 1987; SHAPE 1/2 is Pocock's constant bound, 0 is O'Brien and Fleming's). The
probability is integrated numerically from look to look (Armitage, McPherson & Rowe 1969). With unknown variances the
level 1 - Phi(z_k) is kept and Student's t takes the place of the normal distribution (Jennison & Turnbull, Group
Sequential Methods, 2000, section 4.4).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from tuner.statistics.observations import FloatArray

SHAPE = 0.25
"""Between Pocock and O'Brien-Fleming: early looks still decide what is plain, and the last one is nearly as strong as
a test without looks."""
NODES = 96
FURTHEST = 8.0
"""Standard deviations beyond which nothing is integrated."""


@lru_cache(maxsize=256)
def nominal_levels(alpha: float, information: tuple[int, ...]) -> tuple[float, ...]:
    """One-sided level of each look, such that the probability to be wrong at any of them is ``alpha``.

    ``information`` grows from look to look: environments on each side.
    """
    shares = np.asarray(information, dtype=np.float64) / information[-1]
    slopes = shares ** (SHAPE - 0.5)
    low, high = 0.0, FURTHEST
    for _ in range(50):
        middle = (low + high) / 2
        if _crossing_probability(middle * slopes, shares) > alpha:
            low = middle
        else:
            high = middle
    return tuple(_upper_tail(high * float(slope)) for slope in slopes)


def _crossing_probability(bounds: FloatArray, shares: FloatArray) -> float:
    """P(a standard Brownian motion, scaled to unit variance, exceeds any of ``bounds`` at the times ``shares``)."""
    points, weights = np.polynomial.legendre.leggauss(NODES)
    crossed, density, nodes = 0.0, np.ones(1), np.zeros(1)
    before = 0.0
    for bound, share in zip(bounds * np.sqrt(shares), shares, strict=True):
        step = math.sqrt(share - before)
        crossed += float(density @ [_upper_tail((bound - node) / step) for node in nodes])
        low = -FURTHEST * math.sqrt(share)
        following = low + (bound - low) * (points + 1) / 2
        kernel = np.exp(-0.5 * ((following[:, None] - nodes[None, :]) / step) ** 2) / (step * math.sqrt(2 * math.pi))
        density = (kernel @ density) * weights * (bound - low) / 2
        nodes, before = following, float(share)
    return crossed


def _upper_tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))
