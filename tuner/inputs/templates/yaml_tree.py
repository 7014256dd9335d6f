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

_NUMBER = re.compile(r"(?:[&!]\S*\s+)*(?P<quote>[\"']?)(?P<digits>[1-9][0-9]{0,8})(?P=quote)\Z")
"""Nine digits: more are no memory size, and Python refuses to read thousands of them."""
MERGE = "<<"
_IS_IT_ONE = "Is it the YAML or JSON of a template?"
DEEPEST = 100
"""CloudFormation's functions are nested into one another, but nobody writes a hundred levels."""


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
    target: Node
    """What it stands for: a node above it, never one around it."""


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
    _parents: dict[int, tuple[Node, str | None]] = field(default_factory=dict)
    _aliases: dict[int, list[Alias]] = field(default_factory=dict)
    """Both by the identity of a node: equal nodes may stand in several places."""

    def __post_init__(self) -> None:
        for node in self.everything():
            if isinstance(node, Alias):
                self._aliases.setdefault(id(node.target), []).append(node)
            for key, child in _named_children(node):
                self._parents[id(child)] = (node, key)

    def parent_of(self, node: Node) -> tuple[Node, str | None] | tuple[None, None]:
        """What ``node`` stands in, and under which key of a mapping."""
        return self._parents.get(id(node), (None, None))

    def follow(self, node: Node | None) -> Node | None:
        return node.target if isinstance(node, Alias) else node

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
        seen: set[int] = set()  # merged twice a level, a mapping would be asked 2^n times
        waiting = list(self.merged(mapping))[::-1]
        while waiting:
            source = waiting.pop()
            if id(source) in seen:
                continue
            seen.add(id(source))
            found = source.get(key)
            if found is not None:
                return found
            waiting.extend(list(self.merged(source))[::-1])
        return None

    def merged(self, mapping: Mapping) -> Iterator[Mapping]:
        """The mappings that the merge keys of ``mapping`` name, first those that win."""
        for name, value in mapping.items():
            if name != MERGE:
                continue
            given = self.follow(value)
            sources = given.items if isinstance(given, Sequence) else (value,)
            yield from (source for item in sources if (source := self.mapping(item)) is not None)

    def everything(self) -> Iterator[Node]:
        waiting: deque[Node] = deque([self.root])
        while waiting:
            node = waiting.popleft()
            yield node
            waiting.extend(child for _, child in _named_children(node))

    def aliases_of(self, node: Node) -> list[Alias]:
        return self._aliases.get(id(node), [])


def _named_children(node: Node) -> Iterator[tuple[str | None, Node]]:
    """What stands in ``node``, the values of a mapping with their keys."""
    if isinstance(node, Sequence):
        yield from ((None, item) for item in node.items)
    elif isinstance(node, Mapping):
        for key, value in node.pairs:
            yield None, key
            yield key.value if isinstance(key, Scalar) else None, value


def digits_of(text: str, node: Scalar) -> tuple[int, int] | None:
    """Offsets of the digits of a plain or quoted whole number; None for every other value."""
    found = _NUMBER.match(text, node.start, node.end)
    return found.span("digits") if found else None


def parse_document(text: str) -> Document:
    """The first document of ``text``. TemplateError where it is no YAML, with the line."""
    try:
        events = YAML(typ="rt", pure=True).parse(text)
        root = _Builder(events).root()
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise TemplateError(f"The template cannot be read{where}: {_problem(error)}.", hint=_IS_IT_ONE) from error
    except (ValueError, OverflowError) as error:  # an escape for a character that there is not
        raise TemplateError(f"The template cannot be read: {error}.", hint=_IS_IT_ONE) from error
    if root is None:
        raise TemplateError("The template is empty.", hint="Give another file.")
    return Document(text, root)


def _problem(error: YAMLError) -> str:
    """What is wrong, without the parser's words on where that is."""
    return getattr(error, "problem", None) or str(error).partition("\n")[0]


class _Builder:
    """Nodes from a parser's events. An anchor is known from the end of its node on: no alias leads to itself."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}
        self._open: set[str] = set()
        self._depth = 0

    def root(self) -> Node | None:
        return next((self._node(event) for event in self._events if isinstance(event, NodeEvent)), None)

    def _node(self, event: NodeEvent) -> Node:
        start, end, line = event.start_mark.index, event.end_mark.index, event.start_mark.line + 1
        if isinstance(event, AliasEvent):
            return Alias(start=start, end=end, line=line, target=self._target(event.anchor, line))
        anchor, tag = event.anchor, _tag(event)
        if anchor:
            self._open.add(anchor)
        made: Node
        if isinstance(event, ScalarEvent):
            made = Scalar(start=start, end=end, line=line, tag=tag, anchor=anchor, value=event.value)
        elif isinstance(event, SequenceStartEvent):
            items, end = self._children(SequenceEndEvent, line)
            made = Sequence(start=start, end=end, line=line, tag=tag, anchor=anchor, items=tuple(items))
        elif isinstance(event, MappingStartEvent):
            parts, end = self._children(MappingEndEvent, line)
            pairs = tuple(zip(parts[::2], parts[1::2], strict=True))
            _refuse_duplicates(pairs)
            flow = bool(event.flow_style)
            made = Mapping(start=start, end=end, line=line, tag=tag, anchor=anchor, pairs=pairs, flow=flow)
        else:
            raise TypeError(f"no node: {event}")
        if anchor:
            self._open.discard(anchor)
            self._anchors[anchor] = made
        return made

    def _target(self, name: str, line: int) -> Node:
        if name in self._open:
            raise _unreadable(line, f"*{name} is used inside of what it stands for", "Write out what is meant.")
        if name not in self._anchors:
            raise _unreadable(line, f"*{name} has no anchor &{name} above it", "Correct the name.")
        return self._anchors[name]

    def _children(self, end_type: type[Event], line: int) -> tuple[list[Node], int]:
        """The nodes up to the end of their collection, and its offset."""
        if self._depth >= DEEPEST:
            raise _unreadable(line, f"it is nested more than {DEEPEST} levels deep", _IS_IT_ONE)
        self._depth += 1
        nodes: list[Node] = []
        for event in self._events:
            if isinstance(event, end_type):
                self._depth -= 1
                return nodes, event.end_mark.index
            if isinstance(event, NodeEvent):
                nodes.append(self._node(event))
        raise AssertionError("a parser ends what it begins")


def _refuse_duplicates(pairs: tuple[tuple[Node, Node], ...]) -> None:
    """Parsers differ in which of two equal keys they take. Several merge keys are common, and are all merged."""
    lines: dict[str, int] = {}
    for key, _ in pairs:
        if not isinstance(key, Scalar) or key.value == MERGE:
            continue
        if key.value in lines:
            before = lines[key.value]
            raise _unreadable(
                key.line, f"the key {key.value!r} is in line {before} already", "Remove one of the two."
            )
        lines[key.value] = key.line


def _unreadable(line: int, why: str, hint: str) -> TemplateError:
    return TemplateError(f"The template cannot be read at line {line}: {why}.", hint=hint)


def _tag(event: NodeEvent) -> str | None:
    tag = getattr(event, "tag", None)  # aliases have none
    return str(tag) if tag else None
