"""The test events that the Lambda console shares between the users of an account.

The console keeps them in EventBridge's schema registry: one OpenAPI document for each function, whose examples are
the events. Private test events live in the console's own settings, which no API reads.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import boto3
import botocore.exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from tuner import __version__
from tuner.aws.endpoints import check_environment
from tuner.aws.translate import error_code, translated
from tuner.errors import AccessError, TargetError
from tuner.inputs.event_fields import compact, parse_json

REGISTRY = "lambda-testevent-schemas"

_DENIED = {"AccessDenied", "AccessDeniedException", "ForbiddenException"}
_SHARE = (
    "Save one as shareable in the Test tab of the function in the Lambda console (private ones cannot be read), "
    "check --region and --profile, or choose from `tuner event list`."
)


class SchemasClient(Protocol):
    """What is used of boto3's client for EventBridge schemas."""

    def describe_schema(self, **names: str) -> dict[str, Any]: ...

    def close(self) -> None: ...


def schemas_client(*, region: str, profile: str | None) -> SchemasClient:
    """A client of the region's schema registry. AccessError where there is no such profile."""
    config = Config(retries={"mode": "standard"}, user_agent_extra=f"tuner/{__version__}")
    check_environment()
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        return cast("SchemasClient", session.client("schemas", config=config))
    except botocore.exceptions.ProfileNotFound as error:
        raise AccessError(str(error), hint="`aws configure list-profiles` shows the profiles you have.") from error


class SharedTestEvents:
    """The shared test events of functions in one region. Every method raises a TargetError where AWS refuses."""

    def __init__(self, client: SchemasClient, *, profile: str | None = None) -> None:
        self._client = client
        self._profile = profile

    def names(self, function: str) -> tuple[str, ...]:
        """The names of the function's events in alphabetical order; none where none was ever shared."""
        return tuple(sorted(self._examples(function)))

    def event(self, function: str, name: str) -> bytes:
        """The event as compact JSON in UTF-8. TargetError, with the names there are, where it is not among them."""
        examples = self._examples(function)
        if not examples:
            raise TargetError(f"{function} has no shared test events here.", hint=_SHARE)
        example = examples.get(name)
        if example is None:
            raise TargetError(
                f"{function} has no shared test event {name!r}.", hint=f"It has {', '.join(sorted(examples))}."
            )
        if not isinstance(example, dict) or "value" not in example:
            raise _unreadable(function)
        return compact(example["value"]).encode()

    def _examples(self, function: str) -> dict[str, Any]:
        schema = self._schema(function)
        if schema is None:
            return {}
        try:
            examples = parse_json(schema)["components"].get("examples", {})
        except (ValueError, LookupError, TypeError, AttributeError):
            raise _unreadable(function) from None
        if not isinstance(examples, dict):
            raise _unreadable(function)
        return examples

    def _schema(self, function: str) -> str | None:
        """The function's OpenAPI document; None where there is none, or no registry at all."""
        try:
            answer = self._client.describe_schema(RegistryName=REGISTRY, SchemaName=f"_{function}-schema")
        except ClientError as error:
            if error_code(error) == "NotFoundException":
                return None
            raise self._refused(error, function) from error
        except BotoCoreError as error:
            raise self._refused(error, function) from error
        return str(answer.get("Content", ""))

    def _refused(self, error: ClientError | BotoCoreError, function: str) -> TargetError:
        if isinstance(error, ClientError) and error_code(error) in _DENIED:
            return AccessError(
                f"These credentials may not call schemas:DescribeSchema on the test events of {function}.",
                hint=f"Ask for that permission on the schemas of the registry {REGISTRY}.",
            )
        if isinstance(error, (EndpointConnectionError, ConnectTimeoutError)):
            return TargetError(
                f"The schema registry cannot be reached: {error}",
                hint="Check --region and the network; not every region has a schema registry.",
            )
        return translated(error, function=function, profile=self._profile)


def _unreadable(function: str) -> TargetError:
    return TargetError(
        f"The shared test events of {function} cannot be read: this is not how the Lambda console writes them.",
        hint=f"Look at the schema _{function}-schema in the registry {REGISTRY}, and save the events again in the "
        "console.",
    )
