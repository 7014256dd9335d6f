"""Places of numbers in YAML: where one stands, and where one can be added."""

from __future__ import annotations

from tuner.inputs.templates.found import NoPlace, Place
from tuner.inputs.templates.sharing import shared_with
from tuner.inputs.templates.yaml_tree import Alias, Document, Mapping, Node, Scalar, digits_of


def number_place(document: Document, node: Node, says: str) -> Place | NoPlace:
    """Where the number ``node`` stands. An alias gives way to a number of its own; what others refer to is left."""
    if isinstance(node, Alias):
        span = (node.start, node.end)
    elif isinstance(node, Scalar) and (digits := digits_of(document.text, node)) is not None:
        span = digits
    else:
        return NoPlace(reason=f"{says} is not a plain number", line=node.line)
    shared = shared_with(document, node)
    if shared is not None:
        return NoPlace(reason=shared, line=node.line)
    return Place(start=span[0], end=span[1], says=says)


def number_at(document: Document, node: Node | None) -> int | None:
    """The whole number that ``node`` or what it stands for is."""
    found = document.follow(node)
    if not isinstance(found, Scalar) or found.tag is not None:
        return None
    span = digits_of(document.text, found)
    return int(document.text[slice(*span)]) if span else None


def new_number(document: Document, mapping: Mapping, key: str) -> Place | NoPlace:
    """Where ``key`` with a number can be added to ``mapping``: one line, or a pair where it is written in braces."""
    if not mapping.pairs:
        return NoPlace(reason="there is nothing beside which it could be added", line=mapping.line)
    shared = shared_with(document, mapping, key)
    if shared is not None:
        return NoPlace(reason=shared, line=mapping.line)
    says = f"a {key} of its own"
    return _in_braces(document.text, mapping, key, says) if mapping.flow else _as_line(document, mapping, key, says)


def _in_braces(text: str, mapping: Mapping, key: str, says: str) -> Place:
    at = mapping.pairs[0][0].start
    name = f'"{key}"' if text[at] == '"' else key
    gap = text[text.rindex("{", 0, at) + 1 : at]
    line_break = gap[gap.index("\n") - (gap[:1] == "\r") :] if "\n" in gap else " "
    return Place(start=at, end=at, before=f"{name}: ", after=f",{line_break}", says=says)


def _as_line(document: Document, mapping: Mapping, key: str, says: str) -> Place | NoPlace:
    """Below the first pair that is one line, so that no comment is torn from what it speaks of."""
    text = document.text
    for name, value in mapping.pairs:
        indent = text[text.rfind("\n", 0, name.start) + 1 : name.start]
        if indent.strip(" \ufeff") or value.line != name.line or not isinstance(value, Scalar):
            continue
        line_end = text.find("\n", value.end)
        if "\n" in text[value.start : value.end]:
            continue
        if line_end < 0:
            return Place(start=len(text), end=len(text), before=f"\n{indent}{key}: ", says=says)
        newline = "\r\n" if text[line_end - 1] == "\r" else "\n"
        return Place(start=line_end + 1, end=line_end + 1, before=f"{indent}{key}: ", after=newline, says=says)
    first = mapping.pairs[0][0]
    start = text.rfind("\n", 0, first.start) + 1
    indent = text[start : first.start]
    if indent.strip(" "):
        return NoPlace(reason="there is no line of its own beside which it could be added", line=first.line)
    return Place(start=start, end=start, before=f"{indent}{key}: ", after="\n", says=says)
