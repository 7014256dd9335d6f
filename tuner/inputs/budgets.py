"""Budgets and rules of a gate, as they stand in ``tuner.toml``: a mapping in, frozen values out.

::

    [functions.checkout.budget]
    p95 = "<= 250ms"
    cost_per_million = "<= $4.20"
    init_p50 = { limit = "<= 400ms", level = "warn" }
    errors = { limit = "<= 0.1%", acknowledged = "upstream is flaky, ABC-12", until = 2027-01-31 }

    [functions.checkout.regression]
    duration = "5%"
    init = { margin = "10%", level = "error" }
    max_memory = "off"

Levels are off, warn and error. An acknowledgement excuses a finding until its date, without moving the limit.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from tuner.errors import UsageError
from tuner.model import DEFAULT_RULES, Acknowledgement, BudgetLimit, BudgetQuantity, Level, Metric, MetricRule
from tuner.units import parse_percent, parse_seconds, parse_usd

E = TypeVar("E", bound=StrEnum)

_LIMIT_KEYS = ("limit", "level", "acknowledged", "until")
_RULE_KEYS = ("margin", "level", "acknowledged", "until")
_AT_MOST = re.compile(r"\s*(?:<=|≤)?\s*(?P<amount>[^<>=≤≥\s].*?)\s*")
_MEGABYTES = re.compile(r"(\d+(?:\.\d+)?)\s*(?:MB|MiB)?", re.IGNORECASE)
_DURATION = re.compile(r"\d+(?:\.\d+)?\s*(?:ms|s|m|min)")


def read_budgets(table: Mapping[str, object]) -> tuple[BudgetLimit, ...]:
    """The limits of a ``budget`` table. UsageError for the first key or value that cannot be used."""
    return tuple(_limit(key, value) for key, value in table.items())


def read_rules(table: Mapping[str, object]) -> tuple[MetricRule, ...]:
    """The rules of a ``regression`` table; metrics that it does not name keep their default."""
    given = {rule.metric: rule for rule in (_rule(key, value) for key, value in table.items())}
    return tuple(given.get(rule.metric, rule) for rule in DEFAULT_RULES)


def _limit(key: str, value: object) -> BudgetLimit:
    quantity, where = _member(BudgetQuantity, key, what="budget"), f"budget {key}"
    fields = _fields(value, "limit", _LIMIT_KEYS, where)
    if "limit" not in fields:
        raise UsageError(f"The {where} has no limit.", hint=f"Write it like {_example(quantity)}.")
    return BudgetLimit(
        quantity=quantity,
        at_most=_amount(quantity, fields["limit"]),
        level=_level(fields.get("level", "error"), where),
        acknowledgement=_acknowledgement(fields, where),
    )


def _rule(key: str, value: object) -> MetricRule:
    metric, where = _member(Metric, key, what="metric"), f"metric {key}"
    if isinstance(value, str) and value in set(Level):
        value = {"level": value}
    fields = _fields(value, "margin", _RULE_KEYS, where)
    usual = next(rule for rule in DEFAULT_RULES if rule.metric is metric)
    # Whoever gives a margin wants it to be judged.
    level = fields.get("level", Level.ERROR if "margin" in fields and usual.level is Level.OFF else usual.level)
    return MetricRule(
        metric=metric,
        level=_level(level, where),
        margin=None if "margin" not in fields else _share(fields["margin"], where),
        acknowledgement=_acknowledgement(fields, where),
    )


def _fields(value: object, short: str, known: tuple[str, ...], where: str) -> Mapping[str, object]:
    """A table as it is, and a bare value as that of its most important key."""
    if not isinstance(value, Mapping):
        return {short: value}
    for key in value:
        if key not in known:
            raise unknown_key(str(key), known, where)
    return value


def unknown_key(key: str, known: Iterable[str], where: str) -> UsageError:
    """An error with the nearest key that there is."""
    names = sorted(known)
    near = difflib.get_close_matches(key, names, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}."
    return UsageError(f"{key!r} is unknown ({where}).", hint=hint)


def _member(kind: type[E], key: str, *, what: str) -> E:
    try:
        return kind(key)
    except ValueError:
        raise unknown_key(key, [member.value for member in kind], what) from None


def _amount(quantity: BudgetQuantity, value: object) -> float:
    """In the unit of the quantity: ms, USD per million calls, MB, or a share."""
    match = _AT_MOST.fullmatch(str(value))
    example = _example(quantity)
    if match is None or isinstance(value, bool):
        raise UsageError(f"{value!r} is no limit of {quantity.value}.", hint=f"Write it like {example}.")
    try:
        return _read(quantity, match["amount"])
    except (UsageError, ValueError):
        raise UsageError(f"{value!r} is no limit of {quantity.value}.", hint=f"Write it like {example}.") from None


def _read(quantity: BudgetQuantity, text: str) -> float:
    if quantity is BudgetQuantity.COST_PER_MILLION:
        return float(parse_usd(text))
    if quantity is BudgetQuantity.ERRORS:
        return parse_percent(text)
    if quantity is BudgetQuantity.MAX_MEMORY_USED:
        match = _MEGABYTES.fullmatch(text)
        if match is None:
            raise ValueError(text)
        return float(match[1])
    if _DURATION.fullmatch(text) is None:  # 250 alone might mean ms or s
        raise ValueError(text)
    return parse_seconds(text) * 1000


def _example(quantity: BudgetQuantity) -> str:
    example = {
        BudgetQuantity.COST_PER_MILLION: "<= $4.20",
        BudgetQuantity.ERRORS: "<= 0.1%",
        BudgetQuantity.MAX_MEMORY_USED: "<= 200MB",
    }.get(quantity, "<= 250ms")
    return f'{quantity.value} = "{example}"'


def _share(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (str, float, int)):
        raise UsageError(f"{value!r} is no margin ({where}).", hint='Write it like "5%" or 0.05.')
    return parse_percent(str(value))


def _level(value: object, where: str) -> Level:
    try:
        return Level(str(value))
    except ValueError:
        raise unknown_key(str(value), [level.value for level in Level], f"level of {where}") from None


def _acknowledgement(fields: Mapping[str, Any], where: str) -> Acknowledgement | None:
    reason, until = fields.get("acknowledged"), fields.get("until")
    if reason is None and until is None:
        return None
    if not isinstance(reason, str) or not reason.strip() or until is None:
        raise UsageError(
            f"The acknowledgement of {where} lacks its {'date' if reason else 'reason'}.",
            hint='Write both: acknowledged = "why", until = 2027-01-31.',
        )
    return Acknowledgement(reason=reason, expires=_day(until, where))


def _day(value: object, where: str) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    try:
        return (value if isinstance(value, date) else date.fromisoformat(str(value))).isoformat()
    except ValueError:
        raise UsageError(f"{value!r} is no day (until, {where}).", hint="Write it like 2027-01-31.") from None
