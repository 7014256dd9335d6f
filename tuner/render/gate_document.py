"""A gate's report as a document: the verdict first, then every metric and every limit with its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from tuner.model import (
    Comparison,
    EngineKind,
    Estimate,
    GateReport,
    Level,
    Metric,
    MetricStatus,
    MetricVerdict,
    VerdictStatus,
)
from tuner.render.charts.forest import ForestLine, forest_chart
from tuner.render.document import Column, Document, Section, Table
from tuner.render.facts import Fact, waves
from tuner.render.figures import NOTHING, usd_per_million
from tuner.render.gate_words import (
    GREEN,
    METRICS,
    QUANTITIES,
    SHORT,
    calls_words,
    change,
    condition,
    detectable_words,
    effort_words,
    estimate,
    headline,
    interval,
    judged,
    margin,
    name_of,
    quantity,
    side,
    verdict_words,
)
from tuner.render.redact import LEFT_OUT
from tuner.render.text import count, join_and
from tuner.render.wording import LOCAL_REMARK, spend_sentence
from tuner.units import format_ratio

UNCONTROLLED = (
    "Uncontrolled: base comes from a stored report and was not measured beside head. The same code measured twice "
    "can differ by more than the margin, so this only warns."
)


MOST_NAMED = 3


def gate_document(report: GateReport) -> Document:
    """The document of a report that is already without what is private."""
    only = report.comparisons[0] if len(report.comparisons) == 1 else None
    return Document(
        title=_title(report),
        subtitle=_subtitle(report, only),
        answer=headline(report),
        open=report.status not in GREEN,
        paragraphs=tuple(_paragraphs(report, only)),
        sections=tuple(_sections(report, only)),
        notices=report.notices,
        facts=tuple(_facts(report)),
        footer=f"Made by tuner {report.tool_version}, {report.created_at}. Run {report.run_id}.",
        local=LOCAL_REMARK if report.engine is EngineKind.LOCAL else "",
    )


def verdict_table(report: GateReport) -> Table:
    """One row a comparison, the worst first."""
    return Table(
        caption="Head against base, with intervals; a negative change is an improvement.",
        columns=(
            Column(title="Function", words=True),
            Column(title="Size", words=True, expendable=1),
            Column(title="Verdict", words=True),
            Column(title="Duration"),
            Column(title="Remark", words=True, expendable=2),
        ),
        rows=tuple(
            (
                name_of(comparison, report),
                condition(comparison),
                comparison.verdict.status.value,
                change(_duration(comparison)),
                _remark(comparison),
            )
            for comparison in by_severity(report)
        ),
    )


def _duration(comparison: Comparison) -> Estimate | None:
    return next((m.ratio for m in comparison.verdict.metrics if m.metric is Metric.DURATION), None)


def _remark(comparison: Comparison) -> str:
    """What the change of the duration alone does not say."""
    others = [m for m in judged(comparison) if m.metric not in (Metric.DURATION, Metric.ERRORS)]
    if comparison.verdict.status in (VerdictStatus.INVALID, VerdictStatus.BUDGET) or comparison.verdict.budgets:
        return verdict_words(comparison)
    return verdict_words(comparison) if others else ""


def by_severity(report: GateReport) -> tuple[Comparison, ...]:
    """What needs attention first."""
    order = list(_ORDER)
    return tuple(sorted(report.comparisons, key=lambda comparison: order.index(comparison.verdict.status)))


def comparison_section(comparison: Comparison, report: GateReport) -> Section:
    """Everything about one comparison."""
    tables = [_metric_table(comparison)] if comparison.verdict.metrics else []
    tables += [_limit_table(comparison)] if comparison.verdict.budgets else []
    return Section(
        slug=f"comparison-{report.comparisons.index(comparison) + 1}",
        heading=f"{name_of(comparison, report)}: {comparison.verdict.status.value}",
        paragraphs=(verdict_words(comparison), *_account(comparison)),
        tables=tuple(tables),
    )


def _title(report: GateReport) -> str:
    functions = sorted({comparison.function for comparison in report.comparisons})
    return join_and(functions) if 0 < len(functions) <= MOST_NAMED else count(len(functions), "function")


def _subtitle(report: GateReport, only: Comparison | None) -> str:
    place = report.region
    if only is None:
        return place
    sides = f"{side(only.base)} (base) and {side(only.head)} (head)"
    return f"{sides}, {place}, {only.head.runtime or 'container image'}, {condition(only)}"


def _paragraphs(report: GateReport, only: Comparison | None) -> Iterator[str]:
    if any(comparison.uncontrolled for comparison in report.comparisons):
        yield UNCONTROLLED
    if only is not None:
        yield from _account(only)
    yield spend_sentence(report.spend, report.engine)


def _account(comparison: Comparison) -> Iterator[str]:
    yield calls_words(comparison)
    for metric in judged(comparison):
        if metric.status is MetricStatus.INCONCLUSIVE:
            yield f"{METRICS[metric.metric]}: {detectable_words(metric)}; {effort_words(metric.resolve)}."
        elif metric.status is MetricStatus.UNKNOWN and metric.ratio is None and metric.base is None:
            yield f"{METRICS[metric.metric]}: {metric.reason}."


def _sections(report: GateReport, only: Comparison | None) -> Iterator[Section]:
    lines = tuple(_lines(report, only))
    chart = forest_chart(lines) if lines else None
    if only is None:
        if report.comparisons:
            tables = (verdict_table(report),)
            yield Section(slug="verdicts", heading="Verdicts", chart=chart, tables=tables)
        yield from (comparison_section(comparison, report) for comparison in by_severity(report))
    if only is not None and only.verdict.metrics:
        limits = (_limit_table(only),) if only.verdict.budgets else ()
        yield Section(slug="metrics", heading="Head against base", chart=chart, tables=(_metric_table(only), *limits))
    yield from _self_test(report)


def _self_test(report: GateReport) -> Iterator[Section]:
    if not report.self_test:
        return
    rows = tuple(
        (
            format_ratio(one.ratio),
            f"{one.trials}",
            *(f"{number / one.trials * 100:.1f} %" for number in (one.green, one.red, one.inconclusive)),
            f"{one.calls_per_side:.0f}",
        )
        for one in report.self_test
    )
    points = 98 / math.sqrt(
        min(one.trials for one in report.self_test)
    )  # 1.96 standard errors of a share of one half
    titles = ("True change", "Trials", "Green", "Red", "Undecided", "Calls a side")
    table = Table(
        caption="The gate repeated on environments drawn from both sides of this measurement, head slowed by the "
        f"true change: how often it would have been green or red for {_first(report)}, here and today. With so many "
        f"trials a share is known to within {points:.0f} points (95 %).",
        columns=tuple(Column(title=title, words=title == "True change") for title in titles),
        rows=rows,
    )
    yield Section(slug="self-test", heading="Self-test", tables=(table,))


def _first(report: GateReport) -> str:
    """The comparison that was repeated."""
    return "this function" if len(report.comparisons) == 1 else name_of(report.comparisons[0], report)


def _lines(report: GateReport, only: Comparison | None) -> Iterator[ForestLine]:
    """Every metric of one comparison; of several only what decides."""
    for comparison in by_severity(report):
        for metric in comparison.verdict.metrics:
            if metric.ratio is not None and (only is not None or metric.level is Level.ERROR):
                name = METRICS[metric.metric]
                yield ForestLine(
                    name=name if only is not None else f"{name_of(comparison, report)}: {name}",
                    ratio=metric.ratio,
                    margin=metric.margin,
                    status=metric.status,
                )


def _metric_table(comparison: Comparison) -> Table:
    return Table(
        caption="Warm calls; init of cold ones. Duration and init are geometric means. The intervals allow for every "
        "look that the gate may take. Only metrics of the level error decide.",
        columns=(
            Column(title="Metric", words=True),
            Column(title="Base", expendable=2),
            Column(title="Head", expendable=2),
            Column(title="Change"),
            Column(title="Margin", expendable=3),
            Column(title="Level", words=True, expendable=1),
            Column(title="Status", words=True),
            Column(title="n", expendable=4),
        ),
        rows=tuple(
            (
                SHORT[metric.metric],
                estimate(metric.base, metric.unit),
                estimate(metric.head, metric.unit),
                change(metric.ratio),
                margin(metric.margin) if metric.ratio is not None else NOTHING,
                metric.level.value,
                metric.status.value + (" (acknowledged)" if metric.acknowledged else ""),
                _n(metric),
            )
            for metric in comparison.verdict.metrics
        ),
    )


def _n(metric: MetricVerdict) -> str:
    sides = [str(found.n) if found is not None else NOTHING for found in (metric.base, metric.head)]
    return " / ".join(sides)


def _limit_table(comparison: Comparison) -> Table:
    return Table(
        caption="Absolute limits of tuner.toml against what head showed; a limit is exceeded only where the whole "
        "interval lies beyond it.",
        columns=(
            Column(title="Limit", words=True),
            Column(title="At most"),
            Column(title="Head"),
            Column(title="Interval", expendable=2),
            Column(title="Level", words=True, expendable=3),
            Column(title="Status", words=True),
        ),
        rows=tuple(
            (
                QUANTITIES[budget.limit.quantity],
                quantity(budget.limit.at_most, budget.unit),
                estimate(budget.estimate, budget.unit),
                interval(budget.estimate, budget.unit),
                budget.limit.level.value,
                budget.status.value + (" (acknowledged)" if budget.acknowledged else ""),
            )
            for budget in comparison.verdict.budgets
        ),
    )


def _facts(report: GateReport) -> Iterator[Fact]:
    how, policy = report.measurement, report.policy
    yield Fact(name="Command", value=how.command, code=True)
    yield Fact(
        name="Policy",
        value=f"margin {margin(policy.margin)}, error rates at most {margin(policy.alpha)} each, looks after "
        f"{', '.join(map(str, policy.environments))} environments a side, at most {policy.max_calls} calls a side",
    )
    yield Fact(name="Sampling", value=how.sampling)
    yield Fact(name="Waves", value=waves(how))
    yield Fact(name="Seed", value=str(report.seed))
    local = report.engine is EngineKind.LOCAL
    yield Fact(name="Engine", value="embedded Lambda (local)" if local else f"AWS Lambda, {report.region}")
    if how.host is not None:
        yield Fact(name="Host", value=how.host)
    if how.throttle is not None:
        yield Fact(name="CPU limit", value=how.throttle)
    for price in how.prices:
        rates = f"${price.usd_per_gb_s:f} per GB-second, {usd_per_million(price.usd_per_request)} per million"
        yield Fact(name=f"Price, {price.architecture}", value=f"{rates} ({price.region}, as of {price.as_of})")
    yield from _methods(report.comparisons)
    if how.payload_sha256 != LEFT_OUT:
        yield Fact(name="Payload", value=f"SHA-256 {how.payload_sha256[:16]}", code=True)
    for comparison in report.comparisons[:1]:
        for arm in (comparison.base, comparison.head):
            yield Fact(name=f"Code of {arm.variant}", value=f"{side(arm)}, SHA-256 {arm.code_sha256[:12]}")
    yield Fact(name="Run", value=report.run_id, code=True)
    yield Fact(name="Created", value=report.created_at)
    yield Fact(name="Version", value=f"tuner {report.tool_version}, report schema {report.schema_version}")


def _methods(comparisons: Iterable[Comparison]) -> Iterator[Fact]:
    """How the changes of the first comparison were found: the others came about the same way."""
    methods: dict[str, list[str]] = {}
    for metric in next(iter(comparisons)).verdict.metrics:
        if metric.ratio is not None:
            methods.setdefault(metric.ratio.method, []).append(METRICS[metric.metric])
    for method, names in methods.items():
        yield Fact(name="Method", value=f"{join_and(names)}: {method}")


_ORDER = (
    VerdictStatus.INVALID,
    VerdictStatus.REGRESSION,
    VerdictStatus.BUDGET,
    VerdictStatus.INCONCLUSIVE,
    VerdictStatus.IMPROVEMENT,
    VerdictStatus.PASS,
)
