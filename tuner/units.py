"""Units once, at the border: how quantities are written for people, and read from the command line."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation

from tuner.errors import UsageError


def format_ms(value_ms: float) -> str:
    """A duration with three significant digits: ``8.40 ms``, ``236 ms``, ``2.10 s``, ``12.3 min``."""
    if value_ms < 1000:
        return f"{_three_digits(value_ms)} ms"
    if value_ms < 120_000:
        return f"{_three_digits(value_ms / 1000)} s"
    return f"{_three_digits(value_ms / 60_000)} min"


def format_signed_ms(value_ms: float) -> str:
    """A difference of durations: ``+38.0 ms``, ``-1.20 s``."""
    return f"{'-' if value_ms < 0 else '+'}{format_ms(abs(value_ms))}"


def format_bytes(number: int) -> str:
    """An amount of data by powers of ten: ``830 B``, ``12.4 MB``, ``3.10 GB``."""
    size = float(number)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{_three_digits(size)} {unit}"
        size /= 1000
    return f"{_three_digits(size)} GB"


def format_usd(value: Decimal | float) -> str:
    """An amount that never rounds a real cost to nothing: ``$4.17``, ``$0.10``, ``$0.0031``, ``$0.00000021``."""
    amount = float(value)
    if amount == 0:
        return "$0"
    if amount >= 0.095:
        return f"${amount:,.2f}"
    return f"${Decimal(f'{amount:.2g}'):f}"


def format_ratio(ratio: float) -> str:
    """A ratio as a signed percentage against 1: ``-12.4 %``, ``+3.0 %``."""
    percent = round((ratio - 1) * 100, 1)
    return f"{percent or 0.0:+.1f} %"


def format_probability(probability: float) -> str:
    """A probability in whole per cent, rounded down and never certainty: ``89 %``, ``> 99 %``, ``< 1 %``.

    Rounded down, so that 89.6 % does not read as the 90 % that were asked for.
    """
    if probability > 0.99:
        return "> 99 %"
    percent = math.floor(probability * 100 + 1e-9)
    return f"{percent} %" if percent >= 1 else "< 1 %"


def format_share(share: float) -> str:
    """A share that somebody chose or counted, with up to three digits: ``5 %``, ``2.5 %``, ``0.13 %``."""
    return f"{share * 100:.3g} %"


def format_seconds(seconds: float) -> str:
    """A span of time for progress: ``8 s``, ``2 min 05 s``."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02d} s"


def parse_percent(text: str) -> float:
    """``5%``, ``5 %`` or ``0.05`` -> 0.05."""
    stripped = text.strip()
    number = stripped.removesuffix("%").strip()
    try:
        value = float(number)
    except ValueError:
        raise UsageError(f"{text!r} is not a percentage.", hint="Write it like 5% or 0.05.") from None
    value = value / 100 if stripped.endswith("%") else value
    if not 0 <= value < 1:
        raise UsageError(f"{text!r} is outside 0% to 99%.", hint="Write it like 5% or 0.05.")
    return value


def parse_seconds(text: str) -> float:
    """``500ms``, ``90s``, ``5m``, ``1h``, ``7d`` or seconds without a unit."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?\s*", text)
    if match is None:
        raise UsageError(f"{text!r} is not a span of time.", hint="Write it like 90s, 5m or 1h.")
    return float(match[1]) * {"ms": 0.001, "s": 1, None: 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}[match[2]]


def parse_usd(text: str) -> Decimal:
    """``$0.05`` or ``0.05`` -> Decimal("0.05")."""
    try:
        value = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        raise UsageError(f"{text!r} is not an amount of money.", hint="Write it like $0.05.") from None
    if not value.is_finite() or value < 0:
        raise UsageError(f"{text!r} is not an amount that can be spent.", hint="Write it like $0.05.")
    return value


def _three_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
