"""Endpoint URLs as people type them, checked before a client is made: botocore only says that one is invalid."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from tuner.errors import EndpointError

OPTION = "--endpoint-url"
VARIABLE = "AWS_ENDPOINT_URL"
"""Also with the name of a service behind it: AWS_ENDPOINT_URL_LAMBDA."""

_SCHEME = re.compile(r"(?P<scheme>https?):/*(?P<rest>.*)", re.IGNORECASE)
_NEARBY = re.compile(r"localhost\b|127\.|10\.|192\.168\.|\[::1\]|[\w-]+(?::\d+)?(?:/|$)", re.IGNORECASE)
"""Hosts that rarely speak TLS: this machine, a private network, a container's name."""


def checked_endpoint(text: str, origin: str = OPTION) -> str:
    """``text``, where it is the URL of an endpoint. EndpointError says what is wrong, and what may be meant."""
    why = _obstacle(text)
    if why is None:
        return text
    suggestion = _suggestion(text)
    hint = f"Write {suggestion}" if suggestion else "Write it like http://localhost:4566"
    raise EndpointError(f"{origin} is not the URL of an endpoint: {why}.", hint=hint)


def endpoint_of_environment(environment: Mapping[str, str] = os.environ) -> str | None:
    """The endpoint for Lambda that botocore takes from a variable (AWS SDK guide, "Service-specific endpoints")."""
    if _ignored(environment):
        return None
    return environment.get(f"{VARIABLE}_LAMBDA") or environment.get(VARIABLE) or None


def _ignored(environment: Mapping[str, str]) -> bool:
    return environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true"


def check_environment(environment: Mapping[str, str] = os.environ) -> None:
    """EndpointError for a variable that botocore would take an endpoint from."""
    if _ignored(environment):
        return
    for name, value in environment.items():
        if value and (name == VARIABLE or name.startswith(f"{VARIABLE}_")):
            checked_endpoint(value, name)


def _obstacle(text: str) -> str | None:
    from botocore.utils import is_valid_endpoint_url, is_valid_ipv6_endpoint_url  # noqa: PLC0415 - slow, rarely needed

    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        return f"{text!r}: {error}"
    if "@" in url.netloc:
        return "it holds a user name or password, which AWS requests do not use"
    if url.scheme not in ("http", "https") or "://" not in text:
        return f"{text!r} does not begin with http:// or https://"
    if port == 0 or not text.isprintable() or not (is_valid_endpoint_url(text) or is_valid_ipv6_endpoint_url(text)):
        return f"{text!r} names no host that can be reached"
    if url.query or url.fragment:
        return f"{text!r} has a query, which an endpoint does not"
    return None


def _suggestion(text: str) -> str | None:
    """What was probably meant, where adding or mending the scheme makes a URL of it."""
    stripped = text.strip()
    found = _SCHEME.fullmatch(stripped)
    if found:
        likely = f"{found['scheme'].lower()}://{found['rest']}"
    else:
        rest = stripped.rpartition("://")[2].lstrip("/")
        likely = f"{'http' if _NEARBY.match(rest) else 'https'}://{rest}"
    return likely if _obstacle(likely) is None else None
