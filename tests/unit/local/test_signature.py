"""Signatures made by botocore, by hand, and by nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tuner.local.faults import ApiError
from tuner.local.http import Request, split_target
from tuner.local.signature import AccessKey, check

KEY = AccessKey(access_key_id="AKID", secret_access_key="secret")
REGION = "eu-central-1"
URLS = [
    "http://127.0.0.1:9/2015-03-31/functions/",
    "http://127.0.0.1:9/2015-03-31/functions/f/invocations?Qualifier=%24LATEST",
    "http://127.0.0.1:9/2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-central-1%3A000000000000%3Afunction%3Af",
    "http://127.0.0.1:9/2015-03-31/functions/f/versions?MaxItems=3&Marker=1&a=",
]


def signed(url: str, *, key: AccessKey = KEY, region: str = REGION, service: str = "lambda") -> Request:
    """A request as botocore sends it."""
    aws = AWSRequest(method="POST", url=url, data=b'{"a": 1}', headers={"Content-Type": "application/json"})
    credentials = Credentials(key.access_key_id, key.secret_access_key)
    SigV4Auth(credentials, service, region).add_auth(aws)
    prepared: Any = aws.prepare()
    parts = urlsplit(prepared.url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    headers = {
        name.lower(): value if isinstance(value, str) else value.decode() for name, value in prepared.headers.items()
    }
    path, query = split_target(target)
    return Request(
        method="POST",
        target=target,
        path=path,
        query=query,
        headers={"host": parts.netloc, **headers},
        body=b'{"a": 1}',
        received_s=0.0,
    )


def changed(request: Request, **members: Any) -> Request:
    return Request(**{name: getattr(request, name) for name in Request.__slots__} | members)


def refusal(request: Request, *, now: datetime | None = None) -> str:
    with pytest.raises(ApiError) as caught:
        check(request, KEY, region=REGION, now=now or datetime.now(UTC))
    assert caught.value.status == 403
    return caught.value.code


@pytest.mark.parametrize("url", URLS)
def test_what_botocore_signed_with_the_key_is_accepted(url: str) -> None:
    check(signed(url), KEY, region=REGION, now=datetime.now(UTC))


@pytest.mark.parametrize(
    "change",
    [
        {"body": b'{"a": 2}'},
        {"method": "PUT"},
        {"target": "/2015-03-31/functions/g/invocations?Qualifier=%24LATEST"},
        {"target": "/2015-03-31/functions/f/invocations?Qualifier=1"},
    ],
)
def test_what_was_changed_after_signing_is_refused(change: dict[str, Any]) -> None:
    assert refusal(changed(signed(URLS[1]), **change)) == "InvalidSignatureException"


def test_another_secret_is_refused() -> None:
    other = AccessKey(access_key_id="AKID", secret_access_key="guessed")
    assert refusal(signed(URLS[0], key=other)) == "InvalidSignatureException"


def test_an_unknown_key_is_told_apart_from_a_wrong_signature() -> None:
    other = AccessKey(access_key_id="OTHER", secret_access_key="secret")
    assert refusal(signed(URLS[0], key=other)) == "UnrecognizedClientException"


@pytest.mark.parametrize(("region", "service"), [("us-east-1", "lambda"), (REGION, "s3")])
def test_a_signature_for_another_region_or_service_is_refused(region: str, service: str) -> None:
    assert refusal(signed(URLS[0], region=region, service=service)) == "InvalidSignatureException"


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_or_early_signature_is_refused(minutes: int) -> None:
    now = datetime.now(UTC) + timedelta(minutes=minutes)
    assert refusal(signed(URLS[0]), now=now) == "InvalidSignatureException"


@pytest.mark.parametrize("authorization", ["", "Basic dXNlcjpw", "AWS4-HMAC-SHA256 Credential=AKID"])
def test_no_signature_at_all_is_refused(authorization: str) -> None:
    request = signed(URLS[0])
    headers = {**request.headers, "authorization": authorization}
    assert refusal(changed(request, headers=headers)) == "MissingAuthenticationTokenException"


def test_the_host_must_be_among_what_is_signed() -> None:
    request = signed(URLS[0])
    weakened = request.headers["authorization"].replace("host;", "")
    headers = {**request.headers, "authorization": weakened}
    assert refusal(changed(request, headers=headers)) == "InvalidSignatureException"


def test_a_key_does_not_print_its_secret() -> None:
    assert "secret" not in repr(KEY)
