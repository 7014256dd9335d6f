"""Invoke: synchronous, as an event, or as a dry run."""

from __future__ import annotations

import base64
import uuid

from tuner.local import faults, validation
from tuner.local.blueprint import Blueprint
from tuner.local.code import CodeStore
from tuner.local.environment import Ended
from tuner.local.fleet import Call, Fleet
from tuner.local.functions import FunctionStore, Resolved
from tuner.local.http import Request, Response
from tuner.local.operations.view import named

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
MAX_EVENT_BYTES = 1024 * 1024


class Invocation:
    def __init__(self, store: FunctionStore, code: CodeStore, fleet: Fleet) -> None:
        self._store = store
        self._code = code
        self._fleet = fleet

    async def invoke(self, request: Request, name: str) -> Response:
        kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
        limit = MAX_EVENT_BYTES if kind == "Event" else MAX_PAYLOAD_BYTES
        if len(request.body) > limit:
            raise faults.too_large(limit)
        validation.json_value(request.body)
        target = named(request, name)
        resolved = self._store.resolve(target, weighted=True)
        if not resolved.revision.active(self._store.now_s()):
            raise faults.not_active("Pending")
        call = self._call(request, resolved, target.qualifier)
        headers = {"x-amzn-RequestId": call.request_id, "X-Amz-Executed-Version": resolved.version}
        match kind:
            case "DryRun":
                return Response(status=204, headers=headers)
            case "Event":
                self._fleet.invoke_later(call)
                return Response(status=202, headers=headers)
        ended = await self._fleet.invoke(call)
        headers |= _of_our_own(ended)
        if ended.function_error is not None:
            headers["X-Amz-Function-Error"] = ended.function_error
        if request.headers.get("x-amz-log-type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(ended.log).decode()
        return Response(body=ended.payload, headers=headers)

    def _call(self, request: Request, resolved: Resolved, qualifier: str | None) -> Call:
        function = resolved.function
        return Call(
            request_id=str(uuid.uuid4()),
            blueprint=self._blueprint(resolved),
            function_arn=self._store.namespace.arn(function.name, qualifier),
            payload=request.body or b"{}",
            trace_id=f"Root=1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]};Sampled=0",
            reserved=function.reserved_concurrency,
            client_context=_client_context(request.headers.get("x-amz-client-context")),
        )

    def _blueprint(self, resolved: Resolved) -> Blueprint:
        return Blueprint(
            function_uid=resolved.function.uid,
            function_name=resolved.function.name,
            version=resolved.version,
            settings=resolved.revision.settings,
            task_root=self._code.task_root(resolved.revision.code),
            region=self._store.namespace.region,
        )


def _of_our_own(ended: Ended) -> dict[str, str]:
    """What no real Lambda says: which environment it was, and whether the machine got in the way."""
    headers = {"x-tuner-environment": ended.environment}
    if ended.disturbance is not None:
        headers["x-tuner-run-delay-ms"] = f"{ended.disturbance.run_delay_ms:.3f}"
        if ended.disturbance.disturbed is not None:
            headers["x-tuner-disturbed"] = str(ended.disturbance.disturbed).lower()
    return headers


def _client_context(encoded: str | None) -> str | None:
    """The runtime gets the JSON, the API the base64 of it."""
    if encoded is None:
        return None
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        raise faults.ApiError(
            400, "InvalidRequestContentException", "Could not parse request body into json: invalid client context"
        ) from None
    return " ".join(text.splitlines())  # the runtime gets it as a header: JSON may be folded, a header may not
