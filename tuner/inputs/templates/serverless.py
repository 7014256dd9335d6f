"""Functions of a serverless.yml (Serverless Framework)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuner.inputs.templates.found import NoPlace, Place, TemplateError, TemplateFunction, refuse_too_many
from tuner.inputs.templates.yaml_places import new_number, number_at, number_place
from tuner.inputs.templates.yaml_tree import Document, Mapping, Node, Scalar, Sequence, parse_document

MEMORY = "memorySize"
DEFAULT_MB = 1024
"""What the framework deploys where nothing is said."""

_SELF = re.compile(r"\$\{self:([\w.-]+)\}\Z")
_VARIABLE = re.compile(r"\$\{[^}]*\}")


def serverless_functions(text: str) -> tuple[TemplateFunction, ...]:
    """The functions in the order of the file. TemplateError where it declares none itself."""
    document = parse_document(text)
    functions = document.follow(document.at("functions"))
    if functions is None:
        raise TemplateError(
            "This is no serverless.yml: it has no functions.", hint="Give the file that declares them."
        )
    if isinstance(functions, Scalar):
        raise TemplateError(
            f"The functions come from {functions.value}.", hint="Give that file's content a template of its own."
        )
    declared = list(_declared(document, functions))
    refuse_too_many(len(declared))
    return tuple(_function(document, key, value) for key, value in declared)


def _declared(document: Document, functions: Node) -> Iterator[tuple[str, Mapping]]:
    """Functions are a mapping, or a list of mappings."""
    parts = functions.items if isinstance(functions, Sequence) else (functions,)
    for part in parts:
        mapping = document.mapping(part)
        for key, value in mapping.items() if mapping else ():
            body = document.mapping(value)
            if body is not None:
                yield key, body


def _function(document: Document, key: str, body: Mapping) -> TemplateFunction:
    place, memory_mb = _memory(document, body)
    name = document.text_at(body, "name")
    service = document.text_at(document.mapping(document.root), "service")
    provider = document.mapping(document.at("provider"))
    return TemplateFunction(
        resource=key,
        line=body.line,
        place=place,
        memory_mb=memory_mb,
        name=_VARIABLE.sub("*", name or f"{service or '*'}-*-{key}"),
        runtime=document.text_at(body, "runtime") or document.text_at(provider, "runtime"),
        handler=document.text_at(body, "handler"),
        code=".",
    )


def _memory(document: Document, body: Mapping) -> tuple[Place | NoPlace, int | None]:
    own = body.get(MEMORY)
    if own is not None:
        return _value(document, own, f"its own {MEMORY}")
    merged = document.inherited(body, MEMORY)
    shared = merged or document.at("provider", MEMORY)
    memory_mb = DEFAULT_MB if shared is None else _value(document, shared, "")[1]
    if shared is not None and merged is None and _only_one(document):
        return _value(document, shared, f"the {MEMORY} of provider")
    return new_number(document, body, MEMORY), memory_mb


def _value(document: Document, node: Node, says: str) -> tuple[Place | NoPlace, int | None]:
    found = document.follow(node)
    variable = _SELF.match(found.value) if isinstance(found, Scalar) else None
    if variable is None or not isinstance(found, Scalar):
        if isinstance(found, Scalar) and "${" in found.value:
            return NoPlace(reason=f"it comes from {found.value}", line=node.line), None
        return number_place(document, node, says), number_at(document, node)
    target = document.at(*variable[1].split("."))
    if target is None:
        return NoPlace(reason=f"it comes from {found.value}, which is not in this file", line=node.line), None
    memory_mb = number_at(document, target)
    if sum(1 for other in document.everything() if isinstance(other, Scalar) and found.value in other.value) > 1:
        return NoPlace(reason=f"{found.value} is used in several places", line=node.line), memory_mb
    return number_place(document, target, variable[1]), memory_mb


def _only_one(document: Document) -> bool:
    functions = document.follow(document.at("functions"))
    return functions is not None and sum(1 for _ in _declared(document, functions)) == 1
