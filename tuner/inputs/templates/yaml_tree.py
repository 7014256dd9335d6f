"""YAML and JSON as a tree that knows where in the text everything stands, aliases not resolved.

Made from the parser's events: a document that was loaded has lost its places, and one that is written again has other
quotes, indents and line ends than the author's.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from tuner.inputs.templates.found import TemplateError

_NUMBER = re.compile(r"(?:[&!]\S*\s+)*(?P<quote>[\"']?)(?P<digits>[1-9]\d*)(?P=quote)\Z")
MERGE = "<<"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    start: int
    end: int
    line: int
    """From 1."""
    tag: str | None = None
    """As written, with its ``!``; None without one."""
    anchor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar(Node):
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias(Node):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping(Node):
    pairs: tuple[tuple[Node, Node], ...]
    flow: bool

    def get(self, key: str) -> Node | None:
        return next((value for name, value in self.items() if name == key), None)

    def items(self) -> Iterator[tuple[str, Node]]:
        return ((key.value, value) for key, value in self.pairs if isinstance(key, Scalar))


@dataclass(slots=True)
class Document:
    """A whole document. ``follow`` an alias to what it stands for."""

    text: str
    root: Node
    anchors: dict[str, Node] = field(default_factory=dict)

    def follow(self, node: Node | None) -> Node | None:
        return self.anchors.get(node.name) if isinstance(node, Alias) else node

    def mapping(self, node: Node | None) -> Mapping | None:
        found = self.follow(node)
        return found if isinstance(found, Mapping) else None

    def at(self, *path: str) -> Node | None:
        """What stands under these keys, aliases followed on the way but not at the end."""
        node: Node | None = self.root
        for key in path:
            parent = self.mapping(node)
            node = parent.get(key) if parent else None
        return node

    def text_at(self, mapping: Mapping | None, key: str) -> str | None:
        """The untagged text under ``key``; None for anything else."""
        found = self.follow(mapping.get(key)) if mapping else None
        return found.value if isinstance(found, Scalar) and found.tag is None else None

    def inherited(self, mapping: Mapping, key: str) -> Node | None:
        """What ``mapping`` has under ``key`` through a merge key (``<<``), itself left aside."""
        for name, value in mapping.items():
            if name != MERGE:
                continue
            merged = self.follow(value)
            sources = merged.items if isinstance(merged, Sequence) else (merged,)
            for source in sources:
                own = self.mapping(source)
                found = own and (own.get(key) or self.inherited(own, key))
                if found:
                    return found
        return None

    def everything(self) -> Iterator[Node]:
        waiting: deque[Node] = deque([self.root])
        while waiting:
            node = waiting.popleft()
            yield node
            if isinstance(node, Mapping):
                waiting.extend(part for pair in node.pairs for part in pair)
            elif isinstance(node, Sequence):
                waiting.extend(node.items)

    def aliases_of(self, node: Node) -> list[Alias]:
        if node.anchor is None:
            return []
        return [other for other in self.everything() if isinstance(other, Alias) and other.name == node.anchor]


def digits_of(text: str, node: Scalar) -> tuple[int, int] | None:
    """Offsets of the digits of a plain or quoted whole number; None for every other value."""
    found = _NUMBER.match(text, node.start, node.end)
    return found.span("digits") if found else None


def parse_document(text: str) -> Document:
    """The first document of ``text``. TemplateError where it is no YAML, with the line."""
    anchors: dict[str, Node] = {}
    try:
        events = iter(YAML(typ="rt", pure=True).parse(text))
        root = next((_node(event, events, anchors) for event in events if isinstance(event, NodeEvent)), None)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise TemplateError(
            f"The template cannot be read{where}: {getattr(error, 'problem', None) or error}.",
            hint="Is it the YAML or JSON of a template?",
        ) from error
    if root is None:
        raise TemplateError("The template is empty.", hint="Give another file.")
    return Document(text, root, anchors)


def _node(event: NodeEvent, events: Iterator[Event], anchors: dict[str, Node]) -> Node:
    start, end, line = event.start_mark.index, event.end_mark.index, event.start_mark.line + 1
    if isinstance(event, AliasEvent):
        return Alias(start=start, end=end, line=line, name=event.anchor)
    anchor = event.anchor
    tag = _tag(event)
    made: Node
    if isinstance(event, ScalarEvent):
        made = Scalar(start=start, end=end, line=line, tag=tag, anchor=anchor, value=event.value)
    elif isinstance(event, SequenceStartEvent):
        items, end = _children(events, SequenceEndEvent, anchors)
        made = Sequence(start=start, end=end, line=line, tag=tag, anchor=anchor, items=tuple(items))
    elif isinstance(event, MappingStartEvent):
        parts, end = _children(events, MappingEndEvent, anchors)
        pairs = tuple(zip(parts[::2], parts[1::2], strict=True))
        flow = bool(event.flow_style)
        made = Mapping(start=start, end=end, line=line, tag=tag, anchor=anchor, pairs=pairs, flow=flow)
    else:
        raise TypeError(f"no node: {event}")
    if anchor:
        anchors[anchor] = made
    return made


def _tag(event: NodeEvent) -> str | None:
    tag = getattr(event, "tag", None)  # aliases have none
    return str(tag) if tag else None


def _children(events: Iterator[Event], end_type: type[Event], anchors: dict[str, Node]) -> tuple[list[Node], int]:
    """The nodes up to the end of their collection, and its offset."""
    nodes: list[Node] = []
    for event in events:
        if isinstance(event, end_type):
            return nodes, event.end_mark.index
        if isinstance(event, NodeEvent):
            nodes.append(_node(event, events, anchors))
    raise AssertionError("a parser ends what it begins")
