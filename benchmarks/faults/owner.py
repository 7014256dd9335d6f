"""The owner of the function: what they do to it during a run, and how they must find it at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.faults.schedule import MEMORY_MB, Act, Deed, Schedule
from tuner.aws.deploy import ROLE
from tuner.local.package import LocalFunction, read_function

if TYPE_CHECKING:
    from mypy_boto3_lambda.literals import RuntimeType

NAME = "mine"
ALIAS = "live"
REGION = "eu-central-1"
TAGS = {"team": "media"}
MARK = "tuner:run:"
TIMEOUT_S = 3
WATCHED = ("MemorySize", "Timeout", "CodeSha256", "Description", "Handler")
FROZEN = ("MemorySize", "CodeSha256", "Description")
"""What tells a version from another one of the same number."""
HANDLER = "import time\ndef handler(event, context):\n    time.sleep(0.01)\n    return 'ok'\n"
LOOK_EVERY_S = 0.05
RELEASE = "release"
"""How every description of the owner's versions begins."""

Version = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What an owner would notice of a function and its account."""

    configuration: dict[str, Any]
    versions: dict[str, Version]
    aliases: dict[str, str]
    tags: dict[str, str]
    functions: tuple[str, ...]


@dataclass(slots=True)
class Left:
    """How the owner left the function last."""

    configuration: dict[str, Any] = field(default_factory=dict)
    memory_mb: set[int] = field(default_factory=set)
    """More than one where they set exactly a size of tuner's: then nobody can tell whose it is."""
    versions: dict[str, Version] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


class Owner:
    """A client of its own, which asks until it is answered: the faults of the plan may meet its calls too."""

    def __init__(self, endpoint_url: str, schedule: Schedule, folder: Path) -> None:
        self.left = Left()
        self._sizes_mb = schedule.sizes_mb
        self._packages = [
            _package(folder / f"code-{number}", comment) for number, comment in enumerate(("", "# 2\n"))
        ]
        self._client = boto3.client(
            "lambda",
            region_name=REGION,
            endpoint_url=endpoint_url,
            aws_access_key_id="owner",
            aws_secret_access_key="owner",
            config=Config(retries={"total_max_attempts": 1}),
        )
        self._create(self._packages[0], MEMORY_MB)
        if schedule.released:
            self._publish(f"{RELEASE} 1")
            self._point_alias("1")

    def act(self, acts: Sequence[Act], runs_ended: Event) -> None:
        """Do everything in turn, each at its time."""
        started_s = time.monotonic()
        for act in acts:
            if act.after_s is None:
                while not self._tuner_shows(act) and not runs_ended.wait(LOOK_EVERY_S):
                    pass
            else:
                runs_ended.wait(max(0.0, started_s + act.after_s - time.monotonic()))
            self._do(act)

    def state(self) -> State:
        answer = self._ask(lambda: self._client.get_function(FunctionName=NAME))
        return State(
            configuration={key: answer["Configuration"][key] for key in WATCHED},
            versions=self._versions(),
            aliases=self._aliases(),
            tags=dict(answer.get("Tags", {})),
            functions=tuple(
                function["FunctionName"] for function in self._ask(self._client.list_functions)["Functions"]
            ),
        )

    def adopted_versions(self) -> list[str]:
        """Versions of tuner's that the owner's alias points to: Lambda deletes none of these."""
        versions = self._versions()
        return [number for number in self._aliases().values() if is_tuners(versions.get(number))]

    def remove_alias(self) -> None:
        self._ask(lambda: self._client.delete_alias(FunctionName=NAME, Name=ALIAS))
        self.left.aliases = {}

    def close(self) -> None:
        self._client.close()

    def _do(self, act: Act) -> None:
        match act.deed:
            case Deed.PUBLISH:
                self._publish(f"{RELEASE} of the owner")
            case Deed.RELEASE:
                self._point_alias(self._publish(f"{RELEASE} of the owner"))
            case Deed.ADOPT:
                if versions := self._versions():
                    self._point_alias(max(versions, key=int))
            case Deed.MEMORY:
                self._set_memory(act.memory_mb)
            case Deed.RECREATE:
                self._recreate(act)

    def _set_memory(self, memory_mb: int) -> None:
        self._update(MemorySize=memory_mb)
        self.left.memory_mb = {memory_mb, *(self.left.memory_mb if memory_mb in self._sizes_mb else ())}

    def _recreate(self, act: Act) -> None:
        self.left = Left()
        self._ask(lambda: self._client.delete_function(FunctionName=NAME), done_by=("ResourceNotFoundException",))
        self._create(self._packages[act.other_code], act.memory_mb)
        for number in range(1, 4):
            self._update(Description=f"build {number}")
            self.left.configuration["Description"] = f"build {number}"
            version = self._publish(f"{RELEASE} {number}")
        self._point_alias(version)

    def _create(self, local: LocalFunction, memory_mb: int) -> None:
        self._ask(
            lambda: self._client.create_function(
                FunctionName=NAME,
                Runtime=cast("RuntimeType", local.runtime),
                Handler=local.handler,
                Role=ROLE,
                Code={"ZipFile": local.zip_bytes},
                Architectures=[local.architecture.value],
                MemorySize=memory_mb,
                Timeout=TIMEOUT_S,
                Tags=TAGS,
            ),
            done_by=("ResourceConflictException",),
        )
        configuration = self._configuration()
        while configuration["State"] != "Active":
            time.sleep(0.02)
            configuration = self._configuration()
        self.left.configuration = {key: configuration[key] for key in WATCHED if key != "MemorySize"}
        self.left.memory_mb = {memory_mb}

    def _update(self, **changed: Any) -> None:
        self._ask(lambda: self._client.update_function_configuration(FunctionName=NAME, **changed))

    def _publish(self, description: str) -> str:
        """Number of the version that was answered. Where nothing has changed since, it may be one of tuner's."""
        answer = self._ask(lambda: self._client.publish_version(FunctionName=NAME, Description=description))
        version = _frozen(answer)
        if not is_tuners(version):
            self.left.versions[answer["Version"]] = version
        return str(answer["Version"])

    def _point_alias(self, version: str) -> None:
        """Nothing changes where the version is gone: it was one of tuner's."""
        call = self._client.update_alias if ALIAS in self.left.aliases else self._client.create_alias
        made = self._ask(
            lambda: call(FunctionName=NAME, Name=ALIAS, FunctionVersion=version),
            done_by=("ResourceNotFoundException", "ResourceConflictException"),
        )
        if made is not None or ALIAS in self._aliases():
            self.left.aliases = self._aliases()

    def _tuner_shows(self, act: Act) -> bool:
        if act.deed is Deed.ADOPT:
            return any(is_tuners(version) for version in self._versions().values())
        return self._configuration()["MemorySize"] not in self.left.memory_mb

    def _configuration(self) -> dict[str, Any]:
        return dict(self._ask(lambda: self._client.get_function_configuration(FunctionName=NAME)))

    def _versions(self) -> dict[str, Version]:
        found = self._ask(lambda: self._client.list_versions_by_function(FunctionName=NAME))["Versions"]
        return {version["Version"]: _frozen(version) for version in found if version["Version"] != "$LATEST"}

    def _aliases(self) -> dict[str, str]:
        found = self._ask(lambda: self._client.list_aliases(FunctionName=NAME))["Aliases"]
        return {alias["Name"]: alias["FunctionVersion"] for alias in found}

    @staticmethod
    def _ask(call: Callable[[], Any], *, done_by: tuple[str, ...] = ()) -> Any:
        """The answer; None where an error says that it is done already."""
        for _ in range(60):
            try:
                return call()
            except ClientError as error:
                if error.response["Error"]["Code"] in done_by:
                    return None
            except BotoCoreError:
                pass
            time.sleep(0.05)
        raise RuntimeError("the embedded Lambda does not answer the owner")


def is_tuners(version: Version | None) -> bool:
    return version is not None and str(version[-1]).startswith("tuner run ")


def _frozen(answer: dict[str, Any]) -> Version:
    return tuple(answer[key] for key in FROZEN)


def _package(folder: Path, comment: str) -> LocalFunction:
    folder.mkdir()
    (folder / "handler.py").write_text(comment + HANDLER)
    return read_function(folder, memory_mb=MEMORY_MB, timeout_s=TIMEOUT_S)


def check_owned(
    left: Left, found: State, allowed_mb: set[int], *, code_deployed: bool, adopted: Collection[str] = ()
) -> Iterator[str]:
    """Everything of the owner's must be there as they left it, and nothing of tuner's but ``adopted`` versions and,
    with these, the mark of their run."""
    expected = left.configuration | {"MemorySize": found.configuration["MemorySize"]}
    if code_deployed:
        expected["CodeSha256"] = found.configuration["CodeSha256"]
    if found.configuration != expected:
        yield f"configuration {found.configuration}, expected {expected}"
    if found.configuration["MemorySize"] not in allowed_mb:
        yield f"memory {found.configuration['MemorySize']} MB, expected {sorted(allowed_mb)}"
    yield from _check_versions(left.versions, found.versions, adopted)
    if found.aliases != left.aliases:
        yield f"aliases {found.aliases}, expected {left.aliases}"
    if {tag: value for tag, value in found.tags.items() if not (adopted and tag.startswith(MARK))} != TAGS:
        yield f"tags {found.tags}, expected {TAGS}"
    if found.functions != (NAME,):
        yield f"functions {found.functions}"


def _check_versions(left: dict[str, Version], found: dict[str, Version], adopted: Collection[str]) -> Iterator[str]:
    """A publication of the owner's whose answer was lost may have made one more than they know of."""
    for number, version in left.items():
        if found.get(number) != version:
            yield f"version {number} of the owner was {version} and is {found.get(number)}"
    for number, version in found.items():
        if not str(version[-1]).startswith(RELEASE) and number not in adopted:
            yield f"version {number} was left: {version}"
