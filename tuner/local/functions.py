"""What is deployed: functions, their versions and aliases, and how they change. Pure data: no clock, no files.

Two habits of the service matter to a tuner and are kept:

* ``RevisionId`` changes when an update starts and once more when it has settled, so the id that
  UpdateFunctionConfiguration returned is already stale when the waiter comes back
  (https://github.com/aws/aws-sdk/issues/377).
* PublishVersion of an unchanged ``$LATEST`` returns the version that exists. A new version changes the ``RevisionId``
  of ``$LATEST`` as well, and so do tags.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tuner.local import faults
from tuner.local.identifiers import LATEST, FunctionName, Namespace, version_number

MOST_TAGS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging:
    """LoggingConfig. The levels filter only in the JSON format."""

    format: str = "Text"
    application_level: str = "INFO"
    system_level: str = "INFO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration that a publish freezes. ``environment`` is sorted, so equal settings compare equal."""

    runtime: str
    handler: str
    role: str
    memory_mb: int = 128
    timeout_s: int = 3
    description: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    architecture: str = "x86_64"
    ephemeral_storage_mb: int = 512
    logging: Logging = Logging()


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A deployment package by its content. ``key`` names its files; ``sha256`` is base64, as the API shows it."""

    key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One state of ``$LATEST`` or of a version, with the times at which it settles (monotonic seconds)."""

    settings: Settings
    code: Code
    modified_at: str
    changing_id: str
    settled_id: str
    active_at_s: float
    settles_at_s: float

    def revision_id(self, now_s: float) -> str:
        return self.settled_id if self.settled(now_s) else self.changing_id

    def active(self, now_s: float) -> bool:
        return now_s >= self.active_at_s

    def settled(self, now_s: float) -> bool:
        return now_s >= self.settles_at_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    name: str
    version: str
    description: str
    revision_id: str
    weights: tuple[tuple[str, float], ...] = ()
    """RoutingConfig: the share of invocations that other versions get."""

    @property
    def versions(self) -> tuple[str, ...]:
        """All that it leads to."""
        return (self.version, *(version for version, _ in self.weights))

    def choose(self, draw: float) -> str:
        """The version for an invocation whose uniform ``draw`` from [0, 1) is given."""
        for version, weight in self.weights:
            if draw < weight:
                return version
            draw -= weight
        return self.version


@dataclass(slots=True, kw_only=True)
class Function:
    """One function. ``uid`` tells it from an earlier function of the same name."""

    name: str
    uid: str
    latest: Revision
    versions: dict[int, Revision] = field(default_factory=dict)
    published_from: dict[int, tuple[Settings, Code]] = field(default_factory=dict)
    """The content of ``$LATEST`` that each version was cut from."""
    aliases: dict[str, Alias] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    reserved_concurrency: int | None = None
    last_version: int = 0

    def revision(self, version: str) -> Revision | None:
        if version == LATEST:
            return self.latest
        number = version_number(version)
        return None if number is None else self.versions.get(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A function at one version, after aliases."""

    function: Function
    version: str
    revision: Revision


class FunctionStore:
    """All functions of the account. Every method raises ApiError exactly where the service would refuse."""

    def __init__(
        self,
        namespace: Namespace,
        *,
        clock: Callable[[], float],
        timestamp: Callable[[], str],
        delay_s: float,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.namespace = namespace
        self._clock = clock
        self._timestamp = timestamp
        self._delay_s = delay_s
        self._new_id = new_id
        self._draw = draw
        self._functions: dict[str, Function] = {}

    def now_s(self) -> float:
        return self._clock()

    def all(self) -> tuple[Function, ...]:
        return tuple(self._functions[name] for name in sorted(self._functions))

    def get(self, name: str) -> Function:
        if name not in self._functions:
            raise faults.not_found(self.namespace.arn(name))
        return self._functions[name]

    def resolve(self, target: FunctionName, qualifier: str | None = None, *, weighted: bool = False) -> Resolved:
        """The version that ``target`` means: none given is ``$LATEST``, an alias is followed.

        ``weighted``: as an invocation follows it, by chance. Everything else sees the version that it points to.
        """
        named = qualifier or target.qualifier
        wanted = named or LATEST
        if target.name not in self._functions:
            raise self._not_found(target.name, named)
        function = self._functions[target.name]
        alias = function.aliases.get(wanted)
        if alias is not None:
            wanted = alias.choose(self._draw()) if weighted else alias.version
        revision = function.revision(wanted)
        if revision is None:
            raise self._not_found(target.name, named)
        return Resolved(function=function, version=wanted, revision=revision)

    def _not_found(self, name: str, qualifier: str | None) -> faults.ApiError:
        """It shows what was asked for, also where that was ``$LATEST``."""
        arn = self.namespace.arn(name)
        return faults.not_found(f"{arn}:{qualifier}" if qualifier else arn)

    def create(
        self, name: str, settings: Settings, code: Code, tags: Mapping[str, str], *, publish: bool = False
    ) -> Function:
        """``publish``: with a version 1 that becomes active together with the function."""
        if name in self._functions:
            raise faults.conflict(f"Function already exist: {name}")
        _check_tags(tags)
        function = Function(name=name, uid=self._new_id(), latest=self._fresh(settings, code), tags=dict(tags))
        self._functions[name] = function
        if publish:
            self._cut_version(function, None)
        return function

    def update(
        self, name: str, *, settings: Settings | None = None, code: Code | None = None, revision_id: str | None
    ) -> Function:
        """Change configuration or code of ``$LATEST``; refused while an earlier change is in progress."""
        function = self.get(name)
        self._check_changeable(function, revision_id)
        old = function.latest
        new = self._fresh(settings or old.settings, code or old.code)
        function.latest = replace(new, active_at_s=old.active_at_s)
        return function

    def impose(self, name: str, *, settings: Settings | None = None, code: Code | None = None) -> Function:
        """``$LATEST`` as somebody else has left it: settled, whatever was in progress."""
        function = self.get(name)
        old = function.latest
        new = self._fresh(settings or old.settings, code or old.code)
        function.latest = replace(new, active_at_s=old.active_at_s, settles_at_s=self._clock())
        return function

    @contextmanager
    def slowed(self, extra_s: float) -> Iterator[None]:
        """What is created or changed inside the block takes this much longer to settle."""
        self._delay_s += extra_s
        try:
            yield
        finally:
            self._delay_s -= extra_s

    def publish(
        self, name: str, *, description: str | None, code_sha256: str | None, revision_id: str | None
    ) -> tuple[str, Revision]:
        """Freeze ``$LATEST`` as the next version; unchanged since the last one, that one is returned."""
        function = self.get(name)
        self._check_changeable(function, revision_id)
        latest = function.latest
        if code_sha256 is not None and code_sha256 != latest.code.sha256:
            raise faults.invalid_parameter(
                f"CodeSHA256 ({code_sha256}) is different from current CodeSHA256 in $LATEST "
                f"({latest.code.sha256}). Please try again with the CodeSHA256 in $LATEST."
            )
        content = (latest.settings, latest.code)
        if function.published_from.get(function.last_version) == content:
            return str(function.last_version), function.versions[function.last_version]
        return self._cut_version(function, description)

    def publish_update(self, name: str) -> tuple[str, Revision]:
        """Freeze what has just been changed and is still settling."""
        return self._cut_version(self.get(name), None)

    def _cut_version(self, function: Function, description: str | None) -> tuple[str, Revision]:
        latest = function.latest
        settings = latest.settings
        if description is not None:
            settings = replace(settings, description=description)
        number = function.last_version + 1
        function.last_version = number
        function.versions[number] = self._fresh(settings, latest.code)
        function.published_from[number] = (latest.settings, latest.code)
        self._renew_revision(function)
        return str(number), function.versions[number]

    def _renew_revision(self, function: Function) -> None:
        """Another ``RevisionId`` of ``$LATEST`` for what settles at once, or is settling."""
        function.latest = replace(function.latest, changing_id=self._new_id(), settled_id=self._new_id())

    def delete(self, name: str) -> Function:
        function = self.get(name)
        del self._functions[name]
        return function

    def delete_version(self, name: str, version: str) -> Function:
        """Deleting a version that does not exist succeeds, as on the service."""
        if version == LATEST:
            raise faults.invalid_parameter("$LATEST version cannot be deleted without deleting the function.")
        number = version_number(version)
        if number is None:
            raise faults.invalid_parameter("Deletion of aliases is not currently supported.")
        function = self.get(name)
        pointing = sorted(alias.name for alias in function.aliases.values() if version in alias.versions)
        if pointing:
            raise faults.conflict(f"Unable to delete version because the following aliases reference it: {pointing}")
        function.versions.pop(number, None)
        function.published_from.pop(number, None)
        return function

    def tag(self, name: str, tags: Mapping[str, str]) -> None:
        """Tags are part of what has a revision."""
        function = self.get(name)
        _check_tags({**function.tags, **tags})
        function.tags.update(tags)
        self._renew_revision(function)

    def untag(self, name: str, keys: Iterable[str]) -> None:
        function = self.get(name)
        for key in keys:
            function.tags.pop(key, None)
        self._renew_revision(function)

    def create_alias(self, function_name: str, wanted: Alias) -> Alias:
        """An alias like ``wanted``; its RevisionId is made here."""
        if function_name not in self._functions:
            raise self._not_found(function_name, wanted.version)
        function = self._functions[function_name]
        self._check_routing(function, wanted)
        if wanted.name in function.aliases:
            raise faults.conflict(f"Alias already exists: {self.namespace.arn(function_name, wanted.name)}")
        return self._keep_alias(function, wanted)

    def update_alias(self, function_name: str, wanted: Alias, *, revision_id: str | None) -> Alias:
        """Make an alias like ``wanted`` if its revision is still ``revision_id``, or whatever it is."""
        function = self.get(function_name)
        old = function.aliases.get(wanted.name)
        if old is None:
            raise faults.not_found(self.namespace.arn(function_name, wanted.name), "Alias")
        if revision_id is not None and revision_id != old.revision_id:
            raise faults.revision_mismatch()
        self._check_routing(function, wanted)
        return self._keep_alias(function, wanted)

    def _keep_alias(self, function: Function, wanted: Alias) -> Alias:
        alias = replace(wanted, revision_id=self._new_id())
        function.aliases[alias.name] = alias
        return alias

    def _check_routing(self, function: Function, alias: Alias) -> None:
        """The rules of an alias that has more than a name and a version of its own."""
        if len(alias.weights) > 1:
            raise faults.invalid_parameter("Number of items in AdditionalVersionWeights cannot be greater than 1")
        if alias.weights and alias.version == LATEST:
            raise faults.invalid_parameter("$LATEST is not supported for an alias pointing to more than 1 version")
        if alias.version in dict(alias.weights):
            raise faults.invalid_parameter(
                f"Invalid function version {alias.version}. "
                f"Function version {alias.version} is already included in routing configuration."
            )
        for version in alias.versions:
            if function.revision(version) is None:
                raise self._not_found(function.name, version)

    def alias(self, function_name: str, alias_name: str) -> Alias:
        function = self.get(function_name)
        if alias_name not in function.aliases:
            arn = self.namespace.arn(function_name, alias_name)
            raise faults.ApiError(404, "ResourceNotFoundException", f"Cannot find alias arn: {arn}")
        return function.aliases[alias_name]

    def _check_changeable(self, function: Function, revision_id: str | None) -> None:
        now_s = self._clock()
        latest = function.latest
        if revision_id is not None and revision_id != latest.revision_id(now_s):
            raise faults.revision_mismatch()
        if not latest.active(now_s):
            raise faults.not_active("Pending")
        if not latest.settled(now_s):
            raise faults.update_in_progress(self.namespace.arn(function.name))

    def _fresh(self, settings: Settings, code: Code) -> Revision:
        done_s = self._clock() + self._delay_s
        return Revision(
            settings=settings,
            code=code,
            modified_at=self._timestamp(),
            changing_id=self._new_id(),
            settled_id=self._new_id(),
            active_at_s=done_s,
            settles_at_s=done_s,
        )


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > MOST_TAGS:
        raise faults.invalid_parameter(f"A function can have {MOST_TAGS} tags; this would give it {len(tags)}.")
