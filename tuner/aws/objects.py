"""S3 objects as payloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tuner.aws.translate import error_code
from tuner.errors import PayloadError
from tuner.inputs.payloads import MAX_PAYLOAD_BYTES, read_payload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def read_payload_object(client: S3Client, uri: str) -> bytes:
    """The payload behind ``s3://bucket/key``, checked like any other. Raises PayloadError."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise PayloadError(f"{uri} names no object.", hint="Write it like s3://bucket/key.json.")
    try:
        answer = client.get_object(Bucket=bucket, Key=key)
        if answer["ContentLength"] > MAX_PAYLOAD_BYTES:
            raise PayloadError(f"{uri} is larger than Lambda takes (6 MB).", hint="Use a smaller event.")
        data = answer["Body"].read()
    except ClientError as error:
        reason = error_code(error) or "no reason given"
        raise PayloadError(
            f"{uri} cannot be read: {reason}.", hint="Check its name and s3:GetObject on it."
        ) from error
    except BotoCoreError as error:
        raise PayloadError(f"{uri} cannot be read: {error}.", hint="Check --profile and --region.") from error
    return read_payload("-", stdin=lambda: data)
