"""A page in S3 behind a link that expires: for those who may not or cannot receive a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

import boto3
import botocore.exceptions
from botocore.config import Config

from tuner import __version__
from tuner.aws.endpoints import check_environment
from tuner.errors import AccessError, TargetError, UsageError

LONGEST_LINK_S = 7 * 86_400
"""The longest a presigned link lives (Amazon S3 user guide, "Sharing objects with presigned URLs")."""

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_EXPIRY = re.compile(r"(\d+)\s*([smhd])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_UNKNOWN_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class S3Prefix:
    bucket: str
    prefix: str
    """Empty, or with a slash at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """``remarks`` say where the page is and how long the link lives."""

    url: str
    key: str
    remarks: tuple[str, ...]


def parse_s3_prefix(text: str) -> S3Prefix:
    """``s3://bucket`` or ``s3://bucket/some/prefix``."""
    scheme, separator, rest = text.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not separator or not _BUCKET.fullmatch(bucket):
        raise UsageError(f"{text!r} is no place in S3.", hint="Write it like s3://my-bucket/reports.")
    stripped = prefix.strip("/")
    return S3Prefix(bucket, f"{stripped}/" if stripped else "")


def parse_expiry(text: str) -> int:
    """``7d``, ``12h``, ``30m`` or ``600s`` in seconds, at most seven days."""
    found = _EXPIRY.fullmatch(text.strip())
    seconds = int(found[1]) * _UNIT_S[found[2]] if found else 0
    if not 0 < seconds <= LONGEST_LINK_S:
        raise UsageError(
            f"{text!r} is no time that a link can live.", hint="Write it like 12h or 7d; seven days is S3's limit."
        )
    return seconds


def publish_page(
    html: str,
    place: S3Prefix,
    *,
    name: str,
    expires_s: int,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
) -> Published:
    """Upload a page and return a link that only those who have it can open, until it expires.

    The object itself stays private, and stays in the bucket when the link has expired. AccessError without usable
    credentials, TargetError when S3 refuses.
    """
    key = f"{place.prefix}{name}"
    if endpoint_url is None:
        check_environment()
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        client = session.client(
            "s3",
            region_name=None if session.region_name else _UNKNOWN_REGION,
            endpoint_url=endpoint_url,
            config=Config(
                signature_version="s3v4",
                retries={"mode": "standard", "total_max_attempts": 4},
                user_agent_extra=f"tuner/{__version__}",
            ),
        )
        client.put_object(Bucket=place.bucket, Key=key, Body=html.encode(), ContentType="text/html; charset=utf-8")
        url = client.generate_presigned_url(
            "get_object", Params={"Bucket": place.bucket, "Key": key}, ExpiresIn=expires_s
        )
        temporary = _are_temporary(session)
    except (botocore.exceptions.NoCredentialsError, botocore.exceptions.ProfileNotFound) as error:
        raise AccessError(str(error), hint="`aws configure list` shows what is configured.") from error
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise TargetError(
            f"The page could not be published to s3://{place.bucket}/{key}: {error}",
            hint="Check the bucket's name and region; s3:PutObject and s3:GetObject are needed.",
        ) from error
    return Published(url=url, key=key, remarks=tuple(_remarks(place, key, expires_s, temporary=temporary)))


def _are_temporary(session: boto3.Session) -> bool:
    credentials = session.get_credentials()
    return credentials is not None and credentials.token is not None


def _remarks(place: S3Prefix, key: str, expires_s: int, *, temporary: bool) -> list[str]:
    hours = expires_s / 3600
    lines = [
        f"Published: s3://{place.bucket}/{key}.",
        f"The link works for {hours:g} hours; the object stays until you delete it.",
    ]
    if temporary:
        lines.append("Your credentials are temporary: the link dies with them, perhaps sooner.")
    return lines
