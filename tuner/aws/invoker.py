"""Invoke over boto3 on threads: the transport that works everywhere (proxies, unusual credentials)."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from tuner.aws.refused import lost_invocation, refused_invocation
from tuner.aws.threads import BlockingCalls
from tuner.aws.translate import translated
from tuner.engine.ports import InvocationResult

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import InvocationResponseTypeDef


class BotoInvoker:
    """``engine.ports.Invoker`` over a boto3 Lambda client whose retries are off."""

    def __init__(self, client: LambdaClient, *, connections: int, profile: str | None = None) -> None:
        self._client = client
        self._profile = profile
        self._calls = BlockingCalls("invoke", connections)

    async def invoke(self, function: str, version: str, payload: bytes) -> InvocationResult:
        return await self._calls.run(lambda: self._invoke(function, version, payload))

    async def open(self, connections: int) -> None:
        """Nothing: botocore opens a connection when a call first needs it."""

    def close(self) -> None:
        self._calls.close()
        self._client.close()

    def _invoke(self, function: str, version: str, payload: bytes) -> InvocationResult:
        started_s = time.perf_counter()
        try:
            answer = self._client.invoke(FunctionName=function, Qualifier=version, Payload=payload, LogType="Tail")
            body = answer["Payload"].read()
        except ClientError as error:
            raise refused_invocation(error, function=function, profile=self._profile) from error
        except HTTPClientError as error:  # a read timeout or an ended connection; failing to connect is none
            raise lost_invocation(function, str(error)) from error
        except BotoCoreError as error:
            raise translated(error, function=function, profile=self._profile) from error
        return _result(answer, body, client_ms=(time.perf_counter() - started_s) * 1000)


def _result(answer: InvocationResponseTypeDef, body: bytes, *, client_ms: float) -> InvocationResult:
    environment, disturbed = local_remarks(answer["ResponseMetadata"].get("HTTPHeaders", {}))
    return InvocationResult(
        environment=environment,
        disturbed=disturbed,
        request_id=answer["ResponseMetadata"].get("RequestId"),
        function_error=answer.get("FunctionError"),
        log_tail=decoded_log_tail(answer.get("LogResult")),
        payload=body,
        client_ms=client_ms,
    )


def local_remarks(headers: Mapping[str, str]) -> tuple[str | None, bool | None]:
    """What the embedded Lambda adds to an answer: the execution environment, and whether the machine disturbed the
    invocation. Lambda itself says neither."""
    disturbed = headers.get("x-tuner-disturbed")
    return headers.get("x-tuner-environment"), None if disturbed is None else disturbed == "true"


def decoded_log_tail(log_result: str | None) -> str | None:
    """The log tail as text. Its first character may be cut in half: replaced, never an error."""
    if log_result is None:
        return None
    try:
        return base64.b64decode(log_result).decode("utf-8", errors="replace")
    except binascii.Error:
        return None
