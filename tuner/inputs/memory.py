"""The grammar of ``--memory``: which sizes a run may use.

::

    selection = part { "," part }
    part      = size | size ".." size [ ":" step ]
    size      = digits [ "MB" ]           step likewise; spaces are free

A range without a step allows every size in it; a range with a step allows only the steps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tuner.errors import MemoryRangeError
from tuner.limits import LARGEST_MB, SMALLEST_MB
from tuner.model import FULL_VCPU_MB

LANDMARKS_MB = (128, 256, 512, 1024, FULL_VCPU_MB, 2048, 3008, 4096, 5308, 8192, 8846, 10_240)
"""Sizes worth measuring in a range that names none: powers of two for the slope of the curve, and the sizes at which
its shape can change. CPU grows with memory up to one full vCPU at 1,769 MB; from there single-threaded code gains
nothing more. 3,008 MB is the limit of new accounts and of two visible cores; at 5,308 and 8,846 MB the fourth and
sixth core appear (AWS Lambda developer guide, "Configure memory"; core counts published by rwnx/lambda-cpuinfo)."""

_PART = re.compile(
    r"\s*+(?P<low>[0-9]++)\s*+(?:MB)?\s*+(?:\.\.\s*+(?P<high>[0-9]++)\s*+(?:MB)?\s*+"
    r"(?P<colon>:\s*+(?P<step>[0-9]++)\s*+(?:MB)?\s*+)?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MemorySelection:
    """The sizes a run may use, in MB.

    ``sizes`` is the list for measuring fixed sizes, ascending, each once: what was named, every step of a stepped
    range (its end only if a step falls on it), and of a range without step its ends and the landmarks inside.
    ``ranges`` are (low, high, step) as written, for a search that may use any size a range allows; a single size is
    a range of itself, and the step is None where none was given.
    """

    sizes: tuple[int, ...]
    ranges: tuple[tuple[int, int, int | None], ...]
    text: str


def parse_memory(text: str, *, minimum_mb: int = SMALLEST_MB, maximum_mb: int = LARGEST_MB) -> MemorySelection:
    """Read ``128..3008``, ``128..3008:64``, ``128,256,512``, ``512`` and mixtures; MemoryRangeError otherwise."""
    limits = _Limits(minimum_mb, maximum_mb)
    if not text.strip():
        raise limits.error("No memory size was given.")
    ranges = tuple(_parse_part(part, limits) for part in text.split(","))
    return MemorySelection(sizes=_sizes(ranges), ranges=ranges, text=text)


@dataclass(frozen=True, slots=True)
class _Limits:
    low_mb: int
    high_mb: int

    def error(self, message: str) -> MemoryRangeError:
        return MemoryRangeError(
            message,
            hint="Write --memory like 128..3008, 128..3008:64, 128,256,512 or 512, "
            f"with whole sizes from {self.low_mb} to {self.high_mb} MB.",
        )

    def size(self, digits: str) -> int:
        # Longer digits are outside every limit, and Python refuses to read thousands of them.
        value = int(digits) if len(digits) <= 9 else None
        if value is None or not self.low_mb <= value <= self.high_mb:
            raise self.error(f"{_shown(digits)} MB is outside {self.low_mb} to {self.high_mb} MB.")
        return value


def _parse_part(part: str, limits: _Limits) -> tuple[int, int, int | None]:
    if not part.strip():
        raise limits.error("There is nothing before or after a comma.")
    match = _PART.fullmatch(part)
    if match is None:
        raise limits.error(f"{_shown(part.strip())!r} is not a memory size or range.")
    low = limits.size(match["low"])
    if match["high"] is None:
        return low, low, None
    high = limits.size(match["high"])
    if low > high:
        raise limits.error(f"The range {low}..{high} is reversed: the smaller size comes first.")
    return low, high, _step(match["step"], limits)


def _step(digits: str | None, limits: _Limits) -> int | None:
    if digits is None:
        return None
    if not digits.strip("0"):
        raise limits.error("A step of 0 MB never ends.")
    if len(digits) > 9 or int(digits) > limits.high_mb:
        raise limits.error(f"A step of {_shown(digits)} MB is larger than the largest size.")
    return int(digits)


def _sizes(ranges: tuple[tuple[int, int, int | None], ...]) -> tuple[int, ...]:
    sizes: set[int] = set()
    for low, high, step in ranges:
        if step is None:
            sizes |= {low, high, *(size for size in LANDMARKS_MB if low < size < high)}
        else:
            sizes.update(range(low, high + 1, step))
    return tuple(sorted(sizes))


def _shown(text: str) -> str:
    """Enough of the user's words to recognise them, on one line."""
    return text if len(text) <= 40 else text[:39] + "…"
