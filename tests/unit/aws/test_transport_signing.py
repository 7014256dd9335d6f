"""Requests and signatures are, byte for byte, those of boto3."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import boto3
import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse, HeadersDict
from botocore.config import Config
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from tuner.aws.transport.requests import Address, InvokeRequests
from tuner.aws.transport.signing import CanonicalRequest, Signer, SigningCredentials
from tuner.errors import AccessError

printable = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
header_values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
regions = st.sampled_from(["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])
names = st.one_of(
    st.from_regex(r"[a-zA-Z0-9-_]{1,64}", fullmatch=True),
    st.from_regex(r"arn:aws[a-z-]{0,5}:lambda:eu-west-1:[0-9]{12}:function:[a-zA-Z0-9-_]{1,20}", fullmatch=True),
    st.text(min_size=1, max_size=20).filter(lambda text: text.strip(".") != "" and text.isprintable()),
)
versions = st.one_of(st.just("$LATEST"), st.from_regex(r"[0-9]{1,6}", fullmatch=True), printable)


@given(
    region=regions,
    secret=printable,
    token=st.none() | printable,
    host=st.sampled_from(["lambda.eu-west-1.amazonaws.com", "localhost:4566"]),
    name=names,
    version=versions,
    extra=st.dictionaries(
        st.from_regex(r"x-amz-[a-z]{1,8}", fullmatch=True).filter(lambda name: name != "x-amz-date"), header_values
    ),
    body=st.binary(max_size=200),
    moment=moments,
)
def test_a_signature_is_the_one_that_botocore_makes(
    region: str,
    secret: str,
    token: str | None,
    host: str,
    name: str,
    version: str,
    extra: dict[str, str],
    body: bytes,
    moment: datetime,
) -> None:
    requests = InvokeRequests(Address.of(f"http://{host}"), region=region, user_agent="any")
    resource = requests._make_resource(name, version)
    request = AWSRequest(method="POST", url=f"http://{host}{resource.target}", headers=extra, data=body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
        SigV4Auth(Credentials("AKID", secret, token), "lambda", region).add_auth(request)

    headers = {"host": host, "x-amz-date": moment.strftime("%Y%m%dT%H%M%SZ"), **extra}
    if token is not None:
        headers["x-amz-security-token"] = token
    canonical = CanonicalRequest(
        method="POST",
        path=resource.canonical_path,
        query=resource.query,
        headers=tuple(sorted(headers.items())),
        body_sha256=sha256(body).hexdigest(),
    )
    ours = Signer(region=region).authorization(
        canonical,
        SigningCredentials(access_key_id="AKID", secret_access_key=secret, session_token=token),
        timestamp=headers["x-amz-date"],
    )
    assert ours == request.headers["Authorization"]


def sent_by_boto3(
    monkeypatch: pytest.MonkeyPatch, moment: datetime, *, function: str, version: str, payload: bytes, **client: Any
) -> tuple[str, Any, dict[str, str], str]:
    """URL, region, headers and user agent of what boto3 would send."""
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
    lambda_client: Any = boto3.client("lambda", **client)
    caught: list[Any] = []

    def catch(request: Any, **_: Any) -> AWSResponse:
        caught.append(request)
        headers: Any = HeadersDict()
        return AWSResponse(request.url, 200, headers, None)

    lambda_client.meta.events.register("before-send.lambda.Invoke", catch)
    lambda_client.invoke(FunctionName=function, Qualifier=version, Payload=payload, LogType="Tail")
    request = caught[0]
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
    }
    return request.url, lambda_client.meta, headers, lambda_client.meta.config.user_agent


@pytest.mark.parametrize(
    ("settings", "token"),
    [
        ({"region_name": "eu-central-1"}, None),
        ({"region_name": "eu-central-1"}, "IQoJb3JpZ2luX2VjEND//////////wEaCXVzLWVhc3QtMSJH+/=="),
        ({"region_name": "cn-north-1"}, "token"),
        ({"region_name": "us-gov-west-1"}, None),
        ({"region_name": "us-east-1", "config": Config(use_fips_endpoint=True)}, None),
        ({"region_name": "us-east-1", "config": Config(use_dualstack_endpoint=True)}, None),
        ({"region_name": "us-east-1", "endpoint_url": "http://127.0.0.1:4566"}, None),
        ({"region_name": "us-east-1", "endpoint_url": "http://[::1]:4566"}, None),
        ({"region_name": "us-east-1", "endpoint_url": "https://proxy.example/lambda/"}, None),
        ({"region_name": "us-east-1", "endpoint_url": "https://proxy.example:443"}, None),
        ({"region_name": "us-east-1", "endpoint_url": "https://proxy.example//stage/./1"}, None),
    ],
)
@pytest.mark.parametrize(
    ("function", "version"),
    [
        ("thumbnail", "7"),
        ("arn:aws:lambda:eu-central-1:123456789012:function:thumbnail", "$LATEST"),
        ("123456789012:function:thumb_nail", "live"),
    ],
)
def test_a_request_is_the_one_that_boto3_sends(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], token: str | None, function: str, version: str
) -> None:
    moment = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)
    payload = b'{"n": 1}'
    keys = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret", "aws_session_token": token}
    url, meta, theirs, agent = sent_by_boto3(
        monkeypatch, moment, function=function, version=version, payload=payload, **settings, **keys
    )
    address = Address.of(meta.endpoint_url)
    head = InvokeRequests(address, region=meta.region_name, user_agent=agent).head(
        function,
        version,
        payload,
        SigningCredentials(access_key_id="AKID", secret_access_key="secret", session_token=token),
        now=moment,
    )
    request_line, *lines = head.decode().removesuffix("\r\n\r\n").split("\r\n")
    ours = dict(line.split(": ", 1) for line in lines)
    assert url.endswith(request_line.split(" ")[1])
    assert url.startswith(f"{'https' if address.tls else 'http'}://{ours['host']}/") or ":443/" in url
    for name in ("authorization", "x-amz-date", "x-amz-log-type", "x-amz-security-token"):
        assert ours.get(name) == theirs.get(name)
    assert ours["Content-Length"] == theirs["content-length"]


def head(requests: InvokeRequests, now: datetime, secret: str = "secret", token: str | None = None) -> str:
    credentials = SigningCredentials(access_key_id="AKID", secret_access_key=secret, session_token=token)
    return requests.head("f", "1", b"{}", credentials, now=now).decode()


def test_the_kept_key_changes_at_midnight_and_with_the_credentials() -> None:
    def fresh() -> InvokeRequests:
        return InvokeRequests(Address.of("https://host"), region="us-east-1", user_agent="any")

    kept = fresh()
    before, after = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)
    for moment, secret in [(before, "a"), (after, "a"), (after, "b"), (before, "b"), (before, "a")]:
        assert head(kept, moment, secret) == head(fresh(), moment, secret)


@pytest.mark.parametrize("token", ["tok\r\nX-Injected: 1", "tok\n", "tök"])
def test_a_token_that_would_break_its_header_is_refused_without_being_shown(token: str) -> None:
    requests = InvokeRequests(Address.of("https://host"), region="us-east-1", user_agent="any")
    with pytest.raises(AccessError, match="session token") as caught:
        head(requests, datetime(2026, 1, 1, tzinfo=UTC), token=token)
    assert "tok" not in str(caught.value).replace("session token", "")


def test_credentials_do_not_show_in_a_representation() -> None:
    shown = repr(SigningCredentials(access_key_id="AKID", secret_access_key="s3cr3t", session_token="t0k3n"))
    assert "s3cr3t" not in shown
    assert "t0k3n" not in shown
