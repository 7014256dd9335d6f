"""Plays a schedule, and says which promises were broken."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from benchmarks.faults.machine import MOST_RECOVERIES, Machine, check_samples
from benchmarks.faults.owner import REGION, Owner, check_owned
from benchmarks.faults.schedule import FOREIGN, FOREIGN_MEMORY_MB, Schedule, draw_schedule
from tuner.local.launcher import EmbeddedLambda

EXPECTED_CODES = {0, 6, 7, 8, 130}
ENDED_BEFORE_IT_BEGAN = {-signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP}
"""While the interpreter starts, a signal ends it as any process."""
NEEDS_RECOVERY = {7, -signal.SIGKILL}
RECOVER_CODES = {0, 7}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    schedule: Schedule
    exit_codes: tuple[int, ...]
    """Of the runs, in the order of the schedule."""
    recovered: int
    """How many machines had something to recover."""
    adopted: bool
    """The owner's alias pointed to a version of tuner's at the end of the runs."""
    violations: tuple[str, ...]
    """Broken promises; empty when all were kept."""


def play_in_own_folder(seed: int) -> Result:
    with tempfile.TemporaryDirectory(prefix="tuner-faults-") as folder:
        return play(draw_schedule(seed), Path(folder))


def play(schedule: Schedule, folder: Path) -> Result:
    """Play one schedule to its end and look at what is left."""
    plan = folder / "faults.json"
    plan.write_text(json.dumps({"seed": schedule.seed, "faults": schedule.rules}))
    with EmbeddedLambda(folder / "server", region=REGION, state_delay_ms=30, fault_plan=plan) as server:
        machines = [
            Machine(folder / f"machine-{number}", server.endpoint_url) for number in range(len(schedule.runs))
        ]
        with closing(Owner(server.endpoint_url, schedule, folder)) as owner:
            codes = _measure(schedule, machines, owner)
            left_open = [
                machine
                for machine, code, run in zip(machines, codes, schedule.runs, strict=True)
                if code in NEEDS_RECOVERY or (run.disk_full_after_s is not None and machine.open_journals())
            ]
            violations = [*_recover(left_open, owner)]
            adopted = owner.adopted_versions()
            applied = {fault["fault"] for fault in server.faults_met()["applied"]}
            violations += _check_function(schedule, owner, deployed=FOREIGN in applied, adopted=adopted)
            if adopted:
                owner.remove_alias()
                violations += _recover(left_open, owner)
                violations += _check_function(schedule, owner, deployed=FOREIGN in applied)
        for machine, code in zip(machines, codes, strict=True):
            violations += [*_check_process(machine, code), *check_samples(machine.samples())]
    return Result(
        schedule=schedule,
        exit_codes=tuple(codes),
        recovered=len(left_open),
        adopted=bool(adopted),
        violations=tuple(violations),
    )


def _measure(schedule: Schedule, machines: Sequence[Machine], owner: Owner) -> list[int]:
    """All runs, with the owner beside them. Returns their exit codes once the owner has done everything."""
    runs_ended = Event()
    with ThreadPoolExecutor(len(machines) + 1) as pool:
        acting = pool.submit(owner.act, schedule.acts, runs_ended)
        try:
            measuring = [
                pool.submit(machine.measure, run, schedule.sizes_mb)
                for machine, run in zip(machines, schedule.runs, strict=True)
            ]
            codes = [one.result() for one in measuring]
        finally:
            runs_ended.set()
        acting.result()
    return codes


def _recover(machines: Sequence[Machine], owner: Owner) -> Iterator[str]:
    """`tuner recover`, as often as it asks for another try: faults may meet it too. While the owner's alias points to
    a version of tuner's, it cannot succeed."""
    for machine in machines:
        codes = [code := machine.recover()]
        while code != 0 and len(codes) < MOST_RECOVERIES:
            codes.append(code := machine.recover())
        if not RECOVER_CODES.issuperset(codes):
            yield f"recover ended with {codes}"
        if code != 0 and not owner.adopted_versions():
            yield f"recover did not succeed: {codes}"


def _check_function(
    schedule: Schedule, owner: Owner, *, deployed: bool, adopted: Collection[str] = ()
) -> Iterator[str]:
    """``deployed``: the fault plan has deployed something, to the copies where the runs make some."""
    change = schedule.server_deploys if deployed and not schedule.runs[0].clone else None
    allowed_mb = {FOREIGN_MEMORY_MB} if change == "memory" else owner.left.memory_mb
    return check_owned(owner.left, owner.state(), allowed_mb, code_deployed=change == "code", adopted=adopted)


def _check_process(machine: Machine, code: int) -> Iterator[str]:
    before_it_began = code in ENDED_BEFORE_IT_BEGAN and not machine.began()
    if code not in EXPECTED_CODES and code != -signal.SIGKILL and not before_it_began:
        yield f"exit code {code}"
    errors = machine.errors.decode(errors="replace")
    if "Traceback" in errors and not before_it_began:
        yield f"a traceback: {errors[-4000:]}"
    for run in machine.open_journals():
        yield f"the journal of {run} is not closed"
