"""The cold starts of a report as series to draw: which of them share a panel, what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from tuner.model import (
    Architecture,
    Cell,
    ColdCell,
    ColdStartReport,
    EngineKind,
    StartKind,
)
from tuner.render.palette import BLUE, ORANGE, SERIES
from tuner.statistics.cold.recognition import ColdSamples, recognise, start_ms

SIMULATED = "simulated"
"""Code of the notice that names what the embedded Lambda simulated, and the word beside each such cell."""

_COLOURS = {Architecture.X86_64: BLUE, Architecture.ARM64: ORANGE}
_DASHES = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3), (4, 4), (12, 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdSeries:
    """The cold starts of one cell in ms: how long each took to start, and in all."""

    cell: Cell
    name: str
    label: str
    """What it is called within its panel."""
    colour: str
    dash: tuple[int, ...]
    start_ms: tuple[float, ...]
    total_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Series that are drawn over one another: the architectures of one size, or all sizes of one architecture."""

    title: str
    series: tuple[ColdSeries, ...]


def panels(report: ColdStartReport) -> tuple[Panel, ...]:
    """What to draw; cells without a cold start are left out."""
    cells = [cell.cell for cell in report.cells]
    found = [one for group in recognise(report.samples, cells, report.source) if (one := _series(group, report))]
    if len({one.cell.architecture for one in found}) < 2:
        return (Panel(title="", series=_told_apart(found)),) if found else ()
    by_size = sorted(found, key=lambda one: (one.cell.memory_mb, one.cell.architecture is Architecture.ARM64))
    return tuple(
        Panel(title=f"{memory_mb} MB", series=tuple(series))
        for memory_mb, series in groupby(by_size, key=lambda one: one.cell.memory_mb)
    )


def in_order(cells: Sequence[ColdCell]) -> tuple[ColdCell, ...]:
    """By size, and at each size x86_64 first: what is compared stands side by side."""
    return tuple(sorted(cells, key=lambda cell: (cell.memory_mb, cell.architecture is Architecture.ARM64)))


def cell_label(cell: Cell, report: ColdStartReport) -> str:
    """``512 MB``, ``512 MB arm64`` where architectures are compared; what was simulated always says so."""
    several = len({other.architecture for other in report.cells}) > 1
    simulated = cell.architecture in simulated_architectures(report)
    words = [f"{cell.memory_mb} MB", *([cell.architecture.value] if several or simulated else [])]
    return " ".join([*words, f"({SIMULATED})"] if simulated else words)


def simulated_architectures(report: ColdStartReport) -> frozenset[Architecture]:
    """Architectures that this machine does not have: the embedded Lambda measures one and can only declare others."""
    if report.target.engine is not EngineKind.LOCAL:
        return frozenset()
    said = " ".join(notice.message for notice in report.notices if notice.code == SIMULATED)
    return frozenset(architecture for architecture in Architecture if architecture in said)


def _architecture_label(cell: Cell, report: ColdStartReport) -> str:
    name = cell.architecture.value
    return f"{name} ({SIMULATED})" if cell.architecture in simulated_architectures(report) else name


def start_word(report: ColdStartReport) -> str:
    """What comes before the first invocation: init, or with SnapStart a restore."""
    kinds = {cell.start_kind for cell in report.cells if cell.start_kind is not None}
    if kinds == {StartKind.RESTORE}:
        return "restore"
    return "init" if StartKind.RESTORE not in kinds else "init or restore"


def _series(group: ColdSamples, report: ColdStartReport) -> ColdSeries | None:
    kind = group.start_kind
    if kind is None:
        return None
    known = [
        (start, sample.duration_ms)
        for sample in group.starts()
        if (start := start_ms(sample, kind)) is not None and sample.duration_ms is not None
    ]
    if not known:
        return None
    return ColdSeries(
        cell=group.cell,
        name=cell_label(group.cell, report),
        label=_architecture_label(group.cell, report),
        colour=_COLOURS[group.cell.architecture],
        dash=_DASHES[group.cell.architecture is Architecture.ARM64],
        start_ms=tuple(start for start, _ in known),
        total_ms=tuple(start + duration for start, duration in known),
    )


def _told_apart(found: Sequence[ColdSeries]) -> tuple[ColdSeries, ...]:
    """Sizes of one architecture in one panel: colours and dashes tell them apart."""
    return tuple(
        replace(one, label=one.name, colour=SERIES[number % len(SERIES)], dash=_DASHES[number % len(_DASHES)])
        for number, one in enumerate(found)
    )
