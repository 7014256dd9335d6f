"""Answers of Lambda that are no results, as the exception that boto3 would raise for them."""

from __future__ import annotations

import json

from botocore.awsrequest import HeadersDict
from botocore.exceptions import ClientError
from botocore.model import ServiceModel, Shape
from botocore.parsers import create_parser

from tuner.aws.transport.answers import Answer

OPERATION = "Invoke"


class RefusalParser:
    """Reads with botocore's own parser and model, so that error codes are found where botocore finds them."""

    def __init__(self, service: ServiceModel) -> None:
        self._service = service
        self._output: Shape = service.shape_for("InvocationResponse")
        self._parser = create_parser(service.metadata["protocol"])

    def parse(self, answer: Answer) -> ClientError:
        response = {
            "status_code": answer.status,
            "headers": HeadersDict(answer.headers),
            "body": _tame(answer.body),
            "context": {"operation_name": OPERATION},
        }
        parsed = self._parser.parse(response, self._output)
        shape = self._service.shape_for_error_code(parsed.get("Error", {}).get("Code", ""))
        if shape is not None:
            parsed.update(self._parser.parse(response, shape))
        return ClientError(parsed, OPERATION)


def _tame(body: bytes) -> bytes:
    """A body that botocore's parser can read. It fails on what gateways send: bytes that are no text, JSON that is
    no object, members that are no strings. Text stays text, which botocore takes for the message."""
    text = body.decode("utf-8", errors="replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text.encode()
    if not isinstance(value, dict):
        return json.dumps({"message": text}).encode()
    return json.dumps({name: member for name, member in value.items() if isinstance(member, str)}).encode()
