"""What the caller may do, as an IAM policy says; off by default. A run can be tried with less than all rights.

A policy is a JSON document of IAM's own form, identity-based, for the one pretended user: statements with Effect,
Action and Resource, ``*`` and ``?`` in both. An explicit Deny wins, and nothing is allowed that no statement allows
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html). The one condition that is
understood is ``iam:PassedToService`` being Lambda; a policy with others, or with NotAction or NotResource, is refused
rather than misread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path
from typing import Any

from tuner.errors import UsageError
from tuner.inputs.files import LARGEST_SETTINGS_BYTES, UnreadableFileError, read_bounded
from tuner.inputs.strict_json import parse_json
from tuner.local import faults, validation
from tuner.local.http import Request
from tuner.local.identifiers import Namespace, parse_function_name

EVERYTHING = "*"
_ACCOUNT_WIDE = frozenset({"GetAccountSettings", "ListEventSourceMappings", "ListFunctions"})
_ACTION_OF = {"Invoke": "InvokeFunction"}
_PASSED_TO_LAMBDA = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
_KNOWN_MEMBERS = {"Sid", "Effect", "Action", "Resource", "Condition"}


@dataclass(frozen=True, slots=True)
class Need:
    """An action on a resource, as IAM names both."""

    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Statement:
    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def speaks_of(self, need: Need) -> bool:
        return any(_matches(action, need.action, re.IGNORECASE) for action in self.actions) and any(
            _matches(resource, need.resource) for resource in self.resources
        )


@dataclass(frozen=True, slots=True)
class Policy:
    statements: tuple[Statement, ...] = (Statement(allows=True, actions=(EVERYTHING,), resources=(EVERYTHING,)),)

    def check(self, need: Need, namespace: Namespace) -> None:
        """Raises ApiError 403 in the words of IAM where ``need`` is not allowed."""
        spoken = [statement.allows for statement in self.statements if statement.speaks_of(need)]
        if spoken and all(spoken):
            return
        why = (
            "with an explicit deny in an identity-based policy"
            if spoken
            else f"because no identity-based policy allows the {need.action} action"
        )
        raise faults.forbidden(
            "AccessDeniedException",
            f"User: arn:aws:iam::{namespace.account}:user/local is not authorized to perform: {need.action} "
            f"on resource: {need.resource} {why}",
        )


def needs(operation: str, function: str | None, request: Request, namespace: Namespace) -> Iterator[Need]:
    """What IAM asks for before ``operation``. ``function`` is its name or ARN where the path has one."""
    action = f"lambda:{_ACTION_OF.get(operation, operation)}"
    if operation == "CreateFunction":
        members = validation.json_object(request.body)
        made = namespace.arn(parse_function_name(validation.text(members, "FunctionName", "")).name)
        yield Need(action, made)
        yield Need("iam:PassRole", validation.text(members, "Role", ""))
        if validation.tags(members):
            yield Need("lambda:TagResource", made)
    elif operation in _ACCOUNT_WIDE or function is None:
        yield Need(action, EVERYTHING)
    else:
        target = parse_function_name(function)
        yield Need(action, namespace.arn(target.name, request.query.get("Qualifier") or target.qualifier))


def read_policy(path: Path) -> Policy:
    """The policy in a file; UsageError with the reason where it is none that is understood here."""
    hint = "`pydoc tuner.local.policy` says what is understood."
    try:
        return parse_policy(parse_json(read_bounded(path, limit_bytes=LARGEST_SETTINGS_BYTES)))
    except UnreadableFileError as error:
        raise UsageError(f"The policy {path} {error}.", hint=hint) from error
    except ValueError as error:
        raise UsageError(f"The policy {path} is wrong: {error}.", hint=hint) from error


def parse_policy(document: object) -> Policy:
    """A decoded policy document; ValueError says what is not understood."""
    if not isinstance(document, dict) or "Statement" not in document:
        raise ValueError("a policy is a JSON object with a Statement")
    given = document["Statement"]
    return Policy(tuple(_statement(one) for one in (given if isinstance(given, list) else [given])))


def _statement(given: object) -> Statement:
    if not isinstance(given, dict):
        raise ValueError("a statement is a JSON object")  # noqa: TRY004 - a wrong file, not a wrong call
    unknown = sorted(given.keys() - _KNOWN_MEMBERS)
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is not understood")
    if given.get("Effect") not in ("Allow", "Deny"):
        raise ValueError(f"Effect is Allow or Deny, not {given.get('Effect')!r}")
    if given.get("Condition", _PASSED_TO_LAMBDA) != _PASSED_TO_LAMBDA:
        raise ValueError("the only condition understood is iam:PassedToService lambda.amazonaws.com")
    return Statement(
        allows=given["Effect"] == "Allow", actions=_texts(given, "Action"), resources=_texts(given, "Resource")
    )


def _texts(statement: dict[str, Any], name: str) -> tuple[str, ...]:
    value = statement.get(name)
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str) for one in values):
        raise ValueError(f"{name} is a text or a list of texts")
    return tuple(values)


def _matches(pattern: str, text: str, flags: int = 0) -> bool:
    """IAM's wildcards are those of a shell, without its brackets."""
    return re.fullmatch(translate(pattern.replace("[", "[[]")), text, flags) is not None
