"""Who else uses a piece of YAML: through aliases and merge keys a change of one function is a change of others."""

from __future__ import annotations

from collections.abc import Iterator

from tuner.inputs.templates.yaml_tree import MERGE, Alias, Document, Mapping, Node, Sequence

_DECLARING = ("Resources", "functions")
"""What stands right below these keys has a name of its own."""


def shared_with(document: Document, node: Node, key: str | None = None) -> str | None:
    """Why a change of ``node``, or of ``key`` within it, is not only its own; None where nothing else uses it."""
    shared = [
        (enclosing, aliases)
        for enclosing, changed_key in _enclosing(document, node, key)
        if (aliases := _affected(document, enclosing, changed_key))
    ]
    if not shared:
        return None
    nearest = shared[0][0]
    what = "it" if nearest is node and key is None else f"what it is a part of (line {nearest.line})"
    users = _users(document, [alias for _, aliases in shared for alias in aliases])
    return f"{what} is anchored as &{nearest.anchor} and used again by {', '.join(users)}"


def _enclosing(document: Document, node: Node, key: str | None) -> Iterator[tuple[Node, str | None]]:
    """``node`` and everything around it, each with the key under which the change is."""
    current: Node | None = node
    while current is not None:
        yield current, key
        current, under = document.parent_of(current)
        key = key if under == MERGE else under  # what is merged has the same key one level up


def _affected(document: Document, node: Node, key: str | None) -> list[Alias]:
    """The aliases of ``node``, without merges into a mapping that has a ``key`` of its own."""
    return [alias for alias in document.aliases_of(node) if not _overrides(document, alias, key)]


def _overrides(document: Document, alias: Alias, key: str | None) -> bool:
    parent, under = document.parent_of(alias)
    if isinstance(parent, Sequence):
        parent, under = document.parent_of(parent)
    merging = isinstance(parent, Mapping) and under == MERGE
    return merging and isinstance(parent, Mapping) and key is not None and parent.get(key) is not None


def _users(document: Document, aliases: list[Alias]) -> list[str]:
    """Each use by name and line. What is used inside of another anchored mapping is used by that one's users."""
    found: dict[str, None] = {}
    seen: set[int] = set()
    waiting: list[Node] = list(aliases)
    while waiting:
        alias = waiting.pop(0)
        if id(alias) in seen:
            continue
        seen.add(id(alias))
        found[f"{_name(document, alias)} in line {alias.line}"] = None
        for enclosing, _ in _enclosing(document, alias, None):
            waiting.extend(document.aliases_of(enclosing))
    return list(found)


def _name(document: Document, node: Node) -> str:
    """The function or resource that ``node`` is a part of, else the keys that lead to it."""
    keys = [key for _, key in _enclosing(document, node, None) if key is not None]
    keys.reverse()
    if keys[:1] and keys[0] in _DECLARING and len(keys) > 1:
        return keys[1]
    return ".".join(key for key in keys if key != MERGE) or "the template"
