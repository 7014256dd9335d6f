"""The cold-start study of the gold files: ``python tests/golden/cold_start.py`` measures it afresh, from a seed.

``cold-start.json`` is written here once and read by ``renew.py``: statistics may differ in their last digits between
versions of numpy, renderings of the same numbers may not.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from tuner.model import (
    AccountLimits,
    Architecture,
    Cell,
    ColdStartGoal,
    ColdStartReport,
    EngineKind,
    FunctionSnapshot,
    Outcome,
    RunRequest,
    Sample,
)
from tuner.planning.cold_start import plan_cold_starts
from tuner.pricing import price_for
from tuner.render.json import render_json
from tuner.reporting.cold_start import build_cold_start_report
from tuner.reporting.parts import RunFacts

FILE = Path(__file__).parent / "cold-start.json"

REGION = "eu-central-1"
STARTS, BATCHES_TO_A_WARM_CALL = 72, 3
AHEAD = (11, 44)
"""Batches in which one environment was initialised before its call came."""
SECOND_MODE = {Architecture.X86_64: 0.22, Architecture.ARM64: 0.0}
INIT_MS = {Architecture.X86_64: 310.0, Architecture.ARM64: 268.0}
FIRST_MS = {512: 96.0, 1769: 31.0}
WARM_MS = {512: 24.0, 1769: 9.0}


def study() -> ColdStartReport:
    """Two sizes on two architectures; x86_64 has a second mode, some environments were initialised ahead."""
    request = RunRequest(
        function="thumbnail",
        engine=EngineKind.AWS,
        memory_mb=(512, 1769),
        architectures=tuple(Architecture),
        wave_size=1,
        max_cost_usd=Decimal("0.50"),
        cold_starts=ColdStartGoal(starts_per_cell=STARTS),
        seed=7,
    )
    prices = {architecture: price_for(REGION, architecture) for architecture in Architecture}
    limits = AccountLimits(concurrent_executions=1000, unreserved_concurrent_executions=1000)
    plan = plan_cold_starts(request, function(), limits, prices, run_id="20261121T093000Z-thumbnail-7f3a")
    return build_cold_start_report(plan, tuple(samples(plan.cells)), facts())


def function() -> FunctionSnapshot:
    return FunctionSnapshot(
        name="thumbnail",
        arn="arn:aws:lambda:eu-central-1:123456789012:function:thumbnail",
        region=REGION,
        runtime="python3.13",
        package_type="Zip",
        architecture=Architecture.X86_64,
        memory_mb=512,
        timeout_s=30,
        code_sha256="m7tOs8tPpT0AeDcVJrtGkXc0mZ8n1J0vQy9c4W2sK1E=",
        revision_id="4a1e7c52-0b6f-4f0e-9c55-0d8f5b6f9d11",
        state="Active",
        last_update_status="Successful",
        versions=("1", "2"),
    )


def facts() -> RunFacts:
    return RunFacts(
        created_at="2026-11-21T09:30:00Z",
        command="tuner cold-start thumbnail --memory 512,1769 --arch x86_64,arm64 -n 72 --wave 1 --seed 7",
        sampling="72 cold starts a cell, 1 first call on a version of its own, cells in random order in each round",
        payload_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        blocks=2 * STARTS,
        seconds=412.5,
        notices=(),
    )


def samples(cells: tuple[Cell, ...]) -> Iterator[Sample]:
    rng = random.Random(7)
    sequence = 0
    for batch in range(STARTS):
        for number, cell in enumerate(cells):
            shift = rng.gauss(0, 0.02)
            ahead = [False] if batch in AHEAD and number == 0 else []
            warm = [False] if batch % BATCHES_TO_A_WARM_CALL == 0 else []
            for wave, calls in enumerate(([*ahead, True], warm)):
                for cold in calls:
                    sequence += 1
                    yield _sample(rng, cell, sequence, batch, wave, cold=cold, shift=shift)


def _sample(
    rng: random.Random, cell: Cell, sequence: int, batch: int, wave: int, *, cold: bool, shift: float
) -> Sample:
    slow = 1.42 if rng.random() < SECOND_MODE[cell.architecture] else 1.0
    init_ms = round(INIT_MS[cell.architecture] * slow * math.exp(shift + rng.gauss(0, 0.035)), 2) if cold else None
    base_ms = FIRST_MS[cell.memory_mb] if cold else WARM_MS[cell.memory_mb]
    duration_ms = round(base_ms * math.exp(rng.gauss(0, 0.08)), 2)
    return Sample(
        sequence=sequence,
        block=2 * batch + wave + 1,
        wave=2 * batch + wave + 1,
        cell=cell,
        version=str(3 + batch),
        started_at=f"2026-11-21T09:{30 + batch // 12:02d}:{batch % 12 * 5 + 2 * wave:02d}.000+00:00",
        client_ms=round(duration_ms + (init_ms or 0) + 41, 3),
        outcome=Outcome.OK,
        request_id=f"00000000-0000-4000-8000-{sequence:012d}",
        duration_ms=duration_ms,
        billed_ms=math.ceil(duration_ms + (init_ms or 0)),
        init_ms=init_ms,
        max_memory_used_mb=104,
    )


if __name__ == "__main__":
    FILE.write_text(render_json(study()), encoding="utf-8", newline="\n")
