"""What happens in one schedule, drawn from its seed: who runs, what goes wrong, and what the owner does meanwhile."""

from __future__ import annotations

import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MEMORY_MB = 512
FOREIGN_MEMORY_MB = 640
SIZES_MB = ((256, 1024), (256, 512), (512, 1024))
OWNER_SIZES_MB = (FOREIGN_MEMORY_MB, FOREIGN_MEMORY_MB, MEMORY_MB, 256, 1024)
SIGNALS: dict[signal.Signals | None, int] = {
    None: 2,
    signal.SIGINT: 1,
    signal.SIGTERM: 1,
    signal.SIGHUP: 1,
    signal.SIGKILL: 2,
}
"""Each with its weight."""
RUN_S = 7.0
"""About as long as a run takes: it publishes twice, and the control plane is asked once a second."""
AFTER_ALL_RUNS_S = 100.0
"""Later than any run ends: between a kill and ``tuner recover``."""
FOREIGN = "foreign-deployment"

Rule = dict[str, object]

CONTROL = (
    "GetFunction",
    "UpdateFunctionConfiguration",
    "PublishVersion",
    "ListVersionsByFunction",
    "DeleteFunction",
    "GetAccountSettings",
    "CreateFunction",
    "ListTags",
    "TagResource",
    "UntagResource",
)
CHANGES = ("UpdateFunctionConfiguration", "PublishVersion", "DeleteFunction", "TagResource", "UntagResource")
FIRST_CALL = {"*": 25, "TagResource": 2, "UntagResource": 2}
"""The last call of an operation with which a fault may begin: a run makes few of some, and many in all."""
FAULTS: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    ({"fault": "error", "status": 500}, (*CONTROL, "Invoke")),
    ({"fault": "error", "status": 503, "when": "after"}, (*CONTROL, "Invoke")),
    ({"fault": "drop", "when": "before"}, (*CONTROL, "Invoke")),
    ({"fault": "drop", "when": "after"}, (*CONTROL, "Invoke")),
    ({"fault": "latency", "ms": 300}, (*CONTROL, "Invoke")),
    ({"fault": "throttle", "retry_after_s": None}, ("Invoke",)),
    ({"fault": "truncated-tail", "keep_bytes": 40}, ("Invoke",)),
    ({"fault": "missing-tail"}, ("Invoke",)),
    ({"fault": "slow-settle", "ms": 400}, ("UpdateFunctionConfiguration", "PublishVersion")),
    ({"fault": "conflict", "status": 409}, CHANGES),
    ({"fault": "conflict", "status": 412}, ("UpdateFunctionConfiguration", "PublishVersion")),
    ({"fault": "expired-credentials"}, ("*",)),
    ({"fault": FOREIGN, "change": "memory", "memory_mb": FOREIGN_MEMORY_MB}, ("UpdateFunctionConfiguration",)),
    ({"fault": FOREIGN, "change": "code"}, ("UpdateFunctionConfiguration", "PublishVersion")),
)


class Deed(StrEnum):
    """What the owner of the function does to it."""

    PUBLISH = "publish"
    RELEASE = "release"
    """Publish, and point the alias there."""
    ADOPT = "adopt"
    """Point the alias to the newest version, whoever published it."""
    MEMORY = "memory"
    RECREATE = "recreate"
    """Delete the function, and make it again with versions 1 to 3 of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """``after_s`` counts from the start of the first run. None: as soon as the function has a size of tuner's, or
    the version to adopt is one of tuner's.

    What is still to be done when all runs have ended is done then.
    """

    deed: Deed
    after_s: float | None
    memory_mb: int
    other_code: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One ``tuner run``, on a machine of its own. Times but the first count from the start of its process."""

    starts_after_s: float
    clone: bool
    signal: int | None
    signal_after_s: float
    disk_full_after_s: float | None
    room_bytes: int
    """How much the journal can still grow once the disk is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    seed: int
    released: bool
    """Whether there is a version 1 like ``$LATEST``, with an alias, to begin with."""
    sizes_mb: tuple[int, int]
    runs: tuple[Run, ...]
    acts: tuple[Act, ...]
    rules: tuple[Rule, ...]

    @property
    def server_deploys(self) -> object:
        """What the fault plan itself deploys to the function: ``memory``, ``code`` or None."""
        return next((rule["change"] for rule in self.rules if rule["fault"] == FOREIGN), None)


def draw_schedule(seed: int) -> Schedule:
    """Up to two faults at drawn calls, a signal in five of seven runs, and an owner in most schedules."""
    rng = random.Random(seed)
    runs = [_draw_run(rng, starts_after_s=0.0)]
    if rng.random() < 0.3:
        runs.append(_draw_run(rng, starts_after_s=rng.choice((0.0, rng.uniform(0.0, RUN_S)))))
    killed = any(run.signal == signal.SIGKILL for run in runs)
    acts = [_draw_act(rng, late=killed) for _ in range(rng.choice((0, 0, 0, 1, 1, 1, 2)))]
    return Schedule(
        seed=seed,
        released=rng.random() < 0.5,
        sizes_mb=rng.choice(SIZES_MB),
        runs=tuple(runs),
        acts=tuple(acts),
        rules=_draw_rules(rng, may_deploy=_may_deploy(runs, acts)),
    )


def _draw_run(rng: random.Random, *, starts_after_s: float) -> Run:
    number = rng.choices(tuple(SIGNALS), tuple(SIGNALS.values()))[0]
    return Run(
        starts_after_s=round(starts_after_s, 3),
        clone=rng.random() < 0.2,
        signal=None if number is None else int(number),
        signal_after_s=round(rng.uniform(0.4, RUN_S), 3),
        disk_full_after_s=round(rng.uniform(0.4, RUN_S), 3) if rng.random() < 0.15 else None,
        room_bytes=rng.choice((0, rng.randint(1, 60), rng.randint(60, 600))),
    )


def _draw_act(rng: random.Random, *, late: bool) -> Act:
    """``late``: as often as not after all runs, where a killed one still is to be recovered."""
    during_s = round(rng.uniform(0.4, RUN_S), 3)
    moments = (None, during_s, AFTER_ALL_RUNS_S, AFTER_ALL_RUNS_S) if late else (None, during_s)
    return Act(
        deed=rng.choices(tuple(Deed), (2, 2, 2, 2, 4))[0],
        after_s=rng.choice(moments),
        memory_mb=rng.choice(OWNER_SIZES_MB),
        other_code=rng.random() < 0.5,
    )


def _may_deploy(runs: Sequence[Run], acts: Sequence[Act]) -> bool:
    """Whether it can be known how a deployment by the fault plan should end: nobody else deploys, and it is known
    whether it met the function or a copy."""
    one_kind = len({run.clone for run in runs}) == 1
    return one_kind and not any(act.deed in (Deed.MEMORY, Deed.RECREATE) for act in acts)


def _draw_rules(rng: random.Random, *, may_deploy: bool) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        fault, operations = rng.choice(FAULTS)
        operation = rng.choice(operations)
        first = rng.randint(1, FIRST_CALL.get(operation, 6))
        last = first + rng.choice((0, 0, 1, 3))
        if fault["fault"] == FOREIGN:
            if not may_deploy:
                continue
            may_deploy = False  # two of them, and nobody could say which one should have won
        rules.append({**fault, "operation": operation, "calls": f"{first}-{last}"})
    return tuple(rules)
