"""Invoke requests as bytes: the same path, query and headers that boto3 sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, urlsplit

from botocore.utils import normalize_url_path, percent_encode

from tuner.aws.transport.signing import CanonicalRequest, Signer, SigningCredentials
from tuner.errors import AccessError

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an endpoint URL leads to."""

    host: str
    port: int
    tls: bool
    host_header: str
    base_path: str

    @classmethod
    def of(cls, endpoint_url: str) -> Address:
        url = urlsplit(endpoint_url)
        default_port = _DEFAULT_PORTS[url.scheme]
        host = url.hostname or ""
        port = url.port or default_port
        bracketed = f"[{host}]" if ":" in host else host
        return cls(
            host=host,
            port=port,
            tls=url.scheme == "https",
            host_header=bracketed if port == default_port else f"{bracketed}:{port}",
            base_path=url.path.rstrip("/"),
        )


@dataclass(frozen=True, slots=True)
class _Resource:
    """One version of one function, as its request line and as the signature wants it."""

    target: str
    canonical_path: str
    query: str


class InvokeRequests:
    """Makes the head of each Invoke (LogType=Tail); the payload follows it on the wire as it is."""

    def __init__(self, address: Address, *, region: str, user_agent: str) -> None:
        self._address = address
        self._signer = Signer(region=region)
        self._fixed = f"Accept-Encoding: identity\r\nUser-Agent: {_one_line(user_agent)}\r\n"
        self._resource = lru_cache(maxsize=256)(self._make_resource)
        # A run mostly repeats one payload, and hashing 6 MB takes longer than everything else here together.
        self._body_sha256 = lru_cache(maxsize=2)(lambda payload: sha256(payload).hexdigest())

    def head(
        self, function: str, version: str, payload: bytes, credentials: SigningCredentials, *, now: datetime
    ) -> bytes:
        """The request up to its body, signed at ``now`` (UTC). Raises AccessError for credentials that cannot be
        sent."""
        resource = self._resource(function, version)
        timestamp = now.strftime("%Y%m%dT%H%M%SZ")
        headers = [("host", self._address.host_header), ("x-amz-date", timestamp), ("x-amz-log-type", "Tail")]
        if credentials.session_token:
            headers.append(("x-amz-security-token", credentials.session_token))
        request = CanonicalRequest(
            method="POST",
            path=resource.canonical_path,
            query=resource.query,
            headers=tuple(headers),
            body_sha256=self._body_sha256(payload),
        )
        authorization = self._signer.authorization(request, credentials, timestamp=timestamp)
        lines = "".join([f"{name}: {value}\r\n" for name, value in (*headers, ("authorization", authorization))])
        head = f"POST {resource.target} HTTP/1.1\r\n{lines}{self._fixed}Content-Length: {len(payload)}\r\n\r\n"
        _check_sendable(credentials)
        return head.encode("ascii")

    def _make_resource(self, function: str, version: str) -> _Resource:
        name = percent_encode(function, safe="-._~")
        path = f"{self._address.base_path}/2015-03-31/functions/{name}/invocations"
        query = f"Qualifier={percent_encode(version, safe='-._~')}"
        return _Resource(f"{path}?{query}", quote(normalize_url_path(path), safe="/~"), query)


def _check_sendable(credentials: SigningCredentials) -> None:
    """A line break in a token would end its header: refused, as Python's own HTTP client refuses it."""
    for name, value in (
        ("access key id", credentials.access_key_id),
        ("session token", credentials.session_token or ""),
    ):
        if not (value.isascii() and value.isprintable()):
            raise AccessError(
                f"The {name} of the AWS credentials holds a line break or another character that cannot be sent.",
                hint="Look at where it is set (environment, credentials file) and remove that character.",
            )


def _one_line(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isprintable())
