"""AWS's public price list, over the network."""

from __future__ import annotations

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from tuner.errors import TargetError

LARGEST_BYTES = 20_000_000


def fetch(url: str) -> bytes:
    """The file behind ``url``. TargetError where it cannot be had."""
    try:
        answer = URLLib3Session(timeout=30).send(AWSRequest(method="GET", url=url).prepare())
    except BotoCoreError as error:
        raise _unreachable(url, str(error)) from error
    if answer.status_code != 200:
        raise _unreachable(url, f"HTTP {answer.status_code}")
    content = bytes(answer.content)
    if len(content) > LARGEST_BYTES:
        raise _unreachable(url, f"{len(content)} bytes are no price list of one region")
    return content


def _unreachable(url: str, why: str) -> TargetError:
    return TargetError(
        f"The price list could not be read from {url}: {why}.",
        hint="Check the network and the region; or download that file and give it with --from.",
    )
