"""Reports of gates made up for tests: samples by a seeded generator, judged by the real statistics."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from tests.fakes import price, snapshot
from tuner.model import (
    Arm,
    Block,
    Cell,
    EngineKind,
    GatePolicy,
    GateReport,
    Notice,
    Outcome,
    Plan,
    RunRequest,
    Sample,
    SpendRange,
)
from tuner.planning.gate import gate_sampling
from tuner.reporting.gate import Gated, build_gate_report
from tuner.reporting.parts import RunFacts

TODAY = "2026-11-21"


def gate_plan(
    *, name: str = "thumbnail", sizes: Sequence[int] = (512,), disposable: bool = True, wave: int = 10
) -> Plan:
    base, head = snapshot(name=name, qualifier="1", versions=()), snapshot(name=name, versions=())
    return Plan(
        run_id="20261121T000000-abc",
        request=RunRequest(function=name, engine=EngineKind.AWS, memory_mb=tuple(sizes), payload_sha256="ab" * 32),
        function=head,
        cells=tuple(Cell(size, head.architecture, variant) for size in sizes for variant in ("base", "head")),
        prices=(price(),),
        wave_size=wave,
        max_in_flight=wave,
        expected_invocations=800,
        expected_spend=SpendRange(low_usd=Decimal(0), high_usd=Decimal(1)),
        arms=(
            Arm(variant="base", function=base, disposable=disposable),
            Arm(variant="head", function=head, disposable=disposable),
        ),
    )


def gated(
    *,
    ratio: float = 1.0,
    errors: float = 0.0,
    calls: int | None = None,
    policy: GatePolicy | None = None,
    seed: int = 1,
    mismatches: tuple[str, ...] = (),
    baseline: tuple[Sample, ...] = (),
    plan: Plan | None = None,
) -> Gated:
    """A whole gate in which head takes ``ratio`` as long; it ends early after ``calls``."""
    plan, policy = plan or gate_plan(), policy or GatePolicy()
    sampling = gate_sampling(plan, policy)
    samples: list[Sample] = []
    rng = random.Random(seed)
    while isinstance(step := sampling.next_block(samples), Block):
        samples += _block(step, len(samples), ratio, errors, rng)
        if calls is not None and len(samples) >= calls:
            samples = samples[:calls]
            break
    return Gated(plan=plan, policy=policy, samples=tuple(samples), mismatches=mismatches, baseline=baseline)


def gate_report(*gates: Gated, notices: tuple[Notice, ...] = (), today: str = TODAY) -> GateReport:
    facts = RunFacts(
        created_at="2026-11-21T10:00:00+00:00",
        command="tuner gate thumbnail --base 1 --payload '{\"secret\": 1}'",
        sampling="base and head in turn",
        payload_sha256="ab" * 32,
        blocks=4,
        seconds=61.5,
        notices=notices,
    )
    return build_gate_report(gates or (gated(),), facts, today=today)


def many(ratios: Sequence[float]) -> GateReport:
    """A report of as many functions as there are ratios."""
    return gate_report(
        *(
            gated(ratio=ratio, plan=gate_plan(name=f"service-{number:02d}-with-a-long-name"), seed=number)
            for number, ratio in enumerate(ratios)
        )
    )


def _block(block: Block, sequence: int, ratio: float, errors: float, rng: random.Random) -> Iterator[Sample]:
    levels: dict[tuple[Cell, int], float] = {}
    seen: dict[Cell, int] = {}
    for wave_number, wave in enumerate(block.waves):
        turn = seen[wave.cell] = seen.get(wave.cell, -1) + 1
        for place in range(wave.size):
            level = levels.setdefault((wave.cell, place), rng.gauss(0, 0.03))
            sequence += 1
            sample = _sample(wave.cell, block.number, wave_number, sequence, cold=turn == 0)
            factor = (ratio if wave.cell.variant == "head" else 1.0) * 2.718281828 ** (level + rng.gauss(0, 0.02))
            failed = wave.cell.variant == "head" and rng.random() < errors
            yield replace(
                sample,
                outcome=Outcome.FUNCTION_ERROR if failed else Outcome.OK,
                error_type="ValueError" if failed else None,
                duration_ms=100 * factor,
                billed_ms=float(int(100 * factor) + 1),
                client_ms=120 * factor,
                environment=f"{wave.cell.variant}/{wave.cell.memory_mb}/{block.number}/{place}",
            )


def _sample(cell: Cell, block: int, wave: int, sequence: int, *, cold: bool) -> Sample:
    return Sample(
        sequence=sequence,
        block=block,
        wave=wave,
        cell=cell,
        version=f"{cell.variant}-{block}",
        started_at="2026-11-21T10:00:00+00:00",
        client_ms=1.0,
        outcome=Outcome.OK,
        request_id=f"r-{sequence}",
        init_ms=90.0 if cold else None,
        max_memory_used_mb=80,
    )
