"""A rest between two waves on the same version."""

from __future__ import annotations

import asyncio
from time import monotonic

REST_S = 0.07
"""More than three periods of the CPU quota (20 ms on Lambda): then a call finds a full quota, and the next one comes
a whole period later. On the heels of another it gets what that one left: on the embedded Lambda 17 ms of CPU at 774
MB took 37 ms instead of 28. In production calls hardly ever come so close on one environment; and a search, which
calls some sizes again and again, would compare busy sizes with rested ones."""


class Rests:
    def __init__(self) -> None:
        self._until_s: dict[tuple[str, str], float] = {}

    def begin(self, function: str, version: str) -> None:
        """A wave on this version is over."""
        self._until_s[function, version] = monotonic() + REST_S

    def left_s(self, function: str, version: str) -> float:
        """Seconds until the environments of this version have rested."""
        return max(0.0, self._until_s.get((function, version), 0.0) - monotonic())

    async def end(self, function: str, version: str) -> None:
        await asyncio.sleep(self.left_s(function, version))
