"""What is to be sent, read from where it is. Files and texts were read before; S3 and shared test events are here."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from tuner.aws.objects import read_payload_object
from tuner.aws.session import AwsAccess
from tuner.aws.test_events import SharedTestEvents, schemas_client
from tuner.cli.inputs import PayloadSource
from tuner.errors import UsageError
from tuner.inputs.payload_set import PayloadSet, WeightedPayload


def read_payloads(sources: Sequence[PayloadSource], access: AwsAccess, function: str) -> PayloadSet:
    """``function`` is the name of the one whose shared test events are meant."""
    return PayloadSet(tuple(WeightedPayload(_data(source, access, function), source.weight) for source in sources))


def _data(source: PayloadSource, access: AwsAccess, function: str) -> bytes:
    if source.data is not None:
        return source.data
    if source.shared_event is None:
        return read_payload_object(access.s3_client(), source.s3_uri or "")
    if access.endpoint_url is not None:
        raise UsageError(
            "Shared test events are kept by AWS, and this function is somewhere else.",
            hint="Save one with `tuner event new NAME --function FUNCTION`, and give the file with --payload.",
        )
    with closing(schemas_client(region=access.region, profile=access.profile)) as client:
        return SharedTestEvents(client, profile=access.profile).event(function, source.shared_event)
