"""How callers name a function: plain name, partial ARN or ARN, each with or without a qualifier."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tuner.local import faults

LATEST = "$LATEST"

# FunctionName and NamespacedFunctionName in botocore's model of Lambda 2015-03-31.
_IDENTIFIER = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?(?:[a-z]{2}(?:-[a-z]+)+-\d:)?(?:\d{12}:)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]{1,64})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)


_VERSION = re.compile(r"[1-9][0-9]{0,9}")
_QUALIFIER = re.compile(r"[a-zA-Z0-9$_-]+")
_LONGEST_QUALIFIER = 128


@dataclass(frozen=True, slots=True)
class FunctionName:
    name: str
    qualifier: str | None


@dataclass(frozen=True, slots=True)
class Namespace:
    """The pretended account: what the ARNs are made of."""

    region: str = "us-east-1"
    account: str = "000000000000"

    def arn(self, name: str, qualifier: str | None = None) -> str:
        """The ARN as answers show it, without ``$LATEST``."""
        suffix = f":{qualifier}" if qualifier and qualifier != LATEST else ""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{name}{suffix}"


def parse_function_name(text: str) -> FunctionName:
    """``name``, ``name:3``, ``000000000000:function:name``, or a full ARN; ValidationException otherwise."""
    match = _IDENTIFIER.fullmatch(text)
    if match is None:
        raise faults.validation(
            text, "functionName", f"Member must satisfy regular expression pattern: {_IDENTIFIER.pattern}"
        )
    return FunctionName(match["name"], match["qualifier"])


def check_qualifier(text: str) -> None:
    """ValidationException for what can be neither a version nor an alias."""
    if len(text) > _LONGEST_QUALIFIER:
        raise faults.validation(
            text, "qualifier", f"Member must have length less than or equal to {_LONGEST_QUALIFIER}"
        )
    if _QUALIFIER.fullmatch(text) is None:
        raise faults.validation(
            text, "qualifier", "Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)"
        )


def version_number(text: str) -> int | None:
    """The number of a published version; None for anything else, ``$LATEST`` and aliases included."""
    return int(text) if _VERSION.fullmatch(text) else None
