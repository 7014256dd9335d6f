"""Gates on the embedded Lambda with real handlers: ``python -m benchmarks.gate_local [--trials 40] [--json]``.

Each trial is a whole gate through the engine: functions are created, versions are published for every block, handlers
hash passwords in real processes, and the verdict comes from what their REPORT lines say. One service serves all
trials. Twice the same code (A/A), then a head that hashes 15 % more rounds.

Promised: of 40 A/A trials none red, of 40 trials at +15 % at least 90 % red. Run it on a machine that does nothing
else: what disturbs the handlers is in their durations.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.gate import Trial, show, table, trial_of
from benchmarks.gate_worlds import PRICE
from tuner.aws.arms import read_arm
from tuner.aws.deploy import NewFunction, create_function
from tuner.aws.session import AwsAccess, FixedCredentials
from tuner.cli.inputs import SendingOptions
from tuner.cli.measure import Call, measure
from tuner.cli.place import Place
from tuner.cli.reach import control_plane
from tuner.cli.state import new_run_id
from tuner.inputs.payload_set import PayloadSet, WeightedPayload
from tuner.local.launcher import EmbeddedLambda
from tuner.local.package import LocalFunction, read_function
from tuner.model import EngineKind, FunctionTarget, GatePolicy, RunRequest, Sample, Verdict
from tuner.planning.gate import gate_sampling
from tuner.planning.gate_plan import GatePolicyOf, Sides, make_gate_plan
from tuner.statistics.gate.verdict import verdict

WORLD = "embedded Lambda"
RULE = "tuner"
ROUNDS = 20_000
"""About 10 ms at one vCPU: longer than the clock's and the scheduler's grain, short enough for many trials."""
SLOWER = 1.15
MEMORY_MB = 1769
"""One vCPU: with less, scheduling periods of 20 ms turn 15 % more work into another ratio."""
HANDLER = """
import hashlib

def handler(event, context):
    return hashlib.pbkdf2_hmac("sha256", b"password", b"salt", {rounds}).hex()
"""
NOTHING_ELSE = SendingOptions(
    payloads=(), event=None, event_settings=(), event_repeats=(), expected_errors=(), before=None, after=None
)


def trials(ratio: float, count: int, place: Place, folder: Path) -> Iterator[Trial]:
    """Whole gates whose head does ``ratio`` times the work."""
    base, head = (packed(folder, f"{name}-{ratio}", ratio if name == "head" else 1.0) for name in ("base", "head"))
    for seed in range(count):
        judged, samples = asyncio.run(one_gate(place, base, head, seed))
        yield trial_of(RULE, WORLD, ratio, judged, samples)


def packed(folder: Path, name: str, ratio: float) -> LocalFunction:
    source = folder / name
    source.mkdir()
    (source / "handler.py").write_text(HANDLER.format(rounds=round(ROUNDS * ratio)))
    return read_function(source, memory_mb=MEMORY_MB)


async def one_gate(
    place: Place, base: LocalFunction, head: LocalFunction, seed: int
) -> tuple[Verdict, tuple[Sample, ...]]:
    policy, access = GatePolicy(), place.access
    with deployed(access, f"base-{seed}", base) as first, deployed(access, f"head-{seed}", head) as second:
        sides = Sides(base=read_arm(access, first), head=read_arm(access, second), disposable=True)
        request = RunRequest(function=second.name, engine=EngineKind.LOCAL, memory_mb=(MEMORY_MB,), seed=seed)
        async with control_plane(access, engine=place.engine) as control:
            limits = await control.limits()
            plan = make_gate_plan(request, sides, limits, PRICE, policy=policy, run_id=new_run_id())
            call = Call(
                payloads=PayloadSet((WeightedPayload(b"{}", 1.0),)),
                options=NOTHING_ELSE,
                transport="auto",
                quiet=True,
            )
            result = await measure(plan, place, control, call, policy_of=GatePolicyOf(policy))
    if result.failure is not None:
        raise result.failure
    sampling = gate_sampling(plan, policy)
    (pair,) = sampling.pairs
    return verdict(result.samples, pair, sampling.terms(pair.head.architecture)), result.samples


@contextmanager
def deployed(access: AwsAccess, name: str, function: LocalFunction) -> Iterator[FunctionTarget]:
    """A function for one trial: its versions and environments go with it."""
    client = access.control_client()
    try:
        create_function(
            client,
            NewFunction(
                name=name,
                runtime=function.runtime,  # type: ignore[arg-type]
                handler=function.handler,
                architecture=function.architecture,
                memory_mb=function.memory_mb,
                timeout_s=function.timeout_s,
                zip_bytes=function.zip_bytes,
                environment={},
            ),
        )
        yield FunctionTarget(name=name)
    finally:
        client.delete_function(FunctionName=name)
        client.close()


@contextmanager
def service(folder: Path) -> Iterator[Place]:
    """One embedded Lambda for all trials, calibrated; runs keep their files in ``folder``."""
    os.environ["TUNER_STATE_DIR"] = str(folder)
    with EmbeddedLambda(folder / "local", region="us-east-1", calibrate=True, state_delay_ms=0) as server:
        yield Place(
            engine=EngineKind.LOCAL,
            access=AwsAccess(
                region="us-east-1",
                endpoint_url=server.endpoint_url,
                credentials=FixedCredentials(access_key_id="local", secret_access_key="local"),
            ),
            target=FunctionTarget(name="unused"),
            memory_mb=(MEMORY_MB,),
            poll_interval_s=0.03,
            throttle=str(server.about["mechanism"]),
        )


def main() -> int:
    options = _options()
    found: list[Trial] = []
    with tempfile.TemporaryDirectory() as temporary, service(Path(temporary)) as place:
        for ratio in (1.0, SLOWER):
            for number, trial in enumerate(trials(ratio, options.trials, place, Path(temporary)), 1):
                found.append(trial)
                word = "red" if trial.red else "green" if trial.green else "open"
                print(f"{ratio - 1:+.0%} {number}/{options.trials}: {word}", file=sys.stderr)
    rows = [replace(row, usd=None) for row in table(found) if row.world == WORLD]
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
    else:
        show(rows)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40, help="of each kind")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
