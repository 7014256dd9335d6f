"""How true the CPU limit is on this machine now: a process that does nothing but compute, timed at known sizes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tuner.local.admission import cpu_share
from tuner.local.processes import Reaper
from tuner.local.throttle.cage import PERIOD_US, Throttle
from tuner.local.throttle.unlimited import Unlimited

SIZES_MB = (128, 512)
MOST_ERROR_PERCENT = 10.0
"""Beyond this a verdict from this machine is not to be trusted."""

_PERIODS = 14
_LIMIT_S = 1.5
_SCRIPT = Path(__file__).with_name("burn.py")


@dataclass(frozen=True, slots=True)
class SizeError:
    """By how much a CPU-bound handler of this size takes longer (+) or shorter (-) than memory / 1769 says."""

    memory_mb: int
    error_percent: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """``sizes`` is empty where nothing could be measured: CPU is not limited, or the burner never was held back."""

    sizes: tuple[SizeError, ...]

    @property
    def trustworthy(self) -> bool:
        known = len(self.sizes) == len(SIZES_MB)
        return known and max(abs(size.error_percent) for size in self.sizes) <= MOST_ERROR_PERCENT

    def as_json(self) -> dict[str, Any]:
        return {
            "sizes": [asdict(size) for size in self.sizes],
            "most_error_percent": MOST_ERROR_PERCENT,
            "trustworthy": self.trustworthy,
        }


async def calibrate(throttle: Throttle, reaper: Reaper, folder: Path) -> Calibration:
    """Takes about a second. One size after the other: together they would disturb each other.

    Without a limit nothing is measured: what holds the burner back there is the load of the machine, which may
    look like a limit by chance.
    """
    if isinstance(throttle, Unlimited):
        return Calibration(())
    errors = []
    for memory_mb in SIZES_MB:
        share = await _measured_share(throttle, reaper, folder, memory_mb)
        if share is not None:
            errors.append(SizeError(memory_mb, round(100 * (cpu_share(memory_mb) / share - 1), 2)))
    return Calibration(tuple(errors))


async def _measured_share(throttle: Throttle, reaper: Reaper, folder: Path, memory_mb: int) -> float | None:
    cage = throttle.cage(f"calibration-{memory_mb}", memory_mb)
    read_end, write_end = os.pipe()
    mark = f"TUNER_LOCAL_CALIBRATION={memory_mb}"
    name, _, value = mark.partition("=")
    cage.limit_cpu(cpu_share(memory_mb))
    try:
        child = reaper.spawn(
            (sys.executable, "-S", "-E", str(_SCRIPT), str(_PERIODS), str(PERIOD_US)),
            cwd=folder,
            environment={name: value},
            output=write_end,
            procs_files=cage.procs_files,
        )
        cage.watch(child.pid, mark.encode())
        await cage.begin_work()
        await asyncio.wait([child.exited], timeout=_LIMIT_S)
    finally:
        os.close(write_end)
        cage.end_work()
        await cage.close()
        with open(read_end, "rb") as stream:  # noqa: ASYNC230, PTH123 - a pipe whose writers are gone
            said = stream.read()
    return _share(said)


def _share(said: bytes) -> float | None:
    try:
        cpu_s, wall_s = json.loads(said)
    except (ValueError, TypeError):
        return None
    return float(cpu_s / wall_s) if wall_s else None
