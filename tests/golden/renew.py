"""Write the gold files afresh: ``python tests/golden/renew.py``. Read the difference before you commit it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import fmean, median, stdev

from tuner import codec
from tuner.inputs.power_tuning import BASE_URL, parse_power_tuning
from tuner.model import (
    Architecture,
    Cell,
    ColdStartReport,
    CurrentConfiguration,
    CurveFit,
    CurvePoint,
    CurveStatus,
    Distribution,
    EngineKind,
    Estimate,
    FunctionSnapshot,
    GateReport,
    MeanOnly,
    Measurement,
    Notice,
    Outcome,
    Plan,
    Price,
    Recommendation,
    Report,
    RunRequest,
    Sample,
    Severity,
    Spend,
    SpendRange,
    Strategy,
    Target,
    VersusCurrent,
)
from tuner.render.charts import report_charts
from tuner.render.charts.chart import WIDE, Chart
from tuner.render.cold_start import cold_start_charts, cold_start_document, cold_start_summary
from tuner.render.comparison import comparison_document
from tuner.render.document import render_document_html
from tuner.render.gate_document import gate_document
from tuner.render.github import render_comment
from tuner.render.html import render_html
from tuner.render.imported import imported_document
from tuner.render.json import render_json
from tuner.render.junit import render_junit
from tuner.render.markdown import render_document_markdown, render_markdown
from tuner.render.samples import by_cell
from tuner.render.terminal import render_document, render_plan, render_report

FOLDER = Path(__file__).parent
LINK = f"{BASE_URL}#gAAAAQACAAQABsAL;ZmYgQt7dfUEiIiJBZmYOQQAAGEEAACBB;+uW4M5dPkDNwbcYzilkiNJ5KhzQQeQQ1"
"""A public result (a Japanese sample function, 50 invocations a size), as in tests/unit/inputs."""

X86 = Architecture.X86_64
DURATION_MS = {128: 2903.0, 256: 1452.0, 512: 690.0, 1024: 352.0, 1769: 214.0}
SIZES = tuple(DURATION_MS)
WAVE = 4
PRICE = Price(
    region="eu-central-1",
    architecture=X86,
    usd_per_gb_s=Decimal("0.0000166667"),
    usd_per_request=Decimal("0.0000002"),
    as_of="2026-09-19",
    source="AWS Price List, AWSLambda offer",
)
NOTICES = (
    Notice(
        code="size-out-of-memory",
        severity=Severity.WARNING,
        message="128 MB is too small: all 4 invocations ended out of memory.",
        remedy="Start the range above 143 MB, the most memory that was used: --memory 192..1769.",
    ),
    Notice(
        code="percentiles-not-estimable",
        severity=Severity.INFO,
        message="With 8 warm samples at each size p95 and p99 have no honest interval.",
        remedy="Ask for more where it matters: --memory 1024 --samples 72.",
    ),
)


def sample_report() -> Report:
    """A small run with the awkward cases in it: a size out of memory, a tie, percentiles without interval."""
    rng = random.Random(7)
    samples = tuple(_row(number, rng) for number in range(len(SIZES) * WAVE * 3) if _was_invoked(number))
    curve = tuple(_point(memory_mb, samples) for memory_mb in SIZES)
    return Report(
        schema_version=1,
        kind="run",
        tool_version="0.1.0",
        created_at="2026-11-21T09:30:00Z",
        run_id="20261121T093000Z-thumbnail-7f3a",
        seed=7,
        target=Target(
            function="thumbnail",
            region="eu-central-1",
            engine=EngineKind.AWS,
            runtime="python3.13",
            package_type="Zip",
            current=CurrentConfiguration(memory_mb=256, architecture=X86),
        ),
        curve=curve,
        fits=(
            CurveFit(
                architecture=X86,
                a_ms=55.2,
                b=698_812,
                p=1.121,
                cap_mb=1769,
                n=4,
                residual_percent=0.5,
                method="least squares on the log scale, a >= 0",
            ),
        ),
        recommendation=_recommendation(curve),
        spend=Spend(
            invocations=len(samples),
            cold_invocations=sum(sample.cold for sample in samples),
            usd=Decimal("0.000361"),
            estimated_usd=Decimal("0.00112"),
            seconds=74.2,
        ),
        measurement=Measurement(
            command="tuner run thumbnail --memory 128,256,512,1024,1769 --samples 8 --seed 7",
            sampling="fixed: 8 warm samples at each size, randomised blocks",
            wave_size=WAVE,
            blocks=3,
            payload_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            prices=(PRICE,),
        ),
        notices=NOTICES,
        samples=samples,
    )


def sample_plan() -> Plan:
    """The plan that could have led to ``sample_report``."""
    return Plan(
        run_id="20261121T093000Z-thumbnail-7f3a",
        request=RunRequest(function="thumbnail", engine=EngineKind.AWS, memory_mb=SIZES, samples_per_size=8, seed=7),
        function=FunctionSnapshot(
            name="thumbnail",
            arn="arn:aws:lambda:eu-central-1:123456789012:function:thumbnail",
            region="eu-central-1",
            runtime="python3.13",
            package_type="Zip",
            architecture=X86,
            memory_mb=256,
            timeout_s=30,
            code_sha256="m7tOs8tPpT0AeDcVJrtGkXc0mZ8n1J0vQy9c4W2sK1E=",
            revision_id="4a1e7c52-0b6f-4f0e-9c55-0d8f5b6f9d11",
            state="Active",
            last_update_status="Successful",
            versions=("1", "2"),
        ),
        cells=tuple(Cell(memory_mb, X86) for memory_mb in SIZES),
        prices=(PRICE,),
        wave_size=WAVE,
        max_in_flight=8,
        expected_invocations=60,
        expected_spend=SpendRange(low_usd=Decimal("0.00021"), high_usd=Decimal("0.00112")),
        notices=NOTICES[:1],
    )


def renderings() -> Mapping[str, Callable[[], str]]:
    """Each gold file and how it is made."""
    report, plan = sample_report(), sample_plan()
    comparison = comparison_document([("before", report), ("after", sample_after())])
    imported = imported_document(parse_power_tuning(LINK))
    study = codec.decode((FOLDER / "cold-start.json").read_bytes(), ColdStartReport)
    cold = cold_start_document(study)
    gates = codec.decode((FOLDER / "gate.json").read_bytes(), GateReport)
    gate = gate_document(gates)
    return {
        "report.json": lambda: render_json(report),
        "report.html": lambda: without_drawings(render_html(report)),
        "report.md": lambda: render_markdown(report),
        "figures.json": lambda: figures(report),
        "comparison.html": lambda: without_drawings(render_document_html(comparison)),
        "comparison.md": lambda: render_document_markdown(comparison),
        "power-tuning.html": lambda: without_drawings(render_document_html(imported)),
        "power-tuning.md": lambda: render_document_markdown(imported),
        "terminal-80.txt": lambda: render_report(report, width=80, color=False),
        "terminal-60.txt": lambda: render_report(report, width=60, color=False),
        "plan-80.txt": lambda: render_plan(plan, width=80, color=False),
        "plan-60.txt": lambda: render_plan(plan, width=60, color=False),
        "cold-start.json": lambda: render_json(study),
        "cold-start.html": lambda: without_drawings(render_document_html(cold)),
        "cold-start.md": lambda: render_document_markdown(cold),
        "cold-start-figures.json": lambda: specifications(cold_start_charts(study)),
        "cold-start-80.txt": lambda: render_document(cold_start_summary(study, width=80), width=80, color=False),
        "cold-start-60.txt": lambda: render_document(cold_start_summary(study, width=60), width=60, color=False),
        "gate.json": lambda: render_json(gates),
        "gate.html": lambda: without_drawings(render_document_html(gate)),
        "gate.md": lambda: render_document_markdown(gate),
        "gate-figures.json": lambda: specifications(gate.charts),
        "gate-80.txt": lambda: render_document(gate, width=80, color=False),
        "gate-60.txt": lambda: render_document(gate, width=60, color=False),
        "gate-comment.md": lambda: render_comment(gates),
        "gate-junit.xml": lambda: render_junit(gates),
    }


def without_drawings(page: str) -> str:
    """A page without what libraries made (drawings, their scripts and data) and without its hashes.

    ``figures.json`` holds the data; the pictures and the scripts change with every version of vl-convert.
    """
    page = re.sub(r"<svg .*?</svg>", "<svg/>", page, flags=re.DOTALL)
    page = re.sub(r"(<script[^>]*>).*?</script>", r"\1</script>", page, flags=re.DOTALL)
    return re.sub(r"'sha256-[^']*'", "'sha256-...'", page)


def figures(report: Report) -> str:
    """The specifications of the figures, as an indented file."""
    return specifications(report_charts(report, by_cell(report.samples)))


def specifications(charts: Sequence[Chart]) -> str:
    specs = {chart.name: chart.spec(WIDE) for chart in charts}
    return json.dumps(specs, indent=1, ensure_ascii=False) + "\n"


def sample_after() -> Report:
    """The same run a day later, 6 % faster at every size, with other waves."""
    report = sample_report()
    return replace(
        report,
        created_at="2026-11-22T09:30:00Z",
        curve=tuple(_faster(point, 0.94) for point in report.curve),
        measurement=replace(report.measurement, wave_size=8),
    )


def _faster(point: CurvePoint, factor: float) -> CurvePoint:
    duration, cost = point.duration_ms, point.cost_usd_per_million
    return replace(
        point,
        duration_ms=replace(duration, mean=_scaled(duration.mean, factor, 0)) if duration else None,
        cost_usd_per_million=_scaled(cost, factor, 0) if cost else None,
    )


def _was_invoked(number: int) -> bool:
    """A size that ran out of memory in its first wave gets no further one."""
    size, within = divmod(number, WAVE * 3)
    return SIZES[size] != 128 or within < WAVE


def _row(number: int, rng: random.Random) -> Sample:
    size, within = divmod(number, WAVE * 3)
    memory_mb, wave = SIZES[size], within // WAVE
    duration_ms = round(DURATION_MS[memory_mb] * rng.lognormvariate(0, 0.012), 2)
    init_ms = round(rng.uniform(138, 171), 2) if wave == 0 else None
    lost = memory_mb == 128
    return Sample(
        sequence=number,
        block=wave,
        wave=wave * len(SIZES) + size,
        cell=Cell(memory_mb, X86),
        version=str(3 + size),
        started_at=f"2026-11-21T09:30:{number % 60:02d}Z",
        client_ms=round(duration_ms + (init_ms or 0) + rng.uniform(9, 14), 2),
        outcome=Outcome.OUT_OF_MEMORY if lost else Outcome.OK,
        duration_ms=duration_ms,
        billed_ms=float(-(-(duration_ms + (init_ms or 0)) // 1)),
        init_ms=init_ms,
        max_memory_used_mb=128 if lost else 143,
        error_type="Runtime.OutOfMemory" if lost else None,
    )


def _point(memory_mb: int, samples: tuple[Sample, ...]) -> CurvePoint:
    here = [sample for sample in samples if sample.cell.memory_mb == memory_mb]
    warm = [sample for sample in here if sample.outcome is Outcome.OK and not sample.cold]
    inits = [sample.init_ms for sample in here if sample.init_ms is not None]
    billed = _mean([sample.billed_ms for sample in warm if sample.billed_ms is not None])
    usd_per_ms = memory_mb / 1024 / 1000 * float(PRICE.usd_per_gb_s) * 1_000_000
    return CurvePoint(
        memory_mb=memory_mb,
        architecture=X86,
        n=len(warm),
        environments=len(inits),
        errors=sum(sample.outcome is not Outcome.OK for sample in here),
        duration_ms=_distribution([sample.duration_ms for sample in warm if sample.duration_ms is not None]),
        billed_ms=MeanOnly(mean=billed) if billed else None,
        init_ms=_distribution(inits) if warm else None,
        cost_usd_per_million=_scaled(billed, usd_per_ms, 0.2) if billed else None,
        max_memory_used_mb=here[0].max_memory_used_mb,
        status=CurveStatus.MEASURED if warm else CurveStatus.OUT_OF_MEMORY,
    )


def _distribution(values: list[float]) -> Distribution | None:
    mean = _mean(values)
    if mean is None:
        return None
    n = len(values)
    few = f"not estimable with n = {n}"
    middle = Estimate(point=median(values), low=None, high=None, n=n, method=f"{few} (needs 6)")
    return Distribution(
        mean=mean,
        p50=middle if n < 6 else _estimate(median(values), min(values), max(values), n, "order statistics"),
        p95=Estimate(point=max(values), low=None, high=None, n=n, method=f"{few} (needs 72)"),
        p99=Estimate(point=max(values), low=None, high=None, n=n, method=f"{few} (needs 368)"),
    )


def _mean(values: list[float]) -> Estimate | None:
    if not values:
        return None
    margin = 3.18 * stdev(values) / len(values) ** 0.5
    method = "environments and waves as variance components, t with 3 degrees of freedom"
    return _estimate(fmean(values), fmean(values) - margin, fmean(values) + margin, len(values), method)


def _scaled(estimate: Estimate, factor: float, offset: float) -> Estimate:
    low, high = estimate.low, estimate.high
    assert low is not None
    assert high is not None
    point, low, high = (value * factor + offset for value in (estimate.point, low, high))
    return _estimate(point, low, high, estimate.n, "price of the mean billed duration, and of the request")


def _estimate(point: float, low: float, high: float, n: int, method: str) -> Estimate:
    return Estimate(point=round(point, 4), low=round(low, 4), high=round(high, 4), n=n, method=method)


def _recommendation(curve: tuple[CurvePoint, ...]) -> Recommendation:
    now, proposed = (next(point for point in curve if point.memory_mb == size) for size in (256, 1024))
    return Recommendation(
        memory_mb=1024,
        architecture=X86,
        strategy=Strategy.COST,
        tolerance=0.05,
        confidence=0.93,
        tied=(Cell(512, X86),),
        pareto=(Cell(512, X86), Cell(1024, X86), Cell(1769, X86)),
        decided=True,
        versus_current=VersusCurrent(
            cost_ratio=_ratio(proposed.cost_usd_per_million, now.cost_usd_per_million),
            duration_ratio=_ratio(_mean_duration(proposed), _mean_duration(now)),
        ),
        rationale="The fastest of the sizes whose cost is within 5 % of the least.",
    )


def _mean_duration(point: CurvePoint) -> Estimate | None:
    return point.duration_ms.mean if point.duration_ms else None


def _ratio(above: Estimate | None, below: Estimate | None) -> Estimate:
    assert above is not None
    assert below is not None
    ratio = above.point / below.point
    return _estimate(ratio, ratio * 0.984, ratio * 1.016, above.n, "ratio of two means on the log scale")


def main() -> None:
    for name, render in renderings().items():
        (FOLDER / name).write_text(render(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
