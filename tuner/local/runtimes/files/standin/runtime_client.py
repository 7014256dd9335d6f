"""awslambdaric's native module in plain Python, for interpreters that have no wheel of it. Runs on Python 3.8+.

Same four functions, same arguments. One connection is kept, as the native one does.
"""

# ruff: noqa: INP001, A001, ARG001 - a top-level module, with the names and arguments of the native one

from __future__ import annotations

import json
import os
import socket
from typing import BinaryIO, Sequence, cast  # noqa: UP035 - for Python 3.8

_API = "/2018-06-01/runtime/invocation/"
_ADDRESS = os.environ["AWS_LAMBDA_RUNTIME_API"]


class _Connection:
    def __init__(self) -> None:
        host, _, port = _ADDRESS.rpartition(":")
        connection = socket.create_connection((host, int(port)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = cast("BinaryIO", connection.makefile("rwb"))

    def call(
        self, method: str, path: str, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()
    ) -> tuple[dict[str, str], bytes]:
        lines = [f"{method} {_API}{path} HTTP/1.1", f"Host: {_ADDRESS}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        head = "\r\n".join([*lines, "", ""])
        self._stream.write(head.encode("latin-1", "replace") + body)
        self._stream.flush()
        return self._answer()

    def _answer(self) -> tuple[dict[str, str], bytes]:
        status = int(self._stream.readline().split()[1])
        headers = {}
        while True:
            line = self._stream.readline().rstrip(b"\r\n").decode("latin-1")
            if not line:
                break
            name, _, value = line.partition(":")
            headers[name] = value.strip()
        body = self._stream.read(int(headers.get("Content-Length", "0")))
        if status >= 300:
            raise RuntimeError(f"Runtime API answered {status}: {body[:200]!r}")
        return headers, body


_connection = _Connection()


def initialize_client(user_agent: str) -> None:
    """Called once at import; nothing to prepare."""


def next() -> tuple[bytes, dict[str, str]]:
    headers, body = _connection.call("GET", "next")
    return body, headers


def post_invocation_result(
    invoke_id: str, data: bytes, content_type: str = "application/json", invocation_id: object = None
) -> None:
    _connection.call("POST", f"{invoke_id}/response", data, [("Content-Type", content_type)])


def post_error(
    invoke_id: str,
    error_data: str | bytes,
    xray_fault: object,
    invocation_id: object = None,
) -> None:
    body = error_data.encode() if isinstance(error_data, str) else error_data
    error_type = json.loads(body).get("errorType", "Runtime.Unknown")
    _connection.call("POST", f"{invoke_id}/error", body, [("Lambda-Runtime-Function-Error-Type", error_type)])
