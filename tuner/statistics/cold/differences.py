"""Quantiles of one cell against another: architectures at the same size, neighbouring sizes of one architecture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from tuner.model import ColdCell, ColdDifference, ColdQuantity
from tuner.statistics.cold.batches import difference

QUANTILES = (0.5, 0.9, 0.95, 0.99)


def differences(cells: Sequence[ColdCell]) -> tuple[ColdDifference, ...]:
    """``other`` minus ``base`` in ms for every pair, quantity and quantile. The base is x86_64, or the smaller size.

    Each interval holds with 95 % on its own; among dozens of them one or two that exclude 0 mean nothing.
    """
    return tuple(
        found
        for base, other in _pairs(cells)
        for quantity in ColdQuantity
        for found in _by_quantile(base, other, quantity)
    )


def _pairs(cells: Sequence[ColdCell]) -> Iterator[tuple[ColdCell, ColdCell]]:
    by_size = sorted(cells, key=lambda cell: (cell.memory_mb, -ord(cell.architecture[0])))
    for _, same_size in groupby(by_size, key=lambda cell: cell.memory_mb):
        yield from pairwise(same_size)
    by_architecture = sorted(cells, key=lambda cell: (cell.architecture, cell.memory_mb))
    for _, same_architecture in groupby(by_architecture, key=lambda cell: cell.architecture):
        yield from pairwise(same_architecture)


def _by_quantile(base: ColdCell, other: ColdCell, quantity: ColdQuantity) -> Iterator[ColdDifference]:
    one, two = base.distribution(quantity), other.distribution(quantity)
    if one is None or two is None or base.start_kind is not other.start_kind:
        return
    for quantile in QUANTILES:
        yield ColdDifference(
            base=base.cell,
            other=other.cell,
            quantity=quantity,
            quantile=quantile,
            difference_ms=difference(one.at(quantile), two.at(quantile), what=f"difference at p{quantile * 100:g}"),
        )
