"""Fault plans: which calls of the embedded Lambda go wrong, and how. Pure: parsing and choosing, no effects.

A plan is a JSON file. Without one nothing is ever injected, and ``/tuner/about`` lists the rules that are active::

    {
      "seed": 1,
      "faults": [
        {"fault": "throttle", "operation": "Invoke", "calls": "3-7"},
        {"fault": "error", "operation": "PublishVersion", "calls": [2], "status": 503},
        {"fault": "drop", "operation": "PublishVersion", "calls": [1], "when": "after"},
        {"fault": "conflict", "operation": "UpdateFunctionConfiguration", "probability": 0.3, "limit": 5},
        {"fault": "expired-credentials", "operation": "*", "calls": "20-"}
      ]
    }

Every rule has

``fault``        one of the kinds below
``operation``    a name of the Lambda API (``Invoke``, ``PublishVersion``, ...) or ``*``, the default
``calls``        which calls of that operation, counted from 1: ``[1, 4]``, ``"3-7"``, ``"5-"``; all by default.
                 Each rule counts for itself: with ``*`` it counts every call of the API
``probability``  instead of, or on top of, ``calls``: the share of those calls, drawn with ``seed`` and the rule's
                 position in the plan; the same plan meets the same call numbers, in every run
``limit``        the rule ends after this many faults

and the options of its kind:

``throttle``             429 TooManyRequestsException, not executed. ``reason``, ``retry_after_s`` (null: no header)
``error``                ``status`` 500 (default), 502, 503 or 504. ``when``: ``before`` or ``after`` the execution
``latency``              answers ``ms`` later. ``when``: waits ``before`` or ``after`` the execution
``drop``                 closes the connection without an answer. ``when``: ``before`` or ``after`` the execution
``truncated-tail``       Invoke: only the last ``keep_bytes`` of the log tail (40 cuts a REPORT line)
``missing-tail``         Invoke: no X-Amz-Log-Result at all
``slow-settle``          what the call created or changed stays Pending or InProgress for ``ms`` longer
``conflict``             ``status`` 409 (an update is in progress) or 412 (the revision id is stale), not executed
``expired-credentials``  403 ExpiredTokenException, not executed
``foreign-deployment``   somebody else changes the function just before the call is executed. ``change``:
                         ``memory`` (to ``memory_mb``), ``code``, ``publish`` (of ``$LATEST`` as it is) or ``delete``

Where several rules meet one call, all of them happen, in the order of the plan; the first refusal ends it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Literal

from tuner.errors import UsageError
from tuner.inputs.files import LARGEST_SETTINGS_BYTES, UnreadableFileError, read_bounded
from tuner.inputs.strict_json import parse_json

ANY = "*"
_MOST_DIGITS = 18
When = Literal["before", "after"]


class PlanError(ValueError):
    """A member of a plan that cannot be meant; the message names the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    kind: ClassVar[str] = "throttle"
    reason: str = "ConcurrentInvocationLimitExceeded"
    retry_after_s: int | None = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    kind: ClassVar[str] = "error"
    allowed: ClassVar[dict[str, tuple[object, ...]]] = {"status": (500, 502, 503, 504), "when": ("before", "after")}
    status: int = 500
    when: When = "before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    kind: ClassVar[str] = "latency"
    allowed: ClassVar[dict[str, tuple[object, ...]]] = {"when": ("before", "after")}
    ms: float = 100.0
    when: When = "before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    kind: ClassVar[str] = "drop"
    allowed: ClassVar[dict[str, tuple[object, ...]]] = {"when": ("before", "after")}
    when: When = "before"


@dataclass(frozen=True, slots=True, kw_only=True)
class TruncatedTail:
    kind: ClassVar[str] = "truncated-tail"
    keep_bytes: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingTail:
    kind: ClassVar[str] = "missing-tail"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowSettle:
    kind: ClassVar[str] = "slow-settle"
    ms: float = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    kind: ClassVar[str] = "conflict"
    allowed: ClassVar[dict[str, tuple[object, ...]]] = {"status": (409, 412)}
    status: int = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredCredentials:
    kind: ClassVar[str] = "expired-credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignDeployment:
    kind: ClassVar[str] = "foreign-deployment"
    allowed: ClassVar[dict[str, tuple[object, ...]]] = {"change": ("memory", "code", "publish", "delete")}
    change: str = "memory"
    memory_mb: int = 999


Fault = (
    Throttle
    | Error
    | Latency
    | Drop
    | TruncatedTail
    | MissingTail
    | SlowSettle
    | Conflict
    | ExpiredCredentials
    | ForeignDeployment
)
_KINDS: dict[str, type[Fault]] = {
    kind.kind: kind
    for kind in (
        *(Throttle, Error, Latency, Drop, TruncatedTail, MissingTail),
        *(SlowSettle, Conflict, ExpiredCredentials, ForeignDeployment),
    )
}


@dataclass(frozen=True, slots=True)
class CallNumbers:
    """Which calls of an operation, counted from 1. ``last`` None means: and all that follow."""

    ranges: tuple[tuple[int, int | None], ...] = ((1, None),)

    def __contains__(self, number: int) -> bool:
        return any(first <= number and (last is None or number <= last) for first, last in self.ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    fault: Fault
    operation: str = ANY
    calls: CallNumbers = field(default_factory=CallNumbers)
    probability: float = 1.0
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    rules: tuple[Rule, ...] = ()
    seed: int = 0

    def labels(self) -> tuple[str, ...]:
        """The rules in a few words each, for whoever reads a result measured under them."""
        return tuple(f"{rule.fault.kind} on {rule.operation}" for rule in self.rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A fault that a call met. ``call`` is the number of the call among those of its operation."""

    operation: str
    call: int
    fault: str


class Chooser:
    """Which faults the next call meets. One per server; its memory is what makes call numbers and limits work."""

    def __init__(self, plan: FaultPlan, operations: Iterable[str] | None = None) -> None:
        known = set(operations) | {ANY} if operations is not None else None
        unknown = sorted({rule.operation for rule in plan.rules if known is not None and rule.operation not in known})
        if unknown:
            raise PlanError(f"there is no operation {', '.join(unknown)} here")
        self._rules = tuple(
            _Counting(rule, random.Random(f"{plan.seed}/{position}"))  # noqa: S311 - reproducible, not secret
            for position, rule in enumerate(plan.rules)
        )
        self.calls: Counter[str] = Counter()
        self.applied: list[Applied] = []

    def next(self, operation: str) -> tuple[Fault, ...]:
        """The faults of this call of ``operation``, in the order of the plan."""
        self.calls[operation] += 1
        chosen = tuple(rule.fault for rule in self._rules if rule.meets(operation))
        self.applied += [
            Applied(operation=operation, call=self.calls[operation], fault=fault.kind) for fault in chosen
        ]
        return chosen


class _Counting:
    def __init__(self, rule: Rule, chance: random.Random) -> None:
        self._rule = rule
        self._chance = chance
        self._seen = 0
        self._left = rule.limit

    @property
    def fault(self) -> Fault:
        return self._rule.fault

    def meets(self, operation: str) -> bool:
        rule = self._rule
        if rule.operation not in (ANY, operation):
            return False
        self._seen += 1
        drawn = self._chance.random() < rule.probability  # drawn for every call: numbers stay what they are
        if not drawn or self._seen not in rule.calls or self._left == 0:
            return False
        if self._left is not None:
            self._left -= 1
        return True


def read_fault_plan(path: Path) -> FaultPlan:
    """The plan in a file; UsageError with the reason where it is none."""
    hint = "`pydoc tuner.local.fault_plan` describes the format."
    try:
        return parse_fault_plan(parse_json(read_bounded(path, limit_bytes=LARGEST_SETTINGS_BYTES)))
    except UnreadableFileError as error:
        raise UsageError(f"The fault plan {path} {error}.", hint="Check the path.") from error
    except PlanError as error:
        raise UsageError(f"The fault plan {path} is wrong: {error}.", hint=hint) from error
    except ValueError as error:
        raise UsageError(f"The fault plan {path} is not JSON: {error}.", hint=hint) from error


def parse_fault_plan(value: object) -> FaultPlan:
    """A decoded plan, checked; PlanError names the rule that is wrong."""
    if not isinstance(value, dict) or not isinstance(value.get("faults"), list):
        raise PlanError('a plan is an object with a list "faults"')
    _refuse_unknown(value, {"faults", "seed"}, "the plan")
    seed = value.get("seed", 0)
    if not _is(seed, int):
        raise PlanError("seed must be a whole number")
    return FaultPlan(
        rules=tuple(_rule(rule, f"rule {number}") for number, rule in enumerate(value["faults"], 1)), seed=seed
    )


def _rule(value: object, where: str) -> Rule:
    if not isinstance(value, dict) or value.get("fault") not in tuple(_KINDS):
        raise PlanError(f"{where}: fault must be one of {', '.join(_KINDS)}")
    kind = _KINDS[value["fault"]]
    common = {"fault", "operation", "calls", "probability", "limit"}
    options = {name: given for name, given in value.items() if name not in common}
    operation, probability, limit = value.get("operation", ANY), value.get("probability", 1.0), value.get("limit")
    if not isinstance(operation, str):
        raise PlanError(f"{where}: operation must be a string")
    if not _is(probability, (int, float)) or not 0 <= probability <= 1:
        raise PlanError(f"{where}: probability must be between 0 and 1")
    if limit is not None and (not _is(limit, int) or limit < 0):
        raise PlanError(f"{where}: limit must be a whole number")
    return Rule(
        fault=_fault(kind, options, where),
        operation=operation,
        calls=_call_numbers(value.get("calls", "1-"), where),
        probability=float(probability),
        limit=limit,
    )


def _fault(kind: type[Fault], options: dict[str, Any], where: str) -> Fault:
    defaults = {option.name: option.default for option in fields(kind)}
    _refuse_unknown(options, set(defaults), f"{where} ({kind.kind})")
    allowed: dict[str, tuple[object, ...]] = getattr(kind, "allowed", {})
    for name, given in options.items():
        if name in allowed and given not in allowed[name]:
            raise PlanError(f"{where}: {name} must be one of {', '.join(map(str, allowed[name]))}")
        if not _fits(given, defaults[name], nullable=name == "retry_after_s"):
            raise PlanError(f"{where}: {name} cannot be {given!r}")
    return kind(**options)


def _fits(given: object, default: object, *, nullable: bool) -> bool:
    if given is None:
        return nullable
    if isinstance(default, str):
        return isinstance(given, str)
    wanted = (int, float) if isinstance(default, float) else int
    return isinstance(given, wanted) and not isinstance(given, bool) and given >= 0


def _call_numbers(value: object, where: str) -> CallNumbers:
    if isinstance(value, list) and all(_is(number, int) and number >= 1 for number in value):
        return CallNumbers(tuple((number, number) for number in value))
    if isinstance(value, str):
        return CallNumbers(tuple(_range(part.strip(), where) for part in value.split(",")))
    raise PlanError(f'{where}: calls must be like [1, 4], "3-7" or "5-"')


def _range(text: str, where: str) -> tuple[int, int | None]:
    first, dash, last = text.partition("-")
    if not _is_count(first) or (last and not _is_count(last)):
        raise PlanError(f'{where}: calls must be like [1, 4], "3-7" or "5-"')
    if not dash:
        return int(first), int(first)
    return int(first), int(last) if last else None


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


def _refuse_unknown(members: Iterable[str], known: set[str], where: str) -> None:
    unknown: Iterator[str] = (name for name in members if name not in known)
    for name in unknown:
        raise PlanError(f"{where}: {name} is not known; there are {', '.join(sorted(known)) or 'no options'}")


def _is(value: object, kind: type | tuple[type, ...]) -> bool:
    """Like isinstance, except that True is no number."""
    return isinstance(value, kind) and not isinstance(value, bool)
