"""The model behind the simulation is no kinder than real servers: one set of scenarios for it, for the embedded
Lambda and for moto.

The expectations are ours; where a recorded answer of the real API speaks to one, its docstring names the recording.
Where moto differs, ``MOTO`` says so and the scenario must fail there (strictly): a server that changes its mind is
noticed. docs/local.md explains each difference.
"""

from __future__ import annotations

import io
import json
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from simulation.service import FOREIGN, STALE, ModelLambda
from tuner.engine.ports import Conflicted
from tuner.errors import FunctionNotFoundError, TargetError, VersionInUseError
from tuner.local.launcher import EmbeddedLambda

NAME = "scenario"
SETTLE_S = 0.4
DOCS = Path(__file__).parents[2] / "docs" / "local.md"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
KEYS: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}

NO_REVISIONS = "moto answers without a RevisionId"
UNCHECKED = "moto does not check RevisionId"
AT_ONCE = "moto ends every update at once"
AGAIN = "moto gives the number of a deleted newest version again"
MOTO = {
    "test_publishing_an_unchanged_function_keeps_the_revision": NO_REVISIONS,
    "test_an_alias_gives_latest_no_other_revision": NO_REVISIONS,
    "test_the_latest_revision_allows_a_change_and_a_publication": NO_REVISIONS,
    "test_a_change_gives_another_revision_and_so_does_its_end": NO_REVISIONS,
    "test_a_new_version_gives_latest_another_revision": NO_REVISIONS,
    "test_tags_give_another_revision": NO_REVISIONS,
    "test_a_stale_revision_refuses_a_change_of_the_memory": UNCHECKED,
    "test_a_stale_revision_refuses_a_publication": UNCHECKED,
    "test_an_update_in_progress_refuses_the_next_change": AT_ONCE,
    "test_an_update_in_progress_refuses_a_publication": AT_ONCE,
    "test_a_version_that_an_alias_points_to_is_not_deleted": "moto deletes a version that an alias points to",
    "test_a_version_is_deleted_alone_and_a_second_time_without_complaint": (
        "moto answers 404 where a version to delete does not exist"
    ),
    "test_a_size_that_was_tried_and_taken_back_is_no_change": (
        "moto publishes a new version after any update, also one that was taken back"
    ),
    "test_a_function_that_has_fifty_tags_gets_no_other_one": "moto lets a function have more than 50 tags",
    "test_the_number_of_a_deleted_newest_version_is_not_given_again": AGAIN,
    "test_what_an_older_version_is_does_not_get_the_number_of_a_deleted_newest_one": AGAIN,
}


class Refused(Exception):
    """With one word for why: ``stale``, ``conflict``, ``absent`` or ``invalid``."""


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    memory_mb: int
    description: str


class Service(Protocol):
    """One function on one service. Each call raises ``Refused`` where the service refuses it."""

    def create(self) -> None:
        """With 256 MB and the tag ``team``. It is active when this returns."""

    def delete(self) -> None: ...

    def begin_memory(self, memory_mb: int, *, revision: str | None = None) -> None:
        """Start an update, which is in progress when this returns."""

    def settle(self) -> None:
        """Wait until no update is in progress."""

    def memory_mb(self) -> int: ...

    def revision(self) -> str: ...

    def publish(self, description: str = "", *, revision: str | None = None) -> Version: ...

    def versions(self) -> list[Version]: ...

    def delete_version(self, number: int) -> None: ...

    def point_alias(self, alias: str, number: int) -> None: ...

    def tag(self, key: str, value: str) -> None: ...

    def untag(self, key: str) -> None: ...

    def tags(self) -> dict[str, str]: ...


class Model:
    def __init__(self) -> None:
        self._lambda = ModelLambda(settle_s=SETTLE_S)

    def create(self) -> None:
        with _model_refusals():
            self._lambda.create(NAME, owner=FOREIGN, memory_mb=256, code_sha256="code", tags={"team": "a"})
        self.settle()

    def delete(self) -> None:
        with _model_refusals():
            self._lambda.delete(NAME, owner=FOREIGN)

    def begin_memory(self, memory_mb: int, *, revision: str | None = None) -> None:
        with _model_refusals():
            self._lambda.set_memory(NAME, memory_mb, revision=_number(revision), owner=FOREIGN)

    def settle(self) -> None:
        self._lambda.now_s += 2 * SETTLE_S

    def memory_mb(self) -> int:
        return self._lambda.function(NAME).memory_mb

    def revision(self) -> str:
        return str(self._lambda.function(NAME).revision)

    def publish(self, description: str = "", *, revision: str | None = None) -> Version:
        with _model_refusals():
            made = self._lambda.publish(NAME, description=description, revision=_number(revision), owner=FOREIGN)
        return Version(made.number, made.memory_mb, made.description)

    def versions(self) -> list[Version]:
        found = self._lambda.function(NAME).versions.values()
        return [Version(version.number, version.memory_mb, version.description) for version in found]

    def delete_version(self, number: int) -> None:
        with _model_refusals():
            self._lambda.delete_version(NAME, number, owner=FOREIGN)

    def point_alias(self, alias: str, number: int) -> None:
        with _model_refusals():
            self._lambda.point_alias(NAME, alias, number)

    def tag(self, key: str, value: str) -> None:
        with _model_refusals():
            self._lambda.tag(NAME, {key: value})

    def untag(self, key: str) -> None:
        self._lambda.untag(NAME, key)

    def tags(self) -> dict[str, str]:
        return dict(self._lambda.function(NAME).tags)


@contextmanager
def _model_refusals() -> Iterator[None]:
    try:
        yield
    except Conflicted as refusal:
        raise Refused("stale" if str(refusal) == STALE else "conflict") from refusal
    except VersionInUseError as refusal:
        raise Refused("conflict") from refusal
    except FunctionNotFoundError as refusal:
        raise Refused("absent") from refusal
    except TargetError as refusal:
        raise Refused("invalid") from refusal


def _number(revision: str | None) -> int | None:
    return None if revision is None else int(revision)


WORDS = {
    "PreconditionFailedException": "stale",
    "ResourceConflictException": "conflict",
    "ResourceNotFoundException": "absent",
    "InvalidParameterValueException": "invalid",
}


class Server:
    """The same over HTTP."""

    def __init__(self, url: str, role: str) -> None:
        self._client: Any = boto3.client(
            "lambda", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}), **KEYS
        )
        self._role = role

    def create(self) -> None:
        self._call(
            "create_function",
            FunctionName=NAME,
            Runtime=RUNTIME,
            Role=self._role,
            Handler="app.handler",
            Code={"ZipFile": _package()},
            MemorySize=256,
            Tags={"team": "a"},
        )
        self._client.get_waiter("function_active_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 0.05})

    def delete(self) -> None:
        for alias in self._call("list_aliases", FunctionName=NAME)["Aliases"]:
            self._call("delete_alias", FunctionName=NAME, Name=alias["Name"])
        self._call("delete_function", FunctionName=NAME)

    def begin_memory(self, memory_mb: int, *, revision: str | None = None) -> None:
        self._call("update_function_configuration", FunctionName=NAME, MemorySize=memory_mb, **_guard(revision))

    def settle(self) -> None:
        self._client.get_waiter("function_updated_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 0.05})

    def memory_mb(self) -> int:
        return int(self._call("get_function_configuration", FunctionName=NAME)["MemorySize"])

    def revision(self) -> str:
        return str(self._call("get_function_configuration", FunctionName=NAME)["RevisionId"])

    def publish(self, description: str = "", *, revision: str | None = None) -> Version:
        answer = self._call("publish_version", FunctionName=NAME, Description=description, **_guard(revision))
        return _version(answer)

    def versions(self) -> list[Version]:
        answer = self._call("list_versions_by_function", FunctionName=NAME)
        return [_version(version) for version in answer["Versions"] if version["Version"] != "$LATEST"]

    def delete_version(self, number: int) -> None:
        self._call("delete_function", FunctionName=NAME, Qualifier=str(number))

    def point_alias(self, alias: str, number: int) -> None:
        known = {found["Name"] for found in self._call("list_aliases", FunctionName=NAME)["Aliases"]}
        operation = "update_alias" if alias in known else "create_alias"
        self._call(operation, FunctionName=NAME, Name=alias, FunctionVersion=str(number))

    def tag(self, key: str, value: str) -> None:
        self._call("tag_resource", Resource=self._arn(), Tags={key: value})

    def untag(self, key: str) -> None:
        self._call("untag_resource", Resource=self._arn(), TagKeys=[key])

    def tags(self) -> dict[str, str]:
        return dict(self._call("list_tags", Resource=self._arn())["Tags"])

    def close(self) -> None:
        self._client.close()

    def _arn(self) -> str:
        return str(self._call("get_function_configuration", FunctionName=NAME)["FunctionArn"])

    def _call(self, operation: str, **members: Any) -> Any:
        try:
            return getattr(self._client, operation)(**members)
        except ClientError as error:
            raise Refused(WORDS[error.response["Error"]["Code"]]) from error


def _guard(revision: str | None) -> dict[str, str]:
    return {} if revision is None else {"RevisionId": revision}


def _version(answer: Any) -> Version:
    return Version(int(answer["Version"]), answer["MemorySize"], answer["Description"])


def _package() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 42\n")
    return target.getvalue()


@pytest.fixture(scope="module", params=["model", "embedded", "moto"])
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    """Its name and the service."""
    match request.param:
        case "model":
            yield "model", Model()
        case "embedded":
            folder = tmp_path_factory.mktemp("server")
            with EmbeddedLambda(folder, state_delay_ms=int(1000 * SETTLE_S)) as ours:
                server = Server(ours.endpoint_url, "arn:aws:iam::000000000000:role/any")
                yield "embedded", server
                server.close()
        case "moto":
            yield from _moto()


def _moto() -> Iterator[tuple[str, Server]]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    url = f"http://{host}:{port}"
    simple = json.dumps({"lambda": {"use_docker": False}}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/config", data=simple, method="POST")).close()
    iam = boto3.client("iam", endpoint_url=url, **KEYS)
    role = str(iam.create_role(RoleName="any", AssumeRolePolicyDocument="{}")["Role"]["Arn"])
    iam.close()
    server = Server(url, role)
    yield "moto", server
    server.close()
    running.stop()


@pytest.fixture
def service(started: tuple[str, Service], request: pytest.FixtureRequest) -> Iterator[Service]:
    where, service = started
    if where == "moto" and request.node.originalname in MOTO:
        request.applymarker(pytest.mark.xfail(reason=MOTO[request.node.originalname], strict=True))
    service.create()
    yield service
    service.delete()


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        call()
    return str(caught.value)


def set_memory(service: Service, memory_mb: int) -> None:
    service.begin_memory(memory_mb)
    service.settle()


def test_publishing_an_unchanged_function_gives_the_last_version_with_its_old_description(service: Service) -> None:
    """TestLambdaVersions::test_version_lifecycle and test_publish_version_on_create"""
    first = service.publish("release 7")
    assert service.publish("tuner run") == first == Version(1, 256, "release 7")
    assert service.versions() == [first]


def test_publishing_an_unchanged_function_keeps_the_revision(service: Service) -> None:
    """TestLambdaVersions::test_publish_version_on_create"""
    service.publish()
    before = service.revision()
    service.publish()
    assert service.revision() == before


def test_a_changed_function_gives_the_next_version_and_the_one_before_stays_as_it_was(service: Service) -> None:
    """TestLambdaVersions::test_version_lifecycle"""
    service.publish("small")
    set_memory(service, 512)
    assert service.publish("large") == Version(2, 512, "large")
    assert service.versions() == [Version(1, 256, "small"), Version(2, 512, "large")]


def test_a_size_that_was_tried_and_taken_back_is_no_change(service: Service) -> None:
    """Nothing recorded says so. It is the harder case: the version that is published then is somebody else's."""
    first = service.publish("release 7")
    set_memory(service, 512)
    set_memory(service, 256)
    assert service.publish("release 8") == first


def test_a_new_version_gives_latest_another_revision(service: Service) -> None:
    """TestLambdaRevisions::test_function_revisions_version_and_alias"""
    before = service.revision()
    service.publish()
    assert service.revision() != before


def test_an_alias_gives_latest_no_other_revision(service: Service) -> None:
    """TestLambdaRevisions::test_function_revisions_version_and_alias"""
    service.publish()
    before = service.revision()
    service.point_alias("live", 1)
    assert service.revision() == before


def test_a_change_gives_another_revision_and_so_does_its_end(service: Service) -> None:
    """TestLambdaRevisions::test_function_revisions_basic"""
    before = service.revision()
    service.begin_memory(512)
    during = service.revision()
    service.settle()
    assert service.memory_mb() == 512
    assert len({before, during, service.revision()}) == 3


def test_a_stale_revision_refuses_a_change_of_the_memory(service: Service) -> None:
    """TestLambdaRevisions::test_function_revisions_basic"""
    stale = service.revision()
    set_memory(service, 512)
    assert refusal(lambda: service.begin_memory(1024, revision=stale)) == "stale"
    assert service.memory_mb() == 512


def test_a_stale_revision_refuses_a_publication(service: Service) -> None:
    """TestLambdaVersions::test_publish_with_wrong_revisionid"""
    stale = service.revision()
    set_memory(service, 512)
    assert refusal(lambda: service.publish(revision=stale)) == "stale"
    assert service.versions() == []


def test_the_latest_revision_allows_a_change_and_a_publication(service: Service) -> None:
    """TestLambdaRevisions::test_function_revisions_basic and test_function_revisions_version_and_alias"""
    service.begin_memory(512, revision=service.revision())
    service.settle()
    assert service.publish(revision=service.revision()).memory_mb == 512


def test_an_update_in_progress_refuses_the_next_change(service: Service) -> None:
    """TestLambdaFunction::test_lambda_concurrent_config_updates"""
    service.begin_memory(512)
    assert refusal(lambda: service.begin_memory(1024)) == "conflict"
    service.settle()
    assert service.memory_mb() == 512


def test_an_update_in_progress_refuses_a_publication(service: Service) -> None:
    service.begin_memory(512)
    assert refusal(service.publish) == "conflict"
    service.settle()
    assert service.versions() == []


def test_a_version_that_an_alias_points_to_is_not_deleted(service: Service) -> None:
    service.publish()
    set_memory(service, 512)
    service.publish()
    service.point_alias("live", 1)
    assert refusal(lambda: service.delete_version(1)) == "conflict"
    service.point_alias("live", 2)
    service.delete_version(1)
    assert [version.number for version in service.versions()] == [2]


def test_an_alias_points_to_no_version_that_does_not_exist(service: Service) -> None:
    """TestLambdaAlias::test_notfound_and_invalid_routingconfigs"""
    assert refusal(lambda: service.point_alias("live", 1)) == "absent"


def test_a_version_is_deleted_alone_and_a_second_time_without_complaint(service: Service) -> None:
    """TestLambdaVersions::test_version_lifecycle, for the first half"""
    service.publish()
    set_memory(service, 512)
    service.publish()
    service.delete_version(1)
    service.delete_version(1)
    assert [version.number for version in service.versions()] == [2]


def test_the_number_of_a_deleted_newest_version_is_not_given_again(service: Service) -> None:
    service.publish("first")
    service.delete_version(1)
    assert service.publish("second") == Version(2, 256, "second")


def test_what_an_older_version_is_does_not_get_the_number_of_a_deleted_newest_one(service: Service) -> None:
    """The embedded Lambda makes a version 3; the model gives version 1 again, which is somebody else's. Nothing
    recorded says which of them the service does, so no run may rely on either."""
    first = service.publish("release 7")
    set_memory(service, 512)
    service.publish("ours")
    set_memory(service, 256)
    service.delete_version(2)
    assert service.publish("again") in (first, Version(3, 256, "again"))


def test_a_function_that_is_made_again_begins_with_version_1(service: Service) -> None:
    for memory_mb in (512, 1024):
        set_memory(service, memory_mb)
        service.publish()
    service.delete()
    service.create()
    assert service.versions() == []
    assert service.publish("of another life") == Version(1, 256, "of another life")


def test_tags_survive_changes_and_versions(service: Service) -> None:
    service.tag("tuner:run:any", "256")
    set_memory(service, 512)
    service.publish()
    assert service.tags() == {"team": "a", "tuner:run:any": "256"}


def test_tags_do_not_survive_that_the_function_is_made_again(service: Service) -> None:
    """TestLambdaTags::test_tag_lifecycle: a deleted function has none"""
    service.tag("tuner:run:any", "256")
    service.delete()
    service.create()
    assert service.tags() == {"team": "a"}


def test_tags_give_another_revision(service: Service) -> None:
    """TestLambdaTags::test_tag_lifecycle"""
    seen = [service.revision()]
    service.tag("tuner:run:any", "256")
    seen.append(service.revision())
    service.untag("tuner:run:any")
    seen.append(service.revision())
    assert len(set(seen)) == 3
    assert service.tags() == {"team": "a"}


def test_a_function_that_has_fifty_tags_gets_no_other_one(service: Service) -> None:
    """TestLambdaTags::test_tag_limits"""
    for number in range(49):
        service.tag(f"tag {number}", "any")
    service.tag("tag 0", "another value")
    assert refusal(lambda: service.tag("tuner:run:any", "256")) == "invalid"
    assert len(service.tags()) == 50
    assert "tuner:run:any" not in service.tags()


def test_every_difference_of_moto_is_explained_in_the_documentation() -> None:
    text = DOCS.read_text()
    assert [reason for reason in MOTO.values() if reason not in text] == []
