"""Results of AWS Lambda Power Tuning: its visualization links and its JSON output, read and written.

The format is that of ``lambda-power-tuning.show`` (alexcasalboni/aws-lambda-power-tuning
4.4.0): ``base#S;T;C`` with S the sizes in MB as little-endian int16, T the mean durations in ms and C
the mean costs of one invocation as little-endian float32, each in base64; a comparison is
``S1;T1;C1;S2;T2;C2;name1;name2`` with URI-encoded names. Costs are in US dollars, or in yuan with ``?currency=CNY``
in front of the ``#``.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from tuner.errors import UsageError

BASE_URL = "https://lambda-power-tuning.show/"
Currency = Literal["USD", "CNY"]

LARGEST_MB = 32_767
"""Largest size that the link's int16 can hold; Lambda itself ends at 10240."""

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()")
_HASH = re.compile(r"(?:[A-Za-z0-9+/=%]+;){2}[A-Za-z0-9+/=%]+(?:;|$)")
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_HINT = "Give the whole link from the state machine's output (in quotes, because of the #), or the output as a file."


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerTuningCurve:
    """Mean duration and mean cost of one invocation at each size, exactly as published.

    What is behind a mean is not told: 20 % are trimmed off each end unless configured otherwise, the number of
    invocations, their spread, the architecture and the date are not in the format. The cost has no request price.
    """

    memory_mb: tuple[int, ...]
    duration_ms: tuple[float, ...]
    cost: tuple[float, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        if not len(self.memory_mb) == len(self.duration_ms) == len(self.cost):
            raise _unreadable("sizes, durations and costs differ in number")
        if not self.memory_mb:
            raise _unreadable("there is no size in it")
        if not all(0 < size <= LARGEST_MB for size in self.memory_mb):
            raise _unreadable("a memory size is out of range")
        if not all(math.isfinite(value) and value >= 0 for value in (*self.duration_ms, *self.cost)):
            raise _unreadable("a duration or a cost is no positive number")


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerTuningResult:
    """One curve, or two of a comparison."""

    curves: tuple[PowerTuningCurve, ...]
    currency: Currency = "USD"
    picked_mb: int | None = None
    """What its JSON output proposed; a link does not say."""


def parse_power_tuning(text: str) -> PowerTuningResult:
    """Read a link, the part of a link behind the #, or the JSON output of the state machine. UsageError otherwise."""
    stripped = text.strip()
    return _from_output(stripped) if stripped.startswith(("{", '"')) else _from_link(stripped)


def looks_like_power_tuning(text: str) -> bool:
    """Whether a command-line argument is a link or a hash rather than the name of a file."""
    return text.startswith(("https://", "http://")) or _HASH.match(text) is not None


def power_tuning_url(result: PowerTuningResult) -> str:
    """The link that shows the result: it decodes to the same int16 and float32 values."""
    parts = [part for curve in result.curves for part in _encoded(curve)]
    if len(result.curves) == 2:
        parts += [_escaped(curve.name or f"curve {number}") for number, curve in enumerate(result.curves, start=1)]
    query = "" if result.currency == "USD" else f"?currency={result.currency}"
    return f"{BASE_URL}{query}#{';'.join(parts)}"


def single_precision(value: float) -> float:
    """The value as a link holds it."""
    (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    return float(rounded)


def _from_link(text: str) -> PowerTuningResult:
    address, _, fragment = text.rpartition("#")
    currency: Currency = "CNY" if re.search(r"[?&]currency=CNY(?:&|$)", address) else "USD"
    parts = [_unescaped(part) for part in fragment.split(";")]
    if len(parts) == 3:  # S;T;C
        return PowerTuningResult(curves=(_decoded(parts, None),), currency=currency)
    if len(parts) == 8:  # two of them and two names
        curves = (_decoded(parts[:3], parts[6]), _decoded(parts[3:6], parts[7]))
        return PowerTuningResult(curves=curves, currency=currency)
    raise _unreadable(f"it has {len(parts)} parts between semicolons, not 3 or 8")


class _Stat(msgspec.Struct):
    value: int
    average_duration: float = msgspec.field(name="averageDuration")
    average_price: float = msgspec.field(name="averagePrice")


class _StateMachine(msgspec.Struct):
    visualization: str | None = None


class _Output(msgspec.Struct):
    power: int | str | None = None
    stats: list[_Stat] = msgspec.field(default_factory=list)
    state_machine: _StateMachine | None = msgspec.field(name="stateMachine", default=None)


def _from_output(text: str) -> PowerTuningResult:
    output = _decoded_output(text)
    link = output.state_machine.visualization if output.state_machine else None
    linked = _from_link(link) if link else None
    picked = int(output.power) if output.power else None
    if output.stats:
        stats = sorted(output.stats, key=lambda stat: stat.value)
        curve = PowerTuningCurve(
            memory_mb=tuple(stat.value for stat in stats),
            duration_ms=tuple(stat.average_duration for stat in stats),
            cost=tuple(stat.average_price for stat in stats),
        )
        return PowerTuningResult(curves=(curve,), currency=linked.currency if linked else "USD", picked_mb=picked)
    if linked is None:
        raise _unreadable("the output has neither stats nor a visualization link")
    return PowerTuningResult(curves=linked.curves, currency=linked.currency, picked_mb=picked)


def _decoded_output(text: str) -> _Output:
    """The output; Step Functions shows it as an object, some tools as that object in a string."""
    try:
        value: Any = msgspec.json.decode(text)
        value = msgspec.json.decode(value) if isinstance(value, str) else value
        output = msgspec.convert(value, _Output, strict=False)
        int(output.power or 0)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _unreadable(str(error)) from error
    return output


def _decoded(parts: Sequence[str], name: str | None) -> PowerTuningCurve:
    sizes, durations, costs = (_bytes(part) for part in parts)
    if len(sizes) % 2 or len(durations) % 4 or len(costs) % 4:
        raise _unreadable("a part is cut off")
    return PowerTuningCurve(
        memory_mb=struct.unpack(f"<{len(sizes) // 2}h", sizes),
        duration_ms=struct.unpack(f"<{len(durations) // 4}f", durations),
        cost=struct.unpack(f"<{len(costs) // 4}f", costs),
        name=name,
    )


def _bytes(part: str) -> bytes:
    try:
        return base64.b64decode(part, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unreadable("a part is not base64") from error


def _encoded(curve: PowerTuningCurve) -> tuple[str, str, str]:
    count = len(curve.memory_mb)
    try:
        packed = (
            struct.pack(f"<{count}h", *curve.memory_mb),
            struct.pack(f"<{count}f", *curve.duration_ms),
            struct.pack(f"<{count}f", *curve.cost),
        )
    except OverflowError as error:
        raise UsageError(
            "A value does not fit into the 32 bits of a Power Tuning link.", hint="Share the report as .html or .md."
        ) from error
    sizes, durations, costs = (base64.b64encode(part).decode() for part in packed)
    return sizes, durations, costs


def _escaped(name: str) -> str:
    """As JavaScript's encodeURIComponent does it."""
    return "".join(
        character if character in _UNRESERVED else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in name.encode("utf-8", "replace").decode()
    )


def _unescaped(text: str) -> str:
    return _ESCAPES.sub(lambda found: bytes.fromhex(found.group().replace("%", "")).decode("utf-8", "replace"), text)


def _unreadable(why: str) -> UsageError:
    return UsageError(f"This is no result of AWS Lambda Power Tuning: {why}.", hint=_HINT)
