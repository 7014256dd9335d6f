"""The Lambda Runtime API, version 2018-06-01, for one execution environment on a port of its own.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html: the runtime asks for the next event, and posts a
response or an error for it. The port belongs to one environment because AWS_LAMBDA_RUNTIME_API has no path.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from tuner.local.http import LOOPBACK, Request, Response, json_response
from tuner.local.http_server import Bounds, HttpServer

API_VERSION = "2018-06-01"
MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100
"""6 MB and the slack that the service grants (lambda/latest/dg/gettingstarted-limits)."""
_BOUNDS = Bounds(max_body_bytes=32 * 1024 * 1024, max_held_bytes=64 * 1024 * 1024, max_connections=16)
"""No idle limit: a frozen runtime cannot notice that a connection was closed, and all end with the environment."""
_ERROR_TYPE = "lambda-runtime-function-error-type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    request_id: str
    payload: bytes
    function_arn: str
    deadline_ms: int
    """Unix time in ms at which the function times out."""
    trace_id: str
    client_context: str | None = None

    def response(self) -> Response:
        headers = {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Lambda-Runtime-Trace-Id": self.trace_id,
        }
        if self.client_context is not None:
            headers["Lambda-Runtime-Client-Context"] = self.client_context
        return Response(body=self.payload, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the runtime posted for an event. ``error_type`` is None for a response."""

    payload: bytes
    received_s: float
    error_type: str | None = None


@dataclass(frozen=True, slots=True)
class InitError:
    """The runtime could not load the handler."""

    payload: bytes
    error_type: str


class RuntimeApi:
    """One environment's conversation: ready, deliver, answer, ready again."""

    def __init__(self) -> None:
        self._http = HttpServer(self._handle, _BOUNDS)
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.Future[Event] | None = None
        self._current: Event | None = None
        self.ready: asyncio.Future[InitError | None] = self._loop.create_future()
        """Done when the runtime waits for an event, or has said that it never will."""
        self.answer: asyncio.Future[Answer] = self._loop.create_future()

    async def start(self) -> str:
        """Listen; returns the value of AWS_LAMBDA_RUNTIME_API."""
        return f"{LOOPBACK}:{await self._http.start()}"

    async def close(self) -> None:
        await self._http.close()

    def deliver(self, event: Event) -> float:
        """Answer the waiting ``next`` with ``event``; returns the monotonic time at which the duration starts."""
        if self._next is None or self._next.done():
            raise RuntimeError("the runtime is not waiting for an event")
        self._current = event
        self.answer = self._loop.create_future()
        self.ready = self._loop.create_future()
        self._next.set_result(event)
        return self._loop.time()

    async def _handle(self, request: Request) -> Response:
        match (request.method, request.path):
            case ("GET", (version, "runtime", "invocation", "next")) if version == API_VERSION:
                return await self._on_next()
            case ("POST", (version, "runtime", "invocation", request_id, "response")) if version == API_VERSION:
                return self._on_response(request_id, request)
            case ("POST", (version, "runtime", "invocation", request_id, "error")) if version == API_VERSION:
                return self._on_error(request_id, request)
            case ("POST", (version, "runtime", "init", "error")) if version == API_VERSION:
                return self._on_init_error(request)
        return _refusal(404, "ResourceNotFound", "no such Runtime API call")

    async def _on_next(self) -> Response:
        self._next = self._loop.create_future()
        if not self.ready.done():
            self.ready.set_result(None)
        return (await self._next).response()

    def _on_response(self, request_id: str, request: Request) -> Response:
        if len(request.body) > MAX_RESPONSE_BYTES:
            message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            self._settle(request_id, _too_large(message, request.received_s))
            return _refusal(413, "RequestEntityTooLarge", message)
        return self._settle(request_id, Answer(payload=request.body, received_s=request.received_s))

    def _on_error(self, request_id: str, request: Request) -> Response:
        error_type = request.headers.get(_ERROR_TYPE) or _error_type_of(request.body) or "Runtime.Unknown"
        answer = Answer(payload=request.body, received_s=request.received_s, error_type=error_type)
        return self._settle(request_id, answer)

    def _on_init_error(self, request: Request) -> Response:
        error_type = request.headers.get(_ERROR_TYPE) or "Runtime.Unknown"
        if not self.ready.done():
            self.ready.set_result(InitError(request.body, error_type))
        return _accepted()

    def _settle(self, request_id: str, answer: Answer) -> Response:
        if self._current is None or self._current.request_id != request_id:
            return _refusal(400, "InvalidRequestID", "no such invocation is in progress")
        self._current = None
        if not self.answer.done():
            self.answer.set_result(answer)
        return _accepted()


def _accepted() -> Response:
    return json_response({"status": "OK"}, status=202)


def _refusal(status: int, error_type: str, message: str) -> Response:
    return json_response({"errorType": error_type, "errorMessage": message}, status=status)


def _too_large(message: str, received_s: float) -> Answer:
    error_type = "Function.ResponseSizeTooLarge"
    body = json.dumps({"errorMessage": message, "errorType": error_type}).encode()
    return Answer(payload=body, received_s=received_s, error_type=error_type)


def _error_type_of(body: bytes) -> str | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = value.get("errorType") if isinstance(value, dict) else None
    return found if isinstance(found, str) and found else None
