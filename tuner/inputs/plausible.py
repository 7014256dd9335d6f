"""Numbers of stored files that can be numbers of tuner: finite, of a size that can be printed and computed with.

Types say that a duration is a number; not that ``1e300`` ms would overflow in the next sum, or that writing out the
price ``1E+999999999`` takes a gigabyte.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tuner import codec
from tuner.errors import UsageError

LARGEST = 10**15
"""Milliseconds since 1970 have thirteen digits; nothing that is measured here has more."""
SMALLEST = Decimal("1e-30")
LARGEST_MB = 10**6
MOST_CHARACTERS = 100_000
_UPSIDE_DOWN = object()


def check_plausible(value: object, what: str) -> None:
    """UsageError, with the place, for the first number or text in ``value`` that cannot be meant."""
    for where, found in _leaves(codec.to_builtins(value)):
        why = _implausible(where, found)
        if why is not None:
            raise UsageError(
                f"{what} is damaged or was edited: {where or 'a value'} {why}.",
                hint="Take the file from where it was written, or run the measurement again.",
            )


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Every number and text with the name that it has, or its list has."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        name, node = waiting.pop()
        if isinstance(node, dict):
            if _is_upside_down(node):
                yield name, _UPSIDE_DOWN
            waiting.extend((str(key), child) for key, child in node.items())
        elif isinstance(node, list | tuple):
            waiting.extend((name, child) for child in node)
        else:
            yield name, node


def _is_upside_down(node: dict[str, Any]) -> bool:
    """Whether an estimate's interval ends below where it begins."""
    low, high = node.get("low"), node.get("high")
    return isinstance(low, int | float) and isinstance(high, int | float) and low > high


def _implausible(name: str, value: object) -> str | None:
    if value is _UPSIDE_DOWN:
        return "has an interval that ends below where it begins"
    if isinstance(value, str):
        return "is too long a text" if len(value) > MOST_CHARACTERS else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return _absurd(name, value)


def _absurd(name: str, value: float | Decimal) -> str | None:
    # A NaN is on neither side of a limit; one that is a Decimal refuses to be compared at all.
    if (isinstance(value, Decimal) and not value.is_finite()) or not -LARGEST < value < LARGEST:
        return "is not a number that can be measured"
    if isinstance(value, Decimal) and value and abs(value) < SMALLEST:
        return "is too small to be a price or a cost"
    if name.endswith("_mb") and not 0 <= value <= LARGEST_MB:
        return f"is {value}, which is no memory size"
    return None
