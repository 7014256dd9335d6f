"""What the readers of all kinds of templates return: functions, and where their memory size stands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tuner.errors import UsageError

UNKNOWN = "*"
"""In a name: what only a deployment knows."""

LARGEST_TEMPLATE_BYTES = 1024 * 1024
"""CloudFormation takes a template of 1 MB (AWS CloudFormation user guide, "Understand CloudFormation quotas"); the
other kinds are written by hand, and smaller."""

MOST_FUNCTIONS = 500
"""CloudFormation takes 500 resources in a template, and what is not deployed through it is split earlier."""


class TemplateError(UsageError):
    """A template that cannot be read, or in which the value to change cannot be told."""

    slug = "template"


class TemplateKind(StrEnum):
    CLOUDFORMATION = "cloudformation"
    """Also SAM, as YAML or JSON."""
    SERVERLESS = "serverless"
    TERRAFORM = "terraform"
    CDK = "cdk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What a parameter of a template lets its value be; empty and None where it does not say."""

    values: tuple[int, ...] = ()
    least: int | None = None
    most: int | None = None

    def __contains__(self, memory_mb: int) -> bool:
        if self.values and memory_mb not in self.values:
            return False
        return not (self.least is not None and memory_mb < self.least) and not (
            self.most is not None and memory_mb > self.most
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The piece of text that decides a memory size: offsets into the template, equal where something is inserted."""

    start: int
    end: int
    before: str = ""
    """Written in front of the number, where it is inserted."""
    after: str = ""
    says: str
    """Where it is, in words: ``its own MemorySize``, ``the default of the parameter Size``."""
    accepted: Accepted = Accepted()
    remark: str | None = None
    """What the user has to know about changing it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPlace:
    """Why the memory size cannot be changed in this text."""

    reason: str
    line: int
    """From 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFunction:
    """A function as a template declares it."""

    resource: str
    """What the template calls it: logical id, key or address."""
    line: int
    """From 1."""
    place: Place | NoPlace
    memory_mb: int | None = None
    """What it has today by this text; None where the text does not tell."""
    name: str | None = None
    """Its name when deployed, where the template gives one; ``*`` stands for what only a deployment knows."""
    runtime: str | None = None
    handler: str | None = None
    code: str | None = None
    """Folder or file of its code, relative to the template."""

    def is_called(self, name: str) -> bool:
        """Whether ``name`` is what the template says; a name that is all unknown says nothing."""
        return self.name is not None and self.name != UNKNOWN and re.fullmatch(_pattern(self.name), name) is not None

    def made(self, name: str) -> bool:
        """Whether CloudFormation could have made up ``name`` for it: stack, logical id and a random part."""
        return self.name is None and re.search(rf"-{re.escape(self.resource)}-[A-Za-z0-9]+$", name) is not None


def choose(functions: Sequence[TemplateFunction], name: str, resource: str | None) -> TemplateFunction:
    """The function called ``name`` on AWS, or the one called ``resource`` in the template.

    TemplateError, with the resources there are, where it cannot be told for certain.
    """
    if not functions:
        raise TemplateError("No Lambda function is declared in this template.", hint="Give the file that has it.")
    names = ", ".join(shlex.quote(function.resource) for function in functions)
    if resource is not None:
        named = [function for function in functions if function.resource == resource]
        if not named:
            raise TemplateError(
                f"The template has no function {resource!r}.", hint=f"Use --resource with one of: {names}."
            )
        return _only(named, resource)
    for matches in (_exactly, TemplateFunction.is_called, TemplateFunction.made):
        found = [function for function in functions if matches(function, name)]
        if len(found) == 1:
            return found[0]
    if len(functions) == 1 and functions[0].name in (None, UNKNOWN):
        return functions[0]
    raise TemplateError(
        f"Which function of the template {name} is cannot be told.", hint=f"Add --resource with one of: {names}."
    )


def _only(named: Sequence[TemplateFunction], resource: str) -> TemplateFunction:
    if len(named) > 1:
        lines = ", ".join(str(function.line) for function in named)
        raise TemplateError(
            f"The template declares {resource} more than once, in lines {lines}.", hint="Remove all but one of them."
        )
    return named[0]


def edited(text: str, function: TemplateFunction, memory_mb: int) -> str:
    """``text`` with the memory size of ``function`` changed and nothing else. TemplateError where that is not
    possible."""
    place = function.place
    if isinstance(place, NoPlace):
        raise TemplateError(
            f"The memory size of {function.resource} cannot be changed here: {place.reason} (line {place.line}).",
            hint=f"Set it to {memory_mb} MB by hand where that value comes from.",
        )
    if memory_mb not in place.accepted:
        raise TemplateError(
            f"{place.says} does not allow {memory_mb} MB.", hint="Change what the parameter allows as well, by hand."
        )
    return f"{text[: place.start]}{place.before}{memory_mb}{place.after}{text[place.end :]}"


def refuse_too_many(count: int) -> None:
    """TemplateError for more functions than a stack can hold: each is looked up in the whole template."""
    if count > MOST_FUNCTIONS:
        raise TemplateError(
            f"The template declares {count:,} functions; a stack holds at most {MOST_FUNCTIONS} resources.",
            hint="Give the template of one stack.",
        )


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _exactly(function: TemplateFunction, name: str) -> bool:
    return function.name == name


def _pattern(name: str) -> str:
    return ".+".join(re.escape(part) for part in name.split(UNKNOWN))
