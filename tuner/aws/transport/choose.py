"""Which transport carries the invocations of a run, and why."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from tuner.aws.invoker import BotoInvoker
from tuner.aws.session import INVOKE_GRACE_S, AwsAccess
from tuner.aws.transport.credentials import CredentialSource
from tuner.aws.transport.invoker import AsyncInvoker
from tuner.aws.transport.pool import ConnectionPool, Endpoint
from tuner.aws.transport.refusals import RefusalParser
from tuner.aws.transport.requests import Address, InvokeRequests
from tuner.errors import TargetError, UsageError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class TransportMode(StrEnum):
    """The values of ``--transport``."""

    AUTO = "auto"
    ASYNC = "async"
    BOTO3 = "boto3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """An Invoker to open before the first wave and to close at the end, and a sentence for a notice or --verbose."""

    mode: TransportMode
    """Never AUTO."""
    invoker: AsyncInvoker | BotoInvoker
    reason: str


def choose_transport(
    access: AwsAccess, *, mode: TransportMode = TransportMode.AUTO, timeout_s: int, connections: int
) -> Transport:
    """The asynchronous transport where it can go, else boto3 on as many threads as there are ``connections``.

    ``timeout_s`` is the function's timeout. Raises UsageError when ``mode`` asks for the asynchronous transport
    and it cannot go, AccessError or TargetError for a profile or certificates that cannot be read.
    """
    client = access.invoke_client(timeout_s=timeout_s, connections=connections)
    obstacle = "--transport boto3 was asked for" if mode is TransportMode.BOTO3 else find_obstacle(client)
    if obstacle is None:
        client.close()
        return Transport(
            mode=TransportMode.ASYNC,
            invoker=_async_invoker(access, client, timeout_s=timeout_s + INVOKE_GRACE_S),
            reason="Nothing here needs boto3 to carry the invocations.",
        )
    if mode is TransportMode.ASYNC:
        raise UsageError(
            f"--transport async cannot be used: {obstacle}.", hint="Leave --transport out, or use --transport boto3."
        )
    return Transport(
        mode=TransportMode.BOTO3,
        invoker=BotoInvoker(client, connections=connections, profile=access.profile),
        reason=f"Invocations go through boto3 on threads, because {obstacle}.",
    )


def find_obstacle(client: LambdaClient) -> str | None:
    """Why invocations must go through botocore's own HTTP, in half a sentence; None if they need not."""
    config, url = _config(client), client.meta.endpoint_url
    proxies = config.proxies if config.proxies is not None else get_environ_proxies(url)
    if proxies.get(urlsplit(url).scheme):
        return "a proxy is configured for this endpoint"
    if config.client_cert:
        return "a client certificate is configured"
    if config.signature_version != "v4":
        return f"requests are to be signed with {config.signature_version}"
    return None


def _config(client: LambdaClient) -> Any:
    """botocore makes the attributes of a Config at run time, out of sight of its type stubs."""
    return client.meta.config


def trust(ca_bundle: str | None) -> ssl.SSLContext:
    """Trusts whom boto3 trusts: ``ca_bundle``, else the certificates that botocore brings along.

    Not the system's store: the control plane goes through boto3, and a run must not get half way only.
    """
    path = Path(ca_bundle or get_cert_path(verify=True) or "")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # A name counts only as a subject alternative name (RFC 9525), as for boto3; OpenSSL would take a common name too.
    context.hostname_checks_common_name = False
    try:
        if path.is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except OSError as error:
        raise TargetError(
            f"The CA certificates in {path} cannot be read: {error}",
            hint="Check AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE and ca_bundle in the AWS configuration.",
        ) from error
    return context


def _async_invoker(access: AwsAccess, client: LambdaClient, *, timeout_s: float) -> AsyncInvoker:
    url = client.meta.endpoint_url
    address = Address.of(url)
    tls = trust(access.ca_bundle()) if address.tls else None
    return AsyncInvoker(
        ConnectionPool(Endpoint(url=url, address=address, tls=tls)),
        InvokeRequests(address, region=client.meta.region_name, user_agent=_config(client).user_agent),
        CredentialSource(access.load_credentials),
        RefusalParser(client.meta.service_model),
        timeout_s=timeout_s,
        profile=access.profile,
    )
