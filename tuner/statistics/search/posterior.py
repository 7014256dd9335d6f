"""What the curve may be after the evidence: draws of the billed duration at every candidate size.

    ln T(m) = shape(m) + level + wiggle(m) + architecture + idiosyncrasy(m)

The shape comes from a bank, weighted by how well each predicts the evidence. Level, wiggle (a Gaussian process over
ln m in a cosine basis: Solin & Saerkkae 2020, "Hilbert space methods for reduced-rank Gaussian process regression")
and architecture are linear, so their posterior is exact for every shape at once. Cold calls are evidence too, behind
an offset of their own: the first call does more work than later ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tuner.model import Architecture, Cell
from tuner.statistics.observations import FloatArray, IntArray
from tuner.statistics.search.evidence import CellEvidence, Evidence
from tuner.statistics.search.luck import normals
from tuner.statistics.search.shapes import shape_bank

DRAWS = 384
FEATURES = 20
ARCHITECTURE_SD = 0.25
"""Log ratio between architectures before anything is measured: up to some 30 % either way."""
COLD_OFFSET, COLD_OFFSET_SD = 0.2, 0.4
COLD_SD, COLD_SD_CALLS = 0.15, 3.0
"""How much the offset of cold calls differs between sizes, before it shows."""
OWN_SHARE = 0.3
TAIL_FREEDOM = 6.0
"""Misfit counts as under Student's t: one odd value must not rule out every shape but one."""


@dataclass(frozen=True, slots=True)
class _Family:
    """A set of shapes and how far the truth may stray from them (standard deviations on the log scale)."""

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
    _Family(weight=0.50, level=4.0, wiggle=0.02, length=0.7, own=0.012, stairs=False),
    _Family(weight=0.15, level=4.0, wiggle=0.15, length=0.35, own=0.02, stairs=False),
    _Family(weight=0.35, level=0.06, wiggle=0.03, length=0.7, own=0.04, stairs=True, trust=0.5),
)


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """``log_ms``: a row for each draw, a column for each of ``cells``."""

    cells: tuple[Cell, ...]
    log_ms: FloatArray
    cold_offset: float
    stairs_share: float
    """Probability that the function is a staircase."""

    @property
    def billed_ms(self) -> FloatArray:
        return np.asarray(np.maximum(np.exp(self.log_ms), 1.0))

    def index(self, cell: Cell) -> int:
        return self.cells.index(cell)


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """Observations: value, noise variance, column of the size, and whether it is of cold calls."""

    values: FloatArray
    variances: FloatArray
    columns: IntArray
    cold: FloatArray


def posterior(evidence: Evidence, cells: tuple[Cell, ...], seed: int) -> Posterior:
    """Draws at ``cells``, which must contain every measured size. Needs at least one measured size."""
    data = _data(evidence, cells)
    fits = [_fit(family, data, cells) for family in FAMILIES]
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
    return Posterior(cells, np.vstack(log_ms), float(np.concatenate(offsets).mean()), stairs)


def _data(evidence: Evidence, cells: tuple[Cell, ...]) -> _Data:
    column = {cell: index for index, cell in enumerate(cells)}
    warm = [c for c in evidence.cells if c.log_warm is not None]
    cold = [c for c in evidence.cells if c.log_cold is not None]
    extra = _cold_variance(evidence.cells)
    return _Data(
        values=np.array([c.log_warm for c in warm] + [c.log_cold for c in cold], dtype=np.float64),
        variances=np.array([c.warm_variance for c in warm] + [c.cold_variance + extra for c in cold]),
        columns=np.array([column[c.cell] for c in (*warm, *cold)], dtype=np.intp),
        cold=np.array([0.0] * len(warm) + [1.0] * len(cold)),
    )


def _cold_variance(cells: Sequence[CellEvidence]) -> float:
    """How little cold calls tell about warm ones, from the sizes at which both are known."""
    gaps = np.array([c.log_cold - c.log_warm for c in cells if c.log_cold is not None and c.log_warm is not None])
    squares = float(np.sum((gaps - gaps.mean()) ** 2)) if gaps.size > 1 else 0.0
    return (COLD_SD_CALLS * COLD_SD**2 + squares) / (COLD_SD_CALLS + max(gaps.size - 1, 0))


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    family: _Family
    shapes: FloatArray
    """The bank: a row for each shape, a column for each memory size."""
    columns: IntArray
    """Of each cell in the bank."""
    centre: float
    basis: FloatArray
    means: FloatArray
    """Posterior means of the linear weights, a column for each shape; the last weight is the cold offset."""
    root: FloatArray
    """A root of their covariance, common to all shapes."""
    log_scores: FloatArray

    def draw(self, chosen: IntArray, seed: int) -> tuple[FloatArray, FloatArray]:
        luck = normals(seed, DRAWS, self.root.shape[0])[: chosen.size]
        weights = self.means[:, chosen].T + luck @ self.root.T
        own = OWN_SHARE * self.family.own * normals(seed + 100, DRAWS, self.columns.size)[: chosen.size]
        shapes = self.shapes[chosen][:, self.columns] + self.centre
        return shapes + weights[:, :-1] @ self.basis.T + own, weights[:, -1]


def _fit(family: _Family, data: _Data, cells: tuple[Cell, ...]) -> _Fit:
    shapes, prior, columns = _shapes(family, cells)
    basis = _basis(cells, family)
    seen = np.column_stack([basis[data.columns], data.cold * COLD_OFFSET_SD])
    centre = 0.0 if family.stairs else float(data.values.mean())
    residual = data.values[:, None] - centre - COLD_OFFSET * data.cold[:, None] - shapes[:, columns[data.columns]].T
    noise = data.variances + family.own**2
    scaled = seen / noise[:, None]
    precision = np.eye(seen.shape[1]) + seen.T @ scaled
    lower = np.linalg.cholesky(precision)
    projected = scaled.T @ residual
    means = np.linalg.solve(lower.T, np.linalg.solve(lower, projected))
    misfit = np.sum(residual**2 / noise[:, None], axis=0) - np.sum(projected * means, axis=0)
    log_determinant = 2 * float(np.sum(np.log(np.diag(lower)))) + float(np.sum(np.log(noise)))
    n = data.values.size
    log_scores = -0.5 * log_determinant - 0.5 * (TAIL_FREEDOM + n) * np.log1p(np.maximum(misfit, 0) / TAIL_FREEDOM)
    root = np.linalg.inv(lower).T
    scale = np.ones(root.shape[0])
    scale[-1] = COLD_OFFSET_SD
    return _Fit(
        family=family,
        shapes=shapes,
        columns=columns,
        centre=centre,
        basis=basis,
        means=means * scale[:, None],
        root=root * scale[:, None],
        log_scores=_tempered(log_scores + np.log(prior * family.weight), family.trust),
    )


def _tempered(log_scores: FloatArray, trust: float) -> FloatArray:
    """The scores drawn together, their sum unchanged: the family as a whole keeps its weight."""
    flattened = trust * log_scores
    return np.asarray(flattened - _log_sum(flattened) + _log_sum(log_scores))


def _log_sum(logs: FloatArray) -> float:
    return float(logs.max() + np.log(np.exp(logs - logs.max()).sum()))


def _shapes(family: _Family, cells: tuple[Cell, ...]) -> tuple[FloatArray, FloatArray, IntArray]:
    """The bank of a family, the prior weights of its shapes, and the bank's column of each cell."""
    sizes = tuple(sorted({cell.memory_mb for cell in cells}))
    bank = shape_bank(sizes)
    columns = np.searchsorted(sizes, [cell.memory_mb for cell in cells])
    if family.stairs:
        return bank.stairs, np.full(len(bank.stairs), 1 / len(bank.stairs)), columns
    return bank.smooth, bank.smooth_weights, columns


@lru_cache(maxsize=16)
def _basis(cells: tuple[Cell, ...], family: _Family) -> FloatArray:
    """Columns scaled by their prior standard deviation: level, wiggle, architecture."""
    x = np.log([cell.memory_mb for cell in cells])
    span = max(float(x.max() - x.min()), 0.5)
    width = span + 4 * family.length
    position = (x - x.min() + 2 * family.length) / width
    frequency = np.arange(1, FEATURES + 1) * math.pi / width
    density = family.length * math.sqrt(2 * math.pi) * np.exp(-0.5 * (family.length * frequency) ** 2)
    amplitude = family.wiggle * np.sqrt(2 / width * density)
    waves = np.sin(np.outer(position, np.arange(1, FEATURES + 1)) * math.pi) * amplitude
    arm = np.array([cell.architecture is Architecture.ARM64 for cell in cells], dtype=np.float64) - 0.5
    columns = [np.full(x.size, family.level), *waves.T]
    if np.unique(arm).size > 1:
        columns += [arm * ARCHITECTURE_SD, *(waves * (arm * 2)[:, None] * 0.5).T]
    table = np.column_stack(columns)
    table.flags.writeable = False
    return table
