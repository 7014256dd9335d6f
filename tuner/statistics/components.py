"""How much of the spread lies between execution environments, and what that does to the variance of a mean.

Model: x = mu + alpha_environment + epsilon, with variances ``between`` and ``within``. With environment labels this
is the one-way random-effects analysis of variance (Searle, Casella & McCulloch, Variance Components, 1992, ch. 3).

Without labels the waves carry the same information. Let W waves draw k of E environments each. Then

    mean square within waves    MSW:  E[MSW] = between + within
    mean square between waves   MSB:  E[MSB] = between + within - between * n0 / E

with n0 = (N - sum k^2 / N) / (W - 1), which is k when all waves are equal. Hence between / E = (MSW - MSB) / n0 and

    Var(mean) = between / E + [between * (1 - n0/E) + within] / N = (MSW - MSB) / n0 + MSB / N

which for E = k is the familiar between / E + within / N. E itself cancels: a miscount cannot distort the standard
error. Whatever else moves whole waves (drift, a noisy neighbour) raises MSB and so is charged as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuner.statistics.observations import FloatArray, IntArray, Observations


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Variance components of one quantity, in its unit squared.

    ``between`` and ``within`` are None where the data cannot separate them; ``mean_variance`` then is that of the
    worst case, in which all calls of an environment are alike.
    """

    n: int
    environments: int
    between: float | None
    within: float | None
    total: float
    mean_variance: float
    """Squared standard error of the mean over all values."""

    @property
    def degrees_of_freedom(self) -> int:
        """Those of the environments, however many calls each of them served."""
        return self.environments - 1

    @property
    def design_effect(self) -> float:
        """By how much clustering inflates the variance of the mean (Kish 1965); 1 means independent calls."""
        if self.total == 0:
            return 1.0
        return max(self.mean_variance * self.n / self.total, 1.0)


@dataclass(frozen=True, slots=True)
class NotEstimable:
    """Why the data say nothing about how far the mean may be off."""

    reason: str


def variance_components(observations: Observations) -> Components | NotEstimable:
    """The components of ``observations``, or why there are none.

    One environment says nothing about the next one, and an unknown number of them nothing about how many
    independent values there are. Negative estimates of ``between`` are cut to 0, which leaves MSB / N.
    """
    environments = observations.environments
    if environments is None:
        return NotEstimable("no cold start was seen, so the number of environments is not known")
    if environments < 2:
        return NotEstimable("all calls may come from one environment (needs 2, better 5)")
    if observations.labels is not None:
        return _from_labels(observations.values, observations.labels, environments)
    return _from_waves(observations, environments)


def _from_labels(values: FloatArray, labels: IntArray, environments: int) -> Components:
    n = values.size
    sizes = np.bincount(labels)
    means = np.bincount(labels, weights=values) / sizes
    total = _variance(values)
    if n == environments:  # a value per environment: their spread is all there is to know
        return Components(
            n=n, environments=environments, between=None, within=None, total=total, mean_variance=total / n
        )
    within = float(np.sum((values - means[labels]) ** 2)) / (n - environments)
    mean_square_between = float(np.sum(sizes * (means - values.mean()) ** 2)) / (environments - 1)
    per_environment = (n - float(np.sum(sizes**2)) / n) / (environments - 1)
    between = max(mean_square_between - within, 0.0) / per_environment
    return Components(
        n=n,
        environments=environments,
        between=between,
        within=within,
        total=total,
        mean_variance=between * float(np.sum(sizes**2)) / n**2 + within / n,
    )


def _from_waves(observations: Observations, environments: int) -> Components:
    values, n = observations.values, observations.n
    squares = _wave_mean_squares(observations)
    total = _variance(values)
    if squares is None or squares.freedom_within < environments - 1:
        return Components(
            n=n,
            environments=environments,
            between=None,
            within=None,
            total=total,
            mean_variance=total * (n - 1) / (n * (environments - 1)),
        )
    excess = max(squares.within - squares.between, 0.0) / squares.wave_size
    # Versions never share an environment, so each has its own draw of them.
    shares = np.bincount(observations.versions) / n
    between = min(excess * environments / shares.size, squares.within)
    return Components(
        n=n,
        environments=environments,
        between=between,
        within=squares.within - between,
        total=total,
        mean_variance=excess * float(np.sum(shares**2)) + max(squares.between, 0.0) / n,
    )


@dataclass(frozen=True, slots=True)
class _WaveMeanSquares:
    within: float
    freedom_within: int
    between: float
    wave_size: float
    """n0 of the module's formula."""


def _wave_mean_squares(observations: Observations) -> _WaveMeanSquares | None:
    """None where waves cannot separate the components: a single wave, waves of 1, or calls too short to overlap."""
    values, waves, n = observations.values, observations.waves, observations.n
    sizes = np.bincount(waves)
    version_of_wave = np.zeros(sizes.size, dtype=np.intp)
    version_of_wave[waves] = observations.versions
    version_sizes = np.bincount(observations.versions)
    freedom_within, freedom_between = n - sizes.size, sizes.size - version_sizes.size
    if not observations.overlapping or freedom_within < 1 or freedom_between < 1:
        return None
    means = np.bincount(waves, weights=values) / sizes
    version_means = np.bincount(observations.versions, weights=values) / version_sizes
    sum_within = float(np.sum((values - means[waves]) ** 2))
    sum_between = float(np.sum(sizes * (means - version_means[version_of_wave]) ** 2))
    spread = n - float(np.sum(sizes**2 / version_sizes[version_of_wave]))
    return _WaveMeanSquares(
        sum_within / freedom_within, freedom_within, sum_between / freedom_between, spread / freedom_between
    )


def _variance(values: FloatArray) -> float:
    return float(values.var(ddof=1)) if values.size > 1 else 0.0
