"""The embedded Lambda's control plane, driven by an unmodified boto3."""

from __future__ import annotations

import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.effects.conftest import lambda_client
from tuner.local.launcher import EmbeddedLambda
from tuner.local.signature import AccessKey

ANSWER = "def handler(event, context): return event.get('answer', 42)"


def code_of(caught: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response: Any = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_a_function_is_pending_at_first_and_then_active(client: Any, deploy: Callable[..., str]) -> None:
    name = deploy(ANSWER)
    version = client.publish_version(FunctionName=name)
    assert version["State"] == "Pending"
    client.get_waiter("published_version_active").wait(
        FunctionName=name, Qualifier=version["Version"], WaiterConfig={"Delay": 0.03}
    )
    configuration = client.get_function_configuration(FunctionName=name, Qualifier=version["Version"])
    assert (configuration["State"], configuration["LastUpdateStatus"]) == ("Active", "Successful")


@pytest.mark.parametrize("address", ["{name}", "000000000000:function:{name}", "{arn}"])
def test_a_function_answers_to_its_name_its_partial_arn_and_its_arn(
    client: Any, deploy: Callable[..., str], address: str
) -> None:
    name = deploy(ANSWER)
    arn = client.get_function_configuration(FunctionName=name)["FunctionArn"]
    found = client.get_function_configuration(FunctionName=address.format(name=name, arn=arn))
    assert found["FunctionArn"] == arn


def test_an_unknown_function_is_404(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        client.get_function(FunctionName="nobody")
    assert code_of(caught) == (404, "ResourceNotFoundException")


@pytest.mark.parametrize("size", [10_241, 32_768])
def test_a_memory_size_out_of_bounds_is_refused_in_the_services_words(
    client: Any, deploy: Callable[..., str], size: int
) -> None:
    name = deploy(ANSWER)
    with pytest.raises(ClientError, match="at 'memorySize' failed to satisfy constraint: Member must have value"):
        client.update_function_configuration(FunctionName=name, MemorySize=size)


def test_a_second_update_while_one_is_in_progress_is_409(client: Any, deploy: Callable[..., str]) -> None:
    name = deploy(ANSWER)
    client.update_function_configuration(FunctionName=name, MemorySize=256)
    with pytest.raises(ClientError) as caught:
        client.update_function_configuration(FunctionName=name, MemorySize=512)
    assert code_of(caught) == (409, "ResourceConflictException")


def test_the_revision_id_changes_again_when_an_update_settles(
    client: Any, deploy: Callable[..., str], settle: Callable[[str], None]
) -> None:
    name = deploy(ANSWER)
    returned = client.update_function_configuration(FunctionName=name, MemorySize=256)["RevisionId"]
    settle(name)
    assert client.get_function_configuration(FunctionName=name)["RevisionId"] != returned


@pytest.mark.parametrize("operation", ["update_function_configuration", "publish_version"])
def test_a_stale_revision_id_is_412(client: Any, deploy: Callable[..., str], operation: str) -> None:
    name = deploy(ANSWER)
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(FunctionName=name, RevisionId="00000000-0000-0000-0000-000000000000")
    assert code_of(caught) == (412, "PreconditionFailedException")


def test_publishing_an_unchanged_function_returns_the_version_that_exists(
    client: Any, deploy: Callable[..., str], publish: Callable[..., str]
) -> None:
    name = deploy(ANSWER)
    assert publish(name) == publish(name) == "1"
    assert publish(name, memory_mb=256) == "2"


def test_a_published_version_keeps_its_memory_and_code(
    client: Any,
    deploy: Callable[..., str],
    publish: Callable[..., str],
    settle: Callable[[str], None],
    invoke: Callable[..., Any],
) -> None:
    name = deploy(ANSWER, MemorySize=256)
    version = publish(name)
    client.update_function_configuration(FunctionName=name, MemorySize=512)
    settle(name)
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return 'new'")
    client.update_function_code(FunctionName=name, ZipFile=target.getvalue())
    settle(name)
    old, new = invoke(name, Qualifier=version), invoke(name)
    assert (old.payload, old.version) == (42, version)
    assert "Memory Size: 256 MB" in old.report
    assert (new.payload, new.version) == ("new", "$LATEST")


def test_a_wrong_code_hash_publishes_nothing(client: Any, deploy: Callable[..., str]) -> None:
    name = deploy(ANSWER)
    with pytest.raises(ClientError) as caught:
        client.publish_version(FunctionName=name, CodeSha256="A" * 43 + "=")
    assert code_of(caught) == (400, "InvalidParameterValueException")
    assert len(client.list_versions_by_function(FunctionName=name)["Versions"]) == 1


def test_versions_are_listed_page_by_page(
    client: Any, deploy: Callable[..., str], publish: Callable[..., str]
) -> None:
    name = deploy(ANSWER)
    for memory_mb in (128, 256, 512):
        publish(name, memory_mb=memory_mb)
    pages = list(client.get_paginator("list_versions_by_function").paginate(FunctionName=name, MaxItems=3))
    first = client.list_versions_by_function(FunctionName=name, MaxItems=3)
    assert [version["Version"] for page in pages for version in page["Versions"]] == ["$LATEST", "1", "2", "3"]
    assert first["NextMarker"] == "3"


def test_a_deleted_version_is_gone_and_its_number_is_not_used_again(
    client: Any, deploy: Callable[..., str], publish: Callable[..., str]
) -> None:
    name = deploy(ANSWER)
    version = publish(name)
    client.delete_function(FunctionName=name, Qualifier=version)
    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName=name, Qualifier=version)
    assert code_of(caught) == (404, "ResourceNotFoundException")
    assert publish(name) == "2"


def test_a_version_that_an_alias_points_to_cannot_be_deleted(
    client: Any, deploy: Callable[..., str], publish: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy(ANSWER)
    version = publish(name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    with pytest.raises(ClientError) as caught:
        client.delete_function(FunctionName=name, Qualifier=version)
    assert code_of(caught) == (409, "ResourceConflictException")
    assert [alias["Name"] for alias in client.list_aliases(FunctionName=name)["Aliases"]] == ["live"]
    assert invoke(name, Qualifier="live").version == version


def test_the_code_can_be_downloaded_from_where_get_function_says(client: Any, deploy: Callable[..., str]) -> None:
    name = deploy(ANSWER)
    location = client.get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.urlopen(location, timeout=5) as answer:
        archive = zipfile.ZipFile(BytesIO(answer.read()))
    assert archive.read("app.py").decode() == ANSWER


def test_tags_and_reserved_concurrency_are_kept(client: Any, deploy: Callable[..., str]) -> None:
    name = deploy(ANSWER, Tags={"team": "a"})
    arn = client.get_function_configuration(FunctionName=name)["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={"tuner": "yes"})
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    assert client.list_tags(Resource=arn)["Tags"] == {"team": "a", "tuner": "yes"}
    assert client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 3


def test_the_account_allows_what_the_cores_can_carry(client: Any, embedded: EmbeddedLambda) -> None:
    limit = client.get_account_settings()["AccountLimit"]
    cores = embedded.about["cores"]
    assert limit["ConcurrentExecutions"] == max(1, int((cores - 0.5) / (128 / 1769)))


def test_a_payload_above_six_megabytes_is_413(client: Any, deploy: Callable[..., str]) -> None:
    name = deploy(ANSWER)
    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName=name, Payload=b'"' + b"x" * (6 * 1024 * 1024) + b'"')
    assert code_of(caught) == (413, "RequestTooLargeException")


def test_a_payload_that_is_not_json_is_refused(client: Any, deploy: Callable[..., str]) -> None:
    name = deploy(ANSWER)
    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName=name, Payload=b"{not json")
    assert code_of(caught) == (400, "InvalidRequestContentException")


def test_a_package_that_is_no_zip_file_is_refused(client: Any, deploy: Callable[..., str]) -> None:
    name = deploy(ANSWER)
    with pytest.raises(ClientError, match="Could not unzip uploaded file"):
        client.update_function_code(FunctionName=name, ZipFile=b"not a zip")


@pytest.mark.parametrize("name", ["../above.py", "/above.py", "a/../../above.py", "..\\above.py"])
def test_a_package_with_a_name_that_leads_outside_is_refused_as_a_whole(
    client: Any, deploy: Callable[..., str], name: str
) -> None:
    function = deploy(ANSWER)
    before = client.get_function_configuration(FunctionName=function)
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("app.py", ANSWER)
        archive.writestr(name, "x")
    with pytest.raises(ClientError, match="leads out of the package") as caught:
        client.update_function_code(FunctionName=function, ZipFile=target.getvalue())
    assert code_of(caught) == (400, "InvalidParameterValueException")
    after = client.get_function_configuration(FunctionName=function)
    assert (after["CodeSha256"], after["RevisionId"]) == (before["CodeSha256"], before["RevisionId"])


@pytest.mark.parametrize("headers", [{"Origin": "http://example.com"}, {"Host": "rebound.example.com"}])
def test_web_pages_are_turned_away(embedded: EmbeddedLambda, headers: dict[str, str]) -> None:
    request = urllib.request.Request(f"{embedded.endpoint_url}/tuner/about", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=5)
    with caught.value as refusal:
        assert refusal.code == 403


def test_with_a_key_only_its_holder_may_call(tmp_path: Path) -> None:
    key = AccessKey(access_key_id="local", secret_access_key="only-here")
    with EmbeddedLambda(tmp_path / "state", key=key) as server:
        holder = lambda_client(server.endpoint_url, secret="only-here", access_key_id="local")
        guesser = lambda_client(server.endpoint_url, secret="guessed", access_key_id="local")
        assert holder.list_functions()["Functions"] == []
        assert holder.get_paginator("list_functions").paginate().build_full_result() == {"Functions": []}
        with pytest.raises(ClientError) as caught:
            guesser.list_functions()
        assert code_of(caught) == (403, "InvalidSignatureException")
        assert server.about["signatures"] == "checked"


def test_the_key_cannot_be_read_from_the_servers_arguments_or_environment(tmp_path: Path) -> None:
    key = AccessKey(access_key_id="local", secret_access_key="only-here")
    with EmbeddedLambda(tmp_path / "state", key=key) as server:
        process = Path("/proc", str(server.pid))
        assert b"tuner.local" in (process / "cmdline").read_bytes()
        assert b"only-here" not in (process / "cmdline").read_bytes()
        # The kernel refuses to show the environment of a protected process to its own user, though not to root.
        with suppress(PermissionError):
            assert b"only-here" not in (process / "environ").read_bytes()


def test_a_function_may_run_for_half_an_hour_and_no_longer(client: Any, deploy: Callable[..., str]) -> None:
    name = deploy(ANSWER)
    assert client.update_function_configuration(FunctionName=name, Timeout=1_800)["Timeout"] == 1_800
    with pytest.raises(ClientError) as caught:
        client.update_function_configuration(FunctionName=name, Timeout=1_801)
    assert code_of(caught)[0] == 400


def test_every_answer_says_that_it_is_not_from_aws(client: Any, deploy: Callable[..., str]) -> None:
    name = deploy("def handler(event, context): return 1")
    invoked = client.invoke(FunctionName=name)
    invoked["Payload"].read()
    with pytest.raises(ClientError) as refused:
        client.get_function(FunctionName="nowhere")
    for answer in (invoked, client.get_account_settings(), refused.value.response):
        assert answer["ResponseMetadata"]["HTTPHeaders"]["server"].startswith("tuner-local/")
