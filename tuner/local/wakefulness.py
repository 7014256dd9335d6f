"""Cores that do not fall asleep while calls are made.

A throttled handler, and a caller between two waves, leave the cores idle again and again. A core that sleeps is slow
for a while after it wakes, by how long it slept: 8 runs of sha256sum at 493 MB took 288 to 364 ms where awake cores
take 211 to 251. Lambda's workers have other guests, and no time to sleep. Linux lets whoever may write to
/dev/cpu_dma_latency (root, usually) say how long waking up may take (Documentation/power/pm_qos_interface.rst); at 0
idle cores wait in a loop. The wish holds as long as the file is open, so nothing is left behind by a server that is
killed.
"""

from __future__ import annotations

import contextlib
import os
import struct
from functools import cached_property
from pathlib import Path

LATENCY_DEVICE = Path("/dev/cpu_dma_latency")

PATIENCE_S = 5.0
"""Cores that nobody calls any more may sleep after this: waiting in a loop costs power."""


class Wakefulness:
    """Asked for at each call, given up when no call has been made for a while."""

    def __init__(self, device: Path = LATENCY_DEVICE) -> None:
        self._device = device
        self._open: int | None = None
        self._asked_at_s = 0.0

    @cached_property
    def possible(self) -> bool:
        """Whether this user may keep the cores awake. Tried, as a container may refuse what the rights of the file
        allow. It says nothing of a kernel that has no say in it itself."""
        try:
            os.close(os.open(self._device, os.O_WRONLY))
        except OSError:
            return False
        return True

    def ask(self, now_s: float) -> None:
        """From now on, where that is possible."""
        self._asked_at_s = now_s
        if self._open is None and self.possible:
            with contextlib.suppress(OSError):
                self._open = os.open(self._device, os.O_WRONLY)
                os.write(self._open, struct.pack("i", 0))

    def give_up_after_a_while(self, now_s: float) -> None:
        if now_s - self._asked_at_s >= PATIENCE_S:
            self.give_up()

    def give_up(self) -> None:
        if self._open is not None:
            os.close(self._open)
            self._open = None
