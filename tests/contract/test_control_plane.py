"""The same control plane calls against independent servers: ours, moto's, and MiniStack where it is installed.

Where a server differs, ``DIFFERENCES`` says so and the test must fail there (strictly): a server that changes its
mind is noticed. docs/local.md explains each of them.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from tuner.local.launcher import EmbeddedLambda

SERVERS = ("embedded", "moto", "ministack")
DOCS = Path(__file__).parents[2] / "docs" / "local.md"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
KEYS: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}

MOTO = {
    "test_a_memory_size_can_be_changed_and_changes_the_revision": "moto answers without a RevisionId",
    "test_a_memory_size_out_of_bounds_is_refused": "moto takes any MemorySize that the API model allows",
    "test_a_stale_revision_id_stops_an_update": "moto does not check RevisionId",
    "test_a_stale_revision_id_stops_a_publish": "moto does not check RevisionId",
    "test_a_wrong_code_hash_stops_a_publish": "moto does not check CodeSha256",
    "test_a_version_with_an_alias_cannot_be_deleted": "moto deletes a version that an alias points to",
    "test_the_account_has_a_concurrency_limit": "moto has no GetAccountSettings",
    "test_new_code_changes_the_hash_and_can_be_downloaded": "moto names a Code.Location that does not exist",
    "test_an_invocation_of_a_version_says_which_one_ran": "moto does not run the handler without Docker",
    "test_an_invocation_with_a_log_tail_has_a_report": "moto returns no LogResult",
}
MINISTACK = {
    "test_a_memory_size_out_of_bounds_is_refused": "MiniStack takes any MemorySize that the API model allows",
    "test_a_stale_revision_id_stops_a_publish": "MiniStack checks RevisionId on updates, not on PublishVersion",
    "test_a_wrong_code_hash_stops_a_publish": "MiniStack does not check CodeSha256",
    "test_an_invocation_with_a_log_tail_has_a_report": "MiniStack returns no LogResult",
}
DIFFERENCES = {("moto", test): why for test, why in MOTO.items()} | {
    ("ministack", test): why for test, why in MINISTACK.items()
}


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Name and URL of a running server."""
    folder = tmp_path_factory.mktemp("server")
    match request.param:
        case "embedded":
            with EmbeddedLambda(folder, state_delay_ms=0) as ours:
                yield "embedded", ours.endpoint_url
        case "moto":
            yield from _moto()
        case "ministack":
            yield from _ministack(folder)


def _moto() -> Iterator[tuple[str, str]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    simple = json.dumps({"lambda": {"use_docker": False}}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/config", data=simple, method="POST")).close()
    yield "moto", url
    server.stop()


def _ministack(folder: Path) -> Iterator[tuple[str, str]]:
    command = shutil.which(os.environ.get("MINISTACK", "ministack"))
    if command is None:
        pytest.skip("MiniStack is not installed (pip install ministack, or set MINISTACK to its command)")
    port = _free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "LAMBDA_EXECUTOR": "local",
    }
    with subprocess.Popen(
        [command], cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port)
            yield "ministack", f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the server did not start")


@pytest.fixture(autouse=True)
def expected_difference(server: tuple[str, str], request: pytest.FixtureRequest) -> None:
    reason = DIFFERENCES.get((server[0], request.node.originalname))
    if reason is not None:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))


def package(answer: int = 42) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), f"def handler(event, context):\n    return {answer}\n")
    return target.getvalue()


@pytest.fixture(scope="module")
def role(server: tuple[str, str]) -> str:
    if server[0] == "embedded":
        return "arn:aws:iam::000000000000:role/any"
    iam = boto3.client("iam", endpoint_url=server[1], **KEYS)
    return str(iam.create_role(RoleName="any", AssumeRolePolicyDocument="{}")["Role"]["Arn"])


@pytest.fixture(scope="module")
def client(server: tuple[str, str]) -> Any:
    retries = Config(retries={"total_max_attempts": 1})
    return boto3.client("lambda", endpoint_url=server[1], config=retries, **KEYS)


@pytest.fixture
def name(client: Any, role: str, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.originalname[:60]
    client.create_function(
        FunctionName=name,
        Runtime=RUNTIME,
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": package()},
        MemorySize=256,
        Tags={"team": "a"},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    yield name
    client.delete_function(FunctionName=name)


def set_memory(client: Any, name: str, memory_mb: int, **guard: str) -> Any:
    answer = client.update_function_configuration(FunctionName=name, MemorySize=memory_mb, **guard)
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    return answer


def refusal(caught: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response: Any = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def versions(client: Any, name: str) -> list[str]:
    listed = client.get_paginator("list_versions_by_function").paginate(FunctionName=name).build_full_result()
    return [version["Version"] for version in listed["Versions"]]


def test_a_new_function_becomes_active_with_what_was_asked_for(client: Any, name: str) -> None:
    found = client.get_function_configuration(FunctionName=name)
    assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Successful")
    assert (found["MemorySize"], found["Timeout"], found["Version"]) == (256, 3, "$LATEST")
    assert found["CodeSha256"] == base64.b64encode(hashlib.sha256(package()).digest()).decode()


def test_an_unknown_function_is_not_found(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        client.get_function(FunctionName="nobody")
    assert refusal(caught) == (404, "ResourceNotFoundException")


def test_a_memory_size_can_be_changed_and_changes_the_revision(client: Any, name: str) -> None:
    before = client.get_function_configuration(FunctionName=name)["RevisionId"]
    set_memory(client, name, 512)
    after = client.get_function_configuration(FunctionName=name)
    assert after["MemorySize"] == 512
    assert after["RevisionId"] != before


@pytest.mark.parametrize("memory_mb", [10_241, 32_768])
def test_a_memory_size_out_of_bounds_is_refused(client: Any, name: str, memory_mb: int) -> None:
    with pytest.raises(ClientError) as caught:
        client.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
    assert refusal(caught)[0] == 400


def test_a_stale_revision_id_stops_an_update(client: Any, name: str) -> None:
    with pytest.raises(ClientError) as caught:
        set_memory(client, name, 512, RevisionId="00000000-0000-0000-0000-000000000000")
    assert refusal(caught) == (412, "PreconditionFailedException")


def test_a_stale_revision_id_stops_a_publish(client: Any, name: str) -> None:
    with pytest.raises(ClientError) as caught:
        client.publish_version(FunctionName=name, RevisionId="00000000-0000-0000-0000-000000000000")
    assert refusal(caught) == (412, "PreconditionFailedException")


def test_a_wrong_code_hash_stops_a_publish(client: Any, name: str) -> None:
    with pytest.raises(ClientError) as caught:
        client.publish_version(FunctionName=name, CodeSha256="A" * 43 + "=")
    assert refusal(caught)[0] == 400


def test_publishing_an_unchanged_function_gives_the_same_version(client: Any, name: str) -> None:
    first, second = (client.publish_version(FunctionName=name)["Version"] for _ in range(2))
    assert first == second == "1"


def test_each_changed_publish_gives_the_next_version_with_its_memory(client: Any, name: str) -> None:
    for memory_mb in (256, 512, 1024):
        set_memory(client, name, memory_mb)
        client.publish_version(FunctionName=name, Description=f"{memory_mb}")
    assert versions(client, name) == ["$LATEST", "1", "2", "3"]
    second = client.get_function_configuration(FunctionName=name, Qualifier="2")
    assert (second["MemorySize"], second["Description"]) == (512, "512")


def test_a_version_is_deleted_alone(client: Any, name: str) -> None:
    client.publish_version(FunctionName=name)
    set_memory(client, name, 512)
    client.publish_version(FunctionName=name)
    client.delete_function(FunctionName=name, Qualifier="1")
    assert versions(client, name) == ["$LATEST", "2"]
    with pytest.raises(ClientError) as caught:
        client.get_function_configuration(FunctionName=name, Qualifier="1")
    assert refusal(caught) == (404, "ResourceNotFoundException")


def test_a_version_with_an_alias_cannot_be_deleted(client: Any, name: str) -> None:
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    try:
        with pytest.raises(ClientError) as caught:
            client.delete_function(FunctionName=name, Qualifier="1")
        assert refusal(caught) == (409, "ResourceConflictException")
    finally:
        client.delete_alias(FunctionName=name, Name="live")


def test_an_alias_can_be_read_moved_and_weighted(client: Any, name: str) -> None:
    client.publish_version(FunctionName=name)
    set_memory(client, name, 512)
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="now")
    client.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}})
    alias = client.get_alias(FunctionName=name, Name="live")
    assert (alias["FunctionVersion"], alias["Description"]) == ("1", "now")
    assert alias["RoutingConfig"]["AdditionalVersionWeights"] == {"2": 0.25}
    client.delete_alias(FunctionName=name, Name="live")


def test_tags_are_added_and_removed(client: Any, name: str) -> None:
    arn = client.get_function_configuration(FunctionName=name)["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={"tuner": "yes", "other": "x"})
    client.untag_resource(Resource=arn, TagKeys=["team", "other"])
    assert client.list_tags(Resource=arn)["Tags"] == {"tuner": "yes"}


def test_reserved_concurrency_is_set_shown_and_removed(client: Any, name: str) -> None:
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    assert client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 3
    assert client.get_function(FunctionName=name)["Concurrency"]["ReservedConcurrentExecutions"] == 3
    client.delete_function_concurrency(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=name)


def test_the_account_has_a_concurrency_limit(client: Any) -> None:
    limit = client.get_account_settings()["AccountLimit"]
    assert limit["ConcurrentExecutions"] >= limit["UnreservedConcurrentExecutions"] >= 1


def test_new_code_changes_the_hash_and_can_be_downloaded(client: Any, name: str) -> None:
    answer = client.update_function_code(FunctionName=name, ZipFile=package(7))
    assert answer["CodeSha256"] == base64.b64encode(hashlib.sha256(package(7)).digest()).decode()
    location = client.get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.urlopen(location, timeout=5) as downloaded:
        assert downloaded.read() == package(7)


def test_an_invocation_of_a_version_says_which_one_ran(client: Any, name: str) -> None:
    version = client.publish_version(FunctionName=name)["Version"]
    answer = client.invoke(FunctionName=name, Qualifier=version)
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, version)
    assert json.loads(answer["Payload"].read()) == 42


def test_an_invocation_with_a_log_tail_has_a_report(client: Any, name: str) -> None:
    answer = client.invoke(FunctionName=name, LogType="Tail")
    assert b"REPORT RequestId: " in base64.b64decode(answer["LogResult"])


def test_every_difference_is_explained_in_the_documentation(server: tuple[str, str]) -> None:
    text = DOCS.read_text()
    assert [reason for (where, _), reason in DIFFERENCES.items() if where == server[0] and reason not in text] == []
