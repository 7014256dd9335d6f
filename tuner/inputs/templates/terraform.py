"""Functions in Terraform's language, one file at a time.

python-hcl2 parses; only the offsets of its tokens are used. A size may stand in the resource (or a call of the module
terraform-aws-modules/lambda/aws), in the default of a variable or in a local value of the same file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import hcl2
from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from tuner.inputs.templates.found import (
    UNKNOWN,
    NoPlace,
    Place,
    TemplateError,
    TemplateFunction,
    line_of,
    refuse_too_many,
)

MEMORY = "memory_size"
DEFAULT_MB = 128
RESOURCE = "aws_lambda_function"
LAMBDA_MODULE = "terraform-aws-modules/lambda/aws"

_TEMPLATE = re.compile(r"[$%]\{[^}]*\}")
"""Interpolations and directives in a text."""
_MOST_DIGITS = 9
"""More are no memory size, and Python refuses to read thousands of them."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A piece of the text, with what it says."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Block:
    """``type "label" "label" { attributes }``; blocks inside it are left aside."""

    words: tuple[str, ...]
    start: int
    attributes: dict[str, tuple[int, _Span]]
    """Offset of the name, and the expression."""


def terraform_functions(text: str) -> tuple[TemplateFunction, ...]:
    """The functions in the order of the file. TemplateError where it cannot be parsed."""
    blocks = tuple(sorted(_blocks(text), key=lambda block: block.start))
    declaring = [block for block in blocks if _declares_function(block)]
    refuse_too_many(len(declaring))
    return tuple(_function(text, block, blocks) for block in declaring)


def _declares_function(block: _Block) -> bool:
    if block.words[:2] == ("resource", RESOURCE):
        return True
    source = block.attributes.get("source")
    return block.words[:1] == ("module",) and source is not None and _unquoted(source[1].text) == LAMBDA_MODULE


def _function(text: str, block: _Block, blocks: tuple[_Block, ...]) -> TemplateFunction:
    place, memory_mb = _memory(text, block, blocks)
    several = next((name for name in ("for_each", "count") if name in block.attributes), None)
    if several is not None:
        place = NoPlace(reason=f"the block makes several functions ({several})", line=line_of(text, block.start))
    address = ".".join(block.words[1:] if block.words[0] == "resource" else block.words)
    return TemplateFunction(
        resource=address,
        line=line_of(text, block.start),
        place=place,
        memory_mb=memory_mb,
        name=_name(block),
        runtime=_text(block, "runtime"),
        handler=_text(block, "handler"),
        code=_text(block, "filename") or _text(block, "source_path"),
    )


def _memory(text: str, block: _Block, blocks: tuple[_Block, ...]) -> tuple[Place | NoPlace, int | None]:
    own = block.attributes.get(MEMORY)
    if own is None:
        return _new(text, block), DEFAULT_MB
    return _given(text, own[1], blocks)


def _given(text: str, span: _Span, blocks: tuple[_Block, ...]) -> tuple[Place | NoPlace, int | None]:
    kind, _, name = span.text.partition(".")
    found: _Span | None = None
    if kind == "var" and name.isidentifier():
        found, says = _attribute(blocks, ("variable", name), "default"), f"the default of the variable {name}"
    elif kind == "local" and name.isidentifier():
        found, says = _attribute(blocks, ("locals",), name), f"the local value {name}"
    else:
        return _number(text, span, f"its own {MEMORY}")
    if found is None:
        line = line_of(text, span.start)
        return NoPlace(reason=f"it comes from {span.text}, which has no value in this file", line=line), None
    place, memory_mb = _number(text, found, says)
    if _uses(blocks, span.text) > 1:
        line = line_of(text, span.start)
        return NoPlace(reason=f"{span.text} is used in several places", line=line), memory_mb
    if kind == "var" and isinstance(place, Place):
        place = Place(start=place.start, end=place.end, says=says, remark=_may_be_overridden(name))
    return place, memory_mb


def _number(text: str, span: _Span, says: str) -> tuple[Place | NoPlace, int | None]:
    quoted = span.text[:1] == '"'
    digits = span.text.removeprefix('"').removesuffix('"') if quoted else span.text
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS):
        return NoPlace(reason=f"it is the expression {_short(span.text)}", line=line_of(text, span.start)), None
    return Place(start=span.start + quoted, end=span.end - quoted, says=says), int(digits)


def _new(text: str, block: _Block) -> Place | NoPlace:
    """A line of its own, above the first attribute, with its equals sign under the others'."""
    first = next(iter(block.attributes.items()), None)
    if first is None:
        return NoPlace(reason="the block has no attributes", line=line_of(text, block.start))
    name, (at, _) = first
    start = text.rfind("\n", 0, at) + 1
    indent = text[start:at]
    if indent.strip():
        return NoPlace(reason="the block is written in one line", line=line_of(text, at))
    equals = text.index("=", at + len(name)) - at
    newline = "\r\n" if text[max(0, start - 2) : start] == "\r\n" else "\n"
    return Place(
        start=start,
        end=start,
        before=f"{indent}{MEMORY.ljust(equals - 1)} = ",
        after=newline,
        says=f"a {MEMORY} of its own",
    )


def _attribute(blocks: tuple[_Block, ...], words: tuple[str, ...], name: str) -> _Span | None:
    """TemplateError where it is given twice: which of the two would hold cannot be told."""
    given = [block.attributes[name] for block in blocks if block.words == words and name in block.attributes]
    if len(given) > 1:
        raise TemplateError(
            f"{'.'.join((*words, name))} is given more than once in this file.", hint="Remove all but one of them."
        )
    return given[0][1] if given else None


def _uses(blocks: tuple[_Block, ...], reference: str) -> int:
    """Attributes of blocks that speak of ``reference``; a use in a nested block counts as one of its own."""
    spans = (span for block in blocks for _, span in block.attributes.values())
    return sum(1 for span in spans if _mentions(span.text, reference))


def _mentions(text: str, reference: str) -> bool:
    at = text.find(reference)
    while at >= 0:
        around = text[at - 1 : at] + text[at + len(reference) : at + len(reference) + 1]
        if not any(sign.isalnum() or sign in "_-." for sign in around):
            return True
        at = text.find(reference, at + 1)
    return False


def _name(block: _Block) -> str | None:
    given = block.attributes.get("function_name")
    if given is None:
        return None
    text = given[1].text
    return _TEMPLATE.sub(UNKNOWN, _unquoted(text)) if text[:1] == '"' else UNKNOWN


def _text(block: _Block, name: str) -> str | None:
    given = block.attributes.get(name)
    if given is None or given[1].text[:1] != '"' or "${" in given[1].text:
        return None
    return _unquoted(given[1].text)


def _unquoted(text: str) -> str:
    return text.removeprefix('"').removesuffix('"')


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


def _may_be_overridden(name: str) -> str:
    return f"A .tfvars file, TF_VAR_{name} or the workspace may set {name} to something else: look there as well."


def _blocks(text: str) -> Iterator[_Block]:
    try:
        tree = hcl2.parses_to_tree(text)
    except UnexpectedInput as error:
        where = f"at line {error.line}" if error.line > 0 else "to its end"
        raise TemplateError(
            f"The template cannot be read {where}: this is no Terraform.",
            hint="`terraform validate` says more.",
        ) from error
    for node in tree.find_data("block"):
        yield _block(text, node)


def _block(text: str, node: Tree[Token]) -> _Block:
    words: list[str] = []
    start = next(_tokens(node)).start_pos or 0
    attributes: dict[str, tuple[int, _Span]] = {}
    for child in node.children:
        if isinstance(child, Tree) and child.data in {"identifier", "string"}:
            words.append(_unquoted("".join(map(str, _tokens(child)))))
        elif isinstance(child, Tree) and child.data == "body":
            attributes = _unique(_attributes(text, child), text)
    return _Block(tuple(words), start, attributes)


def _unique(found: Iterator[tuple[str, tuple[int, _Span]]], text: str) -> dict[str, tuple[int, _Span]]:
    attributes: dict[str, tuple[int, _Span]] = {}
    for name, attribute in found:
        if name in attributes:
            where = f"at line {line_of(text, attribute[0])}"
            raise TemplateError(
                f"The template cannot be read {where}: {name} is set twice in one block.",
                hint="Remove one of the two.",
            )
        attributes[name] = attribute
    return attributes


def _attributes(text: str, body: Tree[Token]) -> Iterator[tuple[str, tuple[int, _Span]]]:
    for child in body.children:
        if isinstance(child, Tree) and child.data == "attribute":
            tokens = list(_tokens(child))
            name, rest = tokens[0], tokens[2:]
            start, end = rest[0].start_pos or 0, rest[-1].end_pos or 0
            yield str(name), (name.start_pos or 0, _Span(start, end, text[start:end]))


def _tokens(node: Tree[Token]) -> Iterator[Token]:
    """In the order of the text, without calling itself: expressions can be nested as deeply as their author likes."""
    waiting: list[Tree[Token] | Token] = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Tree):
            waiting.extend(reversed(current.children))
        else:
            yield current
