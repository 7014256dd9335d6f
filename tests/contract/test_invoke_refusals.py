"""Both transports read Lambda's answers alike: every error of botocore's own model, and answers of nobody's model."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.aws.scripted import Peer, Request, ScriptedLambda, answer
from tuner.aws.refused import PASSES, STAYS, refused_invocation
from tuner.aws.transport.answers import Answer
from tuner.aws.transport.choose import TransportMode, choose_transport
from tuner.aws.transport.refusals import RefusalParser
from tuner.engine.ports import InvocationResult, Invoker, Throttled
from tuner.errors import AccessError, FunctionNotFoundError, InvocationLostError, TargetError

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = botocore.session.Session().get_service_model("lambda")
MODELLED = sorted(
    (shape.name, int(shape.metadata["error"]["httpStatusCode"]))
    for shape in MODEL.operation_model("Invoke").error_shapes
)
REASONS: list[str] = MODEL.shape_for("ThrottleReason").enum  # type: ignore[attr-defined]


class Bench:
    """A scripted Lambda with both transports connected to it."""

    def __init__(self, server: ScriptedLambda) -> None:
        self.server = server
        self.invokers = [
            choose_transport(server.access(), mode=mode, timeout_s=3, connections=1).invoker
            for mode in (TransportMode.ASYNC, TransportMode.BOTO3)
        ]

    async def outcomes(self, raw: bytes | None) -> list[Any]:
        """What each transport makes of ``raw``: a result, or the parts of the error that people and the engine see.
        None hangs up."""

        async def say(request: Request, peer: Peer) -> None:
            if raw is None:
                peer.hang_up()
            else:
                await peer.say(raw)

        self.server.answering = say
        self.server.requests.clear()
        found = [await outcome(invoker) for invoker in self.invokers]
        assert len(self.server.requests) == 2
        return found


async def outcome(invoker: Invoker) -> Any:
    try:
        return replace(await invoker.invoke("thumbnail", "7", b"{}"), client_ms=0)
    except Throttled as refusal:
        return type(refusal), refusal.reason, refusal.retry_after_s
    except TargetError as error:
        return type(error), error.message, error.hint


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench() -> AsyncIterator[Bench]:
    async with ScriptedLambda() as server:
        bench = Bench(server)
        yield bench
        for invoker in bench.invokers:
            invoker.close()


def refusal(code: str, status: int, body: dict[str, Any] | None = None, **headers: str) -> bytes:
    content = json.dumps(body if body is not None else {"Type": "User", "Message": "what happened"}).encode()
    return answer(content, f"{status} Any", x_amzn_ErrorType=code, **headers)


async def test_the_model_knows_the_errors_that_the_facts_list() -> None:
    assert {"TooManyRequestsException", "RequestTooLargeException", "SnapStartNotReadyException"} <= dict(
        MODELLED
    ).keys()
    assert len(REASONS) >= 6


@pytest.mark.parametrize(("code", "status"), MODELLED)
async def test_every_modelled_refusal_becomes_the_same_error(bench: Bench, code: str, status: int) -> None:
    ours, theirs = await bench.outcomes(refusal(code, status))
    assert ours == theirs
    expected = Throttled if code in PASSES else {404: FunctionNotFoundError, 429: Throttled}.get(status, TargetError)
    assert issubclass(ours[0], expected)


async def test_every_error_of_the_model_that_names_why_nothing_ran_is_no_lost_invocation(bench: Bench) -> None:
    may_have_run = {code for code, status in MODELLED if status >= 500} - PASSES - STAYS.keys()
    assert may_have_run == {"ServiceException"}
    assert dict(MODELLED).keys() >= PASSES | STAYS.keys(), "a code that Invoke never answers"
    for code in ("KMSDisabledException", "InvalidSubnetIDException", "EFSMountFailureException"):
        ours, _ = await bench.outcomes(refusal(code, dict(MODELLED)[code]))
        assert ours == (TargetError, f"Lambda cannot start thumbnail: {code}: what happened", STAYS[code])


async def test_a_version_that_is_not_ready_yet_is_waited_for(bench: Bench) -> None:
    ours, _ = await bench.outcomes(refusal("ResourceConflictException", 409))
    assert ours == (Throttled, "ResourceConflictException: what happened", None)
    failed = {"Message": "The function is currently in the following state: Failed"}
    ours, _ = await bench.outcomes(refusal("ResourceConflictException", 409, failed))
    assert ours[0] is TargetError


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("2", 2.0), ("0", 0.0), (None, None), ("soon", None), ("-1", None)]
)
async def test_every_reason_of_a_throttle_arrives_with_its_waiting_time(
    bench: Bench, reason: str, retry_after: str | None, seconds: float | None
) -> None:
    headers = {} if retry_after is None else {"Retry_After": retry_after}
    body = {"Reason": reason, "Type": "User", "message": "Rate Exceeded."}
    ours, theirs = await bench.outcomes(refusal("TooManyRequestsException", 429, body, **headers))
    assert ours == theirs == (Throttled, reason, seconds)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (refusal("AccessDeniedException", 403, {"Message": "not authorized"}), AccessError),
        (refusal("UnrecognizedClientException", 403, {"message": "invalid token"}), AccessError),
        (refusal("InvalidSignatureException", 403, {"message": "does not match"}), AccessError),
        (refusal("ExpiredTokenException", 403, {"message": "expired"}), AccessError),
        (refusal("UnknownToAnyModelException", 418, {"message": "?"}), TargetError),
        (refusal("ServiceException:http://internal.amazon.com/coral/", 500, {}), TargetError),
        (answer(b'{"__type": "com.amazon#ServiceException", "message": "m"}', "500 Any"), TargetError),
        (answer(b"<html>Bad Gateway</html>", "502 Bad Gateway", content_type="text/html"), TargetError),
        (answer(b"", "503 Service Unavailable"), TargetError),
        (answer(b"", "429 Too Many Requests"), Throttled),
        (answer(b"", "307 Temporary Redirect", location="http://127.0.0.1:1/"), TargetError),
    ],
)
async def test_refusals_outside_the_model_become_the_same_error(
    bench: Bench, raw: bytes, kind: type[Exception]
) -> None:
    ours, theirs = await bench.outcomes(raw)
    assert ours == theirs
    assert issubclass(ours[0], kind)


TAIL = "END RequestId: 1\nREPORT RequestId: 1\tDuration: 1.00 ms\t\n"


@pytest.mark.parametrize(
    "raw",
    [
        answer(b'{"ok": true}', x_amzn_RequestId="id-1", X_Amz_Log_Result=base64.b64encode(TAIL.encode()).decode()),
        answer(b"\x00\xff", X_Amzn_Requestid="id-2", X_Amz_Executed_Version="7"),
        answer(b"", x_amzn_RequestId="id-3"),
        answer(b'{"errorType": "E"}', X_Amz_Function_Error="Unhandled", X_Amz_Log_Result="4pyTIA=="),
        answer(b"null", X_Amz_Function_Error="Handled", X_Amz_Log_Result="k6Mg"),
        answer(b"null", X_Amz_Log_Result="not base64"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n",
    ],
)
async def test_results_are_read_alike(bench: Bench, raw: bytes) -> None:
    ours, theirs = await bench.outcomes(raw)
    assert isinstance(ours, InvocationResult)
    assert ours == theirs


async def test_both_transports_call_an_ended_connection_a_lost_invocation(bench: Bench) -> None:
    ours, theirs = await bench.outcomes(None)
    assert ours[0] is theirs[0] is InvocationLostError


@pytest.mark.parametrize("body", [b"\xff\xfe not text", b"[]", b'{"message": 5, "__type": {}}', b'{"Message": null}'])
async def test_refusals_on_which_botocore_itself_fails_are_errors_of_the_target(bench: Bench, body: bytes) -> None:
    async def say(request: Request, peer: Peer) -> None:
        await peer.say(answer(body, "502 Bad Gateway"))

    bench.server.answering = say
    with pytest.raises(TargetError):
        await bench.invokers[0].invoke("thumbnail", "7", b"{}")


members = st.sampled_from(["message", "Message", "__type", "code", "Type", "Reason", "retryAfterSeconds", "x"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=3),
    max_leaves=6,
)


@given(
    status=st.integers(300, 599),
    body=st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()),
    code=st.none() | st.text("abcException:/#.", max_size=20) | st.sampled_from([code for code, _ in MODELLED]),
)
async def test_whatever_the_refusal_it_becomes_an_error_that_can_be_told(
    status: int, body: bytes, code: str | None
) -> None:
    headers = {} if code is None else {"x-amzn-errortype": code}
    error = RefusalParser(MODEL).parse(Answer(status, headers, body, keep_alive=True))
    told = refused_invocation(error, function="f", profile=None)
    assert str(told) or status == 429
    passes = error.response.get("Error", {}).get("Code") in PASSES
    assert isinstance(told, Throttled) is (status == 429 or passes)
