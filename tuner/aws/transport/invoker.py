"""``engine.ports.Invoker`` over the asynchronous transport."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from tuner.aws.invoker import decoded_log_tail, local_remarks
from tuner.aws.refused import lost_invocation, refused_invocation
from tuner.aws.translate import says_expired, translated
from tuner.aws.transport.answers import Answer, MalformedAnswerError
from tuner.aws.transport.connection import Connection, ConnectionEndedError
from tuner.aws.transport.credentials import CredentialSource
from tuner.aws.transport.pool import ConnectionPool
from tuner.aws.transport.refusals import RefusalParser
from tuner.aws.transport.requests import InvokeRequests
from tuner.aws.transport.signing import SigningCredentials
from tuner.engine.ports import InvocationResult

FIRST_REFUSAL = 300


class AsyncInvoker:
    """Invokes over a pool of connections. A request of which a byte was sent is never sent again, except where
    Lambda answered that it did not look at it because the credentials have expired."""

    def __init__(
        self,
        pool: ConnectionPool,
        requests: InvokeRequests,
        credentials: CredentialSource,
        refusals: RefusalParser,
        *,
        timeout_s: float,
        profile: str | None = None,
    ) -> None:
        self._pool = pool
        self._requests = requests
        self._credentials = credentials
        self._refusals = refusals
        self._timeout_s = timeout_s
        self._profile = profile

    async def open(self, connections: int) -> None:
        """Have ``connections`` ready, so that no handshake falls into a wave. Raises TargetError."""
        try:
            await self._pool.open(connections)
        except BotoCoreError as error:
            raise translated(error, function="the function", profile=self._profile) from error

    async def invoke(self, function: str, version: str, payload: bytes) -> InvocationResult:
        """One invocation. ``client_ms`` counts from the first byte sent to the last byte received: neither waiting
        for a connection nor signing. Raises Throttled, InvocationLostError or another TargetError."""
        try:
            answer, client_ms = await self._answer(function, version, payload)
        except ClientError as error:
            raise refused_invocation(error, function=function, profile=self._profile) from error
        except BotoCoreError as error:
            raise translated(error, function=function, profile=self._profile) from error
        environment, disturbed = local_remarks(answer.headers)
        return InvocationResult(
            environment=environment,
            disturbed=disturbed,
            request_id=answer.headers.get("x-amzn-requestid"),
            function_error=answer.headers.get("x-amz-function-error"),
            log_tail=decoded_log_tail(answer.headers.get("x-amz-log-result")),
            payload=answer.body,
            client_ms=client_ms,
        )

    def close(self) -> None:
        """Close every connection; calls in flight end with InvocationLostError."""
        self._pool.close()

    async def _answer(self, function: str, version: str, payload: bytes) -> tuple[Answer, float]:
        """A successful answer and its client time in ms; ClientError for a refusal."""
        credentials = await self._credentials.current()
        answer, client_ms = await self._exchange(function, version, payload, credentials)
        if answer.status < FIRST_REFUSAL:
            return answer, client_ms
        refusal = self._refusals.parse(answer)
        if not says_expired(refusal) or not await self._credentials.renew(credentials):
            raise refusal
        answer, client_ms = await self._exchange(function, version, payload, await self._credentials.current())
        if answer.status < FIRST_REFUSAL:
            return answer, client_ms
        raise self._refusals.parse(answer)

    async def _exchange(
        self, function: str, version: str, payload: bytes, credentials: SigningCredentials
    ) -> tuple[Answer, float]:
        connection = await self._pool.acquire()
        try:
            head = self._requests.head(function, version, payload, credentials, now=datetime.now(UTC))
            started_s = time.perf_counter()
            answer = await self._send(connection, function, head, payload)
            return answer, (time.perf_counter() - started_s) * 1000
        finally:
            self._pool.release(connection)

    async def _send(self, connection: Connection, function: str, head: bytes, payload: bytes) -> Answer:
        try:
            return await connection.exchange(head, payload, timeout_s=self._timeout_s)
        except TimeoutError as error:
            raise lost_invocation(function, f"nothing came within {self._timeout_s:g} s") from error
        except ConnectionEndedError as error:
            raise lost_invocation(function, f"the connection ended ({error})") from error
        except MalformedAnswerError as error:
            raise lost_invocation(function, str(error)) from error
