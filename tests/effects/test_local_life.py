"""Nothing outlives the server: not its handlers, not their grandchildren, not a control group, not a file."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from tuner.errors import EmbeddedLambdaError
from tuner.local import sweep as sweeping
from tuner.local.launcher import EmbeddedLambda
from tuner.local.processes import SERVER_MARK, ServerIdentity, marks_of_all, start_time
from tuner.local.sweep import sweep
from tuner.local.throttle import cgroup_v1, cgroup_v2

CONTROL_GROUP_ROOTS = (*cgroup_v1.CPU_ROOTS, cgroup_v1.MEMORY_ROOT, cgroup_v2.ROOT)

DAEMON = """
import os, time
def handler(event, context):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    os.wait()
    return os.getpid()
"""


def name_of(server: EmbeddedLambda) -> str:
    return ServerIdentity(server.pid, start_time(server.pid) or 0, Path("/proc/self/ns/pid").stat().st_ino).name


def traces(name: str) -> tuple[list[int], list[Path]]:
    """Processes and control groups that carry a server's name."""
    processes = [pid for pid, mark in marks_of_all(SERVER_MARK).items() if mark == name]
    return processes, [root / name for root in CONTROL_GROUP_ROOTS if (root / name).exists()]


def wait_until(condition: Callable[[], bool], limit_s: float = 10) -> bool:
    deadline_s = time.monotonic() + limit_s
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return condition()


@pytest.fixture
def busy_server(state_root: Path, make_function: Callable[..., None]) -> Iterator[tuple[EmbeddedLambda, str]]:
    """A server with a warm environment that has left a daemon behind."""
    server = EmbeddedLambda(state_root, state_delay_ms=0)
    server.start()
    try:
        make_function(server.endpoint_url, DAEMON)
        yield server, name_of(server)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, signal.SIGKILL)
        server.stop()
        sweep(state_root)


def test_stopping_the_server_leaves_nothing(busy_server: tuple[EmbeddedLambda, str], state_root: Path) -> None:
    server, name = busy_server
    processes, _ = traces(name)
    assert len(processes) == 2, "the handler and its daemon are running"
    server.stop()
    assert traces(name) == ([], [])
    assert list(state_root.iterdir()) == []


def test_a_server_stopped_in_the_middle_of_a_call_leaves_nothing(
    state_root: Path, make_function: Callable[..., None]
) -> None:
    source = "import time\ndef handler(event, context): time.sleep(60)"
    with EmbeddedLambda(state_root, state_delay_ms=0) as server, ThreadPoolExecutor(1) as threads:
        name = name_of(server)
        call = threads.submit(make_function, server.endpoint_url, source)
        assert wait_until(lambda: len(traces(name)[0]) == 1)
        started_s = time.monotonic()
        server.stop()
        assert time.monotonic() - started_s < 10
        with pytest.raises(BotoCoreError):
            call.result()
    assert traces(name) == ([], [])
    assert list(state_root.iterdir()) == []


def test_handlers_die_with_a_server_that_is_killed_and_a_sweep_takes_the_rest(
    busy_server: tuple[EmbeddedLambda, str], state_root: Path
) -> None:
    server, name = busy_server
    os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: len(traces(name)[0]) == 1), "only the daemon has no death signal"
    assert wait_until(lambda: start_time(server.pid) is None)
    swept = sweep(state_root)
    assert swept.processes == 1
    assert traces(name) == ([], [])
    assert list(state_root.iterdir()) == []


def test_a_sweep_leaves_a_living_server_alone(busy_server: tuple[EmbeddedLambda, str], state_root: Path) -> None:
    _, name = busy_server
    before = traces(name)
    assert sweep(state_root).nothing
    assert traces(name) == before


def test_the_server_ends_when_its_parent_is_killed(state_root: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from tuner.local.launcher import EmbeddedLambda\n"
        f"server = EmbeddedLambda(Path({str(state_root)!r})); server.start()\n"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert wait_until(lambda: start_time(pid) is None)
    assert list(state_root.iterdir()) == []


def test_deleting_a_version_ends_its_environments(
    client: Any,
    embedded: EmbeddedLambda,
    deploy: Callable[..., str],
    publish: Callable[..., str],
    invoke: Callable[..., Any],
) -> None:
    name = deploy("import os\ndef handler(event, context): return os.getpid()")
    version = publish(name)
    pid = invoke(name, Qualifier=version).payload
    client.delete_function(FunctionName=name, Qualifier=version)
    assert wait_until(lambda: start_time(pid) is None, limit_s=3)


def test_a_server_that_cannot_start_reports_its_last_words(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    server = EmbeddedLambda(tmp_path / "state", throttle="no-such-mechanism")
    with pytest.raises(EmbeddedLambdaError, match="invalid choice: 'no-such-mechanism'"):
        server.start()


def test_a_handler_finds_no_secret_of_the_caller_in_any_process(
    state_root: Path, make_function: Callable[..., None]
) -> None:
    script = (
        "import time; from pathlib import Path; from tuner.local.launcher import EmbeddedLambda\n"
        f"server = EmbeddedLambda(Path({str(state_root)!r})); server.start()\n"
        "print(server.endpoint_url, flush=True); time.sleep(60)"
    )
    handler = """
        import pathlib
        def handler(event, context):
            seen, refused = b"", 0
            for file in pathlib.Path("/proc").glob("[0-9]*/environ"):
                try:
                    seen += file.read_bytes()
                except PermissionError:
                    refused += 1
                except OSError:
                    pass
            assert b"AWS_LAMBDA_RUNTIME_API" in seen
            assert b"a-secret-of-the-caller" not in seen
            assert refused >= 2, "the server and its caller"
    """
    secrets = dict.fromkeys(("AWS_SECRET_ACCESS_KEY", "DATABASE_PASSWORD"), "a-secret-of-the-caller")
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **secrets}) as caller:
        assert caller.stdout is not None
        try:
            make_function(caller.stdout.readline().strip(), handler)
        finally:
            caller.kill()


def test_credentials_reach_the_handler_only_when_they_are_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_function: Callable[..., None]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("DATABASE_PASSWORD", "hidden")
    source = """
        import os
        def handler(event, context):
            assert os.environ.get("AWS_ACCESS_KEY_ID") == EXPECTED
            assert "DATABASE_PASSWORD" not in os.environ
    """
    for passed, expected in ((False, None), (True, "AKID")):
        with EmbeddedLambda(tmp_path / "state", pass_credentials=passed) as server:
            make_function(server.endpoint_url, source.replace("EXPECTED", repr(expected)))


def test_the_users_folder_does_not_shadow_the_servers_standard_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "asyncio.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    with EmbeddedLambda(tmp_path / "state") as server:
        assert server.about["cores"] >= 1


def test_the_server_process_imports_no_heavy_package() -> None:
    heavy = {"numpy", "scipy", "boto3", "rich", "msgspec"}
    script = f"import sys, tuner.local.service; print(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_sweep_of_an_empty_machine_removes_nothing(tmp_path: Path) -> None:
    (tmp_path / "somebody-elses-folder").mkdir()
    assert sweeping.sweep(tmp_path).folders == 0
    assert (tmp_path / "somebody-elses-folder").exists()


def test_a_relative_state_root_is_no_obstacle(tmp_path: Path, make_function: Callable[..., None]) -> None:
    """Handlers run in folders of their own, from where it would mean something else."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "tuner.local",
            "--with-parent",
            "--state-delay-ms",
            "0",
            "--state-root",
            "state",
        ],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        about = json.loads(process.stdout.readline())
        make_function(about["endpoint_url"], "def handler(event, context): return 1")
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()
