"""What a run shows while it goes on: by default a line a block, with --verbose one an invocation as well."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal

from rich.console import Console

from tests.unit.render.test_invocation import COLD
from tuner.cli.progress import EachInvocation
from tuner.engine.observer import Silent
from tuner.model import Architecture, Block, Cell, Sample, Wave


class Remembering(Silent):
    """An observer that knows what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def phase(self, name: str) -> None:
        self.told.append(name)

    def published(self, cell: Cell, version: str) -> None:
        self.told.append((cell, version))

    def block_started(self, block: Block) -> None:
        self.told.append(block)

    def sample(self, sample: Sample, spent_usd: Decimal) -> None:
        self.told.append((sample, spent_usd))

    def throttled(self, reason: str, wait_s: float) -> None:
        self.told.append((reason, wait_s))


def test_a_line_a_version_and_an_invocation_is_added_and_nothing_kept_from_the_other_observer() -> None:
    out, other = io.StringIO(), Remembering()
    cell = Cell(512, Architecture.X86_64)
    block = Block(number=1, waves=(Wave(cell=cell, size=1),))
    each = EachInvocation(other, Console(file=out, width=40))
    each.phase("publishing")
    each.published(cell, "7")
    each.block_started(block)
    each.sample(COLD, Decimal("0.01"))
    each.throttled("TooManyRequests", 0.5)
    assert other.told == ["publishing", (cell, "7"), block, (COLD, Decimal("0.01")), ("TooManyRequests", 0.5)]
    versions, invocations = out.getvalue().splitlines()
    assert versions == "512 MB x86_64 is version 7"
    assert invocations.endswith("request 4b1c2d3e")


def test_brackets_in_the_name_of_an_error_are_no_markup() -> None:
    out = io.StringIO()
    EachInvocation(Silent(), Console(file=out)).sample(replace(COLD, error_type="[red]Bad[/red]"), Decimal(0))
    assert "[red]Bad[/red]" in out.getvalue()
