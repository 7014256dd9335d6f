"""A model of Lambda that is as strict as AWS: what each call does, and who made what.

Behind it are recorded answers of the service: an unchanged function publishes its last version again, whatever the
description; every change, of the tags too, a publication and the end of an update give ``$LATEST`` another revision;
an update in progress refuses the next one (409); a revision that is not the latest is refused (412); a version that
an alias points to cannot be deleted (409); a function that is deleted and made again begins with version 1 and with
none of its tags. ``tests/contract/test_model.py`` holds it against the embedded Lambda, moto and these recordings.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from tuner.engine.ports import Conflicted
from tuner.errors import FunctionNotFoundError, TargetError, VersionInUseError

FOREIGN = "somebody else"

MOST_TAGS = 50
TOO_MANY_TAGS = f"A function can have {MOST_TAGS} tags."
STALE = "The Revision Id provided does not match the latest Revision Id."
IN_PROGRESS = "The operation cannot be performed at this time. An update is in progress for resource."


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    number: int
    memory_mb: int
    code_sha256: str
    description: str
    owner: str


@dataclass(slots=True, kw_only=True)
class ModelFunction:
    """One life of a function, from its creation to its deletion."""

    name: str
    owner: str
    memory_mb: int
    code_sha256: str
    revision: int
    tags: dict[str, str] = field(default_factory=dict)
    versions: dict[int, ModelVersion] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    next_version: int = 1
    settles_at_s: float = 0.0
    allowed_mb: set[int] = field(default_factory=set)
    """Memory sizes that its owner may find at the end: the one it was given last by anybody but tuner."""
    ours_mb: tuple[int, ...] = ()
    """The last two sizes, other than its own, that the journal of a run announced while its mark is on the function:
    which of them it has, a lost answer hides from the journal."""


class ModelLambda:
    """The service. Calls take effect at once; latency and faults are the business of who calls."""

    def __init__(self, *, settle_s: float) -> None:
        self._settle_s = settle_s
        self._revisions = itertools.count(1)
        self.now_s = 0.0
        self.functions: dict[str, ModelFunction] = {}
        self.foreign_deleted: list[str] = []
        """Versions, aliases and functions of somebody else's that tuner deleted: there must be none."""
        self.invocations = 0

    def create(self, name: str, *, owner: str, memory_mb: int, code_sha256: str, tags: dict[str, str]) -> None:
        if name in self.functions:
            raise Conflicted(f"Function already exist: {name}")
        self.functions[name] = ModelFunction(
            name=name,
            owner=owner,
            memory_mb=memory_mb,
            code_sha256=code_sha256,
            revision=next(self._revisions),
            tags=dict(tags),
            settles_at_s=self.now_s + self._settle_s,
            allowed_mb={memory_mb},
        )

    def function(self, name: str) -> ModelFunction:
        found = self.functions.get(name)
        if found is None:
            raise FunctionNotFoundError(f"There is no function {name}.", hint="Look at the name and the region.")
        if 0.0 < found.settles_at_s <= self.now_s:
            found.settles_at_s = 0.0
            found.revision = next(self._revisions)  # the status is part of what has a revision
        return found

    def settled(self, name: str) -> bool:
        return self.function(name).settles_at_s == 0.0

    def set_memory(self, name: str, memory_mb: int, *, revision: int | None, owner: str) -> None:
        found = self._changeable(name, revision)
        if owner == FOREIGN:
            # Where tuner's own size is set once more, nobody can tell whose it is: then both ends are right.
            ambiguous = memory_mb in (found.memory_mb, *found.ours_mb)
            before_mb = {int(value) for tag, value in found.tags.items() if tag.startswith("tuner:run:")}
            found.allowed_mb = {memory_mb, *((found.allowed_mb | before_mb) if ambiguous else ())}
        found.memory_mb = memory_mb
        self._changed(found)

    def set_code(self, name: str, code_sha256: str) -> None:
        found = self._changeable(name, None)
        found.code_sha256 = code_sha256
        self._changed(found)

    def publish(self, name: str, *, description: str, revision: int | None, owner: str) -> ModelVersion:
        found = self._changeable(name, revision)
        last = found.versions.get(max(found.versions, default=0))
        if last and (last.memory_mb, last.code_sha256) == (found.memory_mb, found.code_sha256):
            return last
        version = ModelVersion(
            number=found.next_version,
            memory_mb=found.memory_mb,
            code_sha256=found.code_sha256,
            description=description,
            owner=owner,
        )
        found.versions[version.number] = version
        found.next_version += 1
        found.revision = next(self._revisions)
        return version

    def point_alias(self, name: str, alias: str, version: int) -> None:
        found = self.function(name)
        if version not in found.versions:
            raise FunctionNotFoundError(f"There is no version {version} of {name}.", hint="Publish it.")
        found.aliases[alias] = version

    def tag(self, name: str, tags: Mapping[str, str]) -> None:
        found = self.function(name)
        if len({**found.tags, **tags}) > MOST_TAGS:
            raise TargetError(TOO_MANY_TAGS, hint="Remove a tag.")
        found.tags.update(tags)
        found.revision = next(self._revisions)

    def untag(self, name: str, tag: str) -> None:
        found = self.function(name)
        found.tags.pop(tag, None)
        found.revision = next(self._revisions)
        if not any(key.startswith("tuner:") for key in found.tags):
            found.ours_mb = ()

    def delete_version(self, name: str, number: int, *, owner: str) -> None:
        found = self.function(name)
        if number in found.aliases.values():
            raise VersionInUseError(
                f"Unable to delete version because the following aliases reference it: {number}",
                hint="Point the alias to another version.",
            )
        version = found.versions.pop(number, None)
        if version is not None and owner != FOREIGN and version.owner == FOREIGN:
            self.foreign_deleted.append(f"version {number} of {name}")

    def delete(self, name: str, *, owner: str) -> None:
        found = self.function(name)
        if owner != FOREIGN and found.owner == FOREIGN:
            self.foreign_deleted.append(f"function {name}")
        del self.functions[name]

    def invoke(self, name: str, version: str) -> int:
        """The memory size it ran with."""
        found = self.function(name)
        self.invocations += 1
        if version == "$LATEST":
            return found.memory_mb
        if int(version) not in found.versions:
            raise FunctionNotFoundError(f"There is no version {version} of {name}.", hint="Publish it again.")
        return found.versions[int(version)].memory_mb

    def _changeable(self, name: str, revision: int | None) -> ModelFunction:
        found = self.function(name)
        if found.settles_at_s > self.now_s:
            raise Conflicted(IN_PROGRESS)
        if revision is not None and revision != found.revision:
            raise Conflicted(STALE)
        return found

    def _changed(self, found: ModelFunction) -> None:
        found.revision = next(self._revisions)
        found.settles_at_s = self.now_s + self._settle_s
