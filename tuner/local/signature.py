"""AWS Signature Version 4, checked: only who holds the key may drive a service that runs code.

The recipe is https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. What is
signed: the method, the path as sent (percent-encoded once more), the sorted query, the headers that the caller
lists, and the hash of the body.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from tuner.local import faults
from tuner.local.http import Request

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "lambda"
MOST_SKEW_S = 300
"""How far the caller's clock may be off."""

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<key>[^/\s,]+)/(?P<scope>[^\s,]+),\s*SignedHeaders=(?P<headers>[^\s,]+),"
    r"\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_MUST_BE_SIGNED = frozenset({"host", "x-amz-date"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """The one key that opens the embedded Lambda. Its ``repr`` keeps the secret."""

    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"AccessKey({self.access_key_id})"


def check(request: Request, key: AccessKey, *, region: str, now: datetime) -> None:
    """Raise the ApiError with which AWS answers a request that ``key`` did not sign for Lambda in ``region``."""
    given = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if given is None:
        raise faults.forbidden("MissingAuthenticationTokenException", "Missing Authentication Token")
    if not hmac.compare_digest(given["key"], key.access_key_id):
        raise faults.forbidden(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    stamp = request.headers.get("x-amz-date", "")
    _check_time(stamp, now)
    scope = f"{stamp[:8]}/{region}/{SERVICE}/aws4_request"
    if given["scope"] != scope:
        raise faults.invalid_signature(f"Credential should be scoped to {scope}, not {given['scope']}.")
    names = given["headers"].split(";")
    if not set(names) >= _MUST_BE_SIGNED or not set(names) <= request.headers.keys():
        raise faults.invalid_signature("'Host' and 'x-amz-date' must be 'SignedHeader's in the AWS Authorization.")
    expected = signature(request, names, stamp=stamp, scope=scope, secret=key.secret_access_key)
    if not hmac.compare_digest(given["signature"], expected):
        raise faults.invalid_signature(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details."
        )


def signature(request: Request, names: list[str], *, stamp: str, scope: str, secret: str) -> str:
    """The hexadecimal signature of ``request`` over the headers ``names``."""
    hashed = hashlib.sha256(_canonical(request, names).encode()).hexdigest()
    return hmac.new(
        _signing_key(secret, scope), f"{ALGORITHM}\n{stamp}\n{scope}\n{hashed}".encode(), "sha256"
    ).hexdigest()


def _canonical(request: Request, names: list[str]) -> str:
    path, _, query = request.target.partition("?")
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names)
    # Without TLS every SDK hashes the body; a caller that says UNSIGNED-PAYLOAD would leave it open to change.
    body_hash = hashlib.sha256(request.body).hexdigest()
    return "\n".join(
        [request.method, quote(path, safe="/~"), _canonical_query(query), headers, ";".join(names), body_hash]
    )


def _canonical_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return "&".join(f"{name}={value}" for name, value in sorted((name, value) for name, _, value in pairs))


def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _check_time(stamp: str, now: datetime) -> None:
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise faults.invalid_signature("Date must be in ISO-8601 'basic format'.") from None
    if abs((now - signed_at).total_seconds()) > MOST_SKEW_S:
        raise faults.invalid_signature(
            f"Signature expired or not yet current: {stamp} is not near {now:%Y%m%dT%H%M%SZ}"
        )
