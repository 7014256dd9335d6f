"""What really runs: cold starts, reuse, limits, and every way in which a handler can go wrong."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tuner.local.launcher import EmbeddedLambda

ANSWER = "def handler(event, context): return event.get('answer', 42)"
SLEEP = "import time\ndef handler(event, context): time.sleep(event.get('s', 0.15))"
PROCESS = "import os\ndef handler(event, context): return os.getpid()"


def all_at_once(call: Callable[[], Any], count: int) -> list[Any]:
    with ThreadPoolExecutor(count) as threads:
        return [future.result() for future in [threads.submit(call) for _ in range(count)]]


def test_the_first_call_is_cold_and_the_second_reuses_its_environment(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy(PROCESS)
    first, second = invoke(name), invoke(name)
    assert (first.cold, second.cold) == (True, False)
    assert first.payload == second.payload


def test_simultaneous_first_calls_each_start_an_environment(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy(SLEEP, MemorySize=128)
    assert [call.cold for call in all_at_once(lambda: invoke(name), 6)] == [True] * 6
    assert [call.cold for call in all_at_once(lambda: invoke(name), 6)] == [False] * 6


def test_a_new_version_has_no_environments(
    deploy: Callable[..., str], publish: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy(ANSWER)
    invoke(name)
    assert invoke(name, Qualifier=publish(name)).cold


def test_the_report_line_has_lambdas_fields_tabs_and_billing(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    call = invoke(deploy(ANSWER))
    pattern = (
        r"REPORT RequestId: [0-9a-f-]{36}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 1769 MB"
        r"\tMax Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\t"
    )
    assert re.fullmatch(pattern, call.report)
    assert call.request_id in call.report
    assert call.ms("Billed Duration") == math.ceil(call.ms("Duration") + call.ms("Init Duration"))


def test_the_duration_of_a_sleep_is_its_length(deploy: Callable[..., str], invoke: Callable[..., Any]) -> None:
    name = deploy(SLEEP, MemorySize=128)
    invoke(name)
    assert 150 <= invoke(name).ms("Duration") < 300


def test_cpu_time_is_stretched_by_the_memory_size(
    embedded: EmbeddedLambda,
    deploy: Callable[..., str],
    publish: Callable[..., str],
    calm_ms: Callable[..., float],
) -> None:
    if embedded.about["mechanism"].startswith("none"):
        pytest.skip("this machine cannot limit CPU")
    name = deploy(
        "import time\ndef handler(event, context):\n"
        "    end = time.process_time() + 0.06\n    while time.process_time() < end: pass"
    )
    small, large = publish(name, memory_mb=442), publish(name, memory_mb=1769)
    assert 2.5 < calm_ms(name, small) / calm_ms(name, large) < 6


def test_init_runs_at_full_speed_whatever_the_memory_size(
    deploy: Callable[..., str], publish: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy(
        "import time\nend = time.process_time() + 0.1\nwhile time.process_time() < end: pass\n" + ANSWER,
        MemorySize=128,
    )
    assert 100 < invoke(name).ms("Init Duration") < 600


def test_the_handler_sees_lambdas_environment_and_nothing_of_ours(
    deploy: Callable[..., str], invoke: Callable[..., Any], embedded: EmbeddedLambda
) -> None:
    name = deploy(
        "import os\ndef handler(event, context): return dict(os.environ)",
        Environment={"Variables": {"TABLE": "orders"}},
        MemorySize=256,
    )
    seen = invoke(name).payload
    assert seen["TABLE"] == "orders"
    assert (seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], seen["AWS_REGION"]) == ("256", "us-east-1")
    assert not {"HOME", "USER", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "VIRTUAL_ENV"} & set(seen)


def test_the_context_carries_arn_deadline_and_client_context(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy(
        "def handler(event, c):\n"
        "    return [c.invoked_function_arn, c.get_remaining_time_in_millis(), c.client_context.custom['k']]"
    )
    arn, left_ms, custom = invoke(name, ClientContext="eyJjdXN0b20iOiB7ImsiOiAidiJ9fQ==").payload
    assert arn.endswith(f":function:{name}")
    assert 5_000 < left_ms <= 10_000
    assert custom == "v"


def test_an_exception_of_the_handler_is_a_function_error(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    call = invoke(deploy("def handler(event, context): raise ValueError('no such order')"))
    assert call.error == "Unhandled"
    assert (call.payload["errorType"], call.payload["errorMessage"]) == ("ValueError", "no such order")
    assert "[ERROR] ValueError: no such order" in call.log


def test_a_result_that_is_no_json_is_a_marshal_error(deploy: Callable[..., str], invoke: Callable[..., Any]) -> None:
    assert (
        invoke(deploy("def handler(event, context): return object()")).payload["errorType"] == "Runtime.MarshalError"
    )


@pytest.mark.parametrize(
    ("source", "handler", "error_type"),
    [
        ("import no_such_module", "app.handler", "Runtime.ImportModuleError"),
        ("def handler(:", "app.handler", "Runtime.UserCodeSyntaxError"),
        (ANSWER, "app.other", "Runtime.HandlerNotFound"),
        (ANSWER, "missing.handler", "Runtime.ImportModuleError"),
        ("raise RuntimeError('no config')", "app.handler", "RuntimeError"),
    ],
)
def test_a_handler_that_cannot_be_loaded_fails_init_and_says_why(
    deploy: Callable[..., str], invoke: Callable[..., Any], source: str, handler: str, error_type: str
) -> None:
    call = invoke(deploy(source, handler=handler))
    assert (call.error, call.payload["errorType"]) == ("Unhandled", error_type)
    assert f"Phase: init\tStatus: error\tError Type: {error_type}" in call.log
    assert f"Status: error\tError Type: {error_type}" in call.report
    assert not call.cold


def test_a_handler_that_takes_too_long_is_ended_at_its_timeout(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy(SLEEP, Timeout=1)
    call = invoke(name, {"s": 30})
    assert call.report.endswith("Status: timeout\t")
    assert call.ms("Duration") == 1000.0
    assert "Task timed out after 1.00 seconds" in call.payload["errorMessage"]


def test_after_a_timeout_or_a_crash_the_environment_starts_its_runtime_again_inside_the_next_call(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy("import os, time\ntime.sleep(0.2)\ndef handler(event, context): event.get('crash') and os._exit(1)")
    first, crashed, next_one = invoke(name), invoke(name, {"crash": True}), invoke(name)
    assert (first.cold, crashed.error, next_one.cold, next_one.error) == (True, "Unhandled", False, None)
    assert next_one.ms("Duration") > 200, "Lambda calls it a suppressed init: no Init Duration, a long Duration"
    assert first.environment == crashed.environment == next_one.environment
    assert invoke(name).ms("Duration") < 200


def test_a_crash_is_reported_with_its_exit_status(deploy: Callable[..., str], invoke: Callable[..., Any]) -> None:
    call = invoke(deploy("import os\ndef handler(event, context): os._exit(3)"))
    assert call.payload["errorType"] == "Runtime.ExitError"
    assert call.payload["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    assert "Status: error\tError Type: Runtime.ExitError" in call.report


def test_a_segmentation_fault_is_named(deploy: Callable[..., str], invoke: Callable[..., Any]) -> None:
    call = invoke(deploy("import os, signal\ndef handler(event, context): os.kill(os.getpid(), signal.SIGSEGV)"))
    assert call.payload["errorMessage"].endswith("signal: segmentation fault")


def test_a_handler_that_wants_more_memory_than_it_has_is_killed_for_it(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    source = "def handler(event, context): return len(b'x' * (event['mb'] * 1024 * 1024))"
    name = deploy(source, MemorySize=128)
    call = invoke(name, {"mb": 300})
    assert "Status: error\tError Type: Runtime.OutOfMemory" in call.report
    assert "Max Memory Used: 128 MB" in call.report
    assert invoke(name, {"mb": 60}).error is None


def test_max_memory_used_is_the_maximum_of_the_environments_life(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy("def handler(event, context): return len(b'x' * (event['mb'] * 1024 * 1024))")
    large, small = invoke(name, {"mb": 80}), invoke(name, {"mb": 1})
    used_mb = [int(re.search(r"Max Memory Used: (\d+)", call.report)[1]) for call in (large, small)]  # type: ignore[index]
    assert 80 < used_mb[0] < 160
    assert used_mb[1] >= used_mb[0]


def test_ten_megabytes_of_print_neither_block_nor_fill_the_tail(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy("def handler(event, context):\n    for _ in range(10_240): print('x' * 1023)\n    return 'done'")
    call = invoke(name)
    assert call.payload == "done"
    assert len(call.log) == 4096
    assert call.log.splitlines()[-1] == call.report


def test_what_was_printed_without_a_newline_does_not_swallow_the_report(
    deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    call = invoke(deploy("import sys\ndef handler(event, context): sys.stdout.write('no newline')"))
    assert "no newline\nEND RequestId" in call.log


def test_above_the_account_concurrency_calls_are_429_with_a_reason(
    client: Any, deploy: Callable[..., str], embedded: EmbeddedLambda
) -> None:
    name = deploy(SLEEP, MemorySize=128)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)

    def attempt() -> Any:
        try:
            return client.invoke(FunctionName=name, Payload=b'{"s": 1}')["StatusCode"]
        except ClientError as error:
            return error.response

    answers = all_at_once(attempt, 5)
    refused: list[Any] = [answer for answer in answers if answer != 200]
    assert answers.count(200) == 2
    assert {answer["Error"]["Code"] for answer in refused} == {"TooManyRequestsException"}
    assert {answer["Reason"] for answer in refused} == {"ReservedFunctionConcurrentInvocationLimitExceeded"}
    assert refused[0]["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"


def test_an_event_is_accepted_at_once_and_runs_afterwards(
    deploy: Callable[..., str], invoke: Callable[..., Any], tmp_path: Path
) -> None:
    name = deploy("import pathlib\ndef handler(event, context): pathlib.Path(event['file']).write_text('ran')")
    file = tmp_path / "proof"
    assert invoke(name, {"file": str(file)}, InvocationType="Event", LogType="None").status == 202
    deadline_s = time.monotonic() + 10
    while not file.exists() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert file.exists()


def test_the_handler_imports_its_neighbours_and_runs_in_its_folder(
    client: Any, deploy: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = deploy(
        "import os\ndef handler(event, c): return [os.getcwd() == os.environ['LAMBDA_TASK_ROOT'], __file__]"
    )
    in_folder, file = invoke(name).payload
    assert in_folder
    assert file.endswith("/app.py")
