"""Reports beside each other: what differs, by how much with its interval, and what must not be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tuner import __version__
from tuner.model import Architecture, CurvePoint, EngineKind, Estimate, Notice, Report, Severity
from tuner.render.charts.curve import curve_chart
from tuner.render.curves import curve_of_reports
from tuner.render.differences import METHOD, ratio
from tuner.render.document import Column, Document, Section, Table
from tuner.render.facts import Fact
from tuner.render.figures import NOTHING, excludes, ms_range, ratio_range, usd_range
from tuner.render.redact import LEFT_OUT, Private, redacted
from tuner.render.text import count, join_and, printable
from tuner.render.wording import headline
from tuner.units import format_ms, format_probability, format_ratio, format_usd

DRIFT_DAYS = 7
"""Medians of the same function move by 3 to 7 % from day to day, so runs further apart than this carry a notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One architecture of one report."""

    name: str
    number: int
    """Of the report, in the order in which they were given; 0 is the base."""
    report: Report
    architecture: Architecture

    @property
    def points(self) -> dict[int, CurvePoint]:
        return {p.memory_mb: p for p in self.report.curve if p.architecture is self.architecture}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One size in a series and in the series it is compared with; ratios are series / base."""

    memory_mb: int
    base: CurvePoint
    point: CurvePoint
    duration: Estimate | None
    cost: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesComparison:
    base: Series
    series: Series
    pairs: tuple[Pair, ...]
    """Sizes that have a number in both."""
    only_base: tuple[int, ...]
    """Sizes that have a number in one of the two alone."""
    only_series: tuple[int, ...]


def compare_reports(named: Sequence[tuple[str, Report]]) -> tuple[SeriesComparison, ...]:
    """Every series against the first report's series of the same architecture, or its first one where it has none."""
    series = _all_series(named)
    first = [one for one in series if one.number == 0]
    return tuple(_compared(_base_of(one, first), one) for one in series if one is not first[0])


def comparison_document(named: Sequence[tuple[str, Report]], *, include: Sequence[Private] = ()) -> Document:
    """The comparison of two or more reports as a page; the first is the base."""
    obstacles = tuple(_obstacles(named))
    shown = [(name, redacted(report, include)) for name, report in named]
    found = compare_reports(shown)
    shared = [pair for one in found for pair in one.pairs]
    view = curve_of_reports(shown)
    chart = curve_chart(view, title="Cost and duration of each") if view.drawable else None
    return Document(
        title="Comparison",
        subtitle=join_and(printable(name) for name, _ in shown),
        answer=_answer(found),
        open=not shared or any(notice.severity is Severity.ERROR for notice in obstacles),
        paragraphs=tuple(_paragraphs(found)),
        sections=(
            Section(slug="curve", heading="The curves", chart=chart, tables=(_answers_table(shown),)),
            *_difference_sections(found),
        ),
        notices=obstacles,
        facts=tuple(_facts(shown)),
        footer=f"Made by tuner {__version__}. The same reports give the same page.",
    )


def _all_series(named: Sequence[tuple[str, Report]]) -> list[Series]:
    found = []
    for number, (name, report) in enumerate(named):
        architectures = sorted({point.architecture for point in report.curve})
        for architecture in architectures or [report.target.current.architecture]:
            label = f"{printable(name)}, {architecture}" if len(architectures) > 1 else printable(name)
            found.append(Series(name=label, number=number, report=report, architecture=architecture))
    return found


def _base_of(series: Series, first: Sequence[Series]) -> Series:
    if series.number == 0:
        return first[0]
    return next((one for one in first if one.architecture is series.architecture), first[0])


def _compared(base: Series, series: Series) -> SeriesComparison:
    before, after = base.points, series.points
    both = sorted(size for size in before.keys() & after.keys() if _known(before[size]) and _known(after[size]))
    return SeriesComparison(
        base=base,
        series=series,
        pairs=tuple(_pair(before[size], after[size]) for size in both),
        only_base=tuple(sorted(size for size, point in before.items() if size not in both and _known(point))),
        only_series=tuple(sorted(size for size, point in after.items() if size not in both and _known(point))),
    )


def _known(point: CurvePoint) -> bool:
    return point.duration_ms is not None


def _pair(base: CurvePoint, point: CurvePoint) -> Pair:
    duration = (
        ratio(point.duration_ms.mean, base.duration_ms.mean) if point.duration_ms and base.duration_ms else None
    )
    before, after = base.cost_usd_per_million, point.cost_usd_per_million
    return Pair(
        memory_mb=point.memory_mb,
        base=base,
        point=point,
        duration=duration,
        cost=ratio(after, before) if after and before else None,
    )


def _answer(found: Sequence[SeriesComparison]) -> str:
    if not any(one.pairs for one in found):
        return "Nothing to compare: no size was measured in both"
    parts = [f"{one.series.name} against {one.base.name}: {_tally(one)}" for one in found if one.pairs]
    return "; ".join(parts) if len(parts) == 1 else f"{count(len(parts), 'comparison')} with {found[0].base.name}"


def _tally(one: SeriesComparison) -> str:
    verdicts = Counter(_direction(pair.duration) for pair in one.pairs)
    words = [f"{name} at {verdicts[name]}" for name in ("faster", "slower") if verdicts[name]]
    words += [f"{name} at {verdicts[name]}" for name in ("no difference shown", "no interval") if verdicts[name]]
    return f"{', '.join(words)} of {count(len(one.pairs), 'shared size')}"


def _paragraphs(found: Sequence[SeriesComparison]) -> Iterator[str]:
    compared = [one for one in found if one.pairs]
    if len(compared) > 1:
        for one in compared:
            yield f"{one.series.name} against {one.base.name}: {_tally(one)}."
    pairs = sum(len(one.pairs) for one in found)
    if pairs:
        yield (
            f"Each interval holds with 95 %; of {count(2 * pairs, 'interval')} about one in twenty misses by chance, "
            "so a single small difference among many is no news."
        )
    for one in found:
        missing = [
            *([f"{_sizes(one.only_base)} only in {one.base.name}"] if one.only_base else []),
            *([f"{_sizes(one.only_series)} only in {one.series.name}"] if one.only_series else []),
        ]
        if missing:
            yield f"Without a counterpart: {'; '.join(missing)}."


def _sizes(sizes: Sequence[int]) -> str:
    return f"{join_and(map(str, sizes))} MB"


def _direction(change: Estimate | None) -> str:
    if change is None or not change.estimable:
        return "no interval"
    if not excludes(change, 1):
        return "no difference shown"
    return "faster" if change.point < 1 else "slower"


def _answers_table(named: Sequence[tuple[str, Report]]) -> Table:
    rows = []
    for name, report in named:
        recommendation = report.recommendation
        sure = recommendation.confidence if recommendation else None
        target = report.target
        architectures = sorted({point.architecture for point in report.curve})
        rows.append(
            (
                printable(name),
                headline(report).action,
                "not known" if sure is None else format_probability(sure),
                f"{target.function}, {target.region}, {'local' if target.engine is EngineKind.LOCAL else 'AWS'}",
                join_and(architectures) if architectures else NOTHING,
                report.created_at,
            )
        )
    return Table(
        caption="What each report says for itself.",
        columns=(
            Column(title="Report"),
            Column(title="Answer", words=True),
            Column(title="Confidence"),
            Column(title="Function", words=True),
            Column(title="Architecture", words=True),
            Column(title="Measured", words=True),
        ),
        rows=tuple(rows),
    )


def _difference_sections(found: Sequence[SeriesComparison]) -> Iterator[Section]:
    for number, one in enumerate(found, start=1):
        if one.pairs:
            yield Section(
                slug=f"difference-{number}",
                heading=f"{one.series.name} against {one.base.name}",
                tables=(_duration_table(one), _cost_table(one)),
            )


def _duration_table(one: SeriesComparison) -> Table:
    means = [(pair, pair.base.duration_ms, pair.point.duration_ms) for pair in one.pairs]
    rows = tuple(
        (
            f"{pair.memory_mb} MB",
            _with_range(before.mean, format_ms, ms_range),
            _with_range(after.mean, format_ms, ms_range),
            *_change(pair.duration, "faster", "slower"),
        )
        for pair, before, after in means
        if before and after
    )
    return _difference_table(f"Mean duration of warm invocations. Changes: {METHOD}.", one, rows)


def _cost_table(one: SeriesComparison) -> Table:
    costs = [(pair, pair.base.cost_usd_per_million, pair.point.cost_usd_per_million) for pair in one.pairs]
    rows = tuple(
        (
            f"{pair.memory_mb} MB",
            _with_range(before, format_usd, usd_range),
            _with_range(after, format_usd, usd_range),
            *_change(pair.cost, "cheaper", "dearer"),
        )
        for pair, before, after in costs
        if before and after
    )
    return _difference_table("Cost of a million warm invocations.", one, rows)


def _difference_table(caption: str, one: SeriesComparison, rows: tuple[tuple[str, ...], ...]) -> Table:
    columns = (
        Column(title="Memory"),
        Column(title=one.base.name),
        Column(title=one.series.name),
        Column(title="Change"),
        Column(title="Interval of the change"),
        Column(title="In words", words=True),
    )
    return Table(caption=caption, columns=columns, rows=rows)


def _with_range(estimate: Estimate, write: Callable[[float], str], span: Callable[[Estimate], str]) -> str:
    return f"{write(estimate.point)} ({span(estimate)})" if estimate.estimable else write(estimate.point)


def _change(change: Estimate | None, less: str, more: str) -> tuple[str, str, str]:
    if change is None:
        return NOTHING, NOTHING, "not comparable"
    shown = excludes(change, 1)
    word = (less if change.point < 1 else more) if shown else "no difference shown"
    return format_ratio(change.point), ratio_range(change), word if change.estimable else "no interval"


def _facts(named: Sequence[tuple[str, Report]]) -> Iterator[Fact]:
    for name, report in named:
        how = report.measurement
        yield Fact(name=printable(name), value=how.command, code=True)
        rest = (
            f"{how.sampling}; {count(len(report.samples), 'sample')}; seed {report.seed}; tuner {report.tool_version}"
        )
        yield Fact(name=f"{printable(name)}, how", value=rest)


def _obstacles(named: Sequence[tuple[str, Report]]) -> Iterator[Notice]:
    """What stands between these reports and a fair comparison, each against the first."""
    (base_name, base), *others = named
    for name, report in others:
        for code, severity, what, remedy in _differences(base, report):
            yield Notice(
                code=f"not-comparable-{code}",
                severity=severity,
                message=f"{printable(name)} and {printable(base_name)}: {what}",
                remedy=remedy,
            )


def _differences(base: Report, report: Report) -> Iterator[tuple[str, Severity, str, str]]:
    one, other = base.target, report.target
    if one.engine is not other.engine:
        yield (
            "engine",
            Severity.ERROR,
            "one was measured on AWS, the other on the embedded Lambda, which is another CPU.",
            "Measure both in the same place.",
        )
    elif one.engine is EngineKind.LOCAL and base.measurement.host != report.measurement.host:
        yield (
            "host",
            Severity.ERROR,
            "they ran on different machines, so a difference may be the machine's.",
            "Measure both on one machine.",
        )
    if base.measurement.payload_sha256 != report.measurement.payload_sha256 and LEFT_OUT not in (
        base.measurement.payload_sha256,
        report.measurement.payload_sha256,
    ):
        yield (
            "payload",
            Severity.WARNING,
            "the payloads differ, so it was not the same work.",
            "Use the same --payload for both, unless the payload is what you compare.",
        )
    yield from _smaller_differences(base, report)


def _smaller_differences(base: Report, report: Report) -> Iterator[tuple[str, Severity, str, str]]:
    one, other = base.target, report.target
    if one.function != other.function:
        yield (
            "function",
            Severity.INFO,
            "these are different functions.",
            "Fine if that is the question; a difference then says nothing about a change.",
        )
    if one.region != other.region:
        yield (
            "region",
            Severity.WARNING,
            f"the regions differ ({one.region}, {other.region}): other hosts and other prices.",
            "Measure both in one region.",
        )
    if _rates(base) != _rates(report):
        yield (
            "prices",
            Severity.WARNING,
            "the prices differ, so a difference in cost is partly a difference in price.",
            "Compare durations, or run both with the same --price-per-gb-s.",
        )
    if base.measurement.wave_size != report.measurement.wave_size:
        yield (
            "waves",
            Severity.INFO,
            f"waves were of {base.measurement.wave_size} and {report.measurement.wave_size} invocations.",
            "So the numbers of environments differ; the intervals allow for it, but an equal --wave is better.",
        )
    days = _days_apart(base, report)
    if days is not None and days > DRIFT_DAYS:
        yield (
            "drift",
            Severity.WARNING,
            f"they were measured {days} days apart, without anything to control for what changed at AWS meanwhile.",
            "Measure both now, one beside the other.",
        )


def _rates(report: Report) -> set[tuple[str, str, str]]:
    return {(p.architecture.value, str(p.usd_per_gb_s), str(p.usd_per_request)) for p in report.measurement.prices}


def _days_apart(base: Report, report: Report) -> int | None:
    """None where a date cannot be read: reports may come from anywhere."""
    try:
        return abs((datetime.fromisoformat(base.created_at) - datetime.fromisoformat(report.created_at)).days)
    except (ValueError, TypeError):
        return None
