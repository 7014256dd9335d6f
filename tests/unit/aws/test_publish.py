"""A page in S3 behind a link, against moto's server."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import boto3
import pytest

from tuner.aws.publish import LONGEST_LINK_S, S3Prefix, parse_expiry, parse_s3_prefix, publish_page
from tuner.errors import AccessError, TargetError, UsageError

PAGE = "<!doctype html><title>naïve</title>"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="reports")
    return "reports"


def test_the_link_opens_the_page_as_html(endpoint: str, bucket: str) -> None:
    published = publish_page(PAGE, S3Prefix(bucket, "a/"), name="run.html", expires_s=3600, endpoint_url=endpoint)
    assert published.key == "a/run.html"
    assert "X-Amz-Expires=3600" in published.url
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in published.url
    with urllib.request.urlopen(published.url) as answer:
        assert answer.read().decode() == PAGE
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_the_page_itself_stays_private(endpoint: str, bucket: str) -> None:
    publish_page(PAGE, S3Prefix(bucket, ""), name="run.html", expires_s=60, endpoint_url=endpoint)
    acl = boto3.client("s3", endpoint_url=endpoint).get_object_acl(Bucket=bucket, Key="run.html")
    assert all("AllUsers" not in str(grant) for grant in acl["Grants"])


def test_temporary_credentials_are_told_to_shorten_the_life_of_the_link(
    endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = S3Prefix(bucket, "")
    lasting = publish_page(PAGE, place, name="run.html", expires_s=60, endpoint_url=endpoint)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    temporary = publish_page(PAGE, place, name="run.html", expires_s=60, endpoint_url=endpoint)
    assert not any("temporary" in remark for remark in lasting.remarks)
    assert any("temporary" in remark for remark in temporary.remarks)


def test_a_bucket_that_is_not_there_is_an_error_with_a_next_step(endpoint: str, bucket: str) -> None:
    with pytest.raises(TargetError, match="s3://no-such-bucket") as refused:
        publish_page(PAGE, S3Prefix("no-such-bucket", ""), name="run.html", expires_s=60, endpoint_url=endpoint)
    assert "s3:PutObject" in refused.value.hint


def test_an_unknown_profile_is_an_error_with_a_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AccessError) as refused:
        publish_page(PAGE, S3Prefix("reports", ""), name="run.html", expires_s=60, profile="no-such-profile")
    assert "aws configure list" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("s3://reports", S3Prefix("reports", "")),
        ("s3://reports/", S3Prefix("reports", "")),
        ("s3://my.reports/a/b/", S3Prefix("my.reports", "a/b/")),
        ("s3://reports/a", S3Prefix("reports", "a/")),
    ],
)
def test_places_in_s3_are_read(text: str, place: S3Prefix) -> None:
    assert parse_s3_prefix(text) == place


@pytest.mark.parametrize(
    "text", ["", "reports", "s3:/reports", "https://reports/a", "s3://", "s3://A_B/c", "s3:///x"]
)
def test_other_places_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no place in S3"):
        parse_s3_prefix(text)


@pytest.mark.parametrize(("text", "seconds"), [("7d", LONGEST_LINK_S), ("12h", 43_200), ("30 m", 1800), ("5s", 5)])
def test_times_that_a_link_may_live_are_read(text: str, seconds: int) -> None:
    assert parse_expiry(text) == seconds


@pytest.mark.parametrize("text", ["", "0h", "8d", "-1h", "1.5h", "1w", "h"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no time that a link can live"):
        parse_expiry(text)
