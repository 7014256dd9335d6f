"""CDK: the source is a program, and what it synthesised is not to be edited. Both tell where to look."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tuner.inputs.templates.cloudformation import FUNCTION_TYPES
from tuner.inputs.templates.yaml_tree import parse_document

SOURCE_ENDINGS = (".ts", ".js", ".mts", ".mjs", ".py", ".java", ".cs", ".go")

_SIZE = re.compile(r"\b(?:memorySize|memory_size|MemorySize)\b[^\n\d]{0,40}?(?P<digits>\d+)?(?=\D|$)")


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of a program that seems to set a memory size."""

    line: int
    """From 1."""
    text: str


def memory_lines(source: str) -> tuple[SourceLine, ...]:
    """The lines of a CDK program that mention a memory size."""
    lines = enumerate(source.splitlines(), start=1)
    return tuple(SourceLine(number, text.strip()) for number, text in lines if _SIZE.search(text))


def construct_path(template: str, logical_id: str) -> str | None:
    """Where the program makes a resource of a synthesised template: ``Stack/Worker/Resource``; None where CDK left
    no trace of it."""
    document = parse_document(template)
    metadata = document.mapping(document.at("Resources", logical_id, "Metadata"))
    return document.text_at(metadata, "aws:cdk:path")


def synthesised(template: str) -> bool:
    """Whether CDK wrote this template: then its functions carry the path of their construct."""
    if "aws:cdk:path" not in template:
        return False
    document = parse_document(template)
    resources = document.mapping(document.at("Resources"))
    found = (document.mapping(value) for _, value in resources.items()) if resources else iter(())
    return any(
        resource is not None
        and document.text_at(resource, "Type") in FUNCTION_TYPES
        and document.text_at(document.mapping(resource.get("Metadata")), "aws:cdk:path") is not None
        for resource in found
    )
