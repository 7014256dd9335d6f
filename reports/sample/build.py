"""Build the sample report from the committed durations: ``make sample-report``.

The durations were measured on AWS by others (origin and licence stand in ``durations.json``). What they did not
publish is not made up: there are no cold starts here, billed durations are the durations rounded up, and the size
that the function "has today" is an assumption that the report states.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tuner.model import (
    Architecture,
    Cell,
    EngineKind,
    FunctionSnapshot,
    Notice,
    Outcome,
    Plan,
    RunRequest,
    Sample,
    Severity,
    SpendRange,
)
from tuner.pricing import price_for, total_cost_usd
from tuner.render.html import render_html
from tuner.render.markdown import render_markdown
from tuner.reporting.parts import RunFacts
from tuner.reporting.run import build_report

FOLDER = Path(__file__).parent
REGION = "us-east-1"
ASSUMED_MB = 514
SEED = 1


def main() -> None:
    data = json.loads((FOLDER / "durations.json").read_text(encoding="utf-8"))
    samples = tuple(_samples(data["durations_ms"]))
    report = build_report(_plan(samples), samples, _facts(data["origin"], samples))
    report = replace(report, tool_version="sample")
    for name, text in {
        "report.html": render_html(report),
        "report.md": render_markdown(report),
    }.items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")


def _samples(durations: dict[str, dict[str, list[float]]]) -> Iterator[Sample]:
    """Call ``j`` of every environment of a size makes a wave: they are in different environments, as in a wave."""
    sequence = 0
    for block in range(len(durations["128"]["0"])):
        for size, environments in durations.items():
            wave = sequence
            for environment, values in environments.items():
                yield _sample(sequence, block, wave, int(size), environment, values[block])
                sequence += 1


def _sample(sequence: int, block: int, wave: int, size_mb: int, environment: str, duration_ms: float) -> Sample:
    return Sample(
        sequence=sequence,
        block=block,
        wave=wave,
        cell=Cell(size_mb, Architecture.X86_64),
        version=str(size_mb),
        started_at="2025-04-15T00:00:00Z",
        client_ms=duration_ms,
        outcome=Outcome.OK,
        duration_ms=duration_ms,
        billed_ms=float(math.ceil(duration_ms)),
        environment=f"{size_mb}-{environment}",
    )


def _plan(samples: tuple[Sample, ...]) -> Plan:
    cells = tuple(sorted({sample.cell for sample in samples}))
    price = price_for(REGION, Architecture.X86_64)
    spend = total_cost_usd(samples, {Architecture.X86_64: price})
    return Plan(
        run_id="sample-cpu17ms",
        request=RunRequest(
            function="cpu17ms", engine=EngineKind.AWS, memory_mb=tuple(cell.memory_mb for cell in cells), seed=SEED
        ),
        function=FunctionSnapshot(
            name="cpu17ms",
            arn=f"arn:aws:lambda:{REGION}:123456789012:function:cpu17ms",
            region=REGION,
            runtime=None,
            package_type="Zip",
            architecture=Architecture.X86_64,
            memory_mb=ASSUMED_MB,
            timeout_s=60,
            code_sha256="",
            revision_id="",
            state=None,
            last_update_status=None,
            versions=(),
        ),
        cells=cells,
        prices=(price,),
        wave_size=5,
        max_in_flight=5,
        expected_invocations=len(samples),
        expected_spend=SpendRange(low_usd=spend.usd, high_usd=spend.usd),
    )


def _facts(origin: str, samples: tuple[Sample, ...]) -> RunFacts:
    return RunFacts(
        created_at="2025-04-15T00:00:00Z",
        command="make sample-report",
        sampling=f"a published trace: 24 consecutive warm calls in each of 5 environments a size ({origin})",
        payload_sha256="0" * 64,
        blocks=max(sample.block for sample in samples) + 1,
        seconds=0.0,
        notices=(
            Notice(
                code="sample",
                severity=Severity.INFO,
                message="This report was built from durations that others measured and published (MIT licence), not "
                f"by running tuner. That the function has {ASSUMED_MB} MB today is assumed, and its cold starts "
                "were not published. The spend is what these calls would cost at today's prices.",
                remedy="Make your own: tuner run examples/password-hash --local",
            ),
        ),
    )


if __name__ == "__main__":
    main()
