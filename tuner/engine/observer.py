"""What a run tells whoever watches it. The terminal's progress is one observer; tests have another."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from tuner.model import Block, Cell, Sample


class Observer(Protocol):
    def phase(self, name: str) -> None:
        """The run enters a phase, in words for people: ``publishing 512 MB``."""

    def published(self, cell: Cell, version: str) -> None: ...

    def block_started(self, block: Block) -> None: ...

    def sample(self, sample: Sample, spent_usd: Decimal) -> None: ...

    def throttled(self, reason: str, wait_s: float) -> None: ...


class Silent:
    """An observer that looks away."""

    def phase(self, name: str) -> None:
        del name

    def published(self, cell: Cell, version: str) -> None:
        del cell, version

    def block_started(self, block: Block) -> None:
        del block

    def sample(self, sample: Sample, spent_usd: Decimal) -> None:
        del sample, spent_usd

    def throttled(self, reason: str, wait_s: float) -> None:
        del reason, wait_s
