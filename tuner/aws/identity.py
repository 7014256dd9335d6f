"""Who the credentials are, and how far this machine's clock is from AWS's: signatures hold for five minutes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from tuner.aws.endpoints import check_environment
from tuner.aws.translate import translated
from tuner.errors import AccessError


@dataclass(frozen=True, slots=True)
class Identity:
    account: str
    name: str
    """The last part of the caller's ARN: a user, or a role with its session."""
    clock_ahead_s: float | None
    """This machine's clock less AWS's; None where the answer had no date."""


class TokenService(Protocol):
    """What is used of boto3's client for STS."""

    def get_caller_identity(self) -> dict[str, Any]: ...


def token_service(*, region: str, profile: str | None) -> TokenService:
    """AccessError where there is no such profile."""
    config = Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=10)
    check_environment()
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        return cast("TokenService", session.client("sts", config=config))
    except ProfileNotFound as error:
        raise AccessError(str(error), hint="`aws configure list-profiles` shows the profiles you have.") from error


def identity(client: TokenService, *, now: datetime, profile: str | None) -> Identity:
    """The caller. Raises a TargetError; one about the clock where that is why AWS refuses the signature."""
    try:
        answer = client.get_caller_identity()
    except ClientError as error:
        ahead_s = _ahead_s(dict(error.response.get("ResponseMetadata", {})), now)
        if ahead_s is not None and abs(ahead_s) > 240:
            raise AccessError(
                f"This machine's clock is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} AWS's: its "
                "signatures are refused.",
                hint="Set the clock (for example with chrony), then run this again.",
            ) from error
        raise translated(error, function="the account", profile=profile) from error
    except BotoCoreError as error:
        raise translated(error, function="the account", profile=profile) from error
    return Identity(
        account=str(answer["Account"]),
        name=str(answer["Arn"]).partition("/")[2] or "root",
        clock_ahead_s=_ahead_s(answer.get("ResponseMetadata", {}), now),
    )


def _ahead_s(metadata: Mapping[str, Any], now: datetime) -> float | None:
    date = metadata.get("HTTPHeaders", {}).get("date")
    return None if date is None else (now - parsedate_to_datetime(date)).total_seconds()
