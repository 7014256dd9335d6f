"""`tuner gate` as a process: every verdict and its exit code, on versions and aliases of a function of the user's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import jsonschema
import pytest
from junitparser import JUnitXml, Properties

from tests.effects.running import environment, tuner
from tuner import codec
from tuner.local.launcher import EmbeddedLambda
from tuner.local.package import read_function
from tuner.model import GateReport, VerdictStatus

QUICK = "import time\ndef handler(event, context):\n    time.sleep(0.03)\n"
SLOW = QUICK.replace("0.03", "0.06")
FAILING = "def handler(event, context):\n    raise ValueError('arn:aws:lambda:eu-central-1:123456789012:broken')\n"
UNEVEN = """
import os, time
register = os.open({register!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(register, b".")
NAP_S = (0.01, 0.02, 0.03, 0.04, 0.05)[os.lseek(register, 0, os.SEEK_CUR) % 5]
def handler(event, context):
    time.sleep(NAP_S)
"""
"""Its environments differ by up to five times, any five in a row make the same set: neither side is slower."""
MARGIN = ("--max-regression", "25%")


@dataclass(frozen=True)
class Shop:
    """A function with the versions 1 (quick, alias prod), 2 (slow), 3 (failing), 4 and 5 (uneven) and 6 (quick)."""

    client: Any
    endpoint_url: str
    folder: Path

    def gate(self, *arguments: str, name: str = "orders", **variables: str) -> Gated:
        files = [f"--{kind}={self.folder / kind}" for kind in ("junit", "comment", "summary", "benchmark-json")]
        done = subprocess.run(
            [
                *tuner("gate", name, "--endpoint-url", self.endpoint_url, "--yes", "--wave", "5", "--quiet", *MARGIN),
                "--report",
                str(self.folder / "gate.json"),
                *files,
                *arguments,
            ],
            env={**environment(self.folder / "state"), **variables},
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        return Gated(done, self.folder)

    def fingerprint(self) -> object:
        latest = self.client.get_function_configuration(FunctionName="orders")
        versions = self.client.list_versions_by_function(FunctionName="orders")["Versions"]
        functions = self.client.list_functions()["Functions"]
        return latest["RevisionId"], [v["Version"] for v in versions], sorted(f["FunctionName"] for f in functions)


@dataclass(frozen=True)
class Gated:
    done: subprocess.CompletedProcess[str]
    folder: Path

    @property
    def exit_code(self) -> int:
        return self.done.returncode

    @property
    def report(self) -> GateReport:
        return codec.decode((self.folder / "gate.json").read_bytes(), GateReport)

    @property
    def headline(self) -> str:
        """The first paragraph below the title."""
        return self.done.stdout.split("\n\n")[1]

    @property
    def case(self) -> Any:
        (suite,) = JUnitXml.fromfile(str(self.folder / "junit"))
        (case,) = suite
        return case


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLambda]:
    with EmbeddedLambda(tmp_path_factory.mktemp("lambda"), state_delay_ms=0, region="eu-central-1") as running:
        yield running


@pytest.fixture(scope="module")
def deployed(server: EmbeddedLambda, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    client = boto3.client(
        "lambda",
        region_name="eu-central-1",
        endpoint_url=server.endpoint_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    folder = tmp_path_factory.mktemp("orders")
    uneven = [UNEVEN.format(register=str(folder / name)) for name in ("starts-of-4", "starts-of-5")]
    sources = (QUICK, SLOW, FAILING, *uneven, QUICK + "# again\n")
    for number, source in enumerate(sources, 1):
        package = packed(folder, source)
        if number == 1:
            client.create_function(
                FunctionName="orders",
                Runtime=package.runtime,
                Role="arn:aws:iam::000000000000:role/any",
                Handler=package.handler,
                Code={"ZipFile": package.zip_bytes},
                MemorySize=512,
                Timeout=5,
            )
        else:
            client.update_function_code(FunctionName="orders", ZipFile=package.zip_bytes)
        assert client.publish_version(FunctionName="orders")["Version"] == str(number)
    client.create_alias(FunctionName="orders", Name="prod", FunctionVersion="1")
    yield client
    client.close()


def packed(folder: Path, source: str) -> Any:
    (folder / "handler.py").write_text(source)
    return read_function(folder, memory_mb=512, timeout_s=5)


@pytest.fixture
def shop(server: EmbeddedLambda, deployed: Any, tmp_path: Path) -> Shop:
    return Shop(deployed, server.endpoint_url, tmp_path)


def test_the_same_code_passes_nothing_is_touched_and_it_is_remembered(shop: Shop) -> None:
    before = shop.fingerprint()
    gated = shop.gate("--base", "prod", "--head", "$LATEST")
    assert gated.exit_code == 0, gated.done.stderr
    assert gated.report.status in {VerdictStatus.PASS, VerdictStatus.IMPROVEMENT}
    assert shop.fingerprint() == before
    assert gated.case.is_passed
    assert gated.headline.startswith(gated.report.status.value.upper())
    remembered = subprocess.run(
        tuner("history", "orders", "--output", "json"),
        env=environment(shop.folder / "state"),
        cwd=shop.folder,
        capture_output=True,
        text=True,
    )
    assert {one["metric"] for one in json.loads(remembered.stdout)["series"]} >= {"duration", "cost"}


def test_a_slower_head_is_a_regression_confirmed_by_further_calls(shop: Shop) -> None:
    gated = shop.gate("--base", "prod", "--head", "2")
    assert gated.exit_code == 3, gated.done.stderr
    (comparison,) = gated.report.comparisons
    duration = comparison.verdict.metrics[0]
    assert duration.confirmed
    assert duration.ratio is not None
    assert duration.ratio.low is not None
    assert duration.ratio.low > 1.25
    (failure,) = gated.case.result
    assert (type(failure).__name__, failure.type) == ("Failure", "regression")
    properties = {found.name: found.value for found in gated.case.child(Properties)}
    assert float(properties["duration.ratio"]) == duration.ratio.point


def test_a_quicker_head_is_an_improvement(shop: Shop) -> None:
    gated = shop.gate("--base", "2", "--head", "1")
    assert gated.exit_code == 0, gated.done.stderr
    assert gated.report.status is VerdictStatus.IMPROVEMENT


def test_a_margin_that_cannot_be_resolved_is_inconclusive_and_says_what_would(shop: Shop) -> None:
    gated = shop.gate("--base", "4", "--head", "5", "--max-regression", "1%", "--max-calls", "50")
    assert gated.exit_code == 4, gated.done.stdout
    assert "would" in gated.done.stdout
    (error,) = gated.case.result
    assert (type(error).__name__, error.type) == ("Error", "inconclusive")


def test_an_exceeded_limit_is_a_breach_although_head_is_no_slower(shop: Shop) -> None:
    gated = shop.gate("--base", "1", "--head", "6", "--budget", "p50<=10ms", "--no-history")
    assert gated.exit_code == 5, gated.done.stdout
    assert gated.headline.startswith("BUDGET: p50")
    assert not (shop.folder / ".tuner").exists()


def test_a_failing_head_is_invalid_and_no_account_id_leaves_the_report(shop: Shop) -> None:
    gated = shop.gate("--base", "1", "--head", "3")
    assert gated.exit_code == 6, gated.done.stdout
    (error,) = gated.case.result
    assert (type(error).__name__, error.type) == ("Error", "invalid")
    for name in ("junit", "comment", "summary", "benchmark-json"):
        assert "123456789012" not in (shop.folder / name).read_text()


def test_zero_samples_are_never_green(shop: Shop) -> None:
    gated = shop.gate("--base", "1", "--head", "6", "--max-invocations", "1", "--self-test")
    assert gated.exit_code == 6
    assert "no-self-test" in {notice.code for notice in gated.report.notices}
    assert gated.report.comparisons[0].samples == ()
    assert not gated.case.is_passed


def test_code_deployed_meanwhile_makes_the_gate_invalid(shop: Shop, tmp_path: Path) -> None:
    deploy = tmp_path / "deploy.py"
    deploy.write_text(
        "import boto3, sys\n"
        f"client = boto3.client('lambda', region_name='eu-central-1', endpoint_url={shop.endpoint_url!r})\n"
        "client.update_function_code(FunctionName='orders', ZipFile=open(sys.argv[1], 'rb').read())\n"
    )
    package = tmp_path / "meanwhile.zip"
    package.write_bytes(packed(tmp_path, QUICK + "# deployed meanwhile\n").zip_bytes)
    hook = tmp_path / "hook.sh"
    hook.write_text(f"mkdir {tmp_path}/once 2>/dev/null && {sys.executable} {deploy} {package} >&2; exit 0\n")
    calls = ("--max-calls", "20", "--wave", "2", "--before", f"sh {hook}")
    gated = shop.gate("--base", "prod", "--head", "$LATEST", *calls)
    assert gated.exit_code == 6, gated.done.stdout
    assert "changed during the measurement" in gated.done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--base", "prod", "--memory", "1024"), 8, "--clone"),
        ((), 2, "--base"),
        (("--base", "prod", "--budget", "cost_per_milion<=$1"), 2, "Did you mean cost_per_million?"),
        (("--base", "prod", "--metric", "durations=warn"), 2, "Did you mean duration?"),
        (("--base", "nobody"), 8, "nobody"),
        (("--base", "prod", "--max-regression", "0%"), 2, "margin"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_called(
    shop: Shop, arguments: tuple[str, ...], code: int, words: str
) -> None:
    gated = shop.gate(*arguments)
    assert gated.exit_code == code
    assert words in gated.done.stderr
    assert not (shop.folder / "gate.json").exists()


def test_every_output_of_one_gate_says_the_same(shop: Shop, tmp_path: Path) -> None:
    summary, outputs = tmp_path / "step-summary", tmp_path / "outputs"
    gated = shop.gate(
        *("--base", "1", "--head", "6", "--github", "--report", str(tmp_path / "page.html"), "--output", "json"),
        GITHUB_STEP_SUMMARY=str(summary),
        GITHUB_OUTPUT=str(outputs),
    )
    assert gated.exit_code == 0, gated.done.stderr
    printed = json.loads(gated.done.stdout)
    jsonschema.Draft202012Validator(codec.gate_schema()).validate(printed)
    status = printed["status"]
    assert dict(line.split("=", 1) for line in outputs.read_text().splitlines()) == {
        "verdict": status,
        "memory-mb": "512",
        "report": str(tmp_path / "page.html"),
        "comment": str(shop.folder / "comment"),
    }
    for path in (summary, shop.folder / "comment", tmp_path / "page.html"):
        assert status.upper() in path.read_text()
    assert (shop.folder / "comment").read_text().startswith("<!-- tuner-gate")
    rows = json.loads((shop.folder / "benchmark-json").read_text())
    assert {"name", "unit", "value"} <= rows[0].keys()


def test_a_full_disk_takes_only_the_file_that_is_on_it(shop: Shop) -> None:
    gated = shop.gate("--base", "1", "--head", "6", "--max-calls", "20", "--summary", "/dev/full")
    assert gated.exit_code == 8
    assert "Not written: /dev/full (No space left on device)." in gated.done.stderr
    assert "Traceback" not in gated.done.stderr
    assert gated.report.comparisons
    assert gated.report.status.value in gated.done.stdout.lower()
    assert (shop.folder / "comment").read_text().startswith("<!-- tuner-gate")


def test_copies_of_both_sides_are_measured_at_other_sizes_and_deleted(shop: Shop) -> None:
    before = shop.fingerprint()
    gated = shop.gate("--base", "1", "--head", "6", "--clone", "--memory", "256,512", "--max-calls", "40")
    assert gated.exit_code in (0, 4), gated.done.stderr
    assert [comparison.memory_mb for comparison in gated.report.comparisons] == [256, 512]
    assert shop.fingerprint() == before


def test_a_stored_report_as_base_only_warns_unless_told_otherwise(shop: Shop) -> None:
    first = shop.gate("--base", "2", "--head", "1", "--max-calls", "100")
    assert first.exit_code == 0
    stored = (shop.folder / "gate.json").rename(shop.folder / "stored.json")
    warned = shop.gate("--baseline", str(stored), "--head", "2", "--max-calls", "100")
    assert warned.exit_code == 0, warned.done.stderr
    assert warned.report.status is VerdictStatus.REGRESSION
    assert warned.report.comparisons[0].uncontrolled
    assert warned.case.is_passed
    failed = shop.gate("--baseline", str(stored), "--head", "2", "--max-calls", "100", "--baseline-decides")
    assert failed.exit_code == 3
    refused = shop.gate("--baseline", str(stored), "--head", "2", "--payload", '{"other": 1}')
    assert refused.exit_code == 6
    assert "payload" in refused.done.stderr


def test_two_commits_of_a_folder_are_compared_without_an_account(tmp_path: Path) -> None:
    folder = tmp_path / "repository" / "functions" / "orders"
    folder.mkdir(parents=True)
    (folder / "handler.py").write_text(QUICK)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(tmp_path / "repository")]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], check=True)
    (folder / "handler.py").write_text(SLOW)
    command = tuner("gate", str(folder), "--local", "--base", "main", *MARGIN, "--quiet", "--max-calls", "150")
    done = subprocess.run(
        [*command, "--report", str(tmp_path / "gate.json")],
        env=environment(tmp_path / "state"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3, done.stderr + done.stdout
    (comparison,) = codec.decode((tmp_path / "gate.json").read_bytes(), GateReport).comparisons
    assert (comparison.base.function, comparison.head.function) == ("orders-main", "orders")
    assert comparison.verdict.confirmation.value == "fresh"
