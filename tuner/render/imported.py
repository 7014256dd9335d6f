"""A Power Tuning result, analysed again: what its means can say, and what they cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from tuner import __version__
from tuner.inputs.power_tuning import PowerTuningCurve, PowerTuningResult, power_tuning_url
from tuner.model import Notice, Severity
from tuner.render.charts.curve import curve_chart, money
from tuner.render.charts.pareto import pareto_chart
from tuner.render.curves import STAR, CurveView, Dot, Group, Line, Reading, joined, series_group
from tuner.render.document import Column, Document, Section, Table
from tuner.render.facts import Fact
from tuner.render.figures import NOTHING
from tuner.render.palette import BLUE, GREEN, INK
from tuner.render.text import join_and, join_or, printable
from tuner.units import format_ms, format_ratio, format_share

TOLERANCE = 0.05
"""Costs within this share of the least count as equal: repeated runs of the tool differ by more (in 109 public runs
the cost at the picked size was 12.8 % higher, in the median, when it was measured again)."""

BARGAIN = 0.25
"""A size that is this much faster at the same cost is worth a word."""

_PUBLISHED = Group(name="published mean", colour=BLUE, shape="circle")
_LEAST = Group(name="least published cost", colour=INK, shape="square")
_FASTER = Group(name="fastest within 5 % of it", colour=GREEN, shape=STAR, hollow=True)


def imported_document(result: PowerTuningResult) -> Document:
    """The result as a page: never decided, because a mean without its spread cannot decide anything."""
    only = result.curves[0] if len(result.curves) == 1 else None
    sections = _one_section(only, result) if only else _two_sections(result)
    return Document(
        title="AWS Lambda Power Tuning",
        subtitle="a published result, analysed again by tuner",
        answer=_answer(only) if only else f"{_name(result, 0)} beside {_name(result, 1)}",
        open=True,
        paragraphs=tuple(_paragraphs(only, result) if only else _comparison_paragraphs(result)),
        sections=sections,
        notices=tuple(_notices(result)),
        facts=tuple(_facts(result)),
        footer=f"Made by tuner {__version__}. The same link gives the same page.",
    )


def near_least_cost(curve: PowerTuningCurve) -> tuple[int, ...]:
    """Indices of the sizes whose published cost is within the tolerance of the least, fastest first."""
    limit = min(curve.cost) * (1 + TOLERANCE)
    near = [index for index, cost in enumerate(curve.cost) if cost <= limit]
    return tuple(sorted(near, key=lambda index: (curve.duration_ms[index], curve.cost[index])))


def cheapest(curve: PowerTuningCurve) -> int:
    """What ``strategy: cost`` picks: the least cost, of equals the faster one."""
    return min(range(len(curve.cost)), key=lambda index: (curve.cost[index], curve.duration_ms[index]))


def _answer(curve: PowerTuningCurve) -> str:
    near = near_least_cost(curve)
    sizes = join_or(f"{curve.memory_mb[index]} MB" for index in near)
    return f"Undecided: {sizes}" if len(near) > 1 else f"Probably {sizes}, on means alone"


def _paragraphs(curve: PowerTuningCurve, result: PowerTuningResult) -> Iterator[str]:
    near, least = near_least_cost(curve), cheapest(curve)
    if len(near) > 1:
        yield (
            f"The published costs of these sizes lie within {format_share(TOLERANCE)} of the least, and nothing says "
            "how far a mean would move if it were measured again."
        )
    else:
        yield (
            f"No other size comes within {format_share(TOLERANCE)} of its published cost. Whether that would hold "
            "when measured again, a mean without its spread cannot say."
        )
    gain = 1 - _quotient(curve.duration_ms[near[0]], curve.duration_ms[least])
    if gain >= BARGAIN:
        yield (
            f"A bargain that the least cost hides: {curve.memory_mb[near[0]]} MB is {gain * 100:.0f} % faster than "
            f"{curve.memory_mb[least]} MB for {_change(curve.cost[near[0]], curve.cost[least])} in cost."
        )
    if result.picked_mb is not None:
        yield f"Power Tuning itself proposed {result.picked_mb} MB."


def _comparison_paragraphs(result: PowerTuningResult) -> Iterator[str]:
    one, other = result.curves
    shared = sorted(set(one.memory_mb) & set(other.memory_mb))
    yield f"Two published curves with {len(shared)} sizes in common."
    yield "Both are means without spread: a difference between them may be noise, and nothing here can tell."


def _one_section(curve: PowerTuningCurve, result: PowerTuningResult) -> tuple[Section, ...]:
    view = CurveView(dots=_dots(curve), lines=(joined(_dots(curve)),), currency=result.currency)
    return (
        Section(
            slug="curve",
            heading="The curve",
            chart=curve_chart(view),
            tables=(_table(curve, result.currency),),
        ),
        Section(
            slug="pareto",
            heading="Cost against speed",
            chart=pareto_chart(view),
            tables=(_pareto_table(curve, result.currency),),
        ),
    )


def _two_sections(result: PowerTuningResult) -> tuple[Section, ...]:
    dots: list[Dot] = []
    lines: list[Line] = []
    for index, curve in enumerate(result.curves):
        here = _series_dots(curve, _name(result, index), index)
        dots += here
        lines.append(joined(here))
    view = CurveView(dots=tuple(dots), lines=tuple(lines), currency=result.currency)
    return (
        Section(slug="curve", heading="The curves", chart=curve_chart(view), tables=(_comparison_table(result),)),
    )


def _dots(curve: PowerTuningCurve) -> tuple[Dot, ...]:
    least, best = cheapest(curve), near_least_cost(curve)[0]
    pareto = _pareto(curve)
    groups = {least: _LEAST, best: _FASTER} if best != least else {least: _LEAST}
    dots = [_dot(curve, index, groups.get(index, _PUBLISHED), index in pareto) for index in _by_size(curve)]
    return tuple(dots)


def _series_dots(curve: PowerTuningCurve, name: str, number: int) -> tuple[Dot, ...]:
    group = series_group(name, number)
    return tuple(_dot(curve, index, group, False) for index in _by_size(curve))


def _dot(curve: PowerTuningCurve, index: int, group: Group, pareto: bool) -> Dot:
    return Dot(
        memory_mb=curve.memory_mb[index],
        series=group.name,
        group=group,
        duration_ms=Reading(point=curve.duration_ms[index]),
        cost=Reading(point=curve.cost[index] * 1e6),
        remark=group.name,
        pareto=pareto,
    )


def _by_size(curve: PowerTuningCurve) -> list[int]:
    return sorted(range(len(curve.memory_mb)), key=lambda index: curve.memory_mb[index])


def _pareto(curve: PowerTuningCurve) -> frozenset[int]:
    """Indices of the sizes that no other beats in both, by the published means."""
    return frozenset(index for index in range(len(curve.cost)) if not _beating(curve, index))


def _table(curve: PowerTuningCurve, currency: str) -> Table:
    least, near, pareto = cheapest(curve), near_least_cost(curve), _pareto(curve)
    write = partial(money, currency=currency)
    rows = []
    for index in _by_size(curve):
        remarks = [
            *(["least cost"] if index == least else []),
            *([f"within {format_share(TOLERANCE)}"] if index in near and index != least else []),
            *(["Pareto set"] if index in pareto else []),
        ]
        rows.append(
            (
                f"{curve.memory_mb[index]} MB",
                format_ms(curve.duration_ms[index]),
                write(curve.cost[index] * 1e6),
                NOTHING if index == least else _change(curve.cost[index], curve.cost[least]),
                ", ".join(remarks),
            )
        )
    return Table(
        caption="The published means. No interval can be computed from them, and costs are without request price.",
        columns=(
            Column(title="Memory"),
            Column(title="Mean duration"),
            Column(title="Cost per million"),
            Column(title="Against the least"),
            Column(title="Remarks", words=True),
        ),
        rows=tuple(rows),
    )


def _pareto_table(curve: PowerTuningCurve, currency: str) -> Table:
    write = partial(money, currency=currency)
    rows = tuple(
        (
            f"{curve.memory_mb[index]} MB",
            format_ms(curve.duration_ms[index]),
            write(curve.cost[index] * 1e6),
            join_and(f"{curve.memory_mb[other]} MB" for other in better) if better else "none: in the Pareto set",
        )
        for index in _by_size(curve)
        for better in (_beating(curve, index)[:3],)
    )
    return Table(
        caption="Which size beats which in both, by the published means; at most three are named.",
        columns=(
            Column(title="Memory"),
            Column(title="Mean duration"),
            Column(title="Cost per million"),
            Column(title="Beaten by", words=True),
        ),
        rows=rows,
    )


def _beating(curve: PowerTuningCurve, index: int) -> list[int]:
    """Sizes at least as good in both and better in one, cheapest first."""
    mine = (curve.cost[index], curve.duration_ms[index])
    both = list(zip(curve.cost, curve.duration_ms, strict=True))
    better = [i for i, (cost, ms) in enumerate(both) if cost <= mine[0] and ms <= mine[1] and (cost, ms) != mine]
    return sorted(better, key=lambda i: both[i])


def _comparison_table(result: PowerTuningResult) -> Table:
    one, other = (_by_memory(curve) for curve in result.curves)
    write = partial(money, currency=result.currency)
    rows = []
    for size in sorted(one.keys() | other.keys()):
        cells = [f"{size} MB"]
        for position, show in ((0, format_ms), (1, lambda cost: write(cost * 1e6))):
            pair = [found[size][position] if size in found else None for found in (one, other)]
            cells += [NOTHING if value is None else show(value) for value in pair]
            known = [value for value in pair if value is not None]
            cells.append(_change(known[1], known[0]) if len(known) == len(pair) else NOTHING)
        rows.append(tuple(cells))
    names = [_name(result, 0), _name(result, 1)]
    return Table(
        caption="The published means beside each other, and the second against the first. None has an interval.",
        columns=(
            Column(title="Memory"),
            *(Column(title=f"Duration, {name}") for name in names),
            Column(title="Change"),
            *(Column(title=f"Cost per million, {name}") for name in names),
            Column(title="Change"),
        ),
        rows=tuple(rows),
    )


def _by_memory(curve: PowerTuningCurve) -> dict[int, tuple[float, float]]:
    return {curve.memory_mb[index]: (curve.duration_ms[index], curve.cost[index]) for index in _by_size(curve)}


def _name(result: PowerTuningResult, index: int) -> str:
    names: Sequence[str] = [printable(curve.name or f"curve {n}") for n, curve in enumerate(result.curves, start=1)]
    same = names.count(names[index]) > 1
    return f"{names[index]} ({index + 1})" if same else names[index]


def _change(value: float, base: float) -> str:
    return "not comparable with 0" if base == 0 else format_ratio(value / base)


def _quotient(value: float, base: float) -> float:
    return value / base if base else 1.0


def _notices(result: PowerTuningResult) -> Iterator[Notice]:
    yield Notice(
        code="means-without-spread",
        severity=Severity.WARNING,
        message="These are means without spread. How many invocations are behind each, from how many execution "
        "environments, and how much they varied is not in the format: no interval and no confidence can be given.",
        remedy="Measure the sizes in question yourself: tuner run FUNCTION --memory "
        f"{','.join(map(str, _worth_measuring(result)))}",
    )
    yield Notice(
        code="trimmed-means",
        severity=Severity.INFO,
        message="Power Tuning drops the fastest and the slowest 20 % before it takes the mean, unless told "
        "otherwise. Bills follow all invocations, so a heavy tail costs more than is shown. The request price is "
        "not included.",
    )
    if any(min(curve.duration_ms) < 5 for curve in result.curves):
        yield Notice(
            code="rounded-bill",
            severity=Severity.INFO,
            message="Some means are under 5 ms. Billing rounds up to whole milliseconds, which there decides more "
            "about the cost than the size does.",
        )


def _worth_measuring(result: PowerTuningResult) -> list[int]:
    """The sizes that could be the best, and their neighbours among the published ones."""
    found: set[int] = set()
    for curve in result.curves:
        sizes = sorted(set(curve.memory_mb))
        for index in near_least_cost(curve):
            position = sizes.index(curve.memory_mb[index])
            found.update(sizes[max(position - 1, 0) : position + 2])
    return sorted(found)


def _facts(result: PowerTuningResult) -> Iterator[Fact]:
    yield Fact(name="Format", value="AWS Lambda Power Tuning: mean duration and mean cost at each size, as float32")
    yield Fact(name="Currency", value=result.currency)
    yield Fact(name="Not told", value="function, region, architecture, date, number of invocations, spread, prices")
    yield Fact(name="Link", value=power_tuning_url(result), code=True)
