"""The looks in order: what was decided where, and what is to be measured next. Everything follows from the samples.

Blocks are counted, not environments: look l is made after a number of blocks that is known beforehand, so nothing
that happens during the measurement (a lost call, an environment that ended) can move a look.

    at each look   all that is decisive is decided -> done;  something is red -> confirmation;  else the next blocks
    confirmation   the blocks after the look alone must lie beyond the margin too -> regression, else inconclusive

The confirmation can only take red away, so the promise on red is that of the looks; it is there for what no test
sees: a bad hour, a bad host under all environments of one side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuner.model import BudgetStatus, Cell, GatePolicy, Level, Metric, MetricStatus, Price, Sample
from tuner.statistics.gate.budgets import hold
from tuner.statistics.gate.comparison import LogRatio
from tuner.statistics.gate.faults import Side, faults
from tuner.statistics.gate.metrics import Look, compare, decides, margin_of, regressed, status_of
from tuner.statistics.gate.quantities import Compared
from tuner.statistics.gate.schedule import BlockShape, Schedule
from tuner.statistics.observations import split_by_cell

DOUBT_IN_CONFIRMATION = 0.5
"""P value that the confirmation alone may show: 0.5 is a ratio just beyond the margin. Together with the bound at
the look, whose promise holds already, this is enough; stricter rules were not simulated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms samples are judged. Acknowledgements in ``policy`` hold today."""

    policy: GatePolicy
    schedule: Schedule
    price: Price | None
    """None where nobody knows it; then cost is not compared."""


@dataclass(frozen=True, slots=True)
class Opponents:
    """The two cells that are compared."""

    base: Cell
    head: Cell

    def sides(self, samples: Sequence[Sample]) -> tuple[Side, Side]:
        """What ``samples`` say of base and of head."""
        base, head = split_by_cell(samples, (self.base, self.head))
        return Side("base", base), Side("head", head)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one look says, as far as the next step depends on it."""

    look: Look
    faults: tuple[str, ...]
    red: frozenset[Metric]
    open: bool
    """Something decisive is neither shown nor refuted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a comparison has come."""

    finding: Finding | None
    """Of the last look; None before the first one."""
    judged: tuple[Sample, ...]
    """The samples behind the finding."""
    confirmed: frozenset[Metric] | None
    """Red metrics that the confirmation showed again; None before there was one."""
    due: tuple[BlockShape, ...]
    """Blocks to measure until something can be decided again; empty where nothing more is wanted."""
    confirming: bool


def progress(samples: Sequence[Sample], opponents: Opponents, terms: Terms, *, ended: bool = False) -> Progress:
    """Replay the looks over ``samples``.

    With ``ended`` nothing more is coming: samples after the last complete look are then judged at the level of the
    one that was due.
    """
    schedule = terms.schedule
    blocks = _blocks(samples, opponents)
    finding: Finding | None = None
    judged: tuple[Sample, ...] = ()
    for number, count in enumerate(schedule.looks, 1):
        if len(blocks) < count and not (ended and blocks and len(blocks) > _before(schedule, number)):
            break
        judged = _first(blocks, count)
        finding = look_at(judged, opponents, terms, number)
        if finding.faults or (not finding.red and not finding.open):
            return Progress(finding=finding, judged=judged, confirmed=None, due=(), confirming=False)
        if finding.red:
            return _confirmation(blocks, count, finding, opponents, terms)
    following = next((count for count in schedule.looks if count > len(blocks)), len(blocks))
    due = schedule.blocks[len(blocks) : following]
    return Progress(finding=finding, judged=judged, confirmed=None, due=due, confirming=False)


def look_at(samples: Sequence[Sample], opponents: Opponents, terms: Terms, number: int) -> Finding:
    """Judge what is decisive, at look ``number``."""
    policy = terms.policy
    look = Look(number=number, information=terms.schedule.information)
    base, head = opponents.sides(samples)
    found = faults(base, head, policy)
    if found:
        return Finding(look=look, faults=found, red=frozenset(), open=False)
    compared = {rule.metric: compare(rule.metric, base, head, terms.price) for rule in policy.rules if decides(rule)}
    red = red_metrics(compared, policy, look)
    level = look.level(policy.alpha)
    undecided = any(
        _is_open(both.ratio, margin_of(metric, policy), level, red=metric in red) for metric, both in compared.items()
    )
    return Finding(look=look, faults=(), red=red, open=undecided or _has_open_budget(head, terms, level))


def red_metrics(compared: Mapping[Metric, Compared], policy: GatePolicy, look: Look) -> frozenset[Metric]:
    """Of several metrics those that surely are worse than allowed."""
    ratios = {
        metric: (both.ratio, margin_of(metric, policy)) for metric, both in compared.items() if both.ratio is not None
    }
    return regressed(ratios, policy.alpha, look)


def _is_open(ratio: LogRatio | None, margin: float, level: float, *, red: bool) -> bool:
    return ratio is None or status_of(ratio, margin, level, red=red) is MetricStatus.INCONCLUSIVE


def _has_open_budget(head: Side, terms: Terms, level: float) -> bool:
    return any(
        hold(limit, head, terms.price, level).status in {BudgetStatus.OPEN, BudgetStatus.UNKNOWN}
        for limit in terms.policy.budgets
        if limit.level is Level.ERROR and limit.acknowledgement is None
    )


def _confirmation(
    blocks: Sequence[tuple[Sample, ...]], count: int, finding: Finding, opponents: Opponents, terms: Terms
) -> Progress:
    wanted = terms.schedule.confirmation
    judged, fresh = _first(blocks, count), blocks[count:]
    if len(fresh) < len(wanted):
        return Progress(finding=finding, judged=judged, confirmed=None, due=wanted[len(fresh) :], confirming=True)
    again = shown_again(_first(fresh, len(fresh)), finding.red, opponents, terms) if wanted else finding.red
    return Progress(finding=finding, judged=judged, confirmed=again, due=(), confirming=True)


def shown_again(
    samples: Sequence[Sample], red: frozenset[Metric], opponents: Opponents, terms: Terms
) -> frozenset[Metric]:
    """Those of the ``red`` metrics that other samples alone put beyond the margin."""
    base, head = opponents.sides(samples)
    if faults(base, head, terms.policy):
        return frozenset()
    ratios = {metric: compare(metric, base, head, terms.price).ratio for metric in red}
    return frozenset(
        metric
        for metric, ratio in ratios.items()
        if ratio is not None and ratio.doubt_above(1 + margin_of(metric, terms.policy)) < DOUBT_IN_CONFIRMATION
    )


def _blocks(samples: Sequence[Sample], opponents: Opponents) -> list[tuple[Sample, ...]]:
    """The samples of the two cells, block by block."""
    ours: dict[int, list[Sample]] = {}
    for sample in samples:
        if sample.cell in (opponents.base, opponents.head):
            ours.setdefault(sample.block, []).append(sample)
    return [tuple(ours[number]) for number in sorted(ours)]


def _first(blocks: Sequence[tuple[Sample, ...]], count: int) -> tuple[Sample, ...]:
    return tuple(sample for block in blocks[:count] for sample in block)


def _before(schedule: Schedule, number: int) -> int:
    """Blocks at the look before look ``number``."""
    return schedule.looks[number - 2] if number > 1 else 0
