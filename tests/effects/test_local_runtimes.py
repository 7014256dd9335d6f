"""Handlers in other languages and other Pythons, on whatever this machine has."""

from __future__ import annotations

import io
import os
import stat
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.effects.conftest import ROLE
from tuner.local import runtimes
from tuner.local.runtimes import python

NODES = [name for name in runtimes.supported() if name.startswith("nodejs")]
PYTHONS = [f"python{version}" for version in python.interpreters()]
Deploy = Callable[..., str]

needs_node = pytest.mark.skipif(not NODES, reason="no Node.js on this machine")


def zipped(**files: str) -> bytes:
    """Files by name with the dot as a double underscore; everything is executable."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, source in files.items():
            entry = zipfile.ZipInfo(name.replace("__", "."))
            entry.external_attr = (stat.S_IFREG | 0o755) << 16
            archive.writestr(entry, textwrap.dedent(source))
    return target.getvalue()


@pytest.fixture
def deploy_files(client: Any, request: pytest.FixtureRequest) -> Iterator[Deploy]:
    created: list[str] = []

    def create(runtime: str, *, handler: str = "index.handler", **files: str) -> str:
        name = f"{request.node.originalname[:40]}-{len(created)}"
        client.create_function(
            FunctionName=name,
            Runtime=runtime,
            Role=ROLE,
            Handler=handler,
            Code={"ZipFile": zipped(**files)},
            MemorySize=512,
            Timeout=10,
        )
        created.append(name)
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.03})
        return name

    yield create
    for name in created:
        client.delete_function(FunctionName=name)


@pytest.mark.parametrize("runtime", PYTHONS)
def test_every_python_found_runs_handlers_with_its_own_version(
    deploy_files: Deploy, invoke: Callable[..., Any], runtime: str
) -> None:
    source = """
        import sys
        def handler(event, context):
            return ["%d.%d" % sys.version_info[:2], event, context.function_name]
    """
    name = deploy_files(runtime, app__py=source, handler="app.handler")
    for event in ({"n": 1}, {"ümlaut": "✓"}):
        call = invoke(name, event)
        assert call.payload == [runtime.removeprefix("python"), event, name], call.log
        assert call.cold == (event == {"n": 1})


@pytest.mark.parametrize("runtime", PYTHONS)
def test_errors_of_every_python_are_reported_alike(
    deploy_files: Deploy, invoke: Callable[..., Any], runtime: str
) -> None:
    raises = deploy_files(
        runtime, app__py="def handler(event, context): raise ValueError('no')", handler="app.handler"
    )
    missing = deploy_files(runtime, app__py="import no_such_module", handler="app.handler")
    assert invoke(raises).payload["errorType"] == "ValueError"
    assert invoke(missing).payload["errorType"] == "Runtime.ImportModuleError"
    assert "Error Type: Runtime.ImportModuleError" in invoke(missing).report


def test_a_package_sees_what_lambda_has_and_nothing_that_is_installed_beside_tuner(
    deploy: Deploy, invoke: Callable[..., Any]
) -> None:
    name = deploy(
        """
        import importlib.util as u, sys
        def handler(event, context):
            found = {n: u.find_spec(n) is not None for n in ("boto3", "botocore", "awslambdaric", "json")}
            return [found, [n for n in ("numpy", "tuner", "pytest", "pip", "rich") if u.find_spec(n)], sys.path[0]]
        """
    )
    found, strangers, first = invoke(name).payload
    assert all(found.values())
    assert strangers == []
    assert "/code/" in first


def test_a_package_may_bring_its_own_boto3(deploy_files: Deploy, invoke: Callable[..., Any]) -> None:
    source = "import boto3\ndef handler(event, context): return boto3.__version__"
    name = deploy_files(runtimes.OWN_PYTHON, app__py=source, boto3__py="__version__ = 'mine'", handler="app.handler")
    assert invoke(name).payload == "mine"


@needs_node
@pytest.mark.parametrize(
    "files",
    [
        {"index__mjs": "export const handler = async (event) => ({ got: event.n });"},
        {"index__mjs": "export async function handler(event) { await null; return { got: event.n }; }"},
        {"index__mjs": "export default { handler: (event) => Promise.resolve({ got: event.n }) };"},
        {"index__js": "exports.handler = (event, context, callback) => callback(null, { got: event.n });"},
        {"index__js": "module.exports = { handler: async (event) => ({ got: event.n }) };"},
        {"index__cjs": "exports.handler = (e, c, done) => setTimeout(() => done(null, { got: e.n }), 5);"},
        {"index__js": "exports.handler = (event, context) => context.succeed({ got: event.n });"},
        {
            "package__json": '{"type": "module"}',
            "index__js": "await null; export const handler = async (event) => ({ got: event.n });",
        },
    ],
)
def test_node_runs_both_module_systems_and_both_styles(
    deploy_files: Deploy, invoke: Callable[..., Any], files: dict[str, str]
) -> None:
    name = deploy_files(NODES[-1], **files)
    assert [invoke(name, {"n": number}).payload for number in (1, 2)] == [{"got": 1}, {"got": 2}]


@needs_node
def test_a_callback_is_answered_when_the_event_loop_is_empty_unless_told_otherwise(
    deploy_files: Deploy, invoke: Callable[..., Any]
) -> None:
    source = """
        exports.handler = (event, context, callback) => {{
          context.callbackWaitsForEmptyEventLoop = {waits};
          setTimeout(() => null, 300);
          callback(null, 1);
        }};
    """
    patient = deploy_files(NODES[-1], index__js=source.format(waits="true"))
    hasty = deploy_files(NODES[-1], index__js=source.format(waits="false"))
    assert invoke(patient).ms("Duration") >= 300
    assert invoke(hasty).ms("Duration") < 300


@needs_node
@pytest.mark.parametrize(
    ("source", "handler", "error_type"),
    [
        ("exports.handler = async () => { throw new TypeError('no'); };", "index.handler", "TypeError"),
        ("exports.handler = (e, c, done) => done(new RangeError('no'));", "index.handler", "RangeError"),
        ("exports.handler = async () => { throw 'text'; };", "index.handler", "string"),
        ("exports.handler = async () => 1n;", "index.handler", "Runtime.MarshalError"),
        ("exports.handler = 3;", "index.handler", "Runtime.HandlerNotFound"),
        ("exports.other = 3;", "index.handler", "Runtime.HandlerNotFound"),
        ("exports.handler = (", "index.handler", "Runtime.UserCodeSyntaxError"),
        ("require('no-such-module');", "index.handler", "Runtime.ImportModuleError"),
        ("", "elsewhere.handler", "Runtime.ImportModuleError"),
        ("throw new Error('at start');", "index.handler", "Error"),
        (
            "exports.handler = (e, c, done) => { Promise.reject(new Error('lost')); setTimeout(() => 0, 500); };",
            "index.handler",
            "Runtime.UnhandledPromiseRejection",
        ),
    ],
)
def test_what_goes_wrong_in_node_has_lambdas_names(
    deploy_files: Deploy, invoke: Callable[..., Any], source: str, handler: str, error_type: str
) -> None:
    call = invoke(deploy_files(NODES[-1], handler=handler, index__js=source))
    assert (call.error, call.payload["errorType"]) == ("Unhandled", error_type)


@needs_node
def test_node_logs_with_time_request_and_level(deploy_files: Deploy, invoke: Callable[..., Any]) -> None:
    call = invoke(
        deploy_files(NODES[-1], index__mjs="export const handler = async () => console.warn('a', { b: 1 });")
    )
    line = next(line for line in call.log.splitlines() if "WARN" in line)
    assert line.split("\t")[1:] == [call.request_id, "WARN", "a { b: 1 }"]


@needs_node
def test_the_node_context_counts_down(deploy_files: Deploy, invoke: Callable[..., Any]) -> None:
    source = """
        export const handler = async (event, context) =>
          [context.getRemainingTimeInMillis(), context.memoryLimitInMB, context.invokedFunctionArn];
    """
    left_ms, memory_mb, arn = invoke(deploy_files(NODES[-1], index__mjs=source)).payload
    assert 5_000 < left_ms <= 10_000
    assert memory_mb == "512"
    assert ":function:" in arn


BOOTSTRAP = """\
#!/bin/sh
api="http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation"
while true; do
  event="$(curl -sS -D "$TMPDIR/head" "$api/next")"
  id="$(sed -n 's/^Lambda-Runtime-Aws-Request-Id: *\\([0-9a-f-]*\\).*/\\1/p' "$TMPDIR/head")"
  curl -sS -o /dev/null -d "$event" "$api/$id/response"
done
"""


def test_a_bootstrap_of_any_language_runs(deploy_files: Deploy, invoke: Callable[..., Any]) -> None:
    name = deploy_files("provided.al2023", bootstrap=BOOTSTRAP)
    first, second = invoke(name, {"n": 1}), invoke(name, {"n": 2})
    assert (first.payload, second.payload) == ({"n": 1}, {"n": 2})
    assert (first.cold, second.cold) == (True, False)


@pytest.mark.parametrize("files", [{"other": "#!/bin/sh"}, {"bootstrap": "\x7fELF no program"}])
def test_a_bootstrap_that_cannot_be_executed_is_an_invalid_entrypoint(
    deploy_files: Deploy, invoke: Callable[..., Any], files: dict[str, str]
) -> None:
    call = invoke(deploy_files("provided.al2023", **files))
    assert call.payload["errorType"] == "Runtime.InvalidEntrypoint"
    assert "Error Type: Runtime.InvalidEntrypoint" in call.report


@pytest.mark.parametrize("runtime", ["java21", "python3.7", "nodejs4.3", "dotnet8"])
def test_what_cannot_run_is_refused_with_a_list_of_what_can(deploy_files: Deploy, runtime: str) -> None:
    with pytest.raises(ClientError, match=f"{runtime} cannot run here; this machine runs: .*{PYTHONS[-1]}"):
        deploy_files(runtime, app__py="")


def test_the_tests_have_at_least_the_python_that_runs_them() -> None:
    assert runtimes.OWN_PYTHON in PYTHONS
    assert os.access(python.interpreters()[python.OWN_VERSION], os.X_OK)
