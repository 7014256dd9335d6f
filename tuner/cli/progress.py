"""What a run shows while it goes on: on standard error, live on a terminal, a line a block elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from tuner.cli.display import above_the_bar, redrawing
from tuner.engine.observer import Observer, Silent
from tuner.model import Block, Cell, EngineKind, Plan, Sample, SamplingKind
from tuner.render.invocation import invocation_line, version_line
from tuner.render.text import plain
from tuner.units import format_seconds, format_usd


@contextmanager
def progress(plan: Plan, *, quiet: bool, verbose: bool = False) -> Iterator[Observer]:
    """An observer for the run, fitting the terminal; ``verbose`` adds a line an invocation."""
    console = Console(stderr=True)
    if quiet:
        yield Silent()
    elif console.is_terminal:
        with redrawing(), _bar(console) as bar, above_the_bar():
            live = LiveProgress(bar, plan)
            yield EachInvocation(live, bar.console) if verbose else live
    else:
        lines = LineProgress(console, plan)
        yield EachInvocation(lines, console) if verbose else lines


class _Count:
    """How far a run is, in words."""

    def __init__(self, plan: Plan) -> None:
        self._expected = plan.expected_invocations
        self._sizes = len(plan.cells)
        self._noun = "sides" if plan.arms else "sizes"
        self._local = plan.request.engine is EngineKind.LOCAL
        self._searching = plan.request.sampling is SamplingKind.ADAPTIVE
        self._seen: set[Cell] = set()
        self._samples = 0
        self._spent_usd = Decimal(0)
        self._measuring_since_s: float | None = None

    @property
    def samples(self) -> int:
        return self._samples

    def start(self) -> None:
        if self._measuring_since_s is None:
            self._measuring_since_s = time.monotonic()

    def add(self, sample: Sample, spent_usd: Decimal) -> None:
        self._samples += 1
        self._seen.add(sample.cell)
        self._spent_usd = spent_usd

    def words(self) -> str:
        parts = [
            f"{len(self._seen)} sizes" if self._searching else f"{len(self._seen)}/{self._sizes} {self._noun}",
            f"{self._samples}/{max(self._expected, self._samples)} samples",
            f"{format_usd(self._spent_usd)} if on AWS" if self._local else f"spent {format_usd(self._spent_usd)}",
        ]
        left_s = self._left_s()
        return " · ".join(parts if left_s is None else [*parts, f"{format_seconds(left_s)} left"])

    def _left_s(self) -> float | None:
        """From the pace so far; None before there is one, and for a search, whose end nobody knows."""
        if self._measuring_since_s is None or self._samples < self._sizes or self._searching:
            return None
        pace_s = (time.monotonic() - self._measuring_since_s) / self._samples
        return pace_s * max(0, self._expected - self._samples)


class LiveProgress:
    """A bar that is redrawn in place."""

    def __init__(self, bar: Progress, plan: Plan) -> None:
        self._bar = bar
        self._count = _Count(plan)
        self._task: TaskID = bar.add_task("starting", total=plan.expected_invocations, words="")

    def phase(self, name: str) -> None:
        self._bar.update(self._task, description=plain(name))

    def published(self, cell: Cell, version: str) -> None:
        del cell, version

    def block_started(self, block: Block) -> None:
        self._count.start()
        self._bar.update(self._task, description=f"block {block.number}")

    def sample(self, sample: Sample, spent_usd: Decimal) -> None:
        self._count.add(sample, spent_usd)
        self._bar.update(self._task, completed=self._count.samples, words=self._count.words())

    def throttled(self, reason: str, wait_s: float) -> None:
        self._bar.update(self._task, description=plain(f"throttled ({reason}), waiting {wait_s:.1f} s"))


class LineProgress:
    """One line a phase and block, for logs."""

    def __init__(self, console: Console, plan: Plan) -> None:
        self._console = console
        self._count = _Count(plan)

    def phase(self, name: str) -> None:
        self._say(name)

    def published(self, cell: Cell, version: str) -> None:
        del cell, version

    def block_started(self, block: Block) -> None:
        self._count.start()
        self._say(f"block {block.number}: {self._count.words()}")

    def sample(self, sample: Sample, spent_usd: Decimal) -> None:
        self._count.add(sample, spent_usd)

    def throttled(self, reason: str, wait_s: float) -> None:
        self._say(f"throttled ({reason}), waiting {wait_s:.1f} s")

    def _say(self, text: str) -> None:
        _print(self._console, text)


class EachInvocation:
    """Another observer with a line for each version and invocation: above a bar, between the lines of a log."""

    def __init__(self, within: Observer, console: Console) -> None:
        self._within = within
        self._console = console

    def phase(self, name: str) -> None:
        self._within.phase(name)

    def published(self, cell: Cell, version: str) -> None:
        self._within.published(cell, version)
        _print(self._console, version_line(cell, version))

    def block_started(self, block: Block) -> None:
        self._within.block_started(block)

    def sample(self, sample: Sample, spent_usd: Decimal) -> None:
        self._within.sample(sample, spent_usd)
        _print(self._console, invocation_line(sample))

    def throttled(self, reason: str, wait_s: float) -> None:
        self._within.throttled(reason, wait_s)


def _print(console: Console, text: str) -> None:
    console.print(plain(text), markup=False, highlight=False, soft_wrap=True)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[words]}", markup=False),
        console=console,
        transient=True,
        refresh_per_second=8,
    )
