"""Which permissions there are, found out before anything is changed.

Lambda asks IAM first, then looks for the function, then compares the revision. So a change of a revision that cannot
be is denied (403) or fails its precondition (412), and a version that cannot be is denied or not found (404); neither
changes anything. Invoke has a dry run for this. CreateFunction, TagResource and UntagResource have no such question
(tags are part of what has a revision): each is the first change of a run that needs it, and a denial there leaves
nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tuner.aws.translate import is_denied, says_expired, says_invalid
from tuner.engine.ownership import DESCRIPTION_PREFIX

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

IMPOSSIBLE_VERSION = "999999999999"
IMPOSSIBLE_REVISION = "00000000-0000-0000-0000-000000000000"
_QUESTION = f"{DESCRIPTION_PREFIX}asks whether it may publish"
_SERVICE_TROUBLE = 429, 500, 502, 503, 504


@dataclass(frozen=True, slots=True)
class Probe:
    """A question about one action: ``ask`` is a call that is denied, or fails for another reason."""

    action: str
    purpose: str
    ask: Callable[[LambdaClient, str], object]
    needs_revisions: bool = False
    qualified: bool = False

    def resource(self, function_arn: str) -> str:
        return f"{function_arn}:*" if self.qualified else function_arn


def _ask_to_publish(client: LambdaClient, function: str) -> None:
    """Where an emulated service publishes all the same, what it published is deleted; never a version of others."""
    answer = client.publish_version(FunctionName=function, RevisionId=IMPOSSIBLE_REVISION, Description=_QUESTION)
    if answer.get("Description") == _QUESTION and answer["Version"].isdecimal():
        client.delete_function(FunctionName=function, Qualifier=answer["Version"])


_LIST_TAGS = Probe(
    "lambda:ListTags",
    "sees the marks of other runs, and whose a copy is",
    lambda client, function: client.list_tags(Resource=function),
)

_CHANGES = (
    Probe(
        "lambda:UpdateFunctionConfiguration",
        "sets each memory size",
        lambda client, function: client.update_function_configuration(
            FunctionName=function, RevisionId=IMPOSSIBLE_REVISION
        ),
        needs_revisions=True,
    ),
    Probe("lambda:PublishVersion", "publishes a version of each size", _ask_to_publish, needs_revisions=True),
    Probe(
        "lambda:DeleteFunction",
        "deletes those versions again",
        lambda client, function: client.delete_function(FunctionName=function, Qualifier=IMPOSSIBLE_VERSION),
        qualified=True,
    ),
    Probe(
        "lambda:InvokeFunction",
        "invokes those versions",
        lambda client, function: client.invoke(
            FunctionName=function, Qualifier=IMPOSSIBLE_VERSION, InvocationType="DryRun"
        ),
        qualified=True,
    ),
)
OF_FUNCTION = (_LIST_TAGS, *_CHANGES)
OF_COPY = (
    Probe(
        "lambda:GetFunction",
        "waits for the copy",
        lambda client, function: client.get_function(FunctionName=function),
    ),
    _LIST_TAGS,
    *_CHANGES,
)


def granted(client: LambdaClient, probe: Probe, function_arn: str) -> bool | None:
    """What the answer to a probe says; None for trouble in the service. Raises ClientError for credentials that are
    no good for anything."""
    try:
        probe.ask(client, function_arn)
    except ClientError as error:
        if is_denied(error):
            return False
        if says_expired(error) or says_invalid(error):
            raise
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _SERVICE_TROUBLE:
            return None
    return True
