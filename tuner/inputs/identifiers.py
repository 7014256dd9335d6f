"""How a function is named: name, name with qualifier, partial ARN, full ARN.

The character sets and lengths are those of the Lambda API (FunctionName and Qualifier in its service model; names of
at most 64 characters in CreateFunction). A qualifier travels in its own parameter, so it adds nothing to the length.
"""

from __future__ import annotations

import re
import shlex

from tuner.errors import IdentifierError
from tuner.model import FunctionTarget

_REGION = r"(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-[0-9]"

_IDENTIFIER = re.compile(
    rf"""
    (?:
        (?:arn:(?P<partition>aws[a-zA-Z-]*):lambda:(?=(?:{_REGION}):[0-9]))?
        (?:(?P<region>{_REGION}):)?
        (?P<account>[0-9]{{12}}):function:
      | function:
    )?
    (?P<name>[a-zA-Z0-9_-]+)
    (?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9_-]+))?
    """,
    re.VERBOSE,
)

_ACCOUNT_OR_REGION = re.compile(rf"[0-9]{{12}}|{_REGION}")

_LONGEST_NAME = 64
_LONGEST_QUALIFIER = 128

_ACCEPTED = (
    "Name it like my-function, my-function:live, 123456789012:function:my-function "
    "or arn:aws:lambda:eu-west-1:123456789012:function:my-function."
)


def parse_function(text: str) -> FunctionTarget:
    """The parts of a Lambda identifier that were given; IdentifierError says what is accepted."""
    given = text.strip()
    if not given:
        raise IdentifierError("No function was named.", hint=_ACCEPTED)
    if _looks_like_path(given):
        folder = shlex.quote(given) if given.isprintable() else "FOLDER"
        raise IdentifierError(
            f"{_shown(given)!r} looks like a folder or a file, not like the name of a function.",
            hint=f"To run that code on this machine, add --local: tuner run {folder} --local",
        )
    match = _IDENTIFIER.fullmatch(given)
    if match is None:
        raise IdentifierError(_why_not(given), hint=_ACCEPTED)
    target = FunctionTarget(**match.groupdict())
    _check(target)
    return target


def _check(target: FunctionTarget) -> None:
    if len(target.name) > _LONGEST_NAME:
        raise IdentifierError(
            f"The function's name has {len(target.name)} characters; Lambda allows {_LONGEST_NAME}.", hint=_ACCEPTED
        )
    if target.qualifier is not None and len(target.qualifier) > _LONGEST_QUALIFIER:
        raise IdentifierError(
            f"The qualifier has {len(target.qualifier)} characters; Lambda allows {_LONGEST_QUALIFIER}.",
            hint=_ACCEPTED,
        )
    # Lambda would take "123456789012:name" for an account, our grammar for a function: neither reading is safe.
    if target.account is None and target.qualifier is not None and _ACCOUNT_OR_REGION.fullmatch(target.name):
        raise IdentifierError(
            f"An identifier that begins with {target.name!r} needs ':function:' before the function's name.",
            hint=_ACCEPTED,
        )


def _looks_like_path(text: str) -> bool:
    if text.startswith("arn:") or "://" in text:
        return False
    return text.startswith((".", "~")) or "/" in text or "\\" in text or text.lower().endswith((".zip", ".py", ".js"))


def _why_not(text: str) -> str:
    shown = _shown(text)
    if text.startswith("arn:"):
        return f"{shown!r} is not the ARN of a Lambda function."
    return f"{shown!r} is not the name of a Lambda function."


def _shown(text: str) -> str:
    return text if len(text) <= 160 else text[:159] + "…"
