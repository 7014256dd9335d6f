"""The machine under the embedded Lambda: what it can measure honestly, and what a report must say about it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from tuner.limits import LARGEST_MB
from tuner.model import FULL_VCPU_MB


@dataclass(frozen=True, slots=True)
class Host:
    cores: int
    cpu_model: str
    architecture: str
    """As Lambda names it: x86_64 or arm64."""

    @property
    def max_measurable_memory_mb(self) -> int:
        """Above this a function would need more cores than there are, and its duration would say nothing."""
        return min(self.cores * FULL_VCPU_MB, LARGEST_MB)

    @classmethod
    def current(cls) -> Host:
        return cls(cores=usable_cores(), cpu_model=_cpu_model(), architecture=architecture())


def usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def architecture() -> str:
    machine = platform.machine().lower()
    return "arm64" if machine in ("arm64", "aarch64") else "x86_64"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()
