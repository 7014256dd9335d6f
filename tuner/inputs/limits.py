"""Limits as they are typed: ``p95<=250ms``, ``mean <= 1.5s``, ``$4.20`` for a million calls."""

from __future__ import annotations

import re

from tuner.errors import UsageError
from tuner.model import DurationLimit, Statistic
from tuner.units import parse_seconds, parse_usd

_LIMIT = re.compile(
    r"\s*(?P<statistic>[a-z0-9]+)\s*(?:<=|≤|<)\s*(?P<span>[0-9.]+\s*(?:ms|s|m|min|h))\s*", re.IGNORECASE
)
_HINT = "Write it like 'p95<=250ms', with mean, p50, p95 or p99, in quotes because of the sign."


def parse_duration_limit(text: str) -> DurationLimit:
    """``p95<=250ms`` -> the limit in ms. UsageError for anything else, also for a span without a unit."""
    match = _LIMIT.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no limit of a duration.", hint=_HINT)
    names = {statistic.value: statistic for statistic in Statistic}
    statistic = names.get(match["statistic"].lower())
    if statistic is None:
        raise UsageError(f"{match['statistic']!r} is nothing that a duration can be limited by.", hint=_HINT)
    limit_ms = parse_seconds(match["span"].lower()) * 1000
    if limit_ms <= 0:
        raise UsageError("No call takes 0 ms.", hint=_HINT)
    return DurationLimit(statistic=statistic, limit_ms=limit_ms)


def parse_cost_limit(text: str) -> float:
    """``$4.20`` -> 4.2 USD for a million calls."""
    limit_usd = float(parse_usd(text))
    if limit_usd <= 0:
        raise UsageError("A million calls cost more than nothing.", hint="Write it like '$4.20'.")
    return limit_usd
