"""Handlers that do their worst. Afterwards the service still answers, and nothing is left."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tuner.local.launcher import EmbeddedLambda
from tuner.local.processes import marks_of_all

Deploy = Callable[..., str]


@pytest.fixture(scope="module", params=[None, "signals"], ids=["best", "signals"])
def embedded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("state"), throttle=request.param, state_delay_ms=0) as running:
        yield running


@pytest.fixture
def still_answers(deploy: Deploy, invoke: Callable[..., Any]) -> Callable[[], bool]:
    def check() -> bool:
        return bool(invoke(deploy("def handler(event, context): return 'fine'")).payload == "fine")

    return check


def survivors(name: str) -> list[int]:
    return [pid for pid, value in marks_of_all("AWS_LAMBDA_FUNCTION_NAME").items() if value == name]


def none_left(name: str, limit_s: float = 5) -> bool:
    deadline_s = time.monotonic() + limit_s
    while survivors(name) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return not survivors(name)


def test_a_handler_that_forks_many_processes_is_ended_with_all_of_them(
    deploy: Deploy, invoke: Callable[..., Any], still_answers: Callable[[], bool]
) -> None:
    """A bounded number, and no child forks again: a true bomb in a test suite would be one for its machine."""
    name = deploy(
        "import os, time\ndef handler(event, context):\n    for _ in range(60):\n"
        "        if os.fork() == 0:\n            time.sleep(30)\n            os._exit(0)\n    time.sleep(30)",
        MemorySize=256,
        Timeout=2,
    )
    assert invoke(name).error == "Unhandled"
    assert none_left(name)
    assert still_answers()


def test_a_handler_that_prints_for_ever_is_ended_at_its_timeout(
    deploy: Deploy, invoke: Callable[..., Any], still_answers: Callable[[], bool]
) -> None:
    name = deploy("def handler(event, context):\n    while True: print('x' * 1000)", MemorySize=256, Timeout=1)
    call = invoke(name)
    assert call.report.endswith("Status: timeout\t")
    assert len(call.log) <= 4096
    assert still_answers()


def test_a_handler_that_ignores_every_polite_signal_is_ended(
    deploy: Deploy, invoke: Callable[..., Any], still_answers: Callable[[], bool]
) -> None:
    name = deploy(
        "import signal, time\ndef handler(event, context):\n"
        "    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):\n"
        "        signal.signal(number, signal.SIG_IGN)\n    time.sleep(60)",
        Timeout=1,
    )
    assert invoke(name).report.endswith("Status: timeout\t")
    assert none_left(name)
    assert still_answers()


def test_a_handler_that_closes_every_file_descriptor_is_a_crash_of_its_own(
    deploy: Deploy, invoke: Callable[..., Any], still_answers: Callable[[], bool]
) -> None:
    name = deploy("import os\ndef handler(event, context): os.closerange(0, 1000); os._exit(0)", Timeout=2)
    assert invoke(name).payload["errorType"] == "Runtime.ExitError"
    assert still_answers()


def test_a_daemon_is_limited_and_ended_with_its_environment(
    client: Any, deploy: Deploy, invoke: Callable[..., Any], still_answers: Callable[[], bool]
) -> None:
    name = deploy(
        """
        import os, time
        def handler(event, context):
            told, tell = os.pipe()
            if os.fork() == 0:
                os.setsid()
                daemon = os.fork()
                if daemon == 0:
                    while True: pass
                os.write(tell, str(daemon).encode())
                os._exit(0)
            os.wait()
            time.sleep(1)
            return int(os.read(told, 20))
        """,
        MemorySize=177,
    )
    daemon = invoke(name).payload
    assert _cpu_s(daemon) < 0.5, "a tenth of a core for a second, not a whole one"
    client.update_function_configuration(FunctionName=name, Description="the environments of before end")
    assert none_left(name)
    assert still_answers()


def test_background_threads_do_not_run_between_invocations(deploy: Deploy, invoke: Callable[..., Any]) -> None:
    name = deploy(
        """
        import threading, time
        count = 0
        def work():
            global count
            while True:
                count += 1
                time.sleep(0.01)
        threading.Thread(target=work, daemon=True).start()
        def handler(event, context): return count
        """
    )
    before = invoke(name).payload
    time.sleep(1)
    assert invoke(name).payload - before < 50, "a second would be a hundred rounds"


def test_a_handler_that_fills_its_memory_takes_nobody_along(
    deploy: Deploy, invoke: Callable[..., Any], still_answers: Callable[[], bool]
) -> None:
    name = deploy(
        "def handler(event, context):\n    kept = []\n    while True: kept.append(b'x' * (8 << 20))",
        MemorySize=128,
        Timeout=10,
    )
    assert invoke(name).payload["errorType"] == "Runtime.OutOfMemory"
    assert none_left(name)
    assert still_answers()


TALKS_TO_ITS_OWN_RUNTIME_API = """
import os, socket, time
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
head = "POST /2018-06-01/runtime/invocation/{}/response HTTP/1.1\\r\\nHost: {}\\r\\n"
kept = []
def say(context, rest):
    kept.append(socket.create_connection((host, int(port))))
    kept[-1].sendall((head.format(context.aws_request_id, host) + rest).encode())
def handler(event, context):
"""


@pytest.mark.parametrize(
    "act",
    [
        'say(context, "Transfer-Encoding: chunked\\r\\n\\r\\n-6\\r\\n")',
        'say(context, "Transfer-Encoding: chunked\\r\\n\\r\\n" + "0" * 1_000_000)',
        'say(context, "Content-Length: 5\\r\\n\\r\\nnull")',
        'say(context, "X: " + "y" * 1_000_000)',
        "[say(context, '') for _ in range(100)]",
    ],
    ids=["a negative chunk", "an endless chunk size", "a body cut short", "an endless header", "many connections"],
)
def test_a_handler_that_misuses_its_runtime_api_is_ended_at_its_timeout(
    deploy: Deploy, invoke: Callable[..., Any], still_answers: Callable[[], bool], act: str
) -> None:
    mischief = f"    try: {act}\n    except OSError: pass\n    time.sleep(60)\n"
    name = deploy(TALKS_TO_ITS_OWN_RUNTIME_API + mischief, Timeout=1)
    assert invoke(name).report.endswith("Status: timeout\t")
    assert none_left(name)
    assert still_answers()


def test_a_handler_cannot_kill_or_read_the_server(
    deploy: Deploy, invoke: Callable[..., Any], still_answers: Callable[[], bool]
) -> None:
    name = deploy(
        """
        import os
        def handler(event, context):
            try:
                return len(open(f"/proc/{os.getppid()}/environ", "rb").read())
            except PermissionError:
                return "refused"
        """
    )
    assert invoke(name).payload == "refused"
    assert still_answers()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))
