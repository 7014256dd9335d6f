"""Does a run always leave the function as it was? ``python -m benchmarks.faults [--schedules N] [--seed S] [--json]``

Every schedule is a whole ``tuner run`` as a process of its own, against an embedded Lambda that goes wrong on
purpose and, in most schedules, with a signal at a random moment: SIGINT, SIGTERM, or SIGKILL followed by
``tuner recover``. Faults, operations, call numbers, kinds of runs and moments are drawn from the seed.

A schedule holds when afterwards, by an untouched client,

- the function has the configuration it had (or the one that the foreign deployment of the schedule gave it),
- no version and no temporary copy is left that was not there before,
- no invocation is in the samples twice,
- the spend is within the budget plus one wave, and
- nothing but the exit codes of the contract came back.

Traffic goes to loopback only; the processes ended are those started here.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tuner import codec
from tuner.aws.deploy import ROLE
from tuner.local.launcher import EmbeddedLambda
from tuner.local.package import read_function
from tuner.model import Sample

if TYPE_CHECKING:
    from mypy_boto3_lambda.literals import RuntimeType

NAME = "mine"
REGION = "eu-central-1"
MEMORY_MB = 512
FOREIGN_MEMORY_MB = 640
WATCHED = ("MemorySize", "Timeout", "CodeSha256", "Description", "Handler")
SIZES = (256, 1024)
WAVE = 2
MAX_COST_USD = 0.000015
HANDLER = "import time\ndef handler(event, context):\n    time.sleep(0.01)\n    return 'ok'\n"
HANGS = -1
EXPECTED_CODES = {0, 6, 7, 8, 130, -signal.SIGKILL}
ENDED_BEFORE_IT_BEGAN = {-signal.SIGINT, -signal.SIGTERM}
"""While the interpreter starts, a signal ends it as any process."""
NEEDS_RECOVERY = {7, -signal.SIGKILL}
SIGNALS: tuple[signal.Signals | None, ...] = (None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
SIGNAL_NAMES = {number and int(number): number.name if number else "none" for number in SIGNALS}
LATEST_SIGNAL_S = 6.0
"""About as long as a run takes: it publishes twice, and the control plane is asked once a second."""
LIMIT_S = 90.0

CONTROL = (
    "GetFunction",
    "UpdateFunctionConfiguration",
    "PublishVersion",
    "ListVersionsByFunction",
    "DeleteFunction",
    "GetAccountSettings",
    "CreateFunction",
    "ListTags",
)
FAULTS: tuple[tuple[dict[str, object], tuple[str, ...]], ...] = (
    ({"fault": "error", "status": 500}, (*CONTROL, "Invoke")),
    ({"fault": "error", "status": 503, "when": "after"}, (*CONTROL, "Invoke")),
    ({"fault": "drop", "when": "before"}, (*CONTROL, "Invoke")),
    ({"fault": "drop", "when": "after"}, (*CONTROL, "Invoke")),
    ({"fault": "latency", "ms": 300}, (*CONTROL, "Invoke")),
    ({"fault": "throttle", "retry_after_s": None}, ("Invoke",)),
    ({"fault": "truncated-tail", "keep_bytes": 40}, ("Invoke",)),
    ({"fault": "missing-tail"}, ("Invoke",)),
    ({"fault": "slow-settle", "ms": 400}, ("UpdateFunctionConfiguration", "PublishVersion")),
    ({"fault": "conflict", "status": 409}, ("UpdateFunctionConfiguration", "PublishVersion", "DeleteFunction")),
    ({"fault": "conflict", "status": 412}, ("UpdateFunctionConfiguration", "PublishVersion")),
    ({"fault": "expired-credentials"}, ("*",)),
    (
        {"fault": "foreign-deployment", "change": "memory", "memory_mb": FOREIGN_MEMORY_MB},
        ("UpdateFunctionConfiguration",),
    ),
    ({"fault": "foreign-deployment", "change": "code"}, ("UpdateFunctionConfiguration", "PublishVersion")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What goes wrong in one run. ``signal_after_s`` counts from the start of the process."""

    seed: int
    rules: tuple[dict[str, object], ...]
    clone: bool
    signal: int | None
    signal_after_s: float

    @property
    def foreign(self) -> object:
        return next((rule["change"] for rule in self.rules if rule["fault"] == "foreign-deployment"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    schedule: Schedule
    exit_code: int
    recovered: bool
    violations: tuple[str, ...]
    """What did not hold; empty when all did."""


def draw_schedule(seed: int) -> Schedule:
    """One or two faults at drawn calls, and a signal in three of four schedules."""
    rng = random.Random(seed)
    rules: list[dict[str, object]] = []
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        fault, operations = rng.choice(FAULTS)
        first = rng.randint(1, 6 if operations != ("*",) else 25)
        last = first + rng.choice((0, 0, 1, 3))
        if fault["fault"] == "foreign-deployment" and any(rule["fault"] == fault["fault"] for rule in rules):
            continue  # two of them, and nobody could say which one should have won
        rules.append({**fault, "operation": rng.choice(operations), "calls": f"{first}-{last}"})
    number = rng.choice(SIGNALS)
    return Schedule(
        seed=seed,
        rules=tuple(rules),
        clone=rng.random() < 0.3,
        signal=None if number is None else int(number),
        signal_after_s=round(rng.uniform(0.4, LATEST_SIGNAL_S), 3),
    )


def play(schedule: Schedule, folder: Path) -> Result:
    """Run one schedule to its end and look at what is left."""
    plan = folder / "faults.json"
    plan.write_text(json.dumps({"seed": schedule.seed, "faults": schedule.rules}))
    with EmbeddedLambda(folder / "server", region=REGION, state_delay_ms=30, fault_plan=plan) as server:
        observer = Observer(server.endpoint_url)
        observer.create(folder)
        before = observer.state()
        code = run_and_signal(server, schedule, folder)
        recovered = code in NEEDS_RECOVERY and recover(folder)
        applied = {fault["fault"] for fault in server.faults_met()["applied"]}
        violations = [
            *check_exit(code, folder),
            *check_function(before, observer.state(), schedule, applied),
            *check_samples(folder),
        ]
        observer.close()
    return Result(schedule=schedule, exit_code=code, recovered=recovered, violations=tuple(violations))


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a user would notice of a function and its account."""

    configuration: dict[str, Any]
    versions: tuple[str, ...]
    functions: tuple[str, ...]


class Observer:
    """A client of its own, which asks until it is answered: the faults of the plan may meet its calls too."""

    def __init__(self, endpoint_url: str) -> None:
        self._client = boto3.client(
            "lambda",
            region_name=REGION,
            endpoint_url=endpoint_url,
            aws_access_key_id="observer",
            aws_secret_access_key="observer",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def create(self, folder: Path) -> None:
        code = folder / NAME
        code.mkdir()
        (code / "handler.py").write_text(HANDLER)
        local = read_function(code, memory_mb=MEMORY_MB, timeout_s=3)
        self._ask(
            lambda: self._client.create_function(
                FunctionName=NAME,
                Runtime=cast("RuntimeType", local.runtime),
                Handler=local.handler,
                Role=ROLE,
                Code={"ZipFile": local.zip_bytes},
                Architectures=[local.architecture.value],
                MemorySize=MEMORY_MB,
                Timeout=3,
            ),
            done_by="ResourceConflictException",
        )
        while self._configuration()["State"] != "Active":
            time.sleep(0.02)

    def state(self) -> State:
        configuration = self._configuration()
        while configuration.get("LastUpdateStatus") == "InProgress":
            time.sleep(0.02)
            configuration = self._configuration()
        versions = self._ask(lambda: self._client.list_versions_by_function(FunctionName=NAME))["Versions"]
        functions = self._ask(self._client.list_functions)["Functions"]
        return State(
            configuration={key: configuration[key] for key in WATCHED},
            versions=tuple(version["Version"] for version in versions),
            functions=tuple(function["FunctionName"] for function in functions),
        )

    def close(self) -> None:
        self._client.close()

    def _configuration(self) -> dict[str, Any]:
        return dict(self._ask(lambda: self._client.get_function_configuration(FunctionName=NAME)))

    @staticmethod
    def _ask(call: Callable[[], Any], *, done_by: str | None = None) -> Any:
        for _ in range(40):
            try:
                return call()
            except ClientError as error:
                if done_by is not None and error.response["Error"]["Code"] == done_by:
                    return None
            except BotoCoreError:
                pass
            time.sleep(0.05)
        raise RuntimeError("the embedded Lambda does not answer the observer")


def run_and_signal(server: EmbeddedLambda, schedule: Schedule, folder: Path) -> int:
    """The exit code of the run; -9 when it was killed."""
    command = [sys.executable, "-m", "tuner", "run", NAME, "--endpoint-url", server.endpoint_url, "--yes", "--quiet"]
    command += ["--memory", ",".join(map(str, SIZES)), "-n", "6", "--wave", str(WAVE), "--sampling", "fixed"]
    command += ["--max-cost", f"{MAX_COST_USD:.9f}", "--report", str(folder / "report.json")]
    command += ["--clone"] if schedule.clone else []
    errors = folder / "stderr.txt"
    with errors.open("wb") as file:
        process = subprocess.Popen(command, env=environment(folder), stdout=subprocess.DEVNULL, stderr=file)
        if schedule.signal is not None:
            try:
                return process.wait(schedule.signal_after_s)
            except subprocess.TimeoutExpired:
                process.send_signal(schedule.signal)
        try:
            return process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return HANGS


def recover(folder: Path) -> bool:
    """`tuner recover`, as often as it asks for another try: faults may meet it too."""
    for _ in range(6):
        done = subprocess.run(
            [sys.executable, "-m", "tuner", "recover"], env=environment(folder), capture_output=True, check=False
        )
        if done.returncode == 0:
            return True
    return False


def environment(folder: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TUNER_"))}
    return kept | {
        "TUNER_STATE_DIR": str(folder / "state"),
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "run",
        "AWS_SECRET_ACCESS_KEY": "run",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def check_exit(code: int, folder: Path) -> Iterator[str]:
    began = any((folder / "state").glob("runs/*/journal*.jsonl"))
    if code not in EXPECTED_CODES and (began or code not in ENDED_BEFORE_IT_BEGAN):
        yield f"exit code {code}"
    errors = (folder / "stderr.txt").read_text(errors="replace")
    if "Traceback" in errors and code not in ENDED_BEFORE_IT_BEGAN:
        yield f"a traceback: {errors[-2000:]}"
    for journal in (folder / "state").glob("runs/*/journal*.jsonl"):
        whole = journal.read_bytes().split(b"\n")[:-1]
        if whole and b'"closed"' not in whole[-1]:
            yield f"the journal {journal.parent.name} is not closed"


def check_function(before: State, after: State, schedule: Schedule, applied: set[str]) -> Iterator[str]:
    expected = dict(before.configuration)
    foreign = schedule.foreign if "foreign-deployment" in applied and not schedule.clone else None
    if foreign == "memory":
        expected["MemorySize"] = FOREIGN_MEMORY_MB
    if foreign == "code":
        expected["CodeSha256"] = after.configuration["CodeSha256"]
    if after.configuration != expected:
        yield f"configuration {after.configuration}, expected {expected}"
    if after.versions != before.versions:
        yield f"versions {after.versions}, before {before.versions}"
    if after.functions != before.functions:
        yield f"functions {after.functions}, before {before.functions}"


def check_samples(folder: Path) -> Iterator[str]:
    rows = [
        codec.decode(line, Sample)
        for path in (folder / "state").glob("runs/*/samples.jsonl")
        for line in path.read_bytes().split(b"\n")[:-1]
    ]
    ids = [row.request_id for row in rows if row.request_id is not None]
    if len(ids) != len(set(ids)):
        yield "an invocation is in the samples twice"
    if len({row.sequence for row in rows}) != len(rows):
        yield "two samples have one number"
    costs = [row.cell.memory_mb / 1024 * (row.billed_ms or 0) / 1000 * 1.66667e-5 + 2e-7 for row in rows]
    if sum(costs) > MAX_COST_USD + WAVE * max(costs, default=0):
        yield f"spent {sum(costs):.9f} of {MAX_COST_USD:.9f}"


def play_in_own_folder(seed: int) -> Result:
    with tempfile.TemporaryDirectory(prefix="tuner-faults-") as folder:
        return play(draw_schedule(seed), Path(folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1, help="the first schedule; the others follow")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.schedules)
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(play_in_own_folder, seeds))
    broken = [result for result in results if result.violations]
    if options.json:
        print(json.dumps([asdict(result) for result in results]))
    else:
        print_table(results, broken)
    return 1 if broken else 0


def print_table(results: list[Result], broken: list[Result]) -> None:
    kinds = Counter(rule["fault"] for result in results for rule in result.schedule.rules)
    signals = Counter(SIGNAL_NAMES[result.schedule.signal] for result in results)
    codes = Counter(result.exit_code for result in results)
    print(f"schedules {len(results)}, broken {len(broken)}, recovered {sum(r.recovered for r in results)}")
    print("faults    ", ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    print("signals   ", ", ".join(f"{name} {count}" for name, count in sorted(signals.items())))
    print("exit codes", ", ".join(f"{code}: {count}" for code, count in sorted(codes.items())))
    for result in broken:
        print(f"BROKEN seed {result.schedule.seed} ({result.schedule}): {'; '.join(result.violations)}")


if __name__ == "__main__":
    sys.exit(main())
