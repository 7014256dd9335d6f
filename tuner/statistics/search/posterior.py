"""What the curve may be after the evidence: draws of the billed duration at every candidate size.

    ln T(m) = shape(m) + level + wiggle(m) + own(m) + architecture

The shape comes from a bank, weighted by how well each predicts the evidence. The rest is a Gaussian process: level,
wiggle (over ln m in a cosine basis: Solin & Saerkkae 2020, "Hilbert space methods for reduced-rank Gaussian process
regression"), architecture, and what is a size's own. Given the shape its posterior is exact. How far functions stray
from their shape differs thirtyfold, so the bank is there once for every roughness, and the evidence weighs those
too. Cold calls are evidence behind an offset of their own: the first call does more work than later ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tuner.model import Architecture, Cell
from tuner.statistics.observations import FloatArray, IntArray
from tuner.statistics.search.evidence import CellEvidence, Evidence
from tuner.statistics.search.luck import normals
from tuner.statistics.search.shapes import smooth_shapes, stair_curves, stairs_at

DRAWS = 384
FEATURES = 20
ARCHITECTURE_SD = 0.25
"""Log ratio between architectures before anything is measured: up to some 30 % either way."""
COMMON = 0.5
"""Share of what strays from a shape that both architectures have in common."""
COLD_OFFSET, COLD_OFFSET_SD = 0.2, 0.4
COLD_SD, COLD_SD_CALLS = 0.15, 3.0
"""How much the offset of cold calls differs between sizes, before it shows."""
OWN_LENGTH = 0.25
"""Two sizes this far apart (natural logarithm) hardly share what is their own."""
CLIFF, CLIFF_SD = 0.8, 0.6
"""Logarithm of how many times longer a call takes below a cliff."""
STEPS_SHOW_MS, STEPS_SHOW_WIDTH = 100.0, 0.35
"""Of CPU work shorter than this, five periods of the quota, the steps show (width: natural logarithm) ..."""
STEPS_MISSING = 0.1
"""... so that a shape without steps is ten times less likely there than for longer work."""
FREEDOM = 6.0
"""Misfit counts as under Student's t: the scale of noise and wiggle together is only roughly known beforehand, and
one odd value must not rule out every shape but one (Shah, Wilson & Ghahramani 2014, "Student-t processes")."""


@dataclass(frozen=True, slots=True)
class _Family:
    """A set of shapes, its probability beforehand, and how far the truth may stray from them: standard deviations on
    the log scale, and the length (in ln m) over which the wiggle keeps its value."""

    weight: float
    level: float
    wiggle: float
    length: float
    own: float
    stairs: bool
    trust: float = 1.0
    """Power to which the likelihood is raised among the shapes of the family: below 1 where all of them are only
    approximately right, so that few calls do not rule out every edge but one (a tempered posterior)."""


FAMILIES = (
    _Family(weight=0.40, level=4.0, wiggle=0.006, length=0.7, own=0.004, stairs=False),
    _Family(weight=0.20, level=4.0, wiggle=0.02, length=0.5, own=0.007, stairs=False),
    _Family(weight=0.12, level=4.0, wiggle=0.06, length=0.4, own=0.025, stairs=False),
    _Family(weight=0.06, level=4.0, wiggle=0.18, length=0.35, own=0.075, stairs=False),
    _Family(weight=0.14, level=0.05, wiggle=0.01, length=0.7, own=0.006, stairs=True, trust=0.8),
    _Family(weight=0.08, level=0.06, wiggle=0.04, length=0.7, own=0.04, stairs=True, trust=0.5),
)


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """``log_ms``: a row for each draw, a column for each of ``cells``."""

    cells: tuple[Cell, ...]
    log_ms: FloatArray
    cold_offset: float
    stairs_share: float
    """Probability that the function is a staircase."""
    columns: Mapping[Cell, int]

    @property
    def billed_ms(self) -> FloatArray:
        return np.asarray(np.maximum(np.exp(self.log_ms), 1.0))

    def index(self, cell: Cell) -> int:
        return self.columns[cell]


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where cells are. Equal by identity, so that tables about them are found at once."""

    columns: Mapping[Cell, int]
    x: FloatArray
    """ln m of each cell."""
    arm: FloatArray
    """-1/2 or 1/2 by architecture."""
    sizes: tuple[int, ...]
    """The distinct sizes in MB."""
    size_of: IntArray
    """Which of them each cell has."""


@lru_cache(maxsize=8)
def _places(cells: tuple[Cell, ...]) -> _Places:
    sizes = tuple(sorted({cell.memory_mb for cell in cells}))
    return _Places(
        columns={cell: index for index, cell in enumerate(cells)},
        x=np.log([cell.memory_mb for cell in cells]),
        arm=np.array([cell.architecture is Architecture.ARM64 for cell in cells], dtype=np.float64) - 0.5,
        sizes=sizes,
        size_of=np.searchsorted(sizes, [cell.memory_mb for cell in cells]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """Observations: value, noise variance, column of the size, and whether it is of cold calls."""

    values: FloatArray
    variances: FloatArray
    columns: IntArray
    cold: FloatArray
    seen: IntArray
    """Columns of the sizes with observations, each once, and which of these sizes each observation is of."""
    which: IntArray


def posterior(evidence: Evidence, cells: tuple[Cell, ...], seed: int) -> Posterior:
    """Draws at ``cells``, which must contain every measured size. Needs at least one measured size."""
    places = _places(cells)
    data = _data(evidence, places)
    fits = [_fit(family, data, places) for family in FAMILIES]
    scores = np.concatenate([fit.log_scores for fit in fits])
    weights = np.exp(scores - scores.max())
    weights /= weights.sum()
    chosen = np.searchsorted(np.cumsum(weights), (np.arange(DRAWS) + 0.5) / DRAWS)
    log_ms, offsets, first, shares = [], [], 0, []
    for fit in fits:
        mine = chosen[(chosen >= first) & (chosen < first + fit.log_scores.size)] - first
        shares.append(float(weights[first : first + fit.log_scores.size].sum()))
        first += fit.log_scores.size
        if mine.size:
            block, offset = fit.draw(mine, seed + len(shares))
            log_ms.append(block)
            offsets.append(offset)
    stairs = sum(share for share, family in zip(shares, FAMILIES, strict=True) if family.stairs)
    return Posterior(cells, np.vstack(log_ms), float(np.concatenate(offsets).mean()), stairs, places.columns)


def _data(evidence: Evidence, places: _Places) -> _Data:
    warm = [c for c in evidence.cells if c.log_warm is not None]
    cold = [c for c in evidence.cells if c.log_cold is not None]
    extra = _cold_variance(evidence.cells)
    columns = np.array([places.columns[c.cell] for c in (*warm, *cold)], dtype=np.intp)
    seen, which = np.unique(columns, return_inverse=True)
    return _Data(
        values=np.array([c.log_warm for c in warm] + [c.log_cold for c in cold], dtype=np.float64),
        variances=np.array([c.warm_variance for c in warm] + [c.cold_variance + extra for c in cold]),
        columns=columns,
        cold=np.array([0.0] * len(warm) + [1.0] * len(cold)),
        seen=seen,
        which=which,
    )


def _cold_variance(cells: Sequence[CellEvidence]) -> float:
    """How little cold calls tell about warm ones, from the sizes at which both are known."""
    gaps = np.array([c.log_cold - c.log_warm for c in cells if c.log_cold is not None and c.log_warm is not None])
    squares = float(np.sum((gaps - gaps.mean()) ** 2)) if gaps.size > 1 else 0.0
    return (COLD_SD_CALLS * COLD_SD**2 + squares) / (COLD_SD_CALLS + max(gaps.size - 1, 0))


@dataclass(frozen=True, slots=True, eq=False)
class _Shapes:
    """A family's shapes (rows) at the sizes with observations (columns), and how to get them at every cell."""

    observed: FloatArray
    short: FloatArray | None
    """1 where a cliff shape is below its edge; None in families without cliffs."""
    cpu_share: FloatArray | None
    """Of the duration at one vCPU; None in families with steps."""
    prior: FloatArray
    everywhere: Callable[[IntArray, FloatArray], FloatArray]
    """The chosen shapes at every cell, given the height of the cliff of every shape."""


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """All that the observations say about a shape: its values at the sizes seen should be ``middle``, with a
    precision of which ``root`` is the Cholesky factor, under noise and what may stray from a shape."""

    values: FloatArray
    """The observations without what they have in common."""
    lower: FloatArray
    """Cholesky factor of the covariance of the observations."""
    middle: FloatArray
    root: FloatArray
    unexplained: float
    """Squared distance that no shape removes."""


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """A family given the data. The truth is a shape plus what strays from it: a Gaussian process, conditioned."""

    family: _Family
    shapes: _Shapes
    centre: float
    heights: FloatArray
    """Of the cliff of each shape, the likeliest; what it is exactly matters only where nobody wants to be."""
    places: _Places
    data: _Data
    target: _Target
    scale: FloatArray
    """Of each shape: the root of how much further the data are off than noise and wiggle explain."""
    log_scores: FloatArray

    def draw(self, chosen: IntArray, seed: int) -> tuple[FloatArray, FloatArray]:
        """Curves that may be true, and their offsets of cold calls, by Matheron's rule: a curve drawn beforehand is
        corrected by what it gets wrong at the observations."""
        data, rows = self.data, chosen.size
        before = _prior_draws(self.places, self.family, seed)[:rows]
        offset = COLD_OFFSET_SD * normals(seed + 200, DRAWS, 1)[:rows]
        noise = normals(seed + 300, DRAWS, data.values.size)[:rows] * np.sqrt(data.variances)
        scale = self.scale[chosen][:, None]
        shapes = self.shapes.everywhere(chosen, self.heights)
        strayed = scale * (before[:, data.columns] + offset * data.cold + noise)
        weights = _solve(self.target.lower, (self.target.values - shapes[:, data.columns] - strayed).T).T
        everywhere = np.arange(self.places.x.size)
        curves = self.centre + shapes + scale * before
        curves += weights @ _covariance(self.places, self.family, data.columns, everywhere)
        return curves, COLD_OFFSET + scale[:, 0] * offset[:, 0] + COLD_OFFSET_SD**2 * weights @ data.cold


def _fit(family: _Family, data: _Data, places: _Places) -> _Fit:
    shapes = _stair_shapes(data, places) if family.stairs else _smooth_shapes(data, places)
    centre = 0.0 if family.stairs else float(data.values.mean())
    target = _target(family, data, places, data.values - centre - COLD_OFFSET * data.cold)
    apart = (target.middle - shapes.observed) @ target.root
    prior = np.log(shapes.prior * family.weight)
    if shapes.cpu_share is not None:
        prior = prior + _log_without_steps(shapes.cpu_share, centre + _levels(target, apart))
    heights = log_width = unlikely = np.zeros(len(apart))
    if shapes.short is not None:
        step = shapes.short @ target.root
        heights, log_width = _cliffs(step, apart)
        apart = apart - heights[:, None] * step
        unlikely = ((heights - CLIFF) / CLIFF_SD) ** 2
    misfit = target.unexplained + np.einsum("ij,ij->i", apart, apart) + unlikely
    freedom = FREEDOM + data.values.size
    log_scores = -np.sum(np.log(np.diag(target.lower))) + log_width - 0.5 * freedom * np.log1p(misfit / FREEDOM)
    return _Fit(
        family=family,
        shapes=shapes,
        centre=centre,
        heights=heights,
        places=places,
        data=data,
        target=target,
        scale=np.sqrt((FREEDOM + misfit) / freedom),
        log_scores=_tempered(log_scores + prior, family.trust),
    )


def _levels(target: _Target, apart: FloatArray) -> FloatArray:
    """The logarithm of what each shape has to be multiplied by, by generalised least squares; ``apart`` is what the
    observations leave of it, whitened."""
    ones = target.root.sum(axis=0)
    return np.asarray(apart @ ones / (ones @ ones))


def _log_without_steps(cpu_share: FloatArray, log_level: FloatArray) -> FloatArray:
    """Logarithm of how plausible it is that a call with that much CPU work (at one vCPU) shows no steps."""
    beyond = (np.log(np.maximum(cpu_share, 1e-9)) + log_level - math.log(STEPS_SHOW_MS)) / STEPS_SHOW_WIDTH
    return np.asarray(np.log(1 - (1 - STEPS_MISSING) / (1 + np.exp(np.minimum(beyond, 500)))))


def _target(family: _Family, data: _Data, places: _Places, values: FloatArray) -> _Target:
    covariance = _covariance(places, family, data.columns, data.columns)
    covariance = covariance + COLD_OFFSET_SD**2 * np.outer(data.cold, data.cold) + np.diag(data.variances)
    lower = np.asarray(np.linalg.cholesky(covariance))
    whiten = np.linalg.inv(lower)
    sizes, seen = whiten @ np.eye(data.seen.size)[data.which], whiten @ values
    precision, pull = sizes.T @ sizes, sizes.T @ seen
    middle = np.asarray(np.linalg.solve(precision, pull))
    return _Target(
        values=values,
        lower=lower,
        middle=middle,
        root=np.asarray(np.linalg.cholesky(precision)),
        unexplained=max(float(seen @ seen - pull @ middle), 0.0),
    )


def _cliffs(step: FloatArray, apart: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The likeliest height of each shape's cliff, a linear parameter with a normal prior, and the logarithm of how
    much of that prior the data leave (by which a free parameter pays for itself)."""
    information = np.einsum("ij,ij->i", step, step) + CLIFF_SD**-2
    wanted = np.einsum("ij,ij->i", step, apart - CLIFF * step)
    return CLIFF + wanted / information, -0.5 * np.log(CLIFF_SD**2 * information)


def _solve(lower: FloatArray, values: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.solve(lower.T, np.linalg.solve(lower, values)))


def _tempered(log_scores: FloatArray, trust: float) -> FloatArray:
    """The scores drawn together, their sum unchanged: the family as a whole keeps its weight."""
    flattened = trust * log_scores
    return np.asarray(flattened - _log_sum(flattened) + _log_sum(log_scores))


def _log_sum(logs: FloatArray) -> float:
    return float(logs.max() + np.log(np.exp(logs - logs.max()).sum()))


def _smooth_shapes(data: _Data, places: _Places) -> _Shapes:
    columns = places.size_of
    bank = smooth_shapes(places.sizes)

    def everywhere(chosen: IntArray, heights: FloatArray) -> FloatArray:
        return np.asarray((bank.log[chosen] + heights[chosen, None] * bank.short[chosen])[:, columns])

    at = columns[data.seen]
    return _Shapes(
        observed=bank.log[:, at],
        short=bank.short[:, at],
        cpu_share=bank.cpu_share,
        prior=bank.weights,
        everywhere=everywhere,
    )


def _stair_shapes(data: _Data, places: _Places) -> _Shapes:
    observed = stairs_at(tuple(places.sizes[size] for size in places.size_of[data.seen]))

    def everywhere(chosen: IntArray, _: FloatArray) -> FloatArray:
        distinct, back = np.unique(chosen, return_inverse=True)
        return np.asarray(stair_curves(distinct, places.sizes)[back][:, places.size_of])

    return _Shapes(
        observed=observed,
        short=None,
        cpu_share=None,
        prior=np.full(len(observed), 1 / len(observed)),
        everywhere=everywhere,
    )


def _covariance(places: _Places, family: _Family, rows: IntArray, columns: IntArray) -> FloatArray:
    """Between two lists of cells, as far as they stray from the shape."""
    x, arm = places.x, places.arm
    basis = _basis(places, family)
    alike = np.where(arm[rows, None] == arm[columns], 1.0, COMMON)
    own = family.own**2 * alike * np.exp(-np.abs(x[rows, None] - x[columns]) / OWN_LENGTH)
    return np.asarray(basis[rows] @ basis[columns].T + own)


@lru_cache(maxsize=16)
def _prior_draws(places: _Places, family: _Family, seed: int) -> FloatArray:
    """Curves before anything is known, a row each. What is a size's own is a first-order autoregression along
    ln m, which has the covariance exp(-distance / length)."""
    x, arm = places.x, places.arm
    basis = _basis(places, family)
    table = normals(seed, DRAWS, basis.shape[1]) @ basis.T
    common = _autoregression(x, normals(seed + 100, DRAWS, x.size))
    for number, value in enumerate(np.unique(arm)):
        mine = np.flatnonzero(arm == value)
        apart = _autoregression(x[mine], normals(seed + 101 + number, DRAWS, mine.size))
        table[:, mine] += family.own * (math.sqrt(COMMON) * common[:, mine] + math.sqrt(1 - COMMON) * apart)
    table.flags.writeable = False
    return table


def _autoregression(x: FloatArray, luck: FloatArray) -> FloatArray:
    """Rows with unit variance; ``x`` ascends."""
    values = np.empty_like(luck)
    values[:, 0] = luck[:, 0]
    kept = np.exp(-np.diff(x) / OWN_LENGTH)
    for i, share in enumerate(kept, start=1):
        values[:, i] = share * values[:, i - 1] + math.sqrt(1 - share**2) * luck[:, i]
    return values


@lru_cache(maxsize=16)
def _basis(places: _Places, family: _Family) -> FloatArray:
    """Columns scaled by their prior standard deviation: level, wiggle, architecture."""
    x, arm = places.x, places.arm
    span = max(float(x.max() - x.min()), 0.5)
    width = span + 4 * family.length
    position = (x - x.min() + 2 * family.length) / width
    frequency = np.arange(1, FEATURES + 1) * math.pi / width
    density = family.length * math.sqrt(2 * math.pi) * np.exp(-0.5 * (family.length * frequency) ** 2)
    amplitude = family.wiggle * np.sqrt(2 / width * density)
    waves = np.sin(np.outer(position, np.arange(1, FEATURES + 1)) * math.pi) * amplitude
    columns = [np.full(x.size, family.level), *waves.T]
    if np.unique(arm).size > 1:
        columns += [arm * ARCHITECTURE_SD, *(waves * (arm * 2)[:, None] * 0.5).T]
    table = np.column_stack(columns)
    table.flags.writeable = False
    return table
