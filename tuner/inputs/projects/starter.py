"""The tuner.toml that ``tuner init`` writes: what the project shows, filled in, and the rest as comments."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tuner.inputs.projects.found import ProjectFunction
from tuner.inputs.templates.found import UNKNOWN

_HEAD = """\
# What `tuner` does in this project unless told otherwise. Keys are the long names of its options.
# `tuner config show` says what holds and why: a flag wins over a TUNER_ variable, that over this file.

# memory = "128..3008"       # sizes to search
# strategy = "cost"          # cost, speed, balanced or knee
# max-cost = "$0.10"         # a run stops before it spends more
# region = "eu-central-1"
"""
_TAIL = """\

# Chosen with `tuner --config-profile ci run ...` or TUNER_CONFIG_PROFILE=ci.
[profiles.ci]
max-cost = "$0.02"
quiet = true
"""
_EXAMPLE = """\

# [functions.thumbnail]
# function = "my-stack-Thumbnail-1A2B3C"   # name or ARN; or a folder, with local = true
# payload = "events/thumbnail.json"
"""
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """One function of the file to write."""

    key: str
    remark: str
    identifier: str | None = None
    """Name, ARN or folder; None where only a deployment knows."""
    likely: str | None = None
    """What the name looks like, where it is not known."""
    local: bool = False
    payload: str | None = None


def starter_of(found: ProjectFunction, *, payload: str | None = None) -> Starter:
    function = found.function
    known = function.name is not None and UNKNOWN not in function.name
    size = f", {function.memory_mb} MB" if function.memory_mb else ""
    runtime = f", {function.runtime}" if function.runtime else ""
    return Starter(
        key=found.key,
        remark=f"{found.template.as_posix()}: {function.resource}{size}{runtime}",
        identifier=function.name if known else None,
        likely=None if known else (function.name or f"*-{function.resource}-*"),
        payload=payload,
    )


def starter_config(functions: Sequence[Starter]) -> str:
    """The text of the file."""
    tables = "".join(_table(function) for function in _named_apart(functions)) or _EXAMPLE
    return f"{_HEAD}{tables}{_TAIL}"


def _named_apart(functions: Sequence[Starter]) -> Iterator[Starter]:
    """Two functions of one name get numbers."""
    total, seen = Counter(function.key for function in functions), Counter[str]()
    for function in functions:
        seen[function.key] += 1
        several = total[function.key] > 1
        yield replace(function, key=f"{function.key}-{seen[function.key]}") if several else function


def _table(function: Starter) -> str:
    key = function.key if _BARE.match(function.key) else _quoted(function.key)
    lines = ["", f"[functions.{key}]  # {_comment(function.remark)}"]
    if function.identifier is not None:
        lines.append(f"function = {_quoted(function.identifier)}")
    else:
        lines.append(f"# function = {_quoted(function.likely or '')}  # the deployed name or ARN")
    if function.local:
        lines.append("local = true")
    payload = function.payload
    lines.append(f"payload = {_quoted(payload)}" if payload else '# payload = "events/event.json"')
    lines += [f"# [functions.{key}.budget]  # for `tuner gate`", '# p95 = "<= 250ms"']
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)  # a TOML basic string is one of JSON


def _comment(text: str) -> str:
    return " ".join(text.split())
